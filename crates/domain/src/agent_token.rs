//! The token of an agent: `agent_tok_<id: 16 base62><secret: 32 base62><check: 6 base62>`, built and kept as keys are.

use std::fmt;

use thiserror::Error;

use crate::agent::AgentGrant;
use crate::agent_name::{AgentId, AgentRef};
use crate::id::AgentTokenId;
use crate::key_string::{AGENT_TOKEN, HashedKey, checked, has_right_check};
use crate::random;
use crate::time::Timestamp;

const ID: usize = 16;
const SECRET: usize = 32;
const CHECK: usize = 6;

/// An agent's token in the clear: well-formed, its check right, nothing else known of it. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct AgentToken(String);

/// The string is no agent's token: another start, length, characters or check.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a well-formed agent token")]
pub struct MalformedAgentToken;

impl AgentToken {
    /// A new one with a new id and a new secret (about 190 bits).
    ///
    /// # Panics
    /// Where the operating system gives no random bytes.
    #[must_use]
    pub fn random() -> Self {
        Self(checked(format!("{AGENT_TOKEN}_{}", random::base62(ID + SECRET))))
    }

    /// Whether a string can be meant as one, right or wrong as it may be.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(AGENT_TOKEN)
    }

    /// Whether one may stand in `text`.
    pub(crate) fn is_in(text: &str) -> bool {
        text.contains(AGENT_TOKEN)
    }

    /// Takes a string for one.
    ///
    /// # Errors
    /// [`MalformedAgentToken`] for anything but exactly one.
    pub fn parse(text: &str) -> Result<Self, MalformedAgentToken> {
        let parts = text.strip_prefix(AGENT_TOKEN).and_then(|rest| rest.strip_prefix('_'));
        // The length first: a megabyte costs nothing.
        let parts = parts.filter(|parts| parts.len() == ID + SECRET + CHECK).ok_or(MalformedAgentToken)?;
        let fits = parts.bytes().all(|byte| byte.is_ascii_alphanumeric()) && has_right_check(text);
        if fits { Ok(Self(text.to_owned())) } else { Err(MalformedAgentToken) }
    }

    /// The id of the record that this string claims to belong to.
    #[must_use]
    pub fn id(&self) -> AgentTokenId {
        let start = self.0.len() - ID - SECRET - CHECK;
        AgentTokenId::of_digits(&self.0[start..start + ID])
    }

    /// The SHA-256 of the whole string: all that is kept of it.
    #[must_use]
    pub fn hash(&self) -> HashedKey {
        HashedKey::of_text(&self.0)
    }

    /// The string itself, for the one answer that holds it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AgentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentToken(…)")
    }
}

/// What is kept of an agent's token. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentTokenRecord {
    /// The id part of its string.
    pub id: AgentTokenId,
    /// The hash of its string.
    pub hash: HashedKey,
    /// Which of the agents that have had the name it is for.
    pub generation: u32,
    /// What it stands for.
    pub grant: AgentGrant,
}

/// Why an agent's token does not count. The caller is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AgentRefusal {
    /// No record has this id.
    #[error("no such agent token")]
    Unknown,
    /// The id is known, the secret is another.
    #[error("wrong secret of an agent token")]
    WrongSecret,
    /// The token is another agent's than the call names.
    #[error("another agent's token")]
    WrongAgent,
    /// Past its end.
    #[error("agent token expired")]
    Expired,
    /// The agent, or one above it, was ended.
    #[error("agent ended")]
    Ended,
    /// It was ended itself, or a token that it was made with was.
    #[error("agent token revoked")]
    Revoked,
}

impl AgentTokenRecord {
    /// Judges a token by the record that its id names, where there is one, and by the name that a call gives the agent. Whoever
    /// does not act with it names none. An unknown id takes the time of a known one.
    ///
    /// # Errors
    /// [`AgentRefusal`]; the secret is judged first. Whether agent and key still live is not asked here.
    pub fn check<'a>(
        record: Option<&'a Self>,
        presented: &AgentToken,
        named: Option<&AgentId>,
        now: Timestamp,
    ) -> Result<&'a Self, AgentRefusal> {
        let right = record.map_or(&HashedKey::DUMMY, |record| &record.hash).matches(&presented.hash());
        let record = record.ok_or(AgentRefusal::Unknown)?;
        if !right {
            return Err(AgentRefusal::WrongSecret);
        }
        if named.is_some_and(|named| record.grant.agent_id != *named) {
            return Err(AgentRefusal::WrongAgent);
        }
        if record.grant.expires_at <= now {
            return Err(AgentRefusal::Expired);
        }
        Ok(record)
    }

    /// The agents that it hangs on, with the generation of each: those above, the topmost first, and its own.
    pub fn hangs_on(&self) -> impl Iterator<Item = (&AgentId, u32)> {
        let above = self.grant.above.iter().map(|above| (&above.id, above.generation));
        above.chain([(&self.grant.agent_id, self.generation)])
    }

    /// The same as what stands above an agent that this one makes.
    #[must_use]
    pub fn lineage(&self) -> Vec<AgentRef> {
        self.hangs_on().map(|(id, generation)| AgentRef { id: id.clone(), generation }).collect()
    }

    /// The ids of the tokens that it ends with: its own first, then those that it was made with.
    pub fn ends_with(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.grant.made_with.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::foreign_key::PresentedKey;

    #[test]
    fn a_new_token_reads_back_and_is_no_key() {
        let token = AgentToken::random();
        let text = token.expose();
        assert_eq!((text.len(), &text[..10]), (64, "agent_tok_"));
        let read = AgentToken::parse(text).unwrap();
        assert_eq!((read.id(), read.hash()), (token.id(), token.hash()));
        assert_eq!(token.id().as_str(), format!("at_{}", &text[10..26]));
        assert!(PresentedKey::parse(text).is_err());
        assert_eq!(format!("{token:?}"), "AgentToken(…)");
    }

    #[test]
    fn malformed_strings_are_none_even_with_a_right_check() {
        let text = AgentToken::random().expose().to_owned();
        let body = &text[..text.len() - CHECK];
        assert!(AgentToken::parse(&checked(body.to_owned())).is_ok());
        for bad in [
            String::new(),
            "agent_tok_abc123...".to_owned(),
            checked(body[..body.len() - 1].to_owned()),
            checked(format!("{body}0")),
            checked(body.replacen("agent_tok_", "agent_tok-", 1)),
            checked(body.replacen("agent_tok_", "Agent_tok_", 1)),
            checked(body.replacen("agent_tok_", "sk_live_", 1)),
            checked(format!("{}-", &body[..body.len() - 1])),
            checked(format!("{}é", &body[..body.len() - 2])),
            format!(" {text}"),
            format!("{text} "),
            format!("{text}\0"),
            "agent_tok_".repeat(100_000),
        ] {
            assert!(AgentToken::parse(&bad).is_err(), "{bad:.80}");
        }
    }

    proptest! {
        #[test]
        fn no_single_changed_character_passes(position in 0usize..64, byte in 0x20u8..0x7f) {
            let mut bytes = AgentToken::random().expose().as_bytes().to_vec();
            prop_assume!(bytes[position] != byte);
            bytes[position] = byte;
            prop_assert!(AgentToken::parse(std::str::from_utf8(&bytes).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text in "(agent_tok_)?\\PC*") {
            let _ = AgentToken::parse(&text);
        }
    }
}
