//! Addresses that strangers name: where an app is answered to, and for whom a token is.

use domain::{RedirectUri, Resource};
use url::Url;

use crate::bytes::two_texts;

/// A registered address, and one that is asked for.
pub fn addresses(data: &[u8]) {
    let (registered, asked) = two_texts(data);
    for text in [&registered, &asked] {
        redirect(text);
        resource(text);
    }
    let Some(uri) = RedirectUri::parse(&registered) else { return };
    assert!(uri.matches(&registered), "itself");
    if uri.matches(&asked) && asked != registered {
        assert!(is_loopback(&registered) && is_loopback(&asked), "{registered} is not {asked}");
        let (one, other) = (Url::parse(&registered).unwrap(), Url::parse(&asked).unwrap());
        let but_port = |url: &Url| {
            (
                url.scheme().to_owned(),
                url.host_str().map(str::to_owned),
                url.path().to_owned(),
                url.query().map(str::to_owned),
            )
        };
        assert_eq!(but_port(&one), but_port(&other), "{registered} is not {asked}");
    }
}

fn redirect(text: &str) {
    let Some(uri) = RedirectUri::parse(text) else { return };
    assert_eq!(uri.as_str(), text, "as it was registered");
    assert!(text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    assert!(!text.contains(['#', '\\']), "{text}");
    let (scheme, rest) = text.split_once(':').unwrap();
    match scheme {
        "https" => {}
        "http" => assert!(is_loopback(text), "{text}"),
        own => assert!(own.contains('.') && !own.eq_ignore_ascii_case("javascript"), "{text}"),
    }
    if matches!(scheme, "http" | "https") {
        let authority = rest.strip_prefix("//").unwrap().split(['/', '?']).next().unwrap();
        assert!(!authority.is_empty() && !authority.contains('@'), "{text}");
    }
}

fn is_loopback(text: &str) -> bool {
    let authority = text.strip_prefix("http://").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    let host = Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    !authority.is_empty() && (host == "localhost" || host == "[::1]" || host.starts_with("127."))
}

fn resource(text: &str) {
    let Some(resource) = Resource::parse(text) else { return };
    assert_eq!(Resource::parse(resource.as_str()).as_ref(), Some(&resource), "one resource has one name");
    let url = Url::parse(resource.as_str()).unwrap();
    assert!(url.scheme() == "https" || is_loopback(url.as_str()), "{text}");
    assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none(), "{text}");
    assert!(text.is_ascii() && text.len() <= 512);
}
