//! What whoever makes an agent may give it.

use thiserror::Error;

use crate::access::Access;
use crate::agent::AgentGrant;
use crate::agent_name::{AgentId, NameList};
use crate::agent_token::AgentTokenRecord;
use crate::claims::Claims;
use crate::id::WorkspaceId;
use crate::key::{KeyRecord, SecretVersion};
use crate::scope::{Scope, ScopeSet};
use crate::time::Timestamp;

/// What an agent's token lives for where nothing else is asked for, and at most, in seconds.
pub const AGENT_LIFETIME: i64 = 3600;
/// The shortest life that may be asked for, in seconds.
pub const MIN_AGENT_LIFETIME: i64 = 60;
/// How many agents may stand one under the other.
pub const MAX_AGENT_DEPTH: usize = 8;

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
        made_until: token_ends,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent_name::tests::names;
    use crate::agent_token::AgentToken;
    use crate::claims::Issue;
    use crate::id::UserId;
    use crate::key::tests::{key, now};
    use crate::key_string::PlainKey;

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
}
