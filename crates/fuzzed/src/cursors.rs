//! Cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge::{decode_cursor, encode_cursor};

use crate::bytes::two_texts;

/// A list and a cursor; the same as a list and a place.
pub fn cursors(data: &[u8]) {
    let (list, text) = two_texts(data);
    if let Ok(place) = decode_cursor(&list, &text) {
        assert_eq!(encode_cursor(&list, &place), text, "one cursor for one place");
    }
    let cursor = encode_cursor(&list, &text);
    assert_eq!(decode_cursor(&list, &cursor).ok().as_deref(), Some(text.as_str()));
    for other in [format!("{list}x"), format!("x{list}"), list.chars().skip(1).collect()] {
        assert!(other == list || decode_cursor(&other, &cursor).is_err(), "{other:?} takes a cursor of {list:?}");
    }
    // The same letters, parted elsewhere.
    if let Some((place, _)) = list.char_indices().last() {
        let digest = &URL_SAFE_NO_PAD.decode(&cursor).unwrap()[..12];
        let forged = [digest, &list.as_bytes()[place..], text.as_bytes()].concat();
        assert!(decode_cursor(&list[..place], &URL_SAFE_NO_PAD.encode(forged)).is_err(), "{list:?} {text:?}");
    }
    assert!(decode_cursor(&list, &cursor[1..]).is_err() && decode_cursor(&list, &format!("{cursor}A")).is_err());
}
