//! Agents: named programs that act under a key, with fewer rights than whoever has made them.
//!
//! 1. A key, a token of a key, or an agent names an agent, says what it may do, and gets a token for it. The agent is known
//!    from its first token on; the name is its client's, and it is under whoever named it first.
//! 2. It may do what its token says and its key still gives. It ends with its key, with the secret, the token and the agent
//!    that it was made with, and when somebody ends it; so do the agents that it has made.
//! 3. A name whose agent has ended is free. The next agent of that name is of another generation, so that no token of the
//!    old one is taken for the new one's.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::access::Access;
use crate::agent_token::{AgentToken, AgentTokenRecord};
use crate::claims::Claims;
use crate::id::{ClientId, KeyId, WorkspaceId};
use crate::key::{KeyRecord, SecretVersion};
use crate::key_string::PlainKey;
use crate::scope::{Scope, ScopeSet};
use crate::time::Timestamp;

/// What an agent's token lives for where nothing else is asked for, and at most, in seconds.
pub const AGENT_LIFETIME: i64 = 3600;
/// The shortest life that may be asked for, in seconds.
pub const MIN_AGENT_LIFETIME: i64 = 60;
/// How many agents may stand one under the other.
pub const MAX_AGENT_DEPTH: usize = 8;

/// What an agent is called: 1 to 64 of `A-Z a-z 0-9 . _ -`. Neither `.` nor `..`, which no path can name (RFC 3986, section
/// 5.2.4), and nothing that holds a key or an agent's token: names are shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(String);

impl AgentId {
    /// Reads a name; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
            && !matches!(text, "." | "..")
            && !holds_secret(text);
        fits.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AgentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("`agent_id` must be 1 to 64 of `A-Z a-z 0-9 . _ -`"))
    }
}

fn holds_secret(text: &str) -> bool {
    PlainKey::is_in(text) || AgentToken::is_in(text)
}

/// The names of tools, or of resources, that an agent is held to: 1 to 64, each once, of 1 to 128 visible ASCII characters.
///
/// "Held to none in particular" is `Option::None`: an empty list could be taken for either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NameList(Vec<String>);

impl NameList {
    /// How many names a list may have.
    pub const MAX: usize = 64;

    /// Takes names, dropping repeats; `None` where there are too few or too many, or one is none.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut list: Vec<String> = Vec::new();
        for name in names {
            let fits = (1..=128).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_graphic())
                && !holds_secret(&name);
            if !fits {
                return None;
            }
            if !list.contains(&name) {
                list.push(name);
            }
            if list.len() > Self::MAX {
                return None;
            }
        }
        (!list.is_empty()).then_some(Self(list))
    }

    /// The names, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The place, from 1, of the first name that is not in `all`.
    fn first_outside(&self, all: &Self) -> Option<usize> {
        self.0.iter().position(|name| !all.0.contains(name)).map(|place| place + 1)
    }
}

impl fmt::Display for NameList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl<'de> Deserialize<'de> for NameList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Self::new(names).ok_or_else(|| {
            de::Error::custom(
                "`tools` and `resources` must be 1 to 64 names of 1 to 128 visible characters without spaces",
            )
        })
    }
}

/// One agent among all that have had its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentRef {
    /// The name.
    pub id: AgentId,
    /// Which of those that have had the name, from 1.
    pub generation: u32,
}

impl AgentRef {
    /// Reads what `Display` has written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, generation) = text.split_once(' ')?;
        Some(Self { id: AgentId::parse(id)?, generation: generation.parse().ok()? })
    }
}

impl fmt::Display for AgentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.generation)
    }
}

/// What an agent is given with a token: whose it is, and what it may do until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentGrant {
    /// The client.
    pub client_id: ClientId,
    /// The agent's name.
    pub agent_id: AgentId,
    /// The key that it acts under.
    pub key_id: KeyId,
    /// The secret of that key's that it hangs on.
    pub secret_version: SecretVersion,
    /// The agents above it, the topmost first; none where a key or a key's token has made it.
    pub above: Vec<AgentRef>,
    /// The ids of the tokens that it was made with, directly and further up: it ends with each of them.
    pub made_with: Vec<String>,
    /// What it may do.
    pub scopes: ScopeSet,
    /// The tools that it is held to.
    pub tools: Option<NameList>,
    /// The resources that it is held to.
    pub resources: Option<NameList>,
    /// The workspace that it is bound to.
    pub workspace_id: WorkspaceId,
    /// When it was given.
    pub issued_at: Timestamp,
    /// From this second on it is refused.
    pub expires_at: Timestamp,
}

/// An agent: as its newest token says, whether that still counts or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Which of those that have had its name.
    pub generation: u32,
    /// What it was given last.
    pub grant: AgentGrant,
    /// When it had its first token.
    pub created_at: Timestamp,
    /// When somebody ended it.
    pub ended_at: Option<Timestamp>,
}

impl Agent {
    /// Whether somebody ended it, or another has its name: then nothing of `generation` counts.
    #[must_use]
    pub fn is_still(&self, generation: u32) -> bool {
        self.ended_at.is_none() && self.generation == generation
    }

    /// Whether it lives: nobody has ended it or one above it, and its key still counts. `found` are the last agents that have
    /// had the names of those above.
    #[must_use]
    pub fn lives<'a>(
        &self,
        key: Option<&KeyRecord>,
        found: impl Fn(&AgentId) -> Option<&'a Self>,
        now: Timestamp,
    ) -> bool {
        let still = |above: &AgentRef| found(&above.id).is_some_and(|agent| agent.is_still(above.generation));
        self.ended_at.is_none() && key.is_some_and(|key| key.alive(now).is_ok()) && self.grant.above.iter().all(still)
    }

    /// Whether it is under whoever gives `grant`.
    #[must_use]
    pub fn is_under_the_same(&self, grant: &AgentGrant) -> bool {
        self.grant.key_id == grant.key_id && self.grant.above == grant.above
    }

    /// The agent after one more token.
    #[must_use]
    pub fn given(&self, grant: AgentGrant) -> Self {
        Self { grant, ..self.clone() }
    }
}

/// Who makes an agent, as it is now.
#[derive(Clone, Debug)]
pub struct AgentMaker<'a> {
    /// The key that everything hangs on.
    pub key: &'a KeyRecord,
    /// The secret of it that was proved, or that the token was made with.
    pub secret_version: SecretVersion,
    /// What the maker holds now; `None` where that is nothing.
    pub held: Option<ScopeSet>,
    /// The workspace that it works in.
    pub workspace_id: &'a WorkspaceId,
    /// What was shown.
    pub shown: Shown<'a>,
}

/// What the maker of an agent has shown.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// The key itself.
    Key,
    /// A token of it.
    Token(&'a Claims),
    /// An agent's token.
    Agent(&'a AgentTokenRecord),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentAsked {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is to do.
    pub scopes: ScopeSet,
    /// Which tools it is to be held to; those of its maker where none are named.
    pub tools: Option<NameList>,
    /// Which resources; the same.
    pub resources: Option<NameList>,
    /// For how long, in seconds; [`AGENT_LIFETIME`] where that is left open.
    pub ttl: Option<i64>,
}

/// Why an agent is not made, or gets no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AgentProblem {
    /// Nobody can hold this scope, by its place from 1, since access.toml does not name it.
    #[error("scope number {0} does not exist")]
    UnknownScope(usize),
    /// It can't live for so long, or for so short a time.
    #[error("`ttl` must be {MIN_AGENT_LIFETIME} to {AGENT_LIFETIME}")]
    Lifetime,
    /// The maker lacks a scope that was asked for.
    #[error("the parent does not have the scope `{0}`")]
    ScopeNotHeld(Scope),
    /// The maker is held to other tools, or resources, than the one at this place from 1.
    #[error("the parent does not have number {1} of `{0}`")]
    NameNotHeld(&'static str, usize),
    /// Too many would stand one under the other.
    #[error("{MAX_AGENT_DEPTH} agents at most may stand one under the other")]
    TooDeep,
}

/// Decides what an agent is given: never more than its maker has, and never for longer.
///
/// # Errors
/// [`AgentProblem`].
pub fn agent_grant(
    maker: &AgentMaker<'_>,
    asked: AgentAsked,
    access: &Access,
    now: Timestamp,
) -> Result<AgentGrant, AgentProblem> {
    if let Some(place) = access.first_unknown(&asked.scopes) {
        return Err(AgentProblem::UnknownScope(place));
    }
    let lifetime = asked.ttl.unwrap_or(AGENT_LIFETIME);
    if !(MIN_AGENT_LIFETIME..=AGENT_LIFETIME).contains(&lifetime) {
        return Err(AgentProblem::Lifetime);
    }
    let held = |scope: &&Scope| maker.held.as_ref().is_some_and(|held| held.covers(scope));
    if let Some(lacking) = asked.scopes.iter().find(|scope| !held(scope)) {
        return Err(AgentProblem::ScopeNotHeld(lacking.clone()));
    }
    let parent = match maker.shown {
        Shown::Agent(parent) => Some(parent),
        Shown::Key | Shown::Token(_) => None,
    };
    let above = parent.map(AgentTokenRecord::lineage).unwrap_or_default();
    if above.len() >= MAX_AGENT_DEPTH {
        return Err(AgentProblem::TooDeep);
    }
    let (made_with, token_ends) = match maker.shown {
        Shown::Key => (Vec::new(), None),
        Shown::Token(claims) => {
            let ids = std::iter::once(claims.jti.as_str()).chain(claims.ancestors());
            (ids.map(str::to_owned).collect(), Some(Timestamp::from_unix(claims.exp)))
        }
        Shown::Agent(parent) => {
            let ids = std::iter::once(parent.id.as_str()).chain(parent.grant.made_with.iter().map(String::as_str));
            (ids.map(str::to_owned).collect(), Some(parent.grant.expires_at))
        }
    };
    let ends = [Some(now.plus(lifetime)), maker.key.ends(maker.secret_version), token_ends];
    Ok(AgentGrant {
        client_id: maker.key.client_id.clone(),
        agent_id: asked.agent_id,
        key_id: maker.key.id.clone(),
        secret_version: maker.secret_version,
        above,
        made_with,
        scopes: asked.scopes,
        tools: narrowed("tools", asked.tools, parent.and_then(|parent| parent.grant.tools.as_ref()))?,
        resources: narrowed("resources", asked.resources, parent.and_then(|parent| parent.grant.resources.as_ref()))?,
        workspace_id: maker.workspace_id.clone(),
        issued_at: now,
        expires_at: ends.into_iter().flatten().min().unwrap_or(now),
    })
}

/// The names that are asked for, where the maker is held to none or to all of them; the maker's own where none are.
fn narrowed(
    what: &'static str,
    asked: Option<NameList>,
    held: Option<&NameList>,
) -> Result<Option<NameList>, AgentProblem> {
    match (asked, held) {
        (Some(asked), Some(held)) => match asked.first_outside(held) {
            Some(place) => Err(AgentProblem::NameNotHeld(what, place)),
            None => Ok(Some(asked)),
        },
        (None, Some(held)) => Ok(Some(held.clone())),
        (asked, None) => Ok(asked),
    }
}

impl AgentGrant {
    /// Seconds until it ends.
    #[must_use]
    pub fn expires_in(&self) -> i64 {
        self.expires_at.unix() - self.issued_at.unix()
    }

    /// The agent that this makes.
    #[must_use]
    pub fn first(self, generation: u32) -> Agent {
        Agent { generation, created_at: self.issued_at, grant: self, ended_at: None }
    }

    /// The record of the token that stands for it.
    #[must_use]
    pub fn token(self, generation: u32, plain: &AgentToken) -> AgentTokenRecord {
        AgentTokenRecord { id: plain.id(), hash: plain.hash(), generation, grant: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Issue;
    use crate::id::UserId;
    use crate::key::tests::{key, now};

    fn names(list: &[&str]) -> Option<NameList> {
        NameList::new(list.iter().map(|name| (*name).to_owned()))
    }

    fn asked(scopes: &str) -> AgentAsked {
        AgentAsked {
            agent_id: AgentId::parse("my-analysis-agent").unwrap(),
            scopes: ScopeSet::parse(scopes).unwrap(),
            tools: None,
            resources: None,
            ttl: None,
        }
    }

    /// What a key is given that holds `held`, in whatever way it shows itself.
    fn decide(held: &str, shown: Shown<'_>, asked: AgentAsked) -> Result<AgentGrant, AgentProblem> {
        let (_, record) = key("admin");
        by(&record, held, shown, asked)
    }

    fn by(record: &KeyRecord, held: &str, shown: Shown<'_>, asked: AgentAsked) -> Result<AgentGrant, AgentProblem> {
        let workspace_id = WorkspaceId::random();
        let maker = AgentMaker {
            key: record,
            secret_version: record.secret_version,
            held: ScopeSet::parse(held),
            workspace_id: &workspace_id,
            shown,
        };
        agent_grant(&maker, asked, &Access::built_in().unwrap(), now())
    }

    fn token(grant: AgentGrant) -> AgentTokenRecord {
        grant.token(1, &AgentToken::random())
    }

    #[test]
    fn names_are_what_a_path_and_a_header_can_hold_and_no_secret() {
        for good in ["a", "my-analysis-agent", "A.b_c-9", "...", &"x".repeat(64)] {
            assert_eq!(AgentId::parse(good).unwrap().as_str(), good);
        }
        let (plain, token) = (key("read").0, AgentToken::random());
        for bad in ["", ".", "..", "a b", "a/b", "a%2e", "é", "a\n", &"x".repeat(65), plain.expose(), token.expose()] {
            assert_eq!(AgentId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn lists_are_short_and_of_visible_names() {
        assert_eq!(names(&["read_file", "search:*", "read_file"]).unwrap().to_string(), "read_file search:*");
        assert_eq!(names(&["x".repeat(128).as_str()]).unwrap().iter().count(), 1);
        let token = AgentToken::random();
        for bad in [&[][..], &[""], &["a b"], &["a", "é"], &["\u{7f}"], &[&"x".repeat(129)], &[token.expose()]] {
            assert_eq!(names(bad), None, "{bad:?}");
        }
        let many = |count: usize| NameList::new((0..count).map(|place| place.to_string()));
        assert!(many(NameList::MAX).is_some());
        assert!(many(NameList::MAX + 1).is_none());
    }

    #[test]
    fn scopes_are_those_of_the_maker_or_fewer() {
        let scopes = |held, scopes| decide(held, Shown::Key, asked(scopes)).map(|grant| grant.scopes.to_string());
        assert_eq!(scopes("read write", "write").unwrap(), "write");
        assert_eq!(scopes("insights:*", "insights:read").unwrap(), "insights:read");
        assert_eq!(scopes("admin", "read keys:manage").unwrap(), "read keys:manage");
        let lacks = |scope| Err(AgentProblem::ScopeNotHeld(Scope::parse(scope).unwrap()));
        assert_eq!(scopes("read", "read write"), lacks("write"));
        assert_eq!(scopes("insights:read", "insights:*"), lacks("insights:*"));
        assert_eq!(scopes("keys:manage", "admin"), lacks("admin"));
        assert_eq!(scopes("", "read"), lacks("read"), "whoever holds nothing gives nothing");
        assert_eq!(scopes("admin", "read no:such"), Err(AgentProblem::UnknownScope(2)));
    }

    #[test]
    fn it_lives_for_as_long_as_was_asked_and_never_longer_than_what_it_hangs_on() {
        let lives = |ttl| decide("read", Shown::Key, AgentAsked { ttl, ..asked("read") }).map(|it| it.expires_in());
        assert_eq!(lives(None), Ok(3600));
        assert_eq!(lives(Some(60)), Ok(60));
        assert_eq!(lives(Some(3600)), Ok(3600));
        for ttl in [59, 3601, 0, -60, i64::MIN, i64::MAX] {
            assert_eq!(lives(Some(ttl)), Err(AgentProblem::Lifetime), "{ttl}");
        }

        let (_, mut record) = key("read");
        record.expires_at = Some(now().plus(100));
        assert_eq!(by(&record, "read", Shown::Key, asked("read")).unwrap().expires_in(), 100);

        let issue = Issue {
            issuer: "https://auth.example",
            client_id: &record.client_id,
            workspace_id: &WorkspaceId::random(),
            at: now(),
            ends: now().plus(90),
        };
        let claims = Claims::begin(issue, "x", record.scopes.clone(), &UserId::random());
        let child = claims.child(Issue { ends: now().plus(80), ..issue }, record.scopes.clone()).unwrap();
        let made = by(&record, "read", Shown::Token(&child), asked("read")).unwrap();
        assert_eq!((made.expires_in(), &made.made_with), (80, &vec![child.jti.clone(), claims.jti.clone()]));

        let parent = token(made);
        let made = by(&record, "read", Shown::Agent(&parent), asked("read")).unwrap();
        assert_eq!((made.expires_in(), made.made_with), (80, vec![parent.id.to_string(), child.jti, claims.jti]));
    }

    #[test]
    fn of_a_replaced_secret_it_ends_with_the_overlap() {
        let (_, record) = key("read");
        let (new, first) = (PlainKey::random_for(&record.prefix, &record.id), record.secret_version);
        let record = record.rotated(&new, 100, now());
        let workspace_id = WorkspaceId::random();
        let of = |secret_version| {
            let held = Some(record.scopes.clone());
            let maker =
                AgentMaker { key: &record, secret_version, held, workspace_id: &workspace_id, shown: Shown::Key };
            agent_grant(&maker, asked("read"), &Access::built_in().unwrap(), now()).unwrap().expires_in()
        };
        assert_eq!((of(first), of(record.secret_version)), (100, 3600));
    }

    #[test]
    fn agents_of_agents_have_no_tool_that_those_above_lack() {
        let with = |tools: Option<NameList>, resources| AgentAsked { tools, resources, ..asked("read") };
        let free = token(decide("read", Shown::Key, asked("read")).unwrap());
        let held = token(decide("read", Shown::Key, with(names(&["a", "b"]), names(&["r"]))).unwrap());
        let of = |parent: &AgentTokenRecord, tools, resources| {
            decide("read", Shown::Agent(parent), with(tools, resources)).map(|grant| (grant.tools, grant.resources))
        };
        assert_eq!(of(&free, names(&["z"]), None), Ok((names(&["z"]), None)));
        assert_eq!(of(&held, names(&["b"]), None), Ok((names(&["b"]), names(&["r"]))));
        assert_eq!(of(&held, None, None), Ok((names(&["a", "b"]), names(&["r"]))), "none named are not all there are");
        assert_eq!(of(&held, names(&["b", "c"]), None), Err(AgentProblem::NameNotHeld("tools", 2)));
        assert_eq!(of(&held, None, names(&["s"])), Err(AgentProblem::NameNotHeld("resources", 1)));
    }

    #[test]
    fn a_line_of_agents_is_eight_long_at_most() {
        let mut grant = decide("read", Shown::Key, asked("read")).unwrap();
        for depth in 1..MAX_AGENT_DEPTH {
            let parent = token(grant);
            assert_eq!(parent.lineage().len(), depth);
            grant = decide("read", Shown::Agent(&parent), asked("read")).unwrap();
        }
        let last = token(grant);
        assert_eq!(decide("read", Shown::Agent(&last), asked("read")), Err(AgentProblem::TooDeep));
    }

    #[test]
    fn a_reference_reads_back() {
        let it = AgentRef { id: AgentId::parse("a.b").unwrap(), generation: 7 };
        assert_eq!(AgentRef::parse(&it.to_string()), Some(it));
        for bad in ["", "a", "a ", "a -1", "a b", " 1"] {
            assert_eq!(AgentRef::parse(bad), None, "{bad}");
        }
    }
}
