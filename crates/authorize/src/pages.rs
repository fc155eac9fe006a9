//! The pages. What they show of others' words is escaped by the templates.

use askama::Template;
use edge::{Reply, StatusCode};
use url::Url;

use crate::page;

/// Names and values of hidden fields.
pub(crate) type Fields = Vec<(&'static str, String)>;

/// What is said of an app that nobody vouches for.
pub(crate) struct Unverified {
    /// The host of the document that describes it; `None` for one that has registered itself.
    pub(crate) described_at: Option<String>,
}

impl Unverified {
    /// `None` for a client's own app.
    pub(crate) fn of(app: &domain::App) -> Option<Self> {
        let host = |url: &str| Some(Url::parse(url).ok()?.host_str()?.to_owned());
        app.client_id.is_none().then(|| Self { described_at: app.id.document().and_then(host) })
    }
}

/// Where somebody logs in.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignIn<'a> {
    pub(crate) app_name: &'a str,
    pub(crate) unverified: Option<Unverified>,
    pub(crate) problem: Option<&'a str>,
    pub(crate) fields: &'a Fields,
    pub(crate) csrf: &'a str,
    pub(crate) email: &'a str,
}

/// Where somebody says yes or no.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct Consent<'a> {
    pub(crate) app_name: &'a str,
    pub(crate) unverified: Option<Unverified>,
    pub(crate) leads_to: &'a str,
    pub(crate) resource: Option<&'a str>,
    pub(crate) company: &'a str,
    pub(crate) user: &'a str,
    pub(crate) scopes: Vec<ScopeLine>,
    pub(crate) has_privileged: bool,
    pub(crate) fields: &'a Fields,
    pub(crate) csrf: &'a str,
    pub(crate) sign_out: &'a str,
}

/// A scope, in words and by name.
pub(crate) struct ScopeLine {
    pub(crate) words: String,
    pub(crate) name: String,
}

/// Whoever has logged in can allow nothing of what is asked.
#[derive(Template)]
#[template(path = "dead_end.html")]
pub(crate) struct DeadEnd<'a> {
    pub(crate) app_name: &'a str,
    pub(crate) problem: &'a str,
    pub(crate) company: &'a str,
    pub(crate) user: &'a str,
    pub(crate) back: &'a str,
    pub(crate) fields: &'a Fields,
    pub(crate) sign_out: &'a str,
}

/// What an app asks for can't be answered, and nobody vouches for where it wants to be told so.
#[derive(Template)]
#[template(path = "app_error.html")]
pub(crate) struct AppError<'a> {
    pub(crate) leads_to: &'a str,
    pub(crate) description: &'a str,
    pub(crate) back: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page that says something, with nothing to do.
pub(crate) fn message(status: StatusCode, title: &str, text: &str) -> Reply {
    page::page(status, "'none'", &Message { title, text })
}
