//! Answers to an app: by a redirect to where it may be answered to (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207).

use edge::{Reply, StatusCode};
use url::{Host, Url, form_urlencoded};

use crate::page::{self, see_other};
use crate::pages::AppError;
use crate::stop::Stop;

/// Where an app is answered to, once both are known to be right.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) redirect_uri: String,
    /// What the app said, to be said back.
    pub(crate) state: Option<String>,
    pub(crate) issuer: String,
    /// Whether a client vouches for the app.
    pub(crate) is_vouched_for: bool,
}

impl Target {
    /// Tells the app what is wrong. The description is a constant: nothing of the request comes back in it.
    ///
    /// Nobody is sent without a word to a site that nobody vouches for: whoever registers one could have this service lead its
    /// visitors there (RFC 9700, section 4.11.2). They read what is wrong, and go on if they like.
    pub(crate) fn stop(&self, error: &str, description: &str) -> Stop {
        if self.is_vouched_for || !self.redirect_uri.starts_with("https:") {
            return self.tell(error, description);
        }
        tracing::info!(error, "an authorization was refused");
        let page = AppError { leads_to: &self.leads_to(), description, back: &self.error_url(error, description) };
        Stop::Told(Box::new(page::page(StatusCode::BAD_REQUEST, "'none'", &page)))
    }

    /// Tells the app what the person has said.
    pub(crate) fn tell(&self, error: &str, description: &str) -> Stop {
        tracing::info!(error, "an authorization was refused");
        Stop::Told(Box::new(see_other(&self.error_url(error, description))))
    }

    pub(crate) fn error_url(&self, error: &str, description: &str) -> String {
        self.url(&[("error", error), ("error_description", description)])
    }

    /// Gives the app its code.
    pub(crate) fn code(&self, code: &str) -> Reply {
        see_other(&self.url(&[("code", code)]))
    }

    fn url(&self, parameters: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.issuer);
        let mark = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{mark}{}", self.redirect_uri, query.finish())
    }

    /// Where that is, for people to read.
    pub(crate) fn leads_to(&self) -> String {
        let Ok(url) = Url::parse(&self.redirect_uri) else { return self.redirect_uri.clone() };
        match (url.scheme(), url.host()) {
            ("https", Some(host)) => url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}")),
            ("http", Some(host)) => {
                let host = if let Host::Domain(name) = host { name.to_owned() } else { host.to_string() };
                format!("a program on this device ({host})")
            }
            (scheme, _) => format!("an app on this device ({scheme})"),
        }
    }

    /// Where the forms of a consent page may lead: here, and on to the app. Chromium holds every redirect behind a form to
    /// this, those of the app's own pages too, which often lead on to another host.
    pub(crate) fn form_action(&self) -> String {
        let Ok(url) = Url::parse(&self.redirect_uri) else { return "'self'".to_owned() };
        match url.scheme() {
            "https" => "'self' https:".to_owned(),
            "http" => format!("'self' {} https:", url.origin().ascii_serialization()),
            scheme => format!("'self' {scheme}: https:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(redirect_uri: &str, state: Option<&str>) -> Target {
        Target {
            redirect_uri: redirect_uri.to_owned(),
            state: state.map(str::to_owned),
            issuer: "https://auth.example".to_owned(),
            is_vouched_for: true,
        }
    }

    #[test]
    fn an_answer_keeps_the_uri_and_escapes_what_it_adds() {
        let url = |uri, state| target(uri, state).url(&[("code", "x")]);
        assert_eq!(
            url("https://app.example/cb", Some("a&code=y#z\r\n ä")),
            "https://app.example/cb?code=x&state=a%26code%3Dy%23z%0D%0A+%C3%A4&iss=https%3A%2F%2Fauth.example"
        );
        assert_eq!(
            url("https://app.example/cb?tenant=1", None),
            "https://app.example/cb?tenant=1&code=x&iss=https%3A%2F%2Fauth.example"
        );
        assert_eq!(url("com.example.app:/cb", None), "com.example.app:/cb?code=x&iss=https%3A%2F%2Fauth.example");
    }

    #[test]
    fn people_and_browsers_are_told_where_it_leads() {
        for (uri, people, browsers) in [
            ("https://app.example/cb", "app.example", "'self' https:"),
            ("https://app.example:8443/cb", "app.example:8443", "'self' https:"),
            ("http://127.0.0.1:3000/cb", "a program on this device (127.0.0.1)", "'self' http://127.0.0.1:3000 https:"),
            ("http://[::1]:3000/cb", "a program on this device ([::1])", "'self' http://[::1]:3000 https:"),
            ("com.example.app:/cb", "an app on this device (com.example.app)", "'self' com.example.app: https:"),
        ] {
            assert_eq!(
                (target(uri, None).leads_to().as_str(), target(uri, None).form_action().as_str()),
                (people, browsers)
            );
        }
    }
}
