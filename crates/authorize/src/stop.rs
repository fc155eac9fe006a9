//! Where a way ends before its end.

use edge::{ApiError, Repeated, Reply, StatusCode};
use store::StoreError;

use crate::pages;

/// Why no next page is shown.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A page tells the person why.
    Page(StatusCode, &'static str),
    /// The app is told: by a redirect that stands ready, or by a link on a page.
    Told(Box<Reply>),
    /// Something else, as at any endpoint.
    Failed(ApiError),
}

impl Stop {
    /// The request is wrong in a way that nobody may be redirected for.
    pub(crate) fn bad(text: &'static str) -> Self {
        Self::Page(StatusCode::BAD_REQUEST, text)
    }

    /// A form that this session's page has not sent.
    pub(crate) fn foreign_form() -> Self {
        let text =
            "This page was open for too long, or something changed meanwhile. Go back to the app and begin again.";
        Self::Page(StatusCode::FORBIDDEN, text)
    }

    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::Page(status, text) => {
                tracing::info!(status = status.as_u16(), "refused");
                pages::message(status, "This does not work", text)
            }
            Self::Told(reply) => *reply,
            Self::Failed(error) => failed(error),
        }
    }
}

/// The page for an error of any endpoint.
fn failed(error: ApiError) -> Reply {
    // It is logged there, and knows its status and its waiting times.
    let told = error.into_reply("");
    let (title, text) = match told.status() {
        StatusCode::TOO_MANY_REQUESTS => ("Too many attempts", "Wait a little before you try again."),
        StatusCode::SERVICE_UNAVAILABLE => ("Not available now", "Nothing has happened. Try again in a moment."),
        StatusCode::PAYLOAD_TOO_LARGE => ("This does not work", "The form is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("This does not work", "A form is expected here."),
        _ => ("This does not work", "The request is not one that can be answered."),
    };
    let mut reply = pages::message(told.status(), title, text);
    for name in ["retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"] {
        if let Some(value) = told.headers().get(name) {
            reply.headers_mut().insert(name, value.clone());
        }
    }
    reply
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Repeated> for Stop {
    fn from(_: Repeated) -> Self {
        Self::bad("The request says something twice.")
    }
}
