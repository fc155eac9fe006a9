//! `POST /oauth/logout`: the session ends here and in the browser.

use domain::HashedKey;
use edge::{Parameters, Reply, Request, StatusCode};

use crate::page::{give_cookies, see_other};
use crate::stop::Stop;
use crate::{App, pages, request, visitor};

/// Signs out. A form that carries a request on leads back to its login page.
pub(crate) async fn logout(app: &App, asked: &Request) -> Result<Reply, Stop> {
    let form = Parameters::of_form(asked)?;
    if let Some(secret) = app.cookies.session(asked) {
        if !visitor::is_sign_out_token(form.one("csrf")?, &secret) {
            return Err(Stop::foreign_form());
        }
        app.store.session_end(&HashedKey::of_text(&secret)).await?;
    }
    let mut reply = match request::location_of(&form) {
        Some(location) => see_other(&location),
        None => pages::message(StatusCode::OK, "Signed out", "You are signed out. You can close this page."),
    };
    give_cookies(&mut reply, [app.cookies.end_session()]);
    Ok(reply)
}
