//! Keys, scopes, tokens, limits: the types and rules of Keygate.
//!
//! Nothing here reads a clock, a network or an AWS type; the operating system's random source
//! ([`random`]) is the only thing taken from outside. Functions are total: a bad input is an error value.

pub mod access;
pub mod claims;
pub mod client;
pub mod email;
pub mod environment;
pub mod feed;
pub mod grant;
pub mod id;
pub mod key;
pub mod key_string;
pub mod password;
pub mod random;
pub mod scope;
pub mod strict_json;
pub mod time;
pub mod usage;
pub mod user;
pub mod workspace;

pub use access::{Access, Route};
pub use claims::{Claims, Subject};
pub use client::{Client, ClientSettings};
pub use email::Email;
pub use environment::Environment;
pub use feed::{FeedEntry, FeedKind, Sequence};
pub use grant::{Grant, GrantError, grant};
pub use id::{ClientId, KeyId, UserId, WorkspaceId, WriterId};
pub use key::{KeyKind, KeyRecord, KeyRefusal, NewKey, PreviousSecret, Proved, SecretVersion};
pub use key_string::{HashedKey, KeyPrefix, MalformedKey, PlainKey};
pub use password::{Password, PasswordHash, PasswordProblem};
pub use scope::{Scope, ScopeSet};
pub use time::{Moment, Timestamp};
pub use usage::{DenyReason, Tally, UsageHour};
pub use user::{Role, User};
pub use workspace::Workspace;
