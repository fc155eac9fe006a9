//! The sample events, which come by the REST API.

use testkit::event;

use crate::setup::Setup;

#[tokio::test]
async fn the_sample_events_sign_in_and_allow_and_sign_out() {
    let setup = Setup::new().await;
    let registered = setup.handle(&event("authorize-register", &[]), 0.0).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let app = setup.unverified().await;
    let app = ("REPLACE_WITH_APP", app.id.as_str());

    let page = setup.handle(&event("authorize-authorize", &[app]), 0.0).await;
    page.assert_page(200);
    let cookie = page.header("set-cookie").unwrap().split(['=', ';']).nth(1).unwrap();
    let token = page.form("authorize").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let values = [app, ("REPLACE_WITH_TOKEN", token.as_str()), ("REPLACE_WITH_COOKIE", cookie)];
    let owner = setup.account.owner.email.as_str().replace('@', "%40");
    let sign_in = event("authorize-sign-in", &values).replace("alice%40example.com", &owner);
    let signed_in = setup.handle(&sign_in, 0.0).await;
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    let session = signed_in.all("set-cookie")[0].split(['=', ';']).nth(1).unwrap();

    let mut asked: serde_json::Value = serde_json::from_str(&event("authorize-authorize", &[app])).unwrap();
    asked["multiValueHeaders"]["Cookie"] = serde_json::json!([format!("a=b; __Host-keygate_session={session}")]);
    let page = setup.handle(&asked.to_string(), 0.0).await;
    let token = |action: &str| page.form(action).into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let (decide, logout) = (token("authorize"), token("logout"));
    let values = [app, ("REPLACE_WITH_TOKEN", decide.as_str()), ("REPLACE_WITH_COOKIE", session)];
    let allowed = setup.handle(&event("authorize-decision", &values), 0.0).await;
    assert_eq!(allowed.sent_to(crate::setup::CALLBACK)[0].0, "code");
    let values = [("REPLACE_WITH_TOKEN", logout.as_str()), ("REPLACE_WITH_COOKIE", session)];
    setup.handle(&event("authorize-logout", &values), 0.0).await.assert_page(200);
}
