//! AWS's Key Management Service: what wraps never leaves it, each use is in `CloudTrail`, and the right to unwrap is a
//! role's.

use std::collections::HashMap;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::Builder;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::primitives::Blob;

use super::{WrapContext, WrapError};

/// First byte of everything wrapped here, before KMS's own bytes.
const FORM: u8 = 2;

/// A symmetric key of KMS.
pub struct Kms {
    client: Client,
    key_id: String,
}

impl Kms {
    /// The key of this id, ARN or alias. Region, credentials and endpoint come from the environment
    /// (`AWS_ENDPOINT_URL_KMS`).
    ///
    /// # Errors
    /// [`WrapError::Environment`].
    pub fn connect(key_id: String) -> Result<Self, WrapError> {
        Ok(Self::over(&aws::connect("AWS_ENDPOINT_URL_KMS")?, key_id))
    }

    /// The key of this id at a server that plays KMS and asks for no real credentials.
    #[must_use]
    pub fn connect_emulated(endpoint: &str, key_id: String) -> Self {
        Self::over(&aws::connect_emulated(endpoint, "us-east-1"), key_id)
    }

    fn over(config: &aws::SdkConfig, key_id: String) -> Self {
        let client = Client::from_conf(Builder::from(config).interceptor(aws::UserAgent).build());
        Self { client, key_id }
    }

    pub(super) async fn wrap(&self, plain: &[u8], context: WrapContext<'_>) -> Result<Vec<u8>, WrapError> {
        let encrypt = self.client.encrypt().key_id(&self.key_id).plaintext(Blob::new(plain));
        let answer = aws::boxed(encrypt.set_encryption_context(Some(context.of_kms())).send()).await;
        let answer = answer.map_err(|error| unavailable(&error))?;
        let wrapped = answer.ciphertext_blob.ok_or_else(|| WrapError::Unavailable("no ciphertext".to_owned()))?;
        Ok([&[FORM], wrapped.as_ref()].concat())
    }

    pub(super) async fn unwrap(&self, wrapped: &[u8], context: WrapContext<'_>) -> Result<Vec<u8>, WrapError> {
        let [FORM, wrapped @ ..] = wrapped else { return Err(WrapError::Refused) };
        // Which key must be said: left out, KMS would take any that the ciphertext names.
        let decrypt = self.client.decrypt().key_id(&self.key_id).ciphertext_blob(Blob::new(wrapped));
        match aws::boxed(decrypt.set_encryption_context(Some(context.of_kms())).send()).await {
            Ok(answer) => answer.plaintext.map(Blob::into_inner).ok_or(WrapError::Refused),
            Err(SdkError::ServiceError(error))
                if matches!(
                    error.err(),
                    DecryptError::InvalidCiphertextException(_) | DecryptError::IncorrectKeyException(_)
                ) =>
            {
                Err(WrapError::Refused)
            }
            Err(error) => Err(unavailable(&error)),
        }
    }
}

impl WrapContext<'_> {
    fn of_kms(&self) -> HashMap<String, String> {
        self.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

fn unavailable<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>) -> WrapError {
    let said = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
    WrapError::Unavailable(said.unwrap_or_else(|| causes(error)))
}

/// An error and all that is behind it, by what each says of itself.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl std::fmt::Debug for Kms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kms").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
