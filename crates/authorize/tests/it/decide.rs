//! Yes and no.

use domain::{AuthorizationCode, HashedKey, Resource, Role};
use store::audit::AuditFilter;
use testkit::{Fault, change_workspace, now};

use crate::browser::Browser;
use crate::setup::{Answer, CALLBACK, CHALLENGE, Setup, asks, with};

impl Setup {
    /// The code that the app was sent, as the store keeps it.
    async fn code(&self, answer: &Answer) -> AuthorizationCode {
        let sent = answer.sent_to(CALLBACK);
        let names: Vec<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["code", "state", "iss"]);
        assert_eq!((sent[1].1.as_str(), sent[2].1.as_str()), ("af0ifjsldkj", testkit::ISSUER));
        self.test.store.code_find(&HashedKey::of_text(&sent[0].1)).await.unwrap().unwrap()
    }

    async fn authorized(&self) -> Vec<domain::AuditEvent> {
        let filter = AuditFilter { action: Some("app.authorized".to_owned()), ..AuditFilter::default() };
        self.test.store.audit_list(&self.account.client.id, &filter, 100, None).await.unwrap().events
    }
}

#[tokio::test]
async fn a_yes_makes_a_code_for_exactly_what_was_shown() {
    let setup = Setup::new().await;
    let app = setup.unverified().await;
    let asked = with(&asks(&app, "insights:read read"), "resource", Some("https://API.example/"));
    let owner = &setup.account.owner;
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, owner.email.as_str()).await;
    for shown in [
        "My assistant",
        "app.example",
        "https://api.example",
        "Acme Corp",
        "insights:read",
        "Read all insights",
        "Unverified app",
    ] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(
        page.body.contains(&owner.email.as_str().replace('@', "&#64;")) || page.body.contains(owner.email.as_str())
    );

    let answer = browser.decide(&page, "allow").await;
    let code = setup.code(&answer).await;
    let expected = AuthorizationCode {
        hash: code.hash.clone(),
        app_id: app.id.clone(),
        app_name: app.name.clone(),
        redirect_uri: CALLBACK.to_owned(),
        challenge: CHALLENGE.to_owned(),
        client_id: setup.account.client.id.clone(),
        user_id: owner.id.clone(),
        workspace_id: setup.account.workspace.id.clone(),
        scopes: domain::ScopeSet::parse("insights:read read").unwrap(),
        resource: Resource::parse("https://api.example"),
        issued_at: now(),
        redeemed_for: None,
    };
    assert_eq!(code, expected);

    let events = setup.authorized().await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((event.actor.id.as_str(), event.object.id.as_str()), (owner.id.as_str(), app.id.as_str()));
    assert_eq!((event.object.kind.as_str(), event.address.as_deref()), ("app", Some("192.0.2.1")));
    assert_eq!(event.hash, None, "outside of the chain");
    assert_eq!(event.details["scopes"], serde_json::json!(["insights:read", "read"]));
}

#[tokio::test]
async fn a_no_is_told_to_the_app_and_makes_nothing() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    setup.test.faults.reset_counts();
    assert_eq!(browser.decide(&page, "deny").await.error(Some("af0ifjsldkj")), "access_denied");
    assert!(!setup.test.faults.counts().contains_key("PutItem"), "{:?}", setup.test.faults.counts());
    browser.decide(&page, "maybe").await.assert_page(400);
    assert!(!setup.test.faults.counts().contains_key("PutItem"));
}

#[tokio::test]
async fn a_form_counts_in_its_own_session_and_for_its_own_request_alone() {
    let setup = Setup::new().await;
    let app = setup.unverified().await;
    let asked = asks(&app, "read");
    let other_user = setup.user(Role::Admin).await;
    let mut victim = Browser::new(&setup);
    let page = victim.sign_in(&asked, setup.account.owner.email.as_str()).await;
    let mut form = page.form("authorize");
    form.push(("decision".to_owned(), "allow".to_owned()));
    let mut attacker = Browser::new(&setup);
    let attackers_page = attacker.sign_in(&asked, other_user.email.as_str()).await;
    let token = |page: &Answer| page.form("authorize").into_iter().find(|(name, _)| name == "csrf").unwrap().1;

    setup.test.faults.reset_counts();
    for changed in [
        with(&form, "csrf", None),
        with(&form, "csrf", Some("")),
        with(&form, "csrf", Some(&"0".repeat(64))),
        with(&form, "csrf", Some(&token(&attackers_page))),
        // The token that signs out.
        with(&form, "csrf", Some(&page.form("logout").into_iter().find(|(name, _)| name == "csrf").unwrap().1)),
        // Another request than the one that was shown.
        with(&form, "scope", Some("read write")),
        with(&form, "state", Some("other")),
        with(&form, "code_challenge", Some(&"A".repeat(43))),
        with(&form, "resource", Some("https://api.example")),
    ] {
        victim.post(&changed).await.assert_page(403);
    }
    // Without a session the form leads to the login page.
    let mut nobody = Browser::new(&setup);
    let answer = nobody.post(&form).await;
    assert!(nobody.follow(&answer).await.body.contains(r#"type="password""#));
    assert!(!setup.test.faults.counts().contains_key("PutItem"), "no code, no event");
    setup.code(&victim.post(&form).await).await;
}

#[tokio::test]
async fn a_page_that_no_longer_says_what_would_be_given_counts_no_more() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read write");
    let member = setup.user(Role::Member).await;
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, member.email.as_str()).await;
    assert!(!page.body.contains("<code>write</code>"), "{}", page.body);
    change_workspace(&setup.test.store, &setup.account.workspace, |workspace| {
        workspace.member_scopes = domain::ScopeSet::parse("write");
    })
    .await;
    browser.seconds = 10.0;
    browser.decide(&page, "allow").await.assert_page(403);
    let page = browser.get(&asked).await;
    assert!(page.body.contains("<code>write</code>"), "{}", page.body);
    let code = setup.code(&browser.decide(&page, "allow").await).await;
    assert_eq!(code.scopes.to_string(), "read write");
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_hold() {
    let setup = Setup::new().await;
    let member = setup.user(Role::Member).await;
    let app = setup.own_app("read write").await;
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asks(&app, "read write"), member.email.as_str()).await;
    assert!(page.body.contains("<code>read</code>") && !page.body.contains("<code>write</code>"));
    let code = setup.code(&browser.decide(&page, "allow").await).await;
    assert_eq!(code.scopes.to_string(), "read");
    let answer = browser.get(&asks(&app, "write")).await;
    assert_eq!(answer.error(Some("af0ifjsldkj")), "invalid_scope");
    // Behind a login a page says so: Chromium follows no redirect away from the password's form.
    let mut browser = Browser::new(&setup);
    let page = browser.get(&asks(&app, "write")).await;
    let answer = browser.try_password(&page, member.email.as_str(), testkit::PASSWORD).await;
    answer.assert_page(403);
    let link = answer.body.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(crate::browser::unescaped(link).starts_with(&format!("{CALLBACK}?error=invalid_scope&")), "{link}");
}

#[tokio::test]
async fn scopes_are_what_the_app_may_have_and_read_where_nothing_is_said() {
    let setup = Setup::new().await;
    let owner = setup.account.owner.email.as_str().to_owned();
    let unverified = setup.unverified().await;
    let narrow = setup.stored(Setup::new_app(None, Some("models:read"))).await;
    let own = setup.own_app("admin read").await;
    for (app, scope, given) in [
        (&unverified, None, "read"),
        (&unverified, Some("admin write keys:manage"), "write"),
        (&narrow, None, "models:read"),
        (&narrow, Some("read models:read"), "models:read"),
        (&own, None, "admin read"),
        (&own, Some("admin"), "admin"),
    ] {
        let asked = with(&asks(app, "x"), "scope", scope);
        let mut browser = Browser::new(&setup);
        let page = browser.sign_in(&asked, &owner).await;
        assert_eq!(page.body.contains("reaches far"), given.contains("admin"), "{given}");
        let code = setup.code(&browser.decide(&page, "allow").await).await;
        assert_eq!(code.scopes.to_string(), given, "{scope:?}");
    }
}

#[tokio::test]
async fn a_clients_app_works_for_its_own_people_alone() {
    let setup = Setup::new().await;
    let app = setup.own_app("read").await;
    let stranger = setup.test.account().await.owner;
    let asked = asks(&app, "read");
    let mut browser = Browser::new(&setup);
    let page = browser.get(&asked).await;
    let answer = browser.try_password(&page, stranger.email.as_str(), testkit::PASSWORD).await;
    answer.assert_page(403);
    assert!(answer.body.contains("another company"), "{}", answer.body);
    let page = browser.get(&asked).await;
    page.assert_page(403);
    // As whom they are logged in, and the way out.
    let answer = browser.sign_out(&page.form("logout")).await;
    assert!(browser.follow(&answer).await.body.contains(r#"type="password""#));
    let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    assert!(!page.body.contains("Unverified app"));
    setup.code(&browser.decide(&page, "allow").await).await;
}

#[tokio::test]
async fn what_can_not_be_noted_is_not_allowed() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    setup.test.faults.always("PutItem", Fault::InternalError);
    let answer = browser.decide(&page, "allow").await;
    answer.assert_page(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    setup.test.faults.heal();
    assert!(setup.authorized().await.is_empty());
    setup.code(&browser.decide(&page, "allow").await).await;
    assert_eq!(setup.authorized().await.len(), 1);
}

#[tokio::test]
async fn two_codes_are_never_alike() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let mut browser = Browser::new(&setup);
    let page = browser.sign_in(&asked, setup.account.owner.email.as_str()).await;
    let one = setup.code(&browser.decide(&page, "allow").await).await;
    let other = setup.code(&browser.decide(&page, "allow").await).await;
    assert_ne!(one.hash, other.hash);
}
