//! The one place that ids and secrets come from: the operating system's random source.

/// Digits of base62, in the order that the contract gives them.
pub(crate) const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random bytes from the operating system.
///
/// # Panics
/// Where the operating system gives none; nothing that Keygate makes without randomness would be safe.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut buffer = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness no secret may be made; stopping is the safe answer")]
    getrandom::fill(&mut buffer).expect("the operating system's random source answers");
    buffer
}

/// `length` random base62 digits, each equally likely (about 5.95 bits).
///
/// # Panics
/// As [`bytes`].
#[must_use]
pub fn base62(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in bytes::<64>() {
            // 248 = 4 × 62: bytes beyond it would make the first digits likelier than the rest.
            if byte < 248 && text.len() < length {
                text.push(char::from(BASE62[usize::from(byte % 62)]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_turns_up_and_no_two_strings_are_alike() {
        let long = base62(10_000);
        assert!(BASE62.iter().all(|digit| long.as_bytes().contains(digit)));
        assert_ne!(base62(32), base62(32));
        assert_eq!(base62(32).len(), 32);
    }
}
