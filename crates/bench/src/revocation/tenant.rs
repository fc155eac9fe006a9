//! A client whose keys are made, shown and revoked.

use axum::body::Bytes;
use domain::{Act, KeyId, Timestamp, Workspace};
use serde_json::json;
use signing::{Algorithm, Signer};
use store::Store;
use store::keys::Revocation;
use testkit::{TestAccount, TestKey, account, act, published_signer};

use crate::clocks;
use crate::failure::Failure;

/// How long a token lives, in seconds: longer than its key is looked at.
const LIFETIME: i64 = 3_000;

pub(crate) struct Tenant {
    store: Store,
    account: TestAccount,
    signer: Signer,
}

impl Tenant {
    pub(crate) async fn new(store: Store) -> Result<Self, Failure> {
        let account = account("bench@example.com").stored(&store).await;
        let signer = published_signer(&store, Algorithm::Es256).await;
        Ok(Self { store, account, signer })
    }

    /// A new key: its id, and the events that show its token and the key itself.
    pub(crate) async fn key(&self) -> Result<(KeyId, [Bytes; 2]), Failure> {
        let key = TestKey::new(&self.account.client, "read").stored(&self.store).await;
        let workspace: &Workspace = &self.account.workspace;
        let mut claims = key.claims_in(workspace);
        // The authorizers have the real time.
        (claims.iat, claims.nbf, claims.exp) = (now().unix(), now().unix(), now().plus(LIFETIME).unix());
        let token = self.signer.sign(&claims).map_err(|error| Failure::Start(error.to_string()))?;
        let events = [event("Authorization", &format!("Bearer {token}")), event("X-API-Key", key.plain.expose())];
        Ok((key.record.id, events))
    }

    pub(crate) async fn revoke(&self, id: &KeyId) -> Result<(), Failure> {
        let act = Act { at: now(), ..act() };
        match self.store.key_revoke(&self.account.client.id, id, &act).await? {
            Revocation::Revoked => Ok(()),
            other => Err(Failure::Answer { call: "revoke", reason: format!("{other:?}") }),
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix(i64::try_from(clocks::since_epoch().as_secs()).unwrap_or(i64::MAX))
}

/// A REST API's event, with no more in it than is looked at.
fn event(header: &str, value: &str) -> Bytes {
    let event = json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc/live/GET/api/v1/users",
        "headers": {header: value},
        "multiValueHeaders": {header: [value]},
    });
    event.to_string().into()
}
