//! Cursors: a place in a list, opaque to callers.
//!
//! A cursor carries a digest over the place and what it belongs to (the client, the filters), so that one that was
//! changed, or comes from another list, is refused. The digest is no secret: all that a forger gains is another place
//! in the forger's own list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

const DIGEST: usize = 12;

/// Makes a cursor of `place` in the list that `list` names.
#[must_use]
pub fn encode_cursor(list: &str, place: &str) -> String {
    URL_SAFE_NO_PAD.encode([&digest(list, place), place.as_bytes()].concat())
}

/// The place that a cursor of the list `list` carries.
///
/// # Errors
/// [`ApiError::BadRequest`] for anything that [`encode_cursor`] has not made for this list.
pub fn decode_cursor(list: &str, cursor: &str) -> Result<String, ApiError> {
    let wrong = || ApiError::BadRequest("The cursor is not of this list".to_owned());
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    let (given, place) = bytes.split_at_checked(DIGEST).ok_or_else(wrong)?;
    let place = std::str::from_utf8(place).map_err(|_| wrong())?;
    if digest(list, place) == given { Ok(place.to_owned()) } else { Err(wrong()) }
}

fn digest(list: &str, place: &str) -> Vec<u8> {
    // The length parts the two, so that no list and place read as another pair.
    let text = format!("{}:{list}{place}", list.len());
    Sha256::digest(text.as_bytes())[..DIGEST].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_in_its_own_list_as_it_is() {
        let cursor = encode_cursor("keys of cl_1", "2026-04-11T12:00:00Z#ak_1");
        assert_eq!(decode_cursor("keys of cl_1", &cursor).unwrap(), "2026-04-11T12:00:00Z#ak_1");
        assert!(decode_cursor("keys of cl_2", &cursor).is_err());
        for place in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert!(decode_cursor("keys of cl_1", std::str::from_utf8(&changed).unwrap()).is_err(), "at {place}");
        }
        for bad in ["", "x", "====", "AAAAAAAAAAAAAAAAAAAAAAAA", &format!("{cursor}=")] {
            assert!(decode_cursor("keys of cl_1", bad).is_err(), "{bad}");
        }
    }
}
