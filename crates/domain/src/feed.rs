//! The change feed: what functions that cache records must drop, in one order that needs no clock.

/// A place in the feed: dense, beginning at 1; 0 stands before the first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What kind of thing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedKind {
    /// A key's record.
    Key,
    /// A user: role, workspaces, or that there is one.
    User,
    /// A workspace's settings.
    Workspace,
    /// A client's settings.
    Client,
    /// The patterns of other systems' strings, all of them; the id is that of the client that has one more.
    Pattern,
    /// A signing key that is published no more: withdrawn, or at the end of its life.
    SigningKey,
    /// An app: what it may do, or that there is one.
    App,
    /// What a user has granted to an app has ended.
    Grant,
    /// One token was ended before its time; the id is its client's, a slash, and its own.
    Token,
    /// An agent was ended, or another has its name; the id is its client's, a slash, and its name.
    Agent,
    /// A kind that a newer writer knows and this reader does not: everything cached must go.
    Unknown(String),
}

impl FeedKind {
    /// The kind's name in the feed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Key => "key",
            Self::User => "user",
            Self::Workspace => "workspace",
            Self::Client => "client",
            Self::Pattern => "pattern",
            Self::SigningKey => "signing_key",
            Self::App => "app",
            Self::Grant => "grant",
            Self::Token => "token",
            Self::Agent => "agent",
            Self::Unknown(name) => name,
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "key" => Self::Key,
            "user" => Self::User,
            "workspace" => Self::Workspace,
            "client" => Self::Client,
            "pattern" => Self::Pattern,
            "signing_key" => Self::SigningKey,
            "app" => Self::App,
            "grant" => Self::Grant,
            "token" => Self::Token,
            "agent" => Self::Agent,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its place.
    pub sequence: Sequence,
    /// What has changed.
    pub kind: FeedKind,
    /// Which one.
    pub id: String,
}
