//! A client's audit log, as it is answered.

use domain::AuditEvent;
use serde_json::Value;

use super::account::Account;

/// All events, oldest first.
pub async fn events(account: &Account) -> Vec<AuditEvent> {
    let listed = account.list(account.owner.login(), "/audit_events", "").await;
    listed.iter().map(read).collect()
}

fn read(event: &Value) -> AuditEvent {
    serde_json::from_value(event.clone()).unwrap_or_else(|error| panic!("{error}: {event}"))
}

/// Says where the chain of changes is broken, if it is: each of its events has the hash that is its own, and names that of
/// the one before it.
pub fn broken_link(events: &[AuditEvent]) -> Option<String> {
    let mut previous = None;
    for event in events.iter().filter(|event| event.hash.is_some()) {
        if event.hash.as_ref() != Some(&event.computed_hash()) {
            return Some(format!("the hash is another's: {event:?}"));
        }
        if event.previous_hash != previous {
            return Some(format!("the event before it is missing: {event:?}"));
        }
        previous.clone_from(&event.hash);
    }
    previous.is_none().then(|| "there is no chain".to_owned())
}

/// # Panics
/// Where the chain is broken, and where breaking it would not be noticed.
pub fn assert_whole(events: &[AuditEvent]) {
    assert_eq!(broken_link(events), None);
    let chained: Vec<usize> = (0..events.len()).filter(|place| events[*place].hash.is_some()).collect();
    let mut changed = events.to_vec();
    changed[chained[0]].details.insert("added".to_owned(), true.into());
    assert!(broken_link(&changed).is_some(), "a change shows");
    if chained.len() > 2 {
        let mut shorter = events.to_vec();
        shorter.remove(chained[1]);
        assert!(broken_link(&shorter).is_some(), "an event that was taken out shows");
    }
}
