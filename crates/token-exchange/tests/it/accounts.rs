//! Signing up and logging in, with Simbee's own bodies.

use std::collections::BTreeMap;

use domain::Claims;
use serde_json::{Value, json};
use testkit::{Fault, PASSWORD, event, moment, now, parts, request_of};
use token_exchange::handle;

use crate::setup::Setup;

const EMAIL: &str = "alice@example.com";

fn sign_up(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "company_name": "Acme Corp"})
}

impl Setup {
    /// The answer to a JSON body that comes from `address`, `seconds` after the tests begin.
    async fn from(&self, address: &str, path: &str, body: &Value, seconds: f64) -> (u16, Value) {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": {"content-type": "application/json", "x-forwarded-for": "198.51.100.1"},
            "requestContext": {"http": {"method": "POST", "path": path, "sourceIp": address}, "stage": "$default"},
            "body": body.to_string(), "isBase64Encoded": false,
        });
        match handle(self.app.clone(), request_of(&event.to_string()), moment(seconds)).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(testkit::ISSUER)),
        }
    }

    async fn sign_up(&self, email: &str) -> Value {
        let (status, body) = self.from("192.0.2.1", "/auth/signup", &sign_up(email), 0.0).await;
        assert_eq!(status, 201, "{body}");
        body
    }

    async fn log_in(&self, address: &str, password: &str, seconds: f64) -> u16 {
        let body = json!({"email": EMAIL, "password": password});
        self.from(address, "/auth/token", &body, seconds).await.0
    }
}

#[tokio::test]
async fn a_sign_up_makes_a_client_an_owner_and_a_token_that_works() {
    let setup = Setup::new().await;
    let body = setup.sign_up(EMAIL).await;
    let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["client", "expires_in", "scopes", "token", "user"]);
    let client = &body["client"];
    assert_eq!(
        (&client["slug"], &client["name"], &client["status"], &client["tier"]),
        (&json!("acme-corp"), &json!("Acme Corp"), &json!("active"), &json!("standard"))
    );
    assert_eq!((&body["user"]["email"], &body["user"]["role"]), (&json!(EMAIL), &json!("owner")));
    assert_eq!((&body["scopes"], &body["expires_in"]), (&json!(["admin", "read", "write"]), &json!(900)));
    let claims: Claims = setup.claims(&body["token"]).await;
    assert_eq!((json!(claims.sub), json!(claims.aud)), (body["user"]["id"].clone(), client["id"].clone()));
    assert_eq!((claims.key_id, claims.exp), (None, now().unix() + 900));
    let stored = setup.test.store.client_by_id(&claims.client_id).await.unwrap().unwrap();
    assert_eq!(stored.default_workspace_id, claims.workspace_id);
}

#[tokio::test]
async fn the_sample_events_sign_up_and_log_in() {
    let setup = Setup::new().await;
    for (name, expected) in [("signup", 201), ("login", 200), ("signup", 409)] {
        let (status, body) = setup.answer(request_of(&event(&format!("token-exchange-{name}"), &[]))).await;
        assert_eq!(status, expected, "{name}: {body}");
    }
}

#[tokio::test]
async fn both_forms_of_a_login_give_the_same_answer() {
    let setup = Setup::new().await;
    let signed_up = setup.sign_up(EMAIL).await;
    let (client, user) = (&signed_up["client"], &signed_up["user"]);
    for form in [
        json!({"email": EMAIL, "password": PASSWORD}),
        json!({"email": "ALICE@Example.com", "password": PASSWORD}),
        json!({"client_id": client["id"], "user_id": "owner", "password": PASSWORD}),
        json!({"client_id": client["id"], "user_id": user["id"], "password": PASSWORD}),
    ] {
        let (status, body) = setup.from("192.0.2.1", "/auth/token", &form, 0.0).await;
        assert_eq!(status, 200, "{form}: {body}");
        assert_eq!(&body["user"], user);
        let named = json!({"id": client["id"], "slug": client["slug"], "name": client["name"]});
        assert_eq!(body["client"], named);
        assert_eq!((&body["scopes"], &body["expires_in"]), (&json!(["admin", "read", "write"]), &json!(900)));
        assert_eq!(json!(setup.claims(&body["token"]).await.sub), user["id"]);
    }
}

#[tokio::test]
async fn wrong_and_unknown_are_one_answer_and_as_many_reads() {
    let setup = Setup::new().await;
    let signed_up = setup.sign_up(EMAIL).await;
    let long = "x".repeat(5000);
    let mut counts = Vec::new();
    for form in [
        json!({"email": EMAIL, "password": "a-wrong-password"}),
        json!({"email": "nobody@example.com", "password": PASSWORD}),
        json!({"email": EMAIL, "password": long}),
        json!({"email": EMAIL, "password": ""}),
        json!({"email": "no address", "password": PASSWORD}),
        json!({"client_id": signed_up["client"]["id"], "user_id": "nobody", "password": PASSWORD}),
        json!({"client_id": "cl_0123456789abcdef", "user_id": "owner", "password": PASSWORD}),
    ] {
        setup.test.faults.reset_counts();
        let (status, body) = setup.from("192.0.2.9", "/auth/token", &form, 0.0).await;
        let expected =
            json!({"statusCode": 401, "error": "Unauthorized", "message": "Bearer token is missing or has expired"});
        assert_eq!((status, body), (401, expected), "{form:.80}");
        counts.push(setup.test.faults.counts());
    }
    let by_email = [0, 1, 2, 3, 4].map(|form| &counts[form]);
    assert!(by_email.iter().all(|calls| *calls == by_email[0]), "{by_email:?}");
    let (unknown_user, unknown_client) = (&counts[5], &counts[6]);
    assert_eq!(unknown_user["GetItem"] + 1, unknown_client["GetItem"], "`owner` is looked up first");
}

#[tokio::test]
async fn an_address_and_a_slug_are_taken_once() {
    let setup = Setup::new().await;
    setup.sign_up(EMAIL).await;
    let (status, _) = setup.from("192.0.2.2", "/auth/signup", &sign_up("Alice@EXAMPLE.com"), 0.0).await;
    assert_eq!(status, 409);
    let other = setup.sign_up("bob@example.com").await;
    let slug = other["client"]["slug"].as_str().unwrap();
    assert!(slug.starts_with("acme-corp-") && slug.len() == "acme-corp-".len() + 6, "{slug}");
}

#[tokio::test]
async fn a_sign_up_must_be_of_the_form() {
    let setup = Setup::new().await;
    for (member, value) in [
        ("email", json!("nobody")),
        ("email", json!(7)),
        ("password", json!("short")),
        ("password", json!("password1234")),
        ("password", json!("x y".repeat(2000))),
        ("company_name", json!("  ")),
        ("company_name", json!("a\u{7}")),
        ("company_name", json!("x".repeat(101))),
        ("role", json!("owner")),
        ("client_id", json!("cl_0123456789abcdef")),
    ] {
        let mut form = sign_up(EMAIL);
        form[member] = value.clone();
        let (status, body) = setup.from("192.0.2.1", "/auth/signup", &form, 0.0).await;
        assert_eq!(status, 400, "{member}: {value:.60}: {body}");
        assert!(!body.to_string().contains("password1234"));
    }
    for form in [
        json!({}),
        json!({"email": EMAIL}),
        json!({"password": PASSWORD}),
        json!({"email": EMAIL, "password": PASSWORD, "apiKey": "x"}),
        json!({"email": EMAIL, "password": PASSWORD, "scopes": ["read"]}),
        json!({"email": EMAIL, "client_id": "x", "user_id": "owner", "password": PASSWORD}),
        json!({"client_id": "x", "password": PASSWORD}),
    ] {
        assert_eq!(setup.from("192.0.2.1", "/auth/token", &form, 0.0).await.0, 400, "{form}");
    }
}

#[tokio::test]
async fn sign_ups_are_limited_by_the_address_that_the_gateway_sees() {
    let setup = Setup::new().await;
    for number in 0..3 {
        let form = sign_up(&format!("user{number}@example.com"));
        let (status, _) = setup.from("192.0.2.1", "/auth/signup", &form, 0.0).await;
        assert_eq!(status, 201, "{number}");
    }
    let (status, body) = setup.from("192.0.2.1", "/auth/signup", &sign_up("more@example.com"), 0.0).await;
    assert_eq!((status, &body["error"]), (429, &json!("Too Many Requests")));
    assert_eq!(setup.from("192.0.2.2", "/auth/signup", &sign_up("more@example.com"), 0.0).await.0, 201);
    assert_eq!(setup.from("2001:db8::1", "/auth/signup", &sign_up("six@example.com"), 0.0).await.0, 201);
}

#[tokio::test]
async fn an_attackers_own_login_does_not_clear_the_addresss_count() {
    let setup = Setup::new().await;
    setup.sign_up(EMAIL).await;
    for number in 0..100 {
        let form = json!({"email": format!("user{number}@example.com"), "password": "a-wrong-password"});
        assert_eq!(setup.from("192.0.2.66", "/auth/token", &form, 0.0).await.0, 401);
        if number == 50 {
            assert_eq!(setup.log_in("192.0.2.66", PASSWORD, 0.0).await, 200);
        }
    }
    assert_eq!(setup.log_in("192.0.2.66", PASSWORD, 0.0).await, 429);
}

#[tokio::test]
async fn many_who_log_in_from_one_address_hold_up_nobody() {
    let setup = Setup::new().await;
    setup.sign_up(EMAIL).await;
    for number in 0..120 {
        assert_eq!(setup.log_in("192.0.2.66", PASSWORD, f64::from(number)).await, 200, "{number}");
    }
}

#[tokio::test]
async fn an_address_that_grows_in_lower_case_makes_no_account_that_can_not_be_read() {
    let setup = Setup::new().await;
    let email = format!("{}@example.com", "İ".repeat(32));
    assert_eq!(setup.from("192.0.2.1", "/auth/signup", &sign_up(&email), 0.0).await.0, 400);
}

#[tokio::test]
async fn what_can_not_be_noted_refuses_nobody() {
    let setup = Setup::new().await;
    setup.test.faults.always("PutItem", Fault::InternalError);
    let body = setup.sign_up(EMAIL).await;
    assert!(body["token"].is_string());
    assert_eq!(setup.log_in("192.0.2.1", PASSWORD, 0.0).await, 200);
}

#[tokio::test]
async fn sign_ups_that_meet_in_the_store_are_tried_again() {
    let setup = Setup::new().await;
    for _ in 0..2 {
        setup.test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    }
    setup.sign_up(EMAIL).await;
}

#[tokio::test]
async fn sign_up_can_be_closed() {
    let mut setup = Setup::new().await;
    std::sync::Arc::get_mut(&mut setup.app).unwrap().sign_ups_per_hour = 0;
    assert_eq!(setup.from("192.0.2.1", "/auth/signup", &sign_up(EMAIL), 0.0).await.0, 403);
}

#[tokio::test]
async fn after_ten_failures_an_account_waits_even_with_the_right_password() {
    let setup = Setup::new().await;
    setup.sign_up(EMAIL).await;
    for number in 0..10 {
        let address = format!("198.51.100.{number}");
        assert_eq!(setup.log_in(&address, "a-wrong-password", 0.0).await, 401, "{number}");
    }
    assert_eq!(setup.log_in("198.51.100.99", PASSWORD, 0.0).await, 429);
    assert_eq!(setup.log_in("198.51.100.99", PASSWORD, 1.0).await, 200, "one second later");
    assert_eq!(setup.log_in("198.51.100.98", "a-wrong-password", 1.0).await, 401, "and the count begins anew");
}

#[tokio::test]
async fn from_a_known_address_the_owner_is_never_locked_out_by_others() {
    let setup = Setup::new().await;
    setup.sign_up(EMAIL).await;
    assert_eq!(setup.log_in("203.0.113.7", PASSWORD, 0.0).await, 200);
    for number in 0..30 {
        let status = setup.log_in(&format!("198.51.100.{number}"), "a-wrong-password", 1.0).await;
        assert!(matches!(status, 401 | 429));
        assert_eq!(setup.log_in("203.0.113.7", PASSWORD, 1.0).await, 200, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_guesses_at_once_are_ten_at_most() {
    let setup = std::sync::Arc::new(Setup::new().await);
    setup.sign_up(EMAIL).await;
    let mut guesses = Vec::new();
    for number in 0..100 {
        let setup = setup.clone();
        guesses.push(tokio::spawn(async move {
            setup.log_in(&format!("198.51.100.{number}"), "a-wrong-password", 0.0).await
        }));
    }
    let mut counts = BTreeMap::new();
    for guess in guesses {
        *counts.entry(guess.await.unwrap()).or_insert(0) += 1;
    }
    let tried = counts.get(&401).copied().unwrap_or_default();
    assert!(tried <= 10, "{counts:?}");
    // Where the machine is busy the store's time-outs answer for some: no guess was made for those either.
    let not_tried = [429, 503].map(|status| counts.get(&status).copied().unwrap_or_default());
    assert_eq!(tried + not_tried.iter().sum::<i32>(), 100, "{counts:?}");
}

#[tokio::test]
async fn after_a_hundred_failures_an_address_waits() {
    let setup = Setup::new().await;
    for number in 0..101 {
        let form = json!({"email": format!("user{number}@example.com"), "password": "a-wrong-password"});
        let status = setup.from("192.0.2.66", "/auth/token", &form, 0.0).await.0;
        assert_eq!(status, if number < 100 { 401 } else { 429 }, "{number}");
    }
    let elsewhere = json!({"email": "user200@example.com", "password": "a-wrong-password"});
    assert_eq!(setup.from("192.0.2.67", "/auth/token", &elsewhere, 0.0).await.0, 401);
}

#[tokio::test]
async fn a_store_that_is_away_is_503_for_right_and_wrong() {
    let setup = Setup::new().await;
    setup.sign_up(EMAIL).await;
    setup.test.faults.always("*", Fault::InternalError);
    for password in [PASSWORD, "a-wrong-password"] {
        assert_eq!(setup.log_in("192.0.2.1", password, 0.0).await, 503);
    }
    assert_eq!(setup.from("192.0.2.1", "/auth/signup", &sign_up("x@example.com"), 0.0).await.0, 503);
    setup.test.faults.heal();
    setup.test.faults.always("TransactWriteItems", Fault::Throttle);
    assert_eq!(setup.from("192.0.2.1", "/auth/signup", &sign_up("x@example.com"), 0.0).await.0, 503);
    setup.test.faults.heal();
    assert_eq!(setup.from("192.0.2.1", "/auth/signup", &sign_up("x@example.com"), 1.0).await.0, 201);
}
