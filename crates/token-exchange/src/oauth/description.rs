//! What introspection says of a token (RFC 7662, section 2.2).

use domain::{
    Actor, AgentId, AgentTokenRecord, AppGrant, AppId, Claims, Environment, GrantId, KeyId, NameList, ScopeSet, UserId,
    WorkspaceId,
};
use identity::Principal;
use serde::Serialize;

/// What is said of a token that counts (section 2.2); what is ours stands behind.
#[derive(Serialize)]
pub(super) struct Description<'a> {
    active: bool,
    scope: String,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: i64,
    iat: i64,
    sub: &'a str,
    #[serde(flatten)]
    token: Option<TokenView<'a>>,
    #[serde(flatten)]
    agent: Option<AgentView<'a>>,
}

#[derive(Serialize)]
struct AgentView<'a> {
    jti: &'a str,
    agent_id: &'a AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a NameList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<&'a NameList>,
    key_id: &'a KeyId,
    workspace_id: &'a WorkspaceId,
    env: Environment,
}

#[derive(Serialize)]
struct TokenView<'a> {
    nbf: i64,
    aud: &'a str,
    iss: &'a str,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a KeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<&'a AppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<&'a GrantId>,
    workspace_id: &'a WorkspaceId,
    env: Environment,
    billed_to: &'a UserId,
}

/// What is said of every other one.
#[derive(Serialize)]
pub(super) struct Inactive {
    active: bool,
}

/// The only one.
pub(super) const INACTIVE: Inactive = Inactive { active: false };

impl<'a> Description<'a> {
    /// An access token, of which `scope` still counts.
    pub(super) fn of_token(claims: &'a Claims, scope: &ScopeSet) -> Self {
        Self {
            active: true,
            scope: scope.to_string(),
            // The OAuth client, as RFC 7662 has it; where no app stands behind a token, its tenant is that.
            client_id: claims.app_id.as_ref().map_or(claims.client_id.as_str(), AppId::as_str),
            token_type: Some("Bearer"),
            exp: claims.exp,
            iat: claims.iat,
            sub: &claims.sub,
            token: Some(TokenView::of(claims)),
            agent: None,
        }
    }

    /// An agent's token: the subject is that of its key's tokens, and `agent_id` who acts.
    pub(super) fn of_agent(record: &'a AgentTokenRecord, principal: &'a Principal, scope: &ScopeSet) -> Self {
        let grant = &record.grant;
        Self {
            active: true,
            scope: scope.to_string(),
            client_id: grant.client_id.as_str(),
            token_type: Some("Bearer"),
            exp: grant.expires_at.unix(),
            iat: grant.issued_at.unix(),
            sub: principal.actor(),
            token: None,
            agent: Some(AgentView {
                jti: record.id.as_str(),
                agent_id: &grant.agent_id,
                tools: grant.tools.as_ref(),
                resources: grant.resources.as_ref(),
                key_id: &grant.key_id,
                workspace_id: &grant.workspace_id,
                env: principal.environment(),
            }),
        }
    }

    /// The refresh token of a grant, of which `scope` is left.
    pub(super) fn of_grant(grant: &'a AppGrant, scope: &ScopeSet) -> Self {
        Self {
            active: true,
            scope: scope.to_string(),
            client_id: grant.app_id.as_str(),
            token_type: None,
            exp: grant.expires_at.unix(),
            iat: grant.created_at.unix(),
            sub: grant.user_id.as_str(),
            token: None,
            agent: None,
        }
    }
}

impl<'a> TokenView<'a> {
    fn of(claims: &'a Claims) -> Self {
        Self {
            nbf: claims.nbf,
            aud: &claims.aud,
            iss: &claims.iss,
            jti: &claims.jti,
            act: claims.act.as_ref(),
            key_id: claims.key_id.as_ref(),
            app_id: claims.app_id.as_ref(),
            grant_id: claims.grant_id.as_ref(),
            workspace_id: &claims.workspace_id,
            env: claims.env,
            billed_to: &claims.billed_to,
        }
    }
}
