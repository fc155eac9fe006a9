//! What an app may ask, and who is told where it may not.

use domain::{GrantType, RedirectUri};

use crate::browser::Browser;
use crate::setup::{CALLBACK, CHALLENGE, Setup, asks, encoded, with};

#[tokio::test]
async fn a_bad_app_or_redirect_is_a_page_and_never_a_redirect() {
    let setup = Setup::new().await;
    let app = setup.unverified().await;
    let good = asks(&app, "read");
    let id = |id: Option<&str>| with(&good, "client_id", id);
    let to = |uri: &str| with(&good, "redirect_uri", Some(uri));
    let mut cases = vec![
        id(None),
        id(Some("")),
        id(Some("oc_0123456789abcdef")),
        id(Some("nobody")),
        id(Some("https://app.example/client.json")),
        id(Some("javascript:alert(1)")),
        id(Some(&format!("{} ", app.id))),
        with(&good, "redirect_uri", None),
    ];
    cases.extend(
        [
            "",
            "https://evil.example/callback",
            "https://app.example/callback/",
            "https://app.example/callback?next=https://evil.example",
            "https://app.example/callback#x",
            "https://app.example/callback/../../evil",
            "https://app.example/%63allback",
            "https://APP.example/callback",
            "https://app.example:443/callback",
            "https://app.example:8443/callback",
            "http://app.example/callback",
            "https://app.example.evil.example/callback",
            "https://app.example@evil.example/callback",
            "https://evil.example/https://app.example/callback",
            "https://evil.example\\@app.example/callback",
            "//app.example/callback",
            "javascript:alert(1)//https://app.example/callback",
            "data:text/html,https://app.example/callback",
            " https://app.example/callback",
            "https://app.example/callback\r\nLocation: https://evil.example",
            "https://app.example/callback\0",
        ]
        .map(to),
    );
    // Twice, the good one first or last.
    for (name, value) in [("client_id", app.id.as_str()), ("redirect_uri", CALLBACK)] {
        for other in [value, "https://evil.example/callback"] {
            let twice = |pair: (String, String)| [vec![pair.clone()], good.clone()].concat();
            cases.push(twice((name.to_owned(), other.to_owned())));
            cases.push([good.clone(), vec![(name.to_owned(), other.to_owned())]].concat());
        }
    }
    for asked in &cases {
        let mut browser = Browser::new(&setup);
        browser.get(asked).await.assert_page(400);
        let form = [asked.clone(), vec![("step".to_owned(), "login".to_owned())]].concat();
        browser.post(&form).await.assert_page(400);
        assert!(browser.cookies.is_empty(), "{asked:?}");
    }
    Browser::new(&setup).get(&good).await.assert_page(200);
}

#[tokio::test]
async fn everything_else_is_told_to_the_app() {
    let setup = Setup::new().await;
    let app = setup.own_app("read").await;
    let good = asks(&app, "read");
    let long = "x".repeat(44);
    for (name, value, error) in [
        ("response_type", None, "invalid_request"),
        ("response_type", Some(""), "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", Some("code token"), "unsupported_response_type"),
        ("response_type", Some("Code"), "unsupported_response_type"),
        ("response_mode", Some("fragment"), "invalid_request"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("code_challenge", Some(&long), "invalid_request"),
        ("code_challenge", Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"), "invalid_request"),
        ("code_challenge", Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c="), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", Some("s256"), "invalid_request"),
        ("resource", Some("http://api.example"), "invalid_target"),
        ("resource", Some("api"), "invalid_target"),
        ("resource", Some("https://api.example/#x"), "invalid_target"),
        ("scope", Some("unheard:of"), "invalid_scope"),
        ("scope", Some("read  write"), "invalid_scope"),
        ("scope", Some("read unheard:of"), "invalid_scope"),
        ("scope", Some("Read"), "invalid_scope"),
        ("scope", Some("*"), "invalid_scope"),
        ("scope", Some("write"), "invalid_scope"),
        ("scope", Some("keys:manage usage:read"), "invalid_scope"),
    ] {
        let asked = with(&good, name, value);
        let mut browser = Browser::new(&setup);
        assert_eq!(browser.get(&asked).await.error(Some("af0ifjsldkj")), error, "{name}={value:?}");
        let form = [asked, vec![("step".to_owned(), "login".to_owned())]].concat();
        assert_eq!(browser.post(&form).await.error(Some("af0ifjsldkj")), error, "{name}={value:?}");
        assert!(browser.cookies.is_empty());
    }
}

#[tokio::test]
async fn nobody_is_sent_to_a_site_that_nobody_vouches_for_without_a_word() {
    let setup = Setup::new().await;
    let good = asks(&setup.unverified().await, "read");
    for (name, value, error) in [
        ("response_type", Some("x"), "unsupported_response_type"),
        ("code_challenge", None, "invalid_request"),
        ("scope", Some("admin"), "invalid_scope"),
        ("resource", Some("api"), "invalid_target"),
    ] {
        let answer = Browser::new(&setup).get(&with(&good, name, value)).await;
        answer.assert_page(400);
        let (_, link) = answer.body.split_once("href=\"").unwrap();
        let link = crate::browser::unescaped(link.split('"').next().unwrap());
        assert!(link.starts_with(&format!("{CALLBACK}?error={error}&")), "{link}");
        assert!(answer.body.contains("go back to app.example</a>"), "{}", answer.body);
        assert!(answer.header("content-security-policy").unwrap().contains("form-action 'none'"));
    }
}

#[tokio::test]
async fn what_stands_there_twice_is_an_invalid_request() {
    let setup = Setup::new().await;
    let app = setup.own_app("read").await;
    let good = asks(&app, "read");
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", "https://api.example"),
        ("unknown", "x"),
    ] {
        let twice: Vec<_> = vec![(name.to_owned(), value.to_owned()); 2];
        let asked = [with(&good, name, None), twice].concat();
        let answer = Browser::new(&setup).get(&asked).await;
        assert_eq!(answer.error(Some("af0ifjsldkj")), "invalid_request", "{name}");
    }
    // Neither of two states is the app's.
    let asked = [good.clone(), vec![("state".to_owned(), "other".to_owned())]].concat();
    assert_eq!(Browser::new(&setup).get(&asked).await.error(None), "invalid_request");
}

#[tokio::test]
async fn a_state_comes_back_as_it_was_unless_it_is_too_long() {
    let setup = Setup::new().await;
    let app = setup.own_app("read").await;
    let broken = with(&asks(&app, "read"), "response_type", None);
    for state in ["", "a&code=x#y?z=1\r\nset-cookie: a=b", "ä € 😀 \"<>'", &"x".repeat(1024)] {
        let answer = Browser::new(&setup).get(&with(&broken, "state", Some(state))).await;
        let expected = Some(state).filter(|state| !state.is_empty());
        assert_eq!(answer.error(expected), "invalid_request");
    }
    let good = asks(&app, "read");
    let answer = Browser::new(&setup).get(&with(&good, "state", Some(&"x".repeat(1025)))).await;
    assert_eq!(answer.error(None), "invalid_request");
    Browser::new(&setup).get(&with(&good, "state", Some(&"ä".repeat(1024)))).await.assert_page(200);
    Browser::new(&setup).get(&with(&good, "state", None)).await.assert_page(200);
}

#[tokio::test]
async fn a_loopback_redirect_has_any_port() {
    let setup = Setup::new().await;
    let mut app = Setup::new_app(None, None);
    app.redirect_uris = vec![RedirectUri::parse("http://127.0.0.1/callback").unwrap()];
    let app = setup.stored(app).await;
    let to = |uri: &str| with(&asks(&app, "read"), "redirect_uri", Some(uri));
    for uri in ["http://127.0.0.1/callback", "http://127.0.0.1:49152/callback"] {
        Browser::new(&setup).get(&to(uri)).await.assert_page(200);
        let broken = with(&to(uri), "scope", Some("admin"));
        let sent = Browser::new(&setup).get(&broken).await.sent_to(uri);
        assert_eq!(sent[0], ("error".to_owned(), "invalid_scope".to_owned()));
    }
    for uri in ["http://127.0.0.1:49152/other", "http://localhost:49152/callback", "https://127.0.0.1/callback"] {
        Browser::new(&setup).get(&to(uri)).await.assert_page(400);
    }
}

#[tokio::test]
async fn an_app_without_the_grant_type_gets_no_code() {
    let setup = Setup::new().await;
    let mut app = Setup::new_app(Some(&setup.account.client.id), Some("read"));
    app.grant_types = vec![GrantType::ClientCredentials];
    let app = setup.stored(app).await;
    let answer = Browser::new(&setup).get(&asks(&app, "read")).await;
    assert_eq!(answer.error(Some("af0ifjsldkj")), "unauthorized_client");
}

#[tokio::test]
async fn methods_and_paths_that_are_none_are_told_in_oauths_shape() {
    let setup = Setup::new().await;
    for (method, path, status, allow) in [
        ("PUT", "/oauth/authorize", 405, Some("GET, POST")),
        ("GET", "/oauth/register", 405, Some("POST")),
        ("GET", "/oauth/logout", 405, Some("POST")),
        ("GET", "/oauth/authorize/", 404, None),
        ("GET", "/oauth", 404, None),
    ] {
        let event = crate::setup::event(method, path, "", &serde_json::json!({}), &[], "", "192.0.2.1");
        let answer = setup.handle(&event, 0.0).await;
        assert_eq!((answer.status, answer.header("allow")), (status, allow), "{method} {path}");
        assert_eq!(answer.json()["error"], "invalid_request");
        assert!(answer.json()["error_description"].is_string());
    }
    let asked = encoded(&asks(&setup.unverified().await, "read"));
    for content_type in ["application/json", "text/plain", "multipart/form-data"] {
        setup.post_raw("/oauth/authorize", content_type, &asked).await.assert_page(415);
    }
    setup.post_raw("/oauth/authorize", "application/x-www-form-urlencoded", &"x".repeat(70_000)).await.assert_page(413);
}
