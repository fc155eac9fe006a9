//! From a token to what it stands on.
//!
//! 1. Its signature and claims, by a key that is published ([`Identity::verified`]); and nobody has ended it.
//! 2. What it hangs on must still count: a key with the secret that it was made with, a user, a grant to an app, an app.

use std::sync::Arc;

use domain::{
    Claims, ClientId, KeyId, KeyRecord, KeyRefusal, Moment, SecretVersion, Subject, UserId, UserStatus, WorkspaceId,
};
use signing::{TokenRefusal, UnverifiedToken, VerifyingKey};

use crate::apps::Granted;
use crate::call::Call;
use crate::identity::{Identity, Sender, UsedFrom, check_address};
use crate::principal::{Principal, Proof, Standing};
use crate::refusal::{Refusal, RefusalReason};

impl Identity {
    pub(super) async fn by_token(
        &self,
        token: &UnverifiedToken<'_>,
        call: &Call<'_>,
        now: Moment,
    ) -> Result<Principal, Refusal> {
        let claims = self.verified(token, For::This, now).await?;
        let standing = self.standing(&claims, call.from(), now).await?;
        Ok(Principal::new(standing, Proof::Token(claims)))
    }

    /// A token whose signature and claims are right, and which nobody has ended.
    pub(super) async fn verified(
        &self,
        token: &UnverifiedToken<'_>,
        whom: For,
        now: Moment,
    ) -> Result<Arc<Claims>, Refusal> {
        if !self.feed.has_begun().await {
            self.refresh(now).await?;
        }
        let verifying = self.verifying_key(token, now).await?;
        let claims = self.caches.verified.claims(token, &verifying).map_err(RefusalReason::from)?;
        let checked = match whom {
            For::This => self.audience.check(&claims, now.timestamp()),
            For::Anybody => self.audience.check_issued(&claims, now.timestamp()),
        };
        checked.map_err(RefusalReason::from)?;
        self.refresh(now).await?;
        // The feed may have told just now that the key is published no more.
        self.verifying_key(token, now).await?;
        let hangs_on = std::iter::once(claims.jti.as_str()).chain(claims.ancestors());
        if self.ended_tokens(&claims.client_id, now).await?.contains_any(hangs_on) {
            return Err(RefusalReason::TokenEnded.into());
        }
        Ok(claims)
    }

    /// What a token stands on that was verified.
    pub(super) async fn standing(&self, claims: &Claims, from: UsedFrom<'_>, now: Moment) -> Result<Standing, Refusal> {
        match claims.subject() {
            Some(Subject::Key(id, version)) => {
                let made_of = MadeOf { client: &claims.client_id, key: &id, version, workspace: &claims.workspace_id };
                self.key_of_token(made_of, from, now).await
            }
            Some(Subject::User(id)) => self.user_of_token(claims, &id, from).await,
            Some(Subject::Grant { grant, app, user }) => {
                let named = Granted { grant: &grant, app: &app, user: &user };
                Box::pin(self.directory().standing_of_grant(claims, &named, from.workspace, now.timestamp())).await
            }
            Some(Subject::App(app)) => Box::pin(self.directory().standing_of_app(claims, &app, from.workspace)).await,
            None => Err(RefusalReason::Token(TokenRefusal::Claims).into()),
        }
    }

    async fn verifying_key(&self, token: &UnverifiedToken<'_>, now: Moment) -> Result<Arc<VerifyingKey>, Refusal> {
        let key = self.caches.signing_keys.get(&self.store, token.kid(), now).await?;
        Ok(key.ok_or(RefusalReason::UnknownSigningKey)?)
    }

    /// What a token of a key's stands on, an agent's too.
    pub(super) async fn key_of_token(
        &self,
        made_of: MadeOf<'_>,
        from: UsedFrom<'_>,
        now: Moment,
    ) -> Result<Standing, Refusal> {
        let MadeOf { client, key: id, version, workspace } = made_of;
        let found = self.caches.keys.get(id, self.store.key_by_id(id)).await?;
        let is_old = |key: &KeyRecord| key.secret_version < version;
        let key = match found {
            // The key was rotated a moment ago, and this is a token of its new secret.
            Some(found) if found.was_cached && is_old(&found.record) => {
                self.caches.keys.get_anew(id, self.store.key_by_id(id)).await?
            }
            found => found.map(|found| found.record),
        };
        // A key that has moved to another client than its token says can't be: refuse rather than guess.
        let key = key.filter(|key| key.client_id == *client).ok_or(RefusalReason::Key(KeyRefusal::Unknown))?;
        if let Err(reason) = key.check_version(version, now.timestamp()) {
            return Err(Refusal::Unauthorized { reason: reason.into(), key: Some(key) });
        }
        if let Sender::At(address) = from.sender {
            check_address(&key, address)?;
        }
        let footing = self.footing_of(&key, Some(workspace), from.workspace).await?;
        Ok(Standing::Key(key, footing))
    }

    async fn user_of_token(&self, claims: &Claims, id: &UserId, from: UsedFrom<'_>) -> Result<Standing, Refusal> {
        let user = self.caches.user(&self.store, &claims.client_id, id).await?;
        let user = user.filter(|user| user.status == UserStatus::Active).ok_or(RefusalReason::UnknownUser)?;
        let scopes = self.directory().scopes_of(&user).await?;
        let reach = self.directory().reach_of_user(&user, &claims.workspace_id, from.workspace).await?;
        Ok(Standing::User { user, scopes, reach })
    }
}

/// For whom a token must be.
#[derive(Clone, Copy)]
pub(super) enum For {
    This,
    Anybody,
}

/// The key that a token was made of, and the secret and workspace that it is bound to.
pub(super) struct MadeOf<'a> {
    pub(super) client: &'a ClientId,
    pub(super) key: &'a KeyId,
    pub(super) version: SecretVersion,
    pub(super) workspace: &'a WorkspaceId,
}
