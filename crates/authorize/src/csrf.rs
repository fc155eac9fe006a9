//! Tokens that bind a form to the page that it was sent from.

use domain::HashedKey;

/// The token of a form: a hash of what it is for, of what it is about, and of a secret that only the browser's cookie has.
/// The secret stands last, so that nobody who knows one token can reckon another from it.
pub(crate) fn token(secret: &str, purpose: &str, about: &str) -> String {
    hash(secret, purpose, about).to_hex()
}

/// Whether a form has the token that its page has; takes the same time for every token.
pub(crate) fn is_token(sent: Option<&str>, secret: &str, purpose: &str, about: &str) -> bool {
    let sent = sent.and_then(HashedKey::parse_hex);
    sent.is_some_and(|sent| sent.matches(&hash(secret, purpose, about)))
}

fn hash(secret: &str, purpose: &str, about: &str) -> HashedKey {
    HashedKey::of_text(&format!("{purpose}\n{about}\n{secret}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_secret_one_purpose_and_one_request() {
        let sent = token("secret", "consent", "a=b");
        assert!(is_token(Some(&sent), "secret", "consent", "a=b"));
        for (secret, purpose, about) in
            [("secre", "consent", "a=b"), ("secret", "login", "a=b"), ("secret", "consent", "a=c")]
        {
            assert!(!is_token(Some(&sent), secret, purpose, about));
        }
        assert!(!is_token(None, "secret", "consent", "a=b"));
        assert!(!is_token(Some(""), "secret", "consent", "a=b"));
    }
}
