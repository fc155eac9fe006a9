//! Decoding what a form holds (RFC 6749, appendix B).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A part of a form, or a half of a client's Basic credentials, as it is meant; `None` where it is no such part. Strictly,
/// unlike browsers: a `%` without its two digits, and what is no UTF-8, are mistakes of which nobody should have to guess
/// what they are to mean.
#[must_use]
pub fn form_decoded(part: &str) -> Option<String> {
    let mut rest = part.as_bytes();
    while let Some(place) = rest.iter().position(|byte| *byte == b'%') {
        let digits = rest.get(place + 1..place + 3)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = &rest[place + 3..];
    }
    let spaced = part.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_decoded_strictly() {
        for (part, meant) in [("", ""), ("read+write", "read write"), ("a%2Bb%25%C3%A9", "a+b%é"), ("é:/?", "é:/?")]
        {
            assert_eq!(form_decoded(part).as_deref(), Some(meant), "{part}");
        }
        for bad in ["%", "%2", "a%", "%zz", "%+1", "%ff", "%C3", "%c0%80", "%e0%80", "%25%"] {
            assert_eq!(form_decoded(bad), None, "{bad}");
        }
    }
}
