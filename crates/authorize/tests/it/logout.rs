//! Signing out.

use crate::browser::Browser;
use crate::setup::{Setup, asks, with};

const SESSION: &str = "__Host-keygate_session";

#[tokio::test]
async fn whoever_signs_out_is_out_on_the_server_too() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    let kept = browser.cookies.clone();
    let answer = browser.sign_out(&page.form("logout")).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert_eq!(cookie, format!("{SESSION}=; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"));
    assert!(browser.follow(&answer).await.body.contains(r#"type="password""#), "the same request goes on");
    // Whoever has kept the cookie has nothing.
    browser.cookies = kept;
    assert!(browser.get(&asked).await.body.contains(r#"type="password""#));
    let answer = browser.decide(&page, "allow").await;
    assert!(browser.follow(&answer).await.body.contains(r#"type="password""#));
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_foreign_form() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let other = setup.user(domain::Role::Admin).await;
    let mut attacker = Browser::new(&setup);
    let foreign = attacker.sign_in(&asked, other.email.as_str()).await.form("logout");
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    let own = page.form("logout");
    for form in [foreign, with(&own, "csrf", None), with(&own, "csrf", Some(&"0".repeat(64)))] {
        browser.sign_out(&form).await.assert_page(403);
        assert!(browser.get(&asked).await.body.contains(r#"value="allow""#));
    }
}

#[tokio::test]
async fn signing_out_leads_nowhere_else() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    let form = page.form("logout");
    let bare: Vec<_> = form.iter().filter(|(name, _)| name == "csrf").cloned().collect();
    let answer = browser.sign_out(&bare).await;
    answer.assert_page(200);
    assert!(!browser.cookies.contains_key(SESSION));
    // Whoever has no session is told the same.
    browser.sign_out(&[]).await.assert_page(200);
    let evil = with(&form, "redirect_uri", Some("https://evil.example/"));
    let answer = browser.sign_out(&evil).await;
    assert!(answer.header("location").unwrap().starts_with("authorize?"), "{answer:?}");
    browser.follow(&answer).await.assert_page(400);
}
