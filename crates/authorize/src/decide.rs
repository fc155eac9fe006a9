//! Yes or no.

use domain::{Act, Action, AuthorizationCode, Deed, HashedKey, Moment, Outcome, Resource, ScopeSet};
use edge::{Parameters, Reply, Request, StatusCode};

use crate::page::see_other;
use crate::pages::{Consent, DeadEnd, Unverified};
use crate::request::Asked;
use crate::stop::Stop;
use crate::visitor::{self, Visitor};
use crate::{App, page, scopes};

/// Why somebody who has logged in can give an app nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It is another client's.
    ForeignApp,
    /// They hold nothing of what it asks for.
    NothingHeld,
}

impl Reason {
    fn error(self) -> (&'static str, &'static str) {
        match self {
            Self::ForeignApp => ("access_denied", "The app is of another client than the user"),
            Self::NothingHeld => ("invalid_scope", "The user holds none of these scopes"),
        }
    }

    fn problem(self) -> &'static str {
        match self {
            Self::ForeignApp => "This app belongs to another company. Only its own people can use it.",
            Self::NothingHeld => "The app asks for rights that you do not have yourself.",
        }
    }
}

/// What the visitor can give the app of what it asks for: a client's app works for that client's people, and nobody gives
/// what they do not hold.
pub(crate) async fn grantable(
    app: &App,
    asked: &Asked,
    visitor: &Visitor,
    now: Moment,
) -> Result<Result<ScopeSet, Reason>, Stop> {
    if asked.by.client_id.as_ref().is_some_and(|client| *client != visitor.user.client_id) {
        return Ok(Err(Reason::ForeignApp));
    }
    let held = app.identity.scopes_of(&visitor.user, now).await?;
    Ok(scopes::of(&asked.scopes, &held).ok_or(Reason::NothingHeld))
}

/// The page on which somebody says yes or no.
pub(crate) async fn page(app: &App, asked: &Asked, visitor: &Visitor, now: Moment) -> Result<Reply, Stop> {
    let scopes = match grantable(app, asked, visitor, now).await? {
        Ok(scopes) => scopes,
        // Perhaps they are logged in as somebody else than they think.
        Err(Reason::ForeignApp) => return Ok(dead_end(asked, visitor, Reason::ForeignApp)),
        Err(reason) => {
            let (error, description) = reason.error();
            return Err(asked.target.stop(error, description));
        }
    };
    let template = Consent {
        app_name: &asked.by.name,
        unverified: Unverified::of(&asked.by),
        leads_to: &asked.target.leads_to(),
        resource: asked.resource.as_ref().map(Resource::as_str),
        company: &visitor.client.name,
        user: visitor.user.email.as_str(),
        has_privileged: scopes.iter().any(|scope| app.access.is_privileged(scope)),
        scopes: scopes::lines(&app.access, &scopes),
        fields: &asked.fields,
        csrf: &visitor.decision_token(&shown(asked, &scopes)),
        sign_out: &visitor.sign_out_token(),
    };
    Ok(page::page(StatusCode::OK, &asked.target.form_action(), &template))
}

/// The page for somebody who can allow nothing.
pub(crate) fn dead_end(asked: &Asked, visitor: &Visitor, reason: Reason) -> Reply {
    let (error, description) = reason.error();
    let template = DeadEnd {
        app_name: &asked.by.name,
        problem: reason.problem(),
        company: &visitor.client.name,
        user: visitor.user.email.as_str(),
        back: &asked.target.error_url(error, description),
        fields: &asked.fields,
        sign_out: &visitor.sign_out_token(),
    };
    page::page(StatusCode::FORBIDDEN, "'self'", &template)
}

/// What a yes would be to: where it is no longer the same as on the page, the page's form counts no more.
fn shown(asked: &Asked, scopes: &ScopeSet) -> String {
    format!("{}\n{}\n{scopes}", asked.query(), asked.by.name)
}

/// Takes a yes or a no.
pub(crate) async fn decide(
    app: &App,
    asked: &Asked,
    form: &Parameters,
    request: &Request,
    now: Moment,
) -> Result<Reply, Stop> {
    // The session has ended meanwhile: log in, and decide then.
    let Some(visitor) = visitor::of(app, request, now).await? else { return Ok(see_other(&asked.location())) };
    let scopes = match grantable(app, asked, &visitor, now).await? {
        Ok(scopes) => scopes,
        Err(reason) => return Ok(dead_end(asked, &visitor, reason)),
    };
    if !visitor.is_decision_token(form.one("csrf")?, &shown(asked, &scopes)) {
        return Err(Stop::foreign_form());
    }
    match form.one("decision")? {
        Some("allow") => allow(app, asked, &visitor, scopes, request, now).await,
        Some("deny") => Err(asked.target.tell("access_denied", "The user has said no")),
        _ => Err(Stop::bad("The form says neither yes nor no.")),
    }
}

/// Notes the yes, and makes the code. What can't be noted is not done.
async fn allow(
    app: &App,
    asked: &Asked,
    visitor: &Visitor,
    scopes: ScopeSet,
    request: &Request,
    now: Moment,
) -> Result<Reply, Stop> {
    let (user, at) = (&visitor.user, now.timestamp());
    let address = request.source_address().map(|address| address.to_string());
    let act = Act { actor: (&user.id).into(), address, at };
    let mut deed = Deed::new(Action::AppAuthorized, &asked.by.id)
        .with("name", &asked.by.name)
        .with("scopes", &scopes)
        .with("redirect_uri", &asked.target.redirect_uri);
    if let Some(resource) = &asked.resource {
        deed = deed.with("resource", resource);
    }
    app.store.audit_note(&user.client_id, &act, deed, Outcome::Done).await?;
    let plain = AuthorizationCode::random();
    let code = AuthorizationCode {
        hash: HashedKey::of_text(&plain),
        app_id: asked.by.id.clone(),
        app_name: asked.by.name.clone(),
        redirect_uri: asked.target.redirect_uri.clone(),
        challenge: asked.challenge.clone(),
        client_id: user.client_id.clone(),
        user_id: user.id.clone(),
        workspace_id: user.home(&visitor.client).clone(),
        scopes,
        resource: asked.resource.clone(),
        issued_at: at,
        redeemed_for: None,
    };
    app.store.code_create(&code).await?;
    Ok(asked.target.code(&plain))
}
