//! `POST /auth/agent-token`: a key, a token of one, or an agent gives an agent less than it has itself.
//!
//! 1. The credential is judged as at the protected API, by what counts at this very moment. A user who has logged in and an app have no key that an agent could
//!    be under.
//! 2. [`domain::agent_grant`] decides: never more scopes, tools and resources than the maker's, and never for longer.
//! 3. The name is looked up. One that nobody has, or whose agent has ended, is the maker's from now on; one that is another
//!    parent's, as long as that one lives, is a conflict.
//! 4. One transaction writes the token and its agent. Where somebody else was faster it is decided anew.

use std::collections::HashSet;
use std::time::Duration;

use domain::{
    Act, Action, Agent, AgentAsked, AgentGrant, AgentId, AgentMaker, AgentRef, AgentToken, Deed, Moment, NameList,
    ScopeSet, Timestamp, Workspace, agent_grant, random,
};
use edge::{ApiError, Repeatable, Reply, Request, StatusCode};
use identity::Principal;
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::agents::AgentGiven;

use crate::App;

/// How often it is decided anew where others name or end the same agent, or give it another token.
const ATTEMPTS: u32 = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    agent_id: AgentId,
    scopes: ScopeSet,
    tools: Option<NameList>,
    resources: Option<NameList>,
    ttl: Option<i64>,
}

#[derive(Serialize)]
struct Answer<'a> {
    /// `null` where the call is repeated.
    agent_token: Option<&'a str>,
    agent_id: &'a AgentId,
    scopes: &'a ScopeSet,
    expires_in: i64,
}

impl<'a> Answer<'a> {
    fn of(plain: Option<&'a AgentToken>, grant: &'a AgentGrant) -> Self {
        Self {
            agent_token: plain.map(AgentToken::expose),
            agent_id: &grant.agent_id,
            scopes: &grant.scopes,
            expires_in: grant.expires_in(),
        }
    }
}

/// Reads the credential and the form, and gives the agent its token.
pub(crate) async fn agent_token(app: &App, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    // An agent hangs on what it is made with, but takes a name; whoever was revoked a second ago must take none.
    app.identity.catch_up(now).await?;
    // Boxed: a large future would be part of every one that waits for it.
    let principal = Box::pin(edge::principal(&app.identity, request, now)).await?;
    let act = edge::act(&principal, request, now.timestamp());
    let workspace = principal.workspace()?;
    let maker = principal.agent_maker(workspace).ok_or_else(|| {
        ApiError::Forbidden("An agent acts under an API key: a login or an app's token makes none".to_owned())
    })?;
    let form: Form = edge::json(request)?;
    let repeatable = Repeatable::read(request)?;
    let deed = Deed::new(Action::AgentCreated, &form.agent_id);
    let giving = Giving { app, principal: &principal, workspace, maker, act: &act };
    let given = Box::pin(giving.give(form, &repeatable, now)).await;
    if let Err(error) = &given {
        edge::note_refusal(&app.store, principal.client_id(), &act, deed, error).await;
    }
    given
}

/// Who gives what follows, and where.
struct Giving<'a> {
    app: &'a App,
    principal: &'a Principal,
    workspace: &'a Workspace,
    maker: AgentMaker<'a>,
    act: &'a Act,
}

impl Giving<'_> {
    async fn give(&self, form: Form, repeatable: &Repeatable, now: Moment) -> Result<Reply, ApiError> {
        let (app, at) = (self.app, now.timestamp());
        let Form { agent_id, scopes, tools, resources, ttl } = form;
        let asked = AgentAsked { agent_id, scopes, tools, resources, ttl };
        let grant = agent_grant(&self.maker, asked, &app.access, at)?;
        let client = &grant.client_id;
        if let Some(reply) = repeatable.answered(&app.store, client, at).await? {
            return Ok(reply);
        }
        let plain = AgentToken::random();
        let kept = repeatable.keep(StatusCode::CREATED, &Answer::of(None, &grant));
        for attempt in 0..ATTEMPTS {
            let before = app.store.agent_by_id(client, &grant.agent_id).await?;
            let after = self.named(before.as_ref(), &grant, now).await?;
            let token = grant.clone().token(after.generation, &plain);
            let giving = app.store.agent_give(before.as_ref(), &after, &token, self.act, kept.as_ref());
            match Box::pin(giving).await? {
                AgentGiven::Done => {
                    app.usage.exchanged(self.maker.key, self.principal.payer(self.workspace), now);
                    app.usage.flush_if_due(now).await;
                    return Ok(edge::with_status(StatusCode::CREATED, &Answer::of(Some(&plain), &grant)));
                }
                AgentGiven::AnsweredBefore => return repeatable.answered_beside(&app.store, client, at).await,
                AgentGiven::Outdated => wait(attempt).await,
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The agent as it becomes; `before` is the last one that has had the name.
    ///
    /// # Errors
    /// 409 where that one lives and is under another parent.
    async fn named(&self, before: Option<&Agent>, grant: &AgentGrant, now: Moment) -> Result<Agent, ApiError> {
        let Some(before) = before else { return Ok(grant.clone().first(1)) };
        let ended = self.app.identity.ended_among(&grant.client_id, &before.grant.made_with, now).await?;
        if before.ended_at.is_none() && before.is_under_the_same(grant) {
            return Ok(before.given(grant.clone(), self.maker.key, |token| ended.contains(token)));
        }
        if self.lives(before, &ended, now.timestamp()).await? {
            return Err(ApiError::Conflict("An agent of this name is under another parent".to_owned()));
        }
        Ok(grant.clone().first(before.generation + 1))
    }

    /// Whether an agent lives, by strong reads of all that it hangs on.
    async fn lives(&self, agent: &Agent, ended: &HashSet<String>, at: Timestamp) -> Result<bool, StoreError> {
        let key = self.app.store.key_by_id(&agent.grant.key_id).await?;
        let mut above = Vec::new();
        for AgentRef { id, .. } in &agent.grant.above {
            above.extend(self.app.store.agent_by_id(&agent.grant.client_id, id).await?);
        }
        let found = |id: &AgentId| above.iter().find(|agent| agent.grant.agent_id == *id);
        Ok(agent.lives(key.as_ref(), found, |token| ended.contains(token), at))
    }
}

/// A random time that grows with `attempt`, so that those who met do not meet again.
async fn wait(attempt: u32) {
    let part = u64::from(random::bytes::<1>()[0]);
    tokio::time::sleep(Duration::from_millis(1 + (10 << attempt) * part / 256)).await;
}
