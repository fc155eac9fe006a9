//! Logging in at the page, and what a session is.

use domain::{HashedKey, Role};
use store::audit::AuditFilter;
use testkit::{PASSWORD, change_user};

use crate::browser::Browser;
use crate::setup::{Answer, Setup, asks, with};

const SESSION: &str = "__Host-keygate_session";
const LOGIN: &str = "__Host-keygate_login";

fn is_login_page(answer: &Answer) -> bool {
    answer.body.contains(r#"type="password""#)
}

fn is_consent_page(answer: &Answer) -> bool {
    answer.body.contains(r#"value="allow""#)
}

#[tokio::test]
async fn a_login_begins_a_session_and_leads_to_the_question() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let email = setup.account.owner.email.as_str().to_owned();
    let mut browser = Browser::new(&setup);

    let page = browser.get(&asked).await;
    page.assert_page(200);
    assert!(is_login_page(&page));
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.starts_with(&format!("{LOGIN}=")), "{cookie}");
    assert!(cookie.ends_with("; Secure; HttpOnly; SameSite=Lax; Path=/"), "{cookie}");

    let answer = browser.try_password(&page, &email, PASSWORD).await;
    let cookies = answer.all("set-cookie");
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(cookies[0].starts_with(&format!("{SESSION}=")), "{cookies:?}");
    assert!(cookies[0].ends_with("; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=28800"), "{cookies:?}");
    assert_eq!(cookies[1], format!("{LOGIN}=; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"));

    let page = browser.follow(&answer).await;
    page.assert_page(200);
    assert!(is_consent_page(&page) && !is_login_page(&page));
    // Whoever comes again is asked again, and not for the password.
    let page = browser.get(&asked).await;
    assert!(is_consent_page(&page));
    assert_eq!(page.header("set-cookie"), None);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_one_answer() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let email = setup.account.owner.email.as_str();
    let mut answers = Vec::new();
    for (email, password) in [(email, "a-wrong-password"), ("nobody@example.com", PASSWORD)] {
        let mut browser = Browser::new(&setup);
        let page = browser.get(&asked).await;
        setup.test.faults.reset_counts();
        let answer = browser.try_password(&page, email, password).await;
        answer.assert_page(403);
        assert!(is_login_page(&answer) && answer.body.contains(r#"role="alert""#));
        assert!(!answer.body.contains(password), "a password is not said back");
        assert!(!browser.cookies.contains_key(SESSION));
        let token = page.form("authorize").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
        let calls = setup.test.faults.counts();
        let shown = email.replace('@', "&#64;");
        let body = answer.body.replace(email, "…").replace(&shown, "…").replace(&token, "…");
        answers.push((body, calls));
    }
    assert_eq!(answers[0], answers[1]);
    let events = setup.test.store.audit_list(&setup.account.client.id, &AuditFilter::default(), 100, None).await;
    let failed = events.unwrap().events.into_iter().filter(|event| event.action == "login.failed").count();
    assert_eq!(failed, 1);
}

#[tokio::test]
async fn a_password_in_the_place_of_the_address_is_not_said_back() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let mut browser = Browser::new(&setup);
    let page = browser.get(&asked).await;
    for (email, password) in [(PASSWORD, ""), ("", ""), ("alice@example.com", "")] {
        let answer = browser.try_password(&page, email, password).await;
        answer.assert_page(403);
        assert!(!answer.body.contains(PASSWORD));
        assert_eq!(answer.body.contains("alice"), email.starts_with("alice"), "an address is kept");
    }
}

#[tokio::test]
async fn guesses_at_the_page_are_slowed_down_as_everywhere() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let email = setup.account.owner.email.as_str();
    let mut browser = Browser::new(&setup);
    let page = browser.get(&asked).await;
    for _ in 0..10 {
        browser.try_password(&page, email, "a-wrong-password").await.assert_page(403);
    }
    // The eleventh passes once, then nobody does.
    browser.try_password(&page, email, "a-wrong-password").await;
    let answer = browser.try_password(&page, email, PASSWORD).await;
    answer.assert_page(429);
    assert!(is_login_page(&answer));
    let seconds: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
    assert!(!browser.cookies.contains_key(SESSION));
    browser.seconds = 900.0;
    assert_eq!(browser.try_password(&page, email, PASSWORD).await.status, 303);
}

/// Login CSRF: nobody is logged in, as an attacker perhaps, by a form that is not this browser's.
#[tokio::test]
async fn a_login_form_counts_in_its_own_browser_and_for_its_own_request_alone() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let email = setup.account.owner.email.as_str();
    let mut attacker = Browser::new(&setup);
    let page = attacker.get(&asked).await;
    let mut form = page.form("authorize");
    form.push(("email".to_owned(), email.to_owned()));
    form.push(("password".to_owned(), PASSWORD.to_owned()));

    for (changed, cookies) in [
        // No cookie at all; another browser's.
        (form.clone(), false),
        (form.clone(), true),
        // No token, or another.
        (with(&form, "csrf", None), true),
        (with(&form, "csrf", Some(&"0".repeat(64))), true),
    ] {
        let mut victim = Browser::new(&setup);
        if cookies {
            victim.get(&asked).await;
        }
        setup.test.faults.reset_counts();
        let answer = victim.post(&changed).await;
        answer.assert_page(403);
        assert!(is_login_page(&answer) && !victim.cookies.contains_key(SESSION));
        assert!(!setup.test.faults.counts().contains_key("UpdateItem"), "no attempt is counted");
    }
    // The right browser, with another request than the page's.
    let answer = attacker.post(&with(&form, "scope", Some("write"))).await;
    answer.assert_page(403);
    assert!(!attacker.cookies.contains_key(SESSION));
    assert_eq!(attacker.post(&form).await.status, 303);
}

#[tokio::test]
async fn a_session_that_was_there_before_the_login_is_not_taken_over() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let email = setup.account.owner.email.as_str().to_owned();
    let mut browser = Browser::new(&setup);
    // Planted, and nobody's.
    let planted = domain::random::base62(43);
    browser.cookies.insert(SESSION.to_owned(), planted.clone());
    let page = browser.sign_in(&asked, &email).await;
    assert!(is_consent_page(&page));
    let first = browser.cookies[SESSION].clone();
    assert_ne!(first, planted);

    // Logging in again from a page that was open all the time: a new session, and the old one is dead.
    let mut other = Browser::new(&setup);
    let page = other.get(&asked).await;
    other.cookies.insert(SESSION.to_owned(), first.clone());
    other.try_password(&page, &email, PASSWORD).await;
    assert_ne!(other.cookies[SESSION], first);
    assert!(is_login_page(&browser.get(&asked).await));
    browser.cookies.insert(SESSION.to_owned(), planted);
    assert!(is_login_page(&browser.get(&asked).await));
    assert!(is_consent_page(&other.get(&asked).await));
}

#[tokio::test]
async fn a_session_ends_after_eight_hours_whatever_is_done_in_it() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let mut browser = Browser::new(&setup);
    browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    for (seconds, lives) in [(3600.0, true), (28_799.0, true), (28_800.0, false)] {
        browser.seconds = seconds;
        assert_eq!(is_consent_page(&browser.get(&asked).await), lives, "{seconds}");
    }
    // What the store keeps opens nothing.
    let hash = HashedKey::of_text(&browser.cookies[SESSION]).to_hex();
    browser.seconds = 0.0;
    browser.cookies.insert(SESSION.to_owned(), hash[..43].to_owned());
    assert!(is_login_page(&browser.get(&asked).await));
}

#[tokio::test]
async fn a_user_who_is_gone_has_no_session_any_more() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let user = setup.user(Role::Member).await;
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, user.email.as_str()).await;
    assert!(is_consent_page(&page));
    change_user(&setup.test.store, &user, |user| user.status = domain::UserStatus::Invited).await;
    assert!(is_login_page(&browser.get(&asked).await));
    let answer = browser.decide(&page, "allow").await;
    assert!(is_login_page(&browser.follow(&answer).await));
}
