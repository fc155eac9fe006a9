//! Agents: named programs that act under a key, with fewer rights than whoever has made them.
//!
//! 1. A key, a token of a key, or an agent names an agent, says what it may do, and gets a token for it. The agent is known
//!    from its first token on; the name is its client's, and it is under whoever named it first.
//! 2. It may do what its token says and its key still gives. It ends with its key, with the secret, the token and the agent
//!    that it was made with, and when somebody ends it; so do the agents that it has made. Given several tokens, it ends with
//!    the last of them.
//! 3. A name whose agent has ended is free. The next agent of that name is of another generation, so that no token of the
//!    old one is taken for the new one's.

use crate::agent_name::{AgentId, AgentRef, NameList};
use crate::agent_token::{AgentToken, AgentTokenRecord};
use crate::id::{ClientId, KeyId, WorkspaceId};
use crate::key::{KeyRecord, SecretVersion};
use crate::scope::ScopeSet;
use crate::time::Timestamp;

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
    /// When the first of those ends by itself; `None` where there are none.
    pub made_until: Option<Timestamp>,
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

/// An agent, with what all its tokens together say that may still count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Which of those that have had its name.
    pub generation: u32,
    /// What it was given: no less than any of its tokens gives, and it ends no sooner than any of them.
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

    /// Whether it lives: nobody has ended it or one above it, and what it was made with still counts. `found` are the last agents
    /// that have had the names of those above, `has_ended` says which tokens were ended before their time.
    #[must_use]
    pub fn lives<'a>(
        &self,
        key: Option<&KeyRecord>,
        found: impl Fn(&AgentId) -> Option<&'a Self>,
        has_ended: impl Fn(&str) -> bool,
        now: Timestamp,
    ) -> bool {
        let still = |above: &AgentRef| found(&above.id).is_some_and(|agent| agent.is_still(above.generation));
        key.is_some_and(|key| self.stands(key, has_ended, now)) && self.grant.above.iter().all(still)
    }

    /// The same where those above are known to live.
    fn stands(&self, key: &KeyRecord, has_ended: impl Fn(&str) -> bool, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && key.check_version(self.grant.secret_version, now).is_ok()
            && self.grant.made_until.is_none_or(|until| now < until)
            && !self.grant.made_with.iter().any(|token| has_ended(token))
    }

    /// Whether it is under whoever gives `grant`.
    #[must_use]
    pub fn is_under_the_same(&self, grant: &AgentGrant) -> bool {
        self.grant.key_id == grant.key_id && self.grant.above == grant.above
    }

    /// The agent after one more token, for which its parent has given `grant` under `key`.
    ///
    /// Its other tokens go on beside the new one. What is shown of it must hide none of them, and it must not be taken for ended,
    /// and its name be given away, where one of them still counts. So it has what all of them give, and ends with what all of
    /// them end with; where each was made with another token, that is the last of these ends.
    #[must_use]
    pub fn given(&self, grant: AgentGrant, key: &KeyRecord, has_ended: impl Fn(&str) -> bool) -> Self {
        let grant = if self.stands(key, has_ended, grant.issued_at) { self.grant.beside(grant, key) } else { grant };
        Self { grant, ..self.clone() }
    }
}

impl AgentGrant {
    /// Seconds until it ends.
    #[must_use]
    pub fn expires_in(&self) -> i64 {
        self.expires_at.unix() - self.issued_at.unix()
    }

    /// This and one more that is given to the same agent: what either gives, until both have ended.
    fn beside(&self, more: Self, key: &KeyRecord) -> Self {
        let secret_version = self.secret_version.max(more.secret_version);
        // What hangs on an older secret ends with that.
        let until = |grant: &Self| {
            let secret = if grant.secret_version == secret_version { None } else { key.ends(grant.secret_version) };
            [grant.made_until, secret].into_iter().flatten().min()
        };
        let made_until = until(self).zip(until(&more)).map(|(one, other)| one.max(other));
        let made_with = self.made_with.iter().filter(|token| more.made_with.contains(token)).cloned().collect();
        let more = Self { secret_version, made_with, made_until, ..more };
        if self.expires_at <= more.issued_at {
            return more;
        }
        let either = |one: &Option<NameList>, other: &Option<NameList>| one.as_ref()?.union(other.as_ref()?);
        Self {
            scopes: ScopeSet::new(self.scopes.union(&more.scopes).iter().take(ScopeSet::MAX).cloned())
                .unwrap_or_else(|| more.scopes.clone()),
            tools: either(&self.tools, &more.tools),
            resources: either(&self.resources, &more.resources),
            expires_at: self.expires_at.max(more.expires_at),
            ..more
        }
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
    use crate::PlainKey;
    use crate::agent_name::tests::names;
    use crate::key::tests::{key, now};

    /// What `key` gives to an agent itself, for an hour.
    fn grant(key: &KeyRecord, scopes: &str) -> AgentGrant {
        AgentGrant {
            client_id: key.client_id.clone(),
            agent_id: AgentId::parse("agent").unwrap(),
            key_id: key.id.clone(),
            secret_version: key.secret_version,
            above: Vec::new(),
            made_with: Vec::new(),
            made_until: None,
            scopes: ScopeSet::parse(scopes).unwrap(),
            tools: None,
            resources: None,
            workspace_id: WorkspaceId::random(),
            issued_at: now(),
            expires_at: now().plus(3600),
        }
    }

    /// The same by a token, and no longer than that.
    fn with(key: &KeyRecord, token: &str, ends: i64) -> AgentGrant {
        let until = now().plus(ends);
        AgentGrant {
            made_with: vec![token.to_owned()],
            made_until: Some(until),
            expires_at: until,
            ..grant(key, "read")
        }
    }

    fn lives_at(agent: &Agent, key: &KeyRecord, ended: &[&str], seconds: i64) -> bool {
        agent.lives(Some(key), |_| None, |token| ended.contains(&token), now().plus(seconds))
    }

    #[test]
    fn it_ends_with_its_key_the_secret_and_each_token_that_it_was_made_with() {
        let (_, record) = key("read");
        let agent = grant(&record, "read").first(1);
        assert!(lives_at(&agent, &record, &["other"], 1_000_000), "its parent may give it another token");
        assert!(!agent.lives(None, |_| None, |_| false, now()));
        let revoked = KeyRecord { revoked_at: Some(now()), ..record.clone() };
        assert!(!lives_at(&agent, &revoked, &[], 0));
        let rotated = |overlap| {
            let plain = PlainKey::random_for(&record.prefix, &record.id);
            record.clone().rotated(&plain, overlap, now())
        };
        assert!(!lives_at(&agent, &rotated(0), &[], 0), "the secret that it was made with is none any more");
        assert_eq!([59, 60].map(|at| lives_at(&agent, &rotated(60), &[], at)), [true, false]);
        let by_token =
            AgentGrant { made_with: vec!["child".into(), "parent".into()], ..with(&record, "", 900) }.first(1);
        for ended in ["child", "parent"] {
            assert!(!lives_at(&by_token, &record, &[ended], 0), "{ended}");
        }
        assert_eq!([899, 900].map(|at| lives_at(&by_token, &record, &[], at)), [true, false]);
        let ended = Agent { ended_at: Some(now()), ..agent };
        assert!(!lives_at(&ended, &record, &[], 0));
    }

    #[test]
    fn given_several_tokens_it_ends_with_the_last_of_them() {
        let (_, record) = key("read");
        let by_key = grant(&record, "read").first(1);
        let then_by_token = by_key.given(with(&record, "a", 900), &record, |_| false);
        assert!(lives_at(&then_by_token, &record, &["a"], 1000), "the key's own token goes on");
        let by_token = with(&record, "a", 900).first(1);
        let then_by_key = by_token.given(grant(&record, "read"), &record, |_| false);
        assert!(lives_at(&then_by_key, &record, &["a"], 1000));
        let by_both = by_token.given(with(&record, "b", 300), &record, |_| false);
        for ended in ["a", "b"] {
            assert!(lives_at(&by_both, &record, &[ended], 0), "the other one goes on");
        }
        assert_eq!([899, 900].map(|at| lives_at(&by_both, &record, &[], at)), [true, false]);
        let again = by_token.given(with(&record, "a", 900), &record, |_| false);
        assert!(!lives_at(&again, &record, &["a"], 0), "both hang on the same");
        let anew = by_token.given(with(&record, "b", 300), &record, |token| token == "a");
        assert!(!lives_at(&anew, &record, &["b"], 0), "the first one had ended before");
        let late = AgentGrant { issued_at: now().plus(900), ..with(&record, "b", 1800) };
        assert!(!lives_at(&by_token.given(late, &record, |_| false), &record, &["b"], 901));
    }

    #[test]
    fn what_was_made_with_a_replaced_secret_holds_it_up_no_longer_than_that() {
        let (_, record) = key("read");
        let old = grant(&record, "read").first(1);
        let rotated = record.clone().rotated(&PlainKey::random_for(&record.prefix, &record.id), 60, now());
        let agent = old.given(with(&rotated, "b", 900), &rotated, |_| false);
        assert_eq!([59, 899, 900].map(|at| lives_at(&agent, &rotated, &[], at)), [true, true, false]);
        let by_new_key = old.given(grant(&rotated, "read"), &rotated, |_| false);
        assert!(lives_at(&by_new_key, &rotated, &[], 1000));
        let by_old_key = by_new_key.given(grant(&record, "read"), &rotated, |_| false);
        assert!(lives_at(&by_old_key, &rotated, &[], 1000), "whichever of both came last");
        let replaced = record.clone().rotated(&PlainKey::random_for(&record.prefix, &record.id), 0, now());
        let anew = old.given(with(&replaced, "b", 900), &replaced, |_| false);
        assert!(!lives_at(&anew, &replaced, &["b"], 0), "nothing is left of the first");
    }

    #[test]
    fn it_is_shown_with_what_each_token_gives_that_still_counts() {
        let (_, record) = key("read");
        let wide = AgentGrant { tools: names(&["a"]), resources: names(&["r"]), ..grant(&record, "read write") };
        let narrow = AgentGrant { tools: names(&["b"]), expires_at: now().plus(60), ..grant(&record, "read") };
        let agent = wide.clone().first(1).given(narrow.clone(), &record, |_| false);
        let shown = (agent.grant.scopes.to_string(), agent.grant.tools, agent.grant.resources, agent.grant.expires_at);
        let expected = ("read write".to_owned(), names(&["a", "b"]), None, now().plus(3600));
        assert_eq!(shown, expected, "a narrow one hides no wide one");
        let late = AgentGrant { issued_at: now().plus(3600), expires_at: now().plus(3660), ..narrow };
        let agent = wide.first(1).given(late.clone(), &record, |_| false);
        assert_eq!(agent.grant, late, "what is over gives nothing");
    }
}
