//! From an export to its events. What two readers might read in two ways is refused, since the hash would be of the one
//! and the eye on the other: members that stand twice, and, in what no hash covers, members that no event has.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use domain::audit::{hash_of_members, is_exact};
use domain::strict_json;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};
use thiserror::Error;

/// Every member of an event.
const MEMBERS: [&str; 10] =
    ["id", "at", "actor", "action", "object", "address", "outcome", "details", "hash", "previous_hash"];

/// Where events are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    StandardInput,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::StandardInput => f.write_str("standard input"),
        }
    }
}

/// Where an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// In what.
    pub source: Arc<Source>,
    /// Which of its events it is, from 1; those outside of the chain count.
    pub event: usize,
    /// The line that it begins in, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} of {} (line {})", self.event, self.source, self.line)
    }
}

/// An event as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where.
    pub place: Place,
    /// Its id.
    pub id: String,
    /// Its time, as it is written.
    pub at: String,
    /// The hash that it carries; `None` outside of the chain.
    pub hash: Option<String>,
    /// The hash that it names as the one before it.
    pub previous_hash: Option<String>,
    /// Whether its hash is that of its content.
    pub intact: bool,
}

/// What can't be read, and where.
#[derive(Debug, Error)]
#[error("{place}: {reason}")]
pub struct Unreadable {
    place: String,
    reason: String,
}

impl Unreadable {
    pub(crate) fn new(source: &Source, position: Option<(usize, usize)>, reason: impl Into<String>) -> Self {
        let place = match position {
            Some((line, column)) => format!("{source}, line {line}, column {column}"),
            None => source.to_string(),
        };
        Self { place, reason: reason.into() }
    }
}

/// One page of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(rename = "next_cursor")]
    _next_cursor: Option<String>,
}

/// The events of an export, in order: JSON values one after another, each an event, a page, or an array of those.
///
/// # Errors
/// [`Unreadable`].
pub fn events(source: &Source, bytes: &[u8]) -> Result<Vec<Recorded>, Unreadable> {
    let mut reader =
        Reader { source: Arc::new(source.clone()), bytes, events: Vec::new(), counted: 0, line: 1, line_start: 0 };
    let mut values = 0;
    for value in Deserializer::from_slice(bytes).into_iter::<&RawValue>() {
        let value =
            value.map_err(|error| Unreadable::new(source, Some((error.line(), error.column())), reason(&error)))?;
        values += 1;
        if value.get().starts_with('[') {
            let values: Vec<&RawValue> =
                serde_json::from_str(value.get()).map_err(|error| reader.wrong(value, &error))?;
            for value in values {
                reader.page_or_event(value)?;
            }
        } else {
            reader.page_or_event(value)?;
        }
    }
    // An export that failed must not pass for one without events.
    if values == 0 {
        return Err(Unreadable::new(source, None, "nothing stands there"));
    }
    Ok(reader.events)
}

struct Reader<'a> {
    source: Arc<Source>,
    bytes: &'a [u8],
    events: Vec<Recorded>,
    /// Up to here, lines are counted.
    counted: usize,
    line: usize,
    line_start: usize,
}

impl Reader<'_> {
    fn page_or_event(&mut self, value: &RawValue) -> Result<(), Unreadable> {
        match serde_json::from_str::<Page<'_>>(value.get()) {
            Ok(page) => page.data.into_iter().try_for_each(|event| self.event(event)),
            Err(_) => self.event(value),
        }
    }

    fn event(&mut self, value: &RawValue) -> Result<(), Unreadable> {
        let members: Map<String, Value> =
            strict_json::from_slice(value.get().as_bytes()).map_err(|error| self.wrong(value, &error))?;
        let (line, column) = self.position(value);
        let place = Place { source: self.source.clone(), event: self.events.len() + 1, line };
        let event =
            recorded(place, members).map_err(|reason| Unreadable::new(&self.source, Some((line, column)), reason))?;
        self.events.push(event);
        Ok(())
    }

    /// Line and column, from 1, of where a value begins; values are asked for in order.
    fn position(&mut self, value: &RawValue) -> (usize, usize) {
        let start = value.get().as_ptr().addr() - self.bytes.as_ptr().addr();
        for (place, byte) in self.bytes.iter().enumerate().take(start).skip(self.counted) {
            if *byte == b'\n' {
                self.line += 1;
                self.line_start = place + 1;
            }
        }
        self.counted = self.counted.max(start);
        (self.line, start - self.line_start + 1)
    }

    /// An error inside of a value.
    fn wrong(&mut self, value: &RawValue, error: &serde_json::Error) -> Unreadable {
        let (line, column) = self.position(value);
        let position = match error.line() {
            0 | 1 => (line, column + error.column().saturating_sub(1)),
            below => (line + below - 1, error.column()),
        };
        Unreadable::new(&self.source, Some(position), reason(error))
    }
}

/// What an error says, without its position: that one is within the value.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

fn recorded(place: Place, members: Map<String, Value>) -> Result<Recorded, String> {
    let hash_in = |name: &str| match members.get(name) {
        Some(Value::Null) => Ok(None),
        Some(Value::String(hash)) => Ok(Some(hash.clone())),
        _ => Err(format!("no event: `{name}` is neither a text nor null")),
    };
    let text_in = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let (hash, previous_hash) = (hash_in("hash")?, hash_in("previous_hash")?);
    let id = text_in("id").ok_or("no event: `id` is no text")?;
    let at = text_in("at").unwrap_or_default();
    // In the chain the hash says whether the members are those that were written.
    if hash.is_none() && (members.len() != MEMBERS.len() || MEMBERS.iter().any(|name| !members.contains_key(*name))) {
        return Err("no event: its members are not those of an event".to_owned());
    }
    let intact = hash.is_some() && members.values().all(is_plain) && hash == Some(hash_of_members(members));
    Ok(Recorded { place, id, at, hash, previous_hash, intact })
}

/// Whether all numbers are as they are written in events: two others can have one canonical form.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Number(number) => is_exact(number),
        Value::Array(values) => values.iter().all(is_plain),
        Value::Object(members) => members.values().all(is_plain),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
