//! `PATCH …/apps/{app_id}`.

use domain::{Action, App as OauthApp, AppId, Deed, GrantType, Scope};
use edge::{ApiError, Reply, Request, checked_name};
use serde::Deserialize;
use store::apps::AppChanged;

use super::{AppView, form, read};
use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateForm {
    name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    grant_types: Option<Vec<GrantType>>,
    scopes: Option<Vec<Scope>>,
}

/// Changes what is given. Fewer scopes reach every token that the app has.
pub(crate) async fn update(app: &App, caller: &Caller, request: &Request, id: &AppId) -> Result<Reply, ApiError> {
    // What belongs to somebody else is not there, whatever is asked of it.
    read(app, caller, id).await?;
    let asked: UpdateForm = edge::json(request)?;
    let name = asked.name.as_deref().map(checked_name).transpose()?;
    let redirect_uris = asked.redirect_uris.as_deref().map(form::redirect_uris).transpose()?;
    let grant_types = asked.grant_types.as_deref().map(form::grant_types).transpose()?;
    let scopes = asked.scopes.map(form::scopes).transpose()?;
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let before = read(app, caller, id).await?;
        let after = OauthApp {
            name: name.clone().unwrap_or_else(|| before.name.clone()),
            redirect_uris: redirect_uris.clone().unwrap_or_else(|| before.redirect_uris.clone()),
            grant_types: grant_types.clone().unwrap_or_else(|| before.grant_types.clone()),
            scopes: scopes.clone().or_else(|| before.scopes.clone()),
            ..before.clone()
        };
        if after == before {
            return Ok(edge::ok(&AppView::of(caller.client_id(), &after)));
        }
        form::check(app, caller, &after)?;
        let deed = deed(&before, &after);
        let changed = app.store.app_change(caller.client_id(), &before, &after, deed, &caller.act).await?;
        if changed == AppChanged::Done {
            return Ok(edge::ok(&AppView::of(caller.client_id(), &after)));
        }
    }
}

/// What the audit log says: what has changed, as it is from now on.
fn deed(before: &OauthApp, after: &OauthApp) -> Deed {
    let mut deed = Deed::new(Action::AppUpdated, &after.id);
    if before.name != after.name {
        deed = deed.with("name", &after.name);
    }
    if before.redirect_uris != after.redirect_uris {
        deed = deed.with("redirect_uris", &after.redirect_uris);
    }
    if before.grant_types != after.grant_types {
        deed = deed.with("grant_types", &after.grant_types);
    }
    if before.scopes != after.scopes {
        deed = deed.with("scopes", &after.scopes);
    }
    deed
}
