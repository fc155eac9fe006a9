//! Chains to verify, and how they are exported.

use audit_verify::chain::{BrokenLink, Expected, Summary, verify};
use audit_verify::read::{Recorded, Source, Unreadable, events};
use domain::audit::Details;
use domain::{Act, Action, AuditEvent, ClientId, Deed, KeyId, Outcome, Timestamp, UserId};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What becomes of an export; `None` where it can't be read.
#[derive(Debug)]
pub(crate) struct Judged(pub(crate) Option<Result<Summary, BrokenLink>>);

impl Judged {
    pub(crate) fn whole(self) -> Summary {
        self.0.unwrap().unwrap()
    }

    pub(crate) fn broken(self) -> BrokenLink {
        self.0.unwrap().unwrap_err()
    }

    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.0, Some(Ok(_)))
    }
}

pub(crate) fn read(text: &str) -> Result<Vec<Recorded>, Unreadable> {
    events(&Source::StandardInput, text.as_bytes())
}

pub(crate) fn judge(text: &str, expected: &Expected) -> Judged {
    Judged(read(text).ok().map(|events| verify(&events, expected)))
}

/// The whole chain of these events, up to its known head.
pub(crate) fn known_head(events: &[Value]) -> Expected {
    Expected { after: None, head: events.last().map(hash) }
}

pub(crate) fn hash(event: &Value) -> String {
    event["hash"].as_str().unwrap().to_owned()
}

/// One event on each line.
pub(crate) fn lines(events: &[Value]) -> String {
    events.iter().map(Value::to_string).flat_map(|event| [event, "\n".to_owned()]).collect()
}

/// As the list answers it.
pub(crate) fn pages(events: &[Value], limit: usize, between: &str) -> String {
    let count = events.chunks(limit).count();
    let page = |(place, data): (usize, &[Value])| {
        let next = (place + 1 < count).then(|| format!("cursor {place}"));
        json!({"data": data, "next_cursor": next}).to_string()
    };
    events.chunks(limit).enumerate().map(page).collect::<Vec<_>>().join(between)
}

/// An event with these details behind the one of `previous`.
pub(crate) fn event(details: &Details, previous: Option<&str>) -> Value {
    let act = Act {
        actor: (&UserId::random()).into(),
        address: details.len().is_multiple_of(2).then(|| "192.0.2.1".to_owned()),
        at: Timestamp::from_unix(1_800_000_000),
    };
    let deed = Deed { details: details.clone(), ..Deed::new(Action::KeyUpdated, &KeyId::random()) };
    json!(AuditEvent::chained(&act, deed, previous))
}

pub(crate) fn chain_of(details: &[Details]) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    for details in details {
        let previous = events.last().map(hash);
        events.push(event(details, previous.as_deref()));
    }
    events
}

/// A chain of plain events.
pub(crate) fn plain_chain(length: usize) -> Vec<Value> {
    let details: Vec<Details> = (0..length).map(|place| Details::from_iter([("n".to_owned(), json!(place))])).collect();
    chain_of(&details)
}

pub(crate) fn login() -> Value {
    let act = Act { actor: (&UserId::random()).into(), address: None, at: Timestamp::from_unix(1_800_000_000) };
    json!(AuditEvent::unchained(&act, Deed::new(Action::LoginFailed, &ClientId::random()), Outcome::Refused))
}

fn detail() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Chains of this many events, with any details.
pub(crate) fn chains(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Value>> {
    let details = prop::collection::btree_map(any::<String>(), detail(), 0..3).prop_map(Details::from_iter);
    prop::collection::vec(details, length).prop_map(|details| chain_of(&details))
}
