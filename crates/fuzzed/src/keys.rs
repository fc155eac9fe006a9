//! Key strings, agents' tokens, and strings of other systems.

use domain::{AgentToken, ForeignKey, HashedKey, KeyPattern, KeyPatterns, KeyPrefix, PlainKey, PresentedKey};

use crate::bytes::{choice, edited, text, two_texts};

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Any text as a key; a key built out of the bytes, and the same key changed; a pattern and a string.
pub fn keys(data: &[u8]) {
    let (form, rest) = choice(data, 3);
    match form {
        0 => read(&text(rest)),
        1 => built(rest),
        _ => pattern(rest),
    }
}

fn read(text: &str) {
    let own = PlainKey::parse(text);
    let agent = AgentToken::parse(text);
    let foreign = ForeignKey::parse(text);
    assert!(
        usize::from(own.is_ok()) + usize::from(agent.is_ok()) + usize::from(foreign.is_ok()) <= 1,
        "one thing alone"
    );
    assert_eq!(own.is_ok(), is_key(text));
    assert_eq!(agent.is_ok(), is_agent_token(text));
    match (PresentedKey::parse(text), own, foreign) {
        (Ok(PresentedKey::Own(presented)), Ok(key), Err(_)) => {
            assert_eq!(presented.expose(), text);
            assert_eq!(key.hash(), HashedKey::of_text(text));
            assert_eq!(format!("{}{}", key.prefix(), key.id().digits()), text[..text.len() - 38]);
            assert!(PlainKey::is_in(text));
            assert!(!format!("{key:?}").contains(&text[text.len() - 38..]), "no secret in a log");
        }
        (Ok(PresentedKey::Foreign(presented)), Err(_), Ok(_)) => {
            assert_eq!(presented.hash(), HashedKey::of_text(text));
            assert!((20..=200).contains(&text.len()) && !text.contains(['.', ',', ' ']));
        }
        (Err(_), Err(_), Err(_)) => {}
        other => panic!("{other:?}"),
    }
    let windows = (0..text.len()).flat_map(|start| (56..=74).filter_map(move |length| text.get(start..start + length)));
    assert_eq!(PlainKey::is_in(text), windows.take(4_000).any(is_key) || (text.len() > 200 && PlainKey::is_in(text)));
}

/// The contract's words: prefix, 48 characters of base62, and six that are the CRC-32 of what stands before them.
fn is_key(text: &str) -> bool {
    let Some(prefix) = text.len().checked_sub(54).filter(|prefix| (2..=20).contains(prefix) && text.is_ascii()) else {
        return false;
    };
    let (prefix, tail) = text.split_at(prefix);
    prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        && !prefix.starts_with("agent_tok")
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.ends_with(&check(&text[..text.len() - 6]))
}

fn is_agent_token(text: &str) -> bool {
    let parts = text.strip_prefix("agent_tok_").filter(|parts| parts.len() == 54);
    parts.is_some_and(|parts| {
        parts.bytes().all(|byte| byte.is_ascii_alphanumeric()) && text.ends_with(&check(&text[..58]))
    })
}

/// CRC-32 (ISO-HDLC) bit by bit, in base62.
fn check(body: &str) -> String {
    let crc = !body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    let digit = |place: u32| char::from(BASE62[(crc / 62_u32.pow(place) % 62) as usize]);
    (0..6).rev().map(digit).collect()
}

fn digit(byte: u8) -> char {
    char::from(BASE62[usize::from(byte) % 62])
}

fn built(data: &[u8]) {
    let Some((random, rest)) = data.split_at_checked(48) else { return };
    let (length, rest) = choice(rest, 19);
    let Some((prefix, edits)) = rest.split_at_checked(usize::from(length) + 2) else { return };
    let prefix: String = prefix.iter().map(|byte| if *byte == b'_' { '_' } else { digit(*byte) }).collect();
    let body: String = prefix.chars().chain(random.iter().map(|byte| digit(*byte))).collect();
    let key = body.clone() + &check(&body);
    if prefix.starts_with("agent_tok") {
        return;
    }
    assert_eq!(PlainKey::parse(&key).unwrap().expose(), key);
    let changed = edited(&key, edits);
    if changed.len() == key.len() && changed.bytes().zip(key.bytes()).filter(|(one, other)| one != other).count() == 1 {
        assert!(PlainKey::parse(&changed).is_err(), "no single changed character passes: {changed}");
    }
    read(&changed);
}

fn pattern(data: &[u8]) {
    let (length, rest) = choice(data, u8::MAX);
    let (prefix, text) = two_texts(rest);
    let Some(prefix) = KeyPrefix::parse(&prefix) else { return };
    let Ok(pattern) = KeyPattern::new(prefix.clone(), usize::from(length)) else { return };
    let matches = |text: &str| text.len() == usize::from(length) && text.starts_with(prefix.as_str());
    // No string of our own can be taken for one of theirs.
    let filled = format!("{}{}", prefix.as_str(), "0".repeat(usize::from(length)));
    let body = &filled[..usize::from(length) - 6];
    for ours in [body.to_owned() + &check(body), filled[..usize::from(length)].to_owned()] {
        assert!(!is_key(&ours) && !is_agent_token(&ours) && !ours.starts_with("ey"), "{ours}");
    }
    if let Ok(key) = ForeignKey::parse(&text) {
        assert_eq!(KeyPatterns::from_iter([pattern.clone()]).match_key(&key), matches(&text));
        assert_eq!(
            pattern.is_in(&text),
            text.char_indices().any(|(start, _)| {
                let piece = text.get(start..start + usize::from(length));
                piece.is_some_and(|piece| matches(piece) && ForeignKey::parse(piece).is_ok())
            })
        );
    }
}
