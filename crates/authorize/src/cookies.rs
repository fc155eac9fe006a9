//! Cookies: the session's, and the one that a login form is bound to.

use domain::{RedirectUri, random};
use edge::Request;
use store::sessions::SESSION_LIFETIME;

/// How many base62 digits a cookie's secret has: 256 bits.
const DIGITS: usize = 43;

/// What cookies are called, and what browsers are told of them.
///
/// A name with `__Host-` is taken from this very host alone, over TLS (RFC 6265bis, section 4.1.3.2): a neighbour's host can
/// plant none. Over plain http on one machine not every client takes such a cookie, so there, and nowhere else, it has
/// another name and no `Secure`.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    session: &'static str,
    login: &'static str,
    secure: &'static str,
}

impl Cookies {
    /// Those of a base URL.
    #[must_use]
    pub fn new(base_url: &str) -> Self {
        // A redirect URI by http leads to this machine, or is none.
        let on_this_machine = base_url.starts_with("http://") && RedirectUri::parse(base_url).is_some();
        if on_this_machine {
            Self { session: "keygate_session", login: "keygate_login", secure: "" }
        } else {
            Self { session: "__Host-keygate_session", login: "__Host-keygate_login", secure: "Secure; " }
        }
    }

    /// A new secret.
    pub(crate) fn secret() -> String {
        random::base62(DIGITS)
    }

    /// The session's secret that a request carries.
    pub(crate) fn session(self, request: &Request) -> Option<String> {
        find(request, self.session)
    }

    /// The login form's.
    pub(crate) fn login(self, request: &Request) -> Option<String> {
        find(request, self.login)
    }

    /// Keeps the session's secret in the browser for as long as the session lives.
    pub(crate) fn begin_session(self, secret: &str) -> String {
        self.set(self.session, secret, &format!("; Max-Age={SESSION_LIFETIME}"))
    }

    /// Takes it away.
    pub(crate) fn end_session(self) -> String {
        self.set(self.session, "", "; Max-Age=0")
    }

    /// Keeps the login form's secret until the browser is closed.
    pub(crate) fn begin_login(self, secret: &str) -> String {
        self.set(self.login, secret, "")
    }

    /// Takes it away.
    pub(crate) fn end_login(self) -> String {
        self.set(self.login, "", "; Max-Age=0")
    }

    fn set(self, name: &str, value: &str, age: &str) -> String {
        format!("{name}={value}; {}HttpOnly; SameSite=Lax; Path=/{age}", self.secure)
    }
}

/// The value of a cookie, of the form that a secret has. Two of one name are none: another host may have planted one.
fn find(request: &Request, name: &str) -> Option<String> {
    let headers = request.headers().get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let fits = value.len() == DIGITS && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use edge::Body;

    use super::*;

    #[test]
    fn only_on_one_machine_by_plain_http_is_a_cookie_not_bound_to_its_host_and_tls() {
        for base in ["https://auth.example", "http://auth.example", "https://127.0.0.1", "http://127.0.0.1.example"] {
            let cookie = Cookies::new(base).begin_session("x");
            assert_eq!(
                cookie, "__Host-keygate_session=x; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=28800",
                "{base}"
            );
        }
        for base in ["http://127.0.0.1:8788", "http://localhost:8788", "http://[::1]:8788"] {
            let cookie = Cookies::new(base).begin_session("x");
            assert_eq!(cookie, "keygate_session=x; HttpOnly; SameSite=Lax; Path=/; Max-Age=28800", "{base}");
        }
    }

    #[test]
    fn a_cookie_counts_once_and_in_its_form() {
        let cookies = Cookies::new("https://auth.example");
        let found = |header: &str| {
            let mut request = Request::new(Body::Empty);
            request.headers_mut().insert("cookie", header.parse().unwrap());
            cookies.session(&request)
        };
        let secret = Cookies::secret();
        let good = format!("__Host-keygate_session={secret}");
        assert_eq!(found(&good), Some(secret.clone()));
        assert_eq!(found(&format!("a=b;  {good}; c=d")), Some(secret.clone()));
        for bad in [
            format!("{good}; {good}"),
            format!("{good}x"),
            format!("x{good}"),
            format!("keygate_session={secret}"),
            "__Host-keygate_session=".to_owned(),
            format!("__Host-keygate_session={}", "é".repeat(21)),
        ] {
            assert_eq!(found(&bad), None, "{bad}");
        }
    }
}
