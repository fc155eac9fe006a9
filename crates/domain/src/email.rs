//! E-mail addresses, as names to log in with.

use std::fmt;

use serde::{Serialize, Serializer};

/// An e-mail address in lower case. Nobody runs two people under two spellings of one address; a login must not depend
/// on which was typed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address: something, one `@`, a domain with a dot; 254 bytes at most (RFC 5321, section 4.5.3.1), no
    /// spaces, quotes or control characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // In lower case first: some letters grow by it, and what is kept is what must fit.
        let text = text.to_lowercase();
        let (local, domain) = text.split_once('@')?;
        let plain = |letter: char| !letter.is_whitespace() && !letter.is_control() && !"@\"<>(),;:\\".contains(letter);
        let labels = domain.split('.').collect::<Vec<_>>();
        let fits = text.len() <= 254
            && !local.is_empty()
            && local.len() <= 64
            && labels.len() >= 2
            && labels.iter().all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
            && text.chars().filter(|letter| *letter != '@').all(plain)
            && !domain.contains('@');
        fits.then_some(Self(text))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    /// A personal datum: logs do not get it by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_name_however_it_is_typed() {
        assert_eq!(Email::parse("Alice@Example.COM"), Email::parse("alice@example.com"));
        assert!(Email::parse("a.b+c@sub.example.co").is_some());
        assert_eq!(format!("{:?}", Email::parse("a@b.c").unwrap()), "Email(…)");
        for bad in [
            "",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a@b.",
            "a@.b",
            "a@@b.c",
            "a@b@c.d",
            "a b@c.d",
            "a@b c.d",
            "a\n@b.c",
            "a@-b.c",
            "\"a\"@b.c",
            "a<b>@c.d",
            "a@b.c ",
            " a@b.c",
        ] {
            assert_eq!(Email::parse(bad), None, "{bad}");
        }
        assert_eq!(Email::parse(&format!("{}@b.c", "a".repeat(65))), None);
        assert_eq!(Email::parse(&format!("{}@b.c", "İ".repeat(32))), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_kept_reads_back(text in "[A-Za-zİßẞ0-9.+-]{1,70}@[A-Za-zİ0-9.-]{1,40}") {
            if let Some(email) = Email::parse(&text) {
                proptest::prop_assert_eq!(Email::parse(email.as_str()), Some(email));
            }
        }
    }
}
