//! Logging in at the page.

use domain::{HashedKey, Moment};
use edge::{ApiError, Parameters, Reply, Request, StatusCode};
use login::Account;
use store::sessions::Session;

use crate::cookies::Cookies;
use crate::page::{give_cookies, see_other};
use crate::pages::{SignIn, Unverified};
use crate::request::Asked;
use crate::stop::Stop;
use crate::visitor::Visitor;
use crate::{App, csrf, decide, page};

/// One text for both, as it is one answer everywhere.
const WRONG: &str = "The e-mail address or the password is wrong.";
const BEGIN_AGAIN: &str = "This page was open for too long, or cookies are switched off. Try again.";
const TOO_MANY: &str = "Too many attempts. Wait a little before the next one.";

/// The page. It is bound to the browser by a cookie, so that nobody is logged in by a form on somebody else's page.
pub(crate) fn page(
    app: &App,
    asked: &Asked,
    request: &Request,
    status: StatusCode,
    problem: Option<&str>,
    email: &str,
) -> Reply {
    let known = app.cookies.login(request);
    let secret = known.clone().unwrap_or_else(Cookies::secret);
    let template = SignIn {
        app_name: &asked.by.name,
        unverified: Unverified::of(&asked.by),
        problem,
        fields: &asked.fields,
        csrf: &csrf::token(&secret, "login", &asked.query()),
        email,
    };
    let mut reply = page::page(status, "'self'", &template);
    if known.is_none() {
        give_cookies(&mut reply, [app.cookies.begin_login(&secret)]);
    }
    reply
}

/// Proves the password, begins a new session, and asks for the next page.
pub(crate) async fn sign_in(
    app: &App,
    asked: &Asked,
    form: &Parameters,
    request: &Request,
    now: Moment,
) -> Result<Reply, Stop> {
    let (email, password) = (form.one("email")?.unwrap_or_default(), form.one("password")?.unwrap_or_default());
    // What is no address might be a password in the wrong field.
    let shown = if domain::Email::parse(email).is_some() { email } else { "" };
    let again = |status, problem| page(app, asked, request, status, Some(problem), shown);
    let sent = form.one("csrf")?;
    let own = app.cookies.login(request).is_some_and(|secret| csrf::is_token(sent, &secret, "login", &asked.query()));
    if !own {
        return Ok(again(StatusCode::FORBIDDEN, BEGIN_AGAIN));
    }
    let source = request.source_address();
    let user = match login::prove(&app.store, &Account::Email(email), password, source, now.timestamp()).await {
        Ok(user) => user,
        Err(ApiError::Unauthorized(_)) => return Ok(again(StatusCode::FORBIDDEN, WRONG)),
        Err(ApiError::TooManyRequests(limited)) => {
            let mut reply = again(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
            reply.headers_mut().insert("retry-after", limited.retry_after.into());
            return Ok(reply);
        }
        Err(error) => return Err(error.into()),
    };
    let Some(client) = app.identity.client(&user.client_id, now).await? else {
        return Ok(again(StatusCode::FORBIDDEN, WRONG));
    };
    // What the browser had before may be known to others: it ends, and a new one begins.
    if let Some(before) = app.cookies.session(request) {
        app.store.session_end(&HashedKey::of_text(&before)).await?;
    }
    let secret = Cookies::secret();
    let session = Session {
        hash: HashedKey::of_text(&secret),
        client_id: user.client_id.clone(),
        user_id: user.id.clone(),
        started_at: now.timestamp(),
    };
    app.store.session_create(&session).await?;
    let cookies = [app.cookies.begin_session(&secret), app.cookies.end_login()];
    let visitor = Visitor::new(secret, user, client);
    // The page that this form came from leads here alone: what would lead to the app at once is a link of a page instead.
    let mut reply = match decide::grantable(app, asked, &visitor, now).await? {
        Ok(_) => see_other(&asked.location()),
        Err(reason) => decide::dead_end(asked, &visitor, reason),
    };
    give_cookies(&mut reply, cookies);
    Ok(reply)
}
