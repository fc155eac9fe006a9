//! A store that is away.

use serde_json::json;
use testkit::{Fault, PASSWORD};

use crate::browser::Browser;
use crate::setup::{CALLBACK, Setup, asks, encoded, event};

#[tokio::test]
async fn a_store_that_is_away_is_a_page_that_says_so() {
    let mut setup = Setup::new().await;
    let asked = asks(&Setup::new_app(None, None), "read");
    setup.app = Setup::app(testkit::TestStore::unreachable(), testkit::ISSUER);
    let answer = Browser::new(&setup).get(&asked).await;
    answer.assert_page(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let answer = setup.register(&json!({"redirect_uris": [CALLBACK]})).await;
    assert_eq!((answer.status, answer.json()["error"].clone()), (503, json!("temporarily_unavailable")));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_store_that_fails_anywhere_on_the_way_lets_nobody_in() {
    let setup = Setup::new().await;
    let asked = asks(&setup.unverified().await, "read");
    let email = setup.account.owner.email.as_str();
    let mut browser = Browser::new(&setup);
    let page = browser.get(&asked).await;
    let session = "__Host-keygate_session";
    for (operation, status) in [("GetItem", 503), ("UpdateItem", 503), ("PutItem", 503)] {
        setup.test.faults.always(operation, Fault::InternalError);
        let answer = browser.try_password(&page, email, PASSWORD).await;
        setup.test.faults.heal();
        answer.assert_page(status);
        assert!(!browser.cookies.contains_key(session), "{operation}");
    }
    let consent = browser.sign_in(&asked, email).await;
    setup.test.faults.always("GetItem", Fault::InternalError);
    browser.get(&asked).await.assert_page(503);
    browser.decide(&consent, "allow").await.assert_page(503);
    setup.test.faults.heal();
    // Who can't be signed out on the server is not told so.
    setup.test.faults.always("DeleteItem", Fault::InternalError);
    let answer = browser.sign_out(&consent.form("logout")).await;
    setup.test.faults.heal();
    answer.assert_page(503);
    assert!(browser.cookies.contains_key(session));
}

#[tokio::test]
async fn a_body_that_is_no_form_of_ours_is_never_a_5xx() {
    let setup = Setup::new().await;
    let app = setup.unverified().await;
    let good = encoded(&asks(&app, "read"));
    for body in
        ["", "=", "&&&", "%", "%zz=%ff", "step", &format!("{good}&step=login&csrf=%00"), "step=login&step=login"]
    {
        let headers = json!({"content-type": "application/x-www-form-urlencoded"});
        for path in ["/oauth/authorize", "/oauth/logout"] {
            let answer = setup.handle(&event("POST", path, "", &headers, &[], body, "192.0.2.1"), 0.0).await;
            assert!(answer.status < 500, "{path} {body}: {answer:?}");
        }
    }
}
