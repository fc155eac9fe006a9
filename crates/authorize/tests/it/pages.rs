//! What every page is: closed to others' code, and readable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::RedirectUri;
use sha2::{Digest as _, Sha256};

use crate::browser::Browser;
use crate::setup::{Answer, Setup, asks, with};

/// A page of each kind.
async fn pages(setup: &Setup, app: &domain::App) -> Vec<(&'static str, Answer)> {
    let asked = asks(app, "insights:* read");
    let owner = setup.account.owner.email.as_str();
    let mut browser = Browser::new(setup);
    let sign_in = browser.get(&asked).await;
    let wrong = browser.try_password(&sign_in, owner, "a-wrong-password").await;
    let consent = browser.sign_in(&asked, owner).await;
    let foreign = browser.post(&with(&asked, "step", Some("other"))).await;
    let error = browser.get(&with(&asked, "client_id", None)).await;
    let bye = browser.sign_out(&consent.form("logout").split_off(7)).await;
    let others = setup.stored(Setup::new_app(Some(&domain::ClientId::random()), Some("read"))).await;
    let mut browser = Browser::new(setup);
    browser.sign_in(&asked, owner).await;
    let dead_end = browser.get(&asks(&others, "read")).await;
    vec![
        ("sign in", sign_in),
        ("wrong password", wrong),
        ("consent", consent),
        ("foreign form", foreign),
        ("error", error),
        ("signed out", bye),
        ("dead end", dead_end),
    ]
}

fn directive<'a>(page: &'a Answer, name: &str) -> Option<&'a str> {
    let policy = page.header("content-security-policy").unwrap();
    policy.split("; ").find_map(|directive| directive.strip_prefix(name)?.strip_prefix(' '))
}

#[tokio::test]
async fn every_page_is_closed_to_frames_scripts_and_third_parties() {
    let setup = Setup::new().await;
    let app = setup.unverified().await;
    for (name, page) in pages(&setup, &app).await {
        for (header, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(page.header(header), Some(value), "{name}");
        }
        assert_eq!(directive(&page, "default-src"), Some("'none'"), "{name}");
        assert_eq!(directive(&page, "frame-ancestors"), Some("'none'"), "{name}");
        assert_eq!(directive(&page, "base-uri"), Some("'none'"), "{name}");
        assert_eq!(directive(&page, "script-src"), None, "{name}");
        let style = page.body.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)));
        assert_eq!(directive(&page, "style-src"), Some(hash.as_str()), "{name}");
        let forms = page.body.contains("<form");
        let expected = match name {
            "consent" => "'self' https:",
            _ if forms => "'self'",
            _ => "'none'",
        };
        assert_eq!(directive(&page, "form-action"), Some(expected), "{name}");
        for none in ["<script", "<link", "<img", " src=", "url(", "@import", " style=", " onclick", "javascript:"] {
            assert!(!page.body.contains(none), "{name} has {none}");
        }
    }
}

#[tokio::test]
async fn every_page_is_sound_html_that_a_phone_and_a_reader_can_use() {
    let setup = Setup::new().await;
    let app = setup.unverified().await;
    for (name, page) in pages(&setup, &app).await {
        let body = &page.body;
        assert!(body.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
        assert!(body.contains(r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#), "{name}");
        assert_eq!(body.matches("<h1>").count(), 1, "{name}");
        assert!(body.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0.len() > 3, "{name}");
        for tag in ["form", "p", "ul", "li", "dl", "dt", "dd", "main", "button", "strong", "bdi", "code", "a"] {
            let opened = body.matches(&format!("<{tag}>")).count() + body.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, body.matches(&format!("</{tag}>")).count(), "{name}: {tag}");
        }
        for input in body.split("<input").skip(1).map(|input| input.split('>').next().unwrap()) {
            if input.contains(r#"type="hidden""#) {
                continue;
            }
            let id = input.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
            assert!(body.contains(&format!("<label for=\"{id}\">")), "{name}: {input}");
            assert!(input.contains("autocomplete="), "{name}: {input}");
        }
    }
}

#[tokio::test]
async fn others_words_are_text_and_nothing_else() {
    let setup = Setup::new().await;
    let evil = r#""></bdi><script>alert('1')</script><a href='x'>&amp;{{7*7}}"#;
    let mut app = Setup::new_app(None, None);
    app.name = evil.to_owned();
    app.redirect_uris = vec![RedirectUri::parse("https://app.example/callback").unwrap()];
    let app = setup.stored(app).await;
    let asked = with(&asks(&app, "read"), "state", Some(evil));
    let asked = with(&asked, "resource", Some("https://api.example/?q='%22><script>"));
    let mut browser = Browser::new(&setup);
    let sign_in = browser.get(&asked).await;
    let wrong = browser.try_password(&sign_in, evil, evil).await;
    let address = format!("{}@example.com", r#""><script>"#);
    let address = browser.try_password(&wrong, &address, evil).await;
    let consent = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    for page in [&sign_in, &wrong, &address, &consent] {
        assert!(!page.body.contains("<script") && !page.body.contains("<a href"), "{}", page.body);
        assert!(page.body.contains("&#60;script"), "it is shown as it is");
    }
    let kept = consent.form("authorize").into_iter().find(|(name, _)| name == "state").unwrap().1;
    assert_eq!(kept, evil);
    let sent = browser.decide(&consent, "allow").await.sent_to(crate::setup::CALLBACK);
    assert_eq!(sent[1], ("state".to_owned(), evil.to_owned()));
}

#[tokio::test]
async fn a_consent_form_may_lead_on_to_its_app() {
    let setup = Setup::new().await;
    let mut app = Setup::new_app(None, None);
    let uris = ["https://app.example/callback", "http://127.0.0.1:3000/callback", "com.example.app:/callback"];
    app.redirect_uris = uris.iter().map(|uri| RedirectUri::parse(uri).unwrap()).collect();
    let app = setup.stored(app).await;
    for (uri, form_action) in
        uris.into_iter().zip(["'self' https:", "'self' http://127.0.0.1:3000 https:", "'self' com.example.app: https:"])
    {
        let asked = with(&asks(&app, "read"), "redirect_uri", Some(uri));
        let mut browser = Browser::new(&setup);
        let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
        assert_eq!(directive(&page, "form-action"), Some(form_action));
        assert_eq!(browser.decide(&page, "allow").await.sent_to(uri)[0].0, "code");
    }
}
