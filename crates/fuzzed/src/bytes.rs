//! Bytes taken apart into what a target needs.

/// The text that bytes are, as well as they are one.
pub(crate) fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// Two texts: what stands before the first end of a line, and what stands behind it.
pub(crate) fn two_texts(data: &[u8]) -> (String, String) {
    let text = text(data);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    (one.to_owned(), other.to_owned())
}

/// A byte at the front that chooses among `count`, and the rest.
pub(crate) fn choice(data: &[u8], count: u8) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (first % count, rest))
}

/// `text` changed in the places that `edits` says, three bytes for each.
pub(crate) fn edited(text: &str, edits: &[u8]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits.chunks_exact(3).take(8) {
        let place = (usize::from(edit[0]) * 7 + usize::from(edit[1] >> 2)) % bytes.len().max(1);
        match edit[1] & 3 {
            0 if place < bytes.len() => bytes[place] = edit[2],
            1 => bytes.insert(place, edit[2]),
            2 if place < bytes.len() => drop(bytes.remove(place)),
            _ => bytes.truncate(bytes.len().saturating_sub(usize::from(edit[2]))),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
