//! Where people say yes or no to apps, and where apps register themselves: `GET|POST /oauth/authorize`,
//! `POST /oauth/logout`, `POST /oauth/register`.
//!
//! An authorization (RFC 6749, section 4.1; RFC 7636; RFC 8707; RFC 9207; RFC 9700):
//!
//! 1. The app and where it wants to be answered are looked at first. Where one of them is wrong a page says so, and nobody is
//!    sent anywhere.
//! 2. Everything else that is wrong is told to the app, with its `state` and our `iss`.
//! 3. Whoever has no session logs in: the password is proved as at every login, and a new session begins.
//! 4. Whoever has one reads who asks for what, in whose name, and says yes or no. The form carries a token that only this
//!    session's page for this very request can have.
//! 5. A yes is noted in the audit log; then a code is kept, by its hash, and sent to the app.
//!
//! Nothing here signs: the code becomes tokens at `/oauth/token`.

mod apps;
mod cookies;
mod csrf;
mod decide;
mod documents;
mod logout;
mod metadata;
mod page;
mod pages;
mod redirect;
mod register;
mod request;
mod scopes;
mod sign_in;
mod stop;
mod visitor;

use std::sync::Arc;

use domain::{Access, Moment};
use edge::{ApiError, OauthError, Parameters, Reply, Request, StatusCode};
use identity::Identity;
use store::Store;

pub use cookies::Cookies;
pub use documents::Documents;
use request::Asked;
use stop::Stop;

/// What this function uses: the directory (accounts, apps, sessions, codes), the audit log's streams, and what [`Identity`]
/// reads of clients and workspaces.
pub struct App {
    /// Accounts, apps, sessions and codes.
    pub store: Store,
    /// What users hold, as fresh as the change feed makes it.
    pub identity: Identity,
    /// The scopes that exist.
    pub access: Access,
    /// What the sessions' cookies are called.
    pub cookies: Cookies,
    /// The issuer: the public base URL.
    pub issuer: String,
    /// Registrations that one address is allowed in an hour; 0 closes registration.
    pub registrations_per_hour: u32,
    /// Apps that describe themselves at the address that is their id.
    pub documents: Documents,
}

/// Answers a request. Every error is an answer already: a page for people, RFC 6749's shape for programs.
///
/// # Errors
/// None.
pub async fn handle(app: Arc<App>, request: Request, now: Moment) -> Result<Reply, ApiError> {
    let method = request.method().as_str();
    let program = |error: ApiError| Ok(OauthError::from(error).into_reply());
    match (&request.segments()[..], method) {
        (["oauth", "authorize"], "GET") => Ok(settled(show(&app, &request, now).await)),
        (["oauth", "authorize"], "POST") => Ok(settled(act(&app, &request, now).await)),
        (["oauth", "logout"], "POST") => Ok(settled(logout::logout(&app, &request).await)),
        (["oauth", "register"], "POST") => {
            Ok(register::register(&app, &request, now).await.unwrap_or_else(OauthError::into_reply))
        }
        (["oauth", "authorize"], _) => program(ApiError::MethodNotAllowed("GET, POST")),
        (["oauth", "logout" | "register"], _) => program(ApiError::MethodNotAllowed("POST")),
        _ => program(ApiError::NotFound),
    }
}

fn settled(outcome: Result<Reply, Stop>) -> Reply {
    outcome.unwrap_or_else(Stop::into_reply)
}

/// `GET /oauth/authorize`: the page that is next.
async fn show(app: &App, request: &Request, now: Moment) -> Result<Reply, Stop> {
    let asked = Asked::read(app, &Parameters::of_query(request), request, now).await?;
    match visitor::of(app, request, now).await? {
        Some(visitor) => decide::page(app, &asked, &visitor, now).await,
        None => Ok(sign_in::page(app, &asked, request, StatusCode::OK, None, "")),
    }
}

/// `POST /oauth/authorize`: what a page's form sends. It carries the whole request again, which is read again.
async fn act(app: &App, request: &Request, now: Moment) -> Result<Reply, Stop> {
    let form = Parameters::of_form(request)?;
    let step = form.one("step").ok().flatten().unwrap_or_default().to_owned();
    let asked = Asked::read(app, &form, request, now).await?;
    match step.as_str() {
        "login" => sign_in::sign_in(app, &asked, &form, request, now).await,
        "decision" => decide::decide(app, &asked, &form, request, now).await,
        _ => Err(Stop::Page(StatusCode::BAD_REQUEST, "This form was not sent by one of these pages.")),
    }
}
