//! Keys, scopes, tokens, limits: the types and rules of Keygate.
//!
//! Nothing here reads a clock, a network or an AWS type; the operating system's random source
//! ([`random`]) is the only thing taken from outside. Functions are total: a bad input is an error value.

pub mod access;
pub mod address_range;
pub mod agent;
pub mod agent_grant;
pub mod agent_token;
pub mod algorithm;
pub mod app;
pub mod app_grant;
pub mod audit;
pub mod claims;
pub mod client;
pub mod email;
pub mod environment;
pub mod feed;
pub mod foreign_key;
pub mod grant;
pub mod id;
pub mod key;
pub mod key_string;
pub mod metadata;
pub mod password;
pub mod published_keys;
pub mod random;
pub mod reach;
pub mod redirect_uri;
pub mod resource;
pub mod scope;
pub mod strict_json;
pub mod time;
pub mod usage;
pub mod user;
pub mod workspace;

pub use access::{Access, Route};
pub use address_range::AllowedAddresses;
pub use agent::{Agent, AgentGrant, AgentId, AgentRef, NameList};
pub use agent_grant::{AgentAsked, AgentMaker, AgentProblem, Shown, agent_grant};
pub use agent_token::{AgentRefusal, AgentToken, AgentTokenRecord};
pub use algorithm::Algorithm;
pub use app::{App, AppId, GrantType};
pub use app_grant::{AppGrant, AuthorizationCode, Refresh, RefreshToken};
pub use audit::{Act, Action, AuditEvent, Deed, Outcome, Party};
pub use claims::{Actor, Claims, Issue, Subject};
pub use client::{Client, ClientSettings};
pub use email::Email;
pub use environment::Environment;
pub use feed::{FeedEntry, FeedKind, Sequence};
pub use foreign_key::{ForeignKey, KeyPattern, KeyPatterns, KeyString, PatternProblem, PresentedKey};
pub use grant::{Grant, GrantError, grant};
pub use id::{AgentTokenId, AuditEventId, ClientId, GrantId, KeyId, UserId, WorkspaceId, WriterId};
pub use key::{KeyKind, KeyRecord, KeyRefusal, NewKey, PreviousSecret, Proved, SecretVersion};
pub use key_string::{HashedKey, KeyPrefix, MalformedKey, PlainKey};
pub use metadata::Metadata;
pub use password::{Password, PasswordHash, PasswordProblem};
pub use published_keys::{KeyState, Move, PublishedKey, PublishedKeys, Turn};
pub use reach::Unreachable;
pub use redirect_uri::{RedirectUri, is_loopback};
pub use resource::Resource;
pub use scope::{Scope, ScopeSet};
pub use time::{Moment, Timestamp};
pub use usage::{DenyReason, Tally, UsageHour};
pub use user::{Role, User, UserStatus};
pub use workspace::{Workspace, WorkspaceRole, WorkspaceStatus};
