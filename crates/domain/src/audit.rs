//! What was done, by whom: events, and the chain that shows whether one was changed or taken out.
//!
//! 1. Every change of a client's keys, users, workspaces and settings is an event, and each event carries the hash of the
//!    one before it: whoever changes one, or takes one out, breaks the chain behind it.
//! 2. An event's hash is the SHA-256, in hex, of its canonical JSON (RFC 8785) without the member `hash`. Its numbers are
//!    whole and at most 2^53 - 1, which every reader of JSON reads alike.
//! 3. Logins, and calls that were refused, stand outside of the chain, without hashes: a flood of them holds up no change.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::agent_name::AgentId;
use crate::app::AppId;
use crate::id::{AuditEventId, ClientId, KeyId, UserId, WorkspaceId};
use crate::key_string::HashedKey;
use crate::time::Timestamp;

/// What an event says beyond its members: names and values, never a secret.
pub type Details = Map<String, Value>;

/// Deeper lists and objects in details become text: a reader of JSON may stop at 128.
const MAX_DEPTH: usize = 32;
/// The largest whole number that a double holds exactly, as all below it (RFC 7493, section 2.2).
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Who does something, from where, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub actor: Party,
    /// The address that the gateway has seen.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A thing that does something, or that something is done to: its kind and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// `user`, `key`, `agent`, `workspace`, `client`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
}

impl Party {
    fn of(kind: &str, id: &str) -> Self {
        Self { kind: kind.to_owned(), id: id.to_owned() }
    }
}

macro_rules! party {
    ($($id:ident $kind:literal)*) => {$(
        impl From<&$id> for Party {
            fn from(id: &$id) -> Self {
                Self::of($kind, id.as_str())
            }
        }
    )*};
}
party!(KeyId "key" UserId "user" WorkspaceId "workspace" ClientId "client" AppId "app" AgentId "agent");

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// What was done: `object.verb`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in events and filters.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}
actions! {
    /// A key was made.
    KeyCreated "key.created"
    /// A key's record was changed.
    KeyUpdated "key.updated"
    /// A key has another secret.
    KeyRotated "key.rotated"
    /// A key was ended.
    KeyRevoked "key.revoked"
    /// A key of another system was taken over by its hash.
    KeyImported "key.imported"
    /// Somebody was asked to join.
    UserInvited "user.invited"
    /// Somebody has joined.
    UserJoined "user.joined"
    /// A user has another role.
    UserRoleChanged "user.role_changed"
    /// A user is gone.
    UserRemoved "user.removed"
    /// A workspace was made.
    WorkspaceCreated "workspace.created"
    /// A workspace's settings were changed.
    WorkspaceUpdated "workspace.updated"
    /// A user is in a workspace, or has another role there.
    WorkspaceMemberSet "workspace.member_set"
    /// A user is no longer in a workspace.
    WorkspaceMemberRemoved "workspace.member_removed"
    /// The client's settings were changed.
    ClientUpdated "client.updated"
    /// An agent was made: it has its first token.
    AgentCreated "agent.created"
    /// An agent was ended, and all below it.
    AgentEnded "agent.ended"
    /// A user has granted an app what it asked for.
    AppAuthorized "app.authorized"
    /// A refresh token was used twice: what the user had granted has ended.
    AppReuseDetected "app.refresh_reused"
    /// What a user had granted to an app was taken back.
    AppGrantEnded "app.grant_ended"
    /// A code was shown again that had been redeemed: what it had led to has ended.
    AppCodeReplayed "app.code_replayed"
    /// An app was made.
    AppCreated "app.created"
    /// An app was changed.
    AppUpdated "app.updated"
    /// An app has another secret.
    AppSecretRotated "app.secret_rotated"
    /// An app was taken away, and all that hangs on it has ended.
    AppRemoved "app.removed"
    /// Another signing key signs.
    SigningKeyRotated "signing_key.rotated"
    /// A signing key was taken out before its time.
    SigningKeyWithdrawn "signing_key.withdrawn"
    /// A user has logged in.
    LoginSucceeded "login.succeeded"
    /// Somebody gave a wrong password.
    LoginFailed "login.failed"
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// Something that was done, not yet in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub action: Action,
    /// To what.
    pub object: Party,
    /// What else there is to say.
    pub details: Details,
}

impl Deed {
    /// A deed of which there is nothing more to say.
    pub fn new(action: Action, object: impl Into<Party>) -> Self {
        Self { action, object: object.into(), details: Details::new() }
    }

    /// With one more detail. What can't be written as JSON is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.details.insert(name.to_owned(), value);
        }
        self
    }
}

/// An event, as it is kept and answered. Members that a newer version has added are not left out, they are an error: the
/// hash covers them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEvent {
    /// Its id.
    pub id: AuditEventId,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Party,
    /// What was done: `object.verb`. Text, so that a reader passes on what a newer writer has done.
    pub action: String,
    /// What it was done to.
    pub object: Party,
    /// Where the call came from, as the gateway saw it.
    pub address: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What else there is to say.
    pub details: Details,
    /// The SHA-256 of this event, in hex; `null` outside of the chain.
    pub hash: Option<String>,
    /// The hash of the event before it; `null` for the first, and outside of the chain.
    pub previous_hash: Option<String>,
}

impl AuditEvent {
    /// An event outside of the chain.
    #[must_use]
    pub fn unchained(act: &Act, deed: Deed, outcome: Outcome) -> Self {
        Self {
            id: AuditEventId::random(),
            at: act.at,
            actor: act.actor.clone(),
            action: deed.action.as_str().to_owned(),
            object: deed.object,
            address: act.address.clone(),
            outcome,
            details: deed.details.into_iter().map(|(name, value)| (name, plain(value, 0))).collect(),
            hash: None,
            previous_hash: None,
        }
    }

    /// A change, as the link behind the event of `previous_hash`.
    #[must_use]
    pub fn chained(act: &Act, deed: Deed, previous_hash: Option<&str>) -> Self {
        let mut event = Self::unchained(act, deed, Outcome::Done);
        event.previous_hash = previous_hash.map(str::to_owned);
        event.hash = Some(event.computed_hash());
        event
    }

    /// The hash that the event should carry.
    #[must_use]
    pub fn computed_hash(&self) -> String {
        // Names are strings: it can always be written.
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => hash_of_members(members),
            _ => hash_of_members(Map::new()),
        }
    }
}

/// The hash that the event of these members should carry, whichever they are: nobody adds one unseen.
#[must_use]
pub fn hash_of_members(mut members: Map<String, Value>) -> String {
    members.remove("hash");
    // Names are strings that stand once, and numbers are finite: it can always be written.
    let text = serde_json_canonicalizer::to_string(&members).unwrap_or_default();
    HashedKey::of_text(&text).to_hex()
}

/// Whether every reader of JSON reads this number alike.
#[must_use]
pub fn is_exact(number: &Number) -> bool {
    number.as_i64().is_some_and(|number| number.unsigned_abs() <= MAX_NUMBER)
}

/// What not every reader reads alike, as its JSON in a text.
fn plain(value: Value, depth: usize) -> Value {
    match value {
        Value::Number(number) if !is_exact(&number) => Value::String(number.to_string()),
        Value::Array(_) | Value::Object(_) if depth == MAX_DEPTH => Value::String(value.to_string()),
        Value::Array(values) => values.into_iter().map(|value| plain(value, depth + 1)).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, plain(value, depth + 1))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(previous: Option<&str>) -> AuditEvent {
        let user = UserId::parse("cu_0123456789abcdef").unwrap();
        let key = KeyId::parse("ak_0123456789abcdef").unwrap();
        let act = Act { actor: (&user).into(), address: Some("192.0.2.1".to_owned()), at: Timestamp::from_unix(0) };
        let deed = Deed::new(Action::KeyUpdated, &key).with("scopes", ["b", "a"]).with("name", "ключ \u{1} \"x\"");
        let mut event = AuditEvent::chained(&act, deed, previous);
        event.id = AuditEventId::parse("ev_0123456789abcdef").unwrap();
        event.hash = Some(event.computed_hash());
        event
    }

    #[test]
    fn the_hash_is_of_canonical_json_without_itself() {
        // Written by hand after RFC 8785.
        let text = concat!(
            r#"{"action":"key.updated","actor":{"id":"cu_0123456789abcdef","type":"user"},"address":"192.0.2.1","#,
            r#""at":"1970-01-01T00:00:00Z","details":{"name":"ключ \u0001 \"x\"","scopes":["b","a"]},"#,
            r#""id":"ev_0123456789abcdef","object":{"id":"ak_0123456789abcdef","type":"key"},"#,
            r#""outcome":"done","previous_hash":null}"#
        );
        assert_eq!(event(None).hash, Some(HashedKey::of_text(text).to_hex()));
    }

    #[test]
    fn an_event_survives_its_json_and_every_change_shows() {
        let event = event(Some("00"));
        let read: AuditEvent = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
        assert_eq!(read, event);
        assert_eq!(read.computed_hash(), event.hash.clone().unwrap());
        let mut changed = event.clone();
        changed.details.insert("name".to_owned(), "x".into());
        assert_ne!(changed.computed_hash(), event.hash.clone().unwrap());
        let moved = AuditEvent { previous_hash: None, ..event.clone() };
        assert_ne!(moved.computed_hash(), event.hash.unwrap());
    }

    #[test]
    fn members_are_in_the_order_of_rfc_8785() {
        // By UTF-16 code units: U+10000 is 0xD800 0xDC00 there, before U+FF5E.
        let members = |text: &str| serde_json::from_str(text).unwrap();
        let text = "{\"a\":{\"\u{10000}\":1,\"\u{ff5e}\":2},\"b\":0}";
        let expected = HashedKey::of_text(text).to_hex();
        assert_eq!(
            hash_of_members(members("{\"b\":0,\"hash\":\"x\",\"a\":{\"\u{ff5e}\":2,\"\u{10000}\":1}}")),
            expected
        );
    }

    #[test]
    fn what_readers_read_in_different_ways_is_kept_as_text() {
        let nested = format!("{}1{}", "[".repeat(126), "]".repeat(126));
        let details = format!(
            r#"{{"half":0.5,"whole":1.0,"large":[9007199254740992,{{"n":-9007199254740991}}],"text":"1.0","deep":{nested}}}"#
        );
        let change = Deed {
            details: serde_json::from_str(&details).unwrap(),
            ..Deed::new(Action::ClientUpdated, &ClientId::random())
        };
        let act = Act { actor: (&KeyId::random()).into(), address: None, at: Timestamp::from_unix(0) };
        let event = AuditEvent::chained(&act, change, None);
        let mut details = serde_json::to_value(&event.details).unwrap();
        let deep = details["deep"].take().to_string();
        assert_eq!(
            details,
            serde_json::json!({
                "half": "0.5", "whole": "1.0", "large": ["9007199254740992", {"n": -9_007_199_254_740_991_i64}],
                "text": "1.0", "deep": null,
            })
        );
        assert_eq!(deep, format!("{}\"{}1{}\"{}", "[".repeat(32), "[".repeat(94), "]".repeat(94), "]".repeat(32)));
        let read: AuditEvent = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
        assert_eq!(read.hash, Some(read.computed_hash()));
    }

    #[test]
    fn actions_have_names_of_their_own() {
        let names: std::collections::BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(names.len(), Action::ALL.len());
    }
}
