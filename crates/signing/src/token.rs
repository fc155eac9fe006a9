//! A token before anything of it is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::strict_json;
use serde::Deserialize;
use thiserror::Error;

/// The `typ` of an access token (RFC 9068, section 2.1).
pub(crate) const TOKEN_TYPE: &str = "at+jwt";

/// Longer texts are no tokens of ours; API Gateway takes 10,240 bytes of headers at most.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The text is not a compact JWS with the header of an access token.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not an access token")]
pub struct MalformedToken;

/// A token whose form is right and whose claims nobody has verified.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    text: &'a str,
    /// Header and payload as they were signed.
    pub(crate) message: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) algorithm: String,
    kid: String,
}

/// Exactly what our own tokens carry. Everything else ends here: `crit` that nobody understands, keys that the token
/// brings along (`jwk`, `jku`, `x5c`, `x5u`), `b64`, `zip` (RFC 8725, sections 3.1, 3.10; RFC 7515, section 4.1.11).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

impl<'a> UnverifiedToken<'a> {
    /// Reads a compact JWS: three segments of strict base64url, no padding, no stray bits; a header of exactly
    /// `alg`, `kid` and `typ: at+jwt`, each once.
    ///
    /// # Errors
    /// [`MalformedToken`].
    pub fn parse(text: &'a str) -> Result<Self, MalformedToken> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(MalformedToken);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(MalformedToken)?;
        let (header, payload) = message.split_once('.').ok_or(MalformedToken)?;
        // A fourth segment's dot is no base64url, so it is found here or at the payload.
        let decoded = URL_SAFE_NO_PAD.decode(header).map_err(|_| MalformedToken)?;
        let header: Header = strict_json::from_slice(&decoded).map_err(|_| MalformedToken)?;
        if header.typ != TOKEN_TYPE || header.kid.is_empty() {
            return Err(MalformedToken);
        }
        Ok(Self { text, message, payload, signature, algorithm: header.alg, kid: header.kid })
    }

    /// The token itself.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Which key it says that it was signed with.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }
}
