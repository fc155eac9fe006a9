//! `Idempotency-Key`.

use std::sync::Arc;

use accounts::{App, handle};
use domain::{Access, Role};
use edge::{Reply, Request};
use identity::Identity;
use serde_json::Value;
use testkit::{Fault, ISSUER, TestKey, audience, moment, parts, request};

use crate::setup::Setup;

const FORMS: [(&str, &str, &str); 3] = [
    ("/users", r#"{"email":"bob@example.com","role":"member"}"#, r#"{"email":"carol@example.com","role":"member"}"#),
    ("/workspaces", r#"{"name":"research"}"#, r#"{"name":"other"}"#),
    (
        "/apps",
        r#"{"name":"a","grant_types":["client_credentials"],"scopes":["read"],"confidential":true}"#,
        r#"{"name":"b","grant_types":["client_credentials"],"scopes":["read"],"confidential":true}"#,
    ),
];

/// A creating call with a name to repeat it by.
fn named(bearer: &str, path: &str, name: &str, body: &str) -> Request {
    let bearer = format!("Bearer {bearer}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", name)];
    request("POST", path, &headers, body)
}

async fn reply(app: &Arc<App>, request: Request) -> Reply {
    handle(app.clone(), request, moment(0.0)).await.unwrap_or_else(|error| error.into_reply(ISSUER))
}

fn is_replayed(reply: &Reply) -> bool {
    reply.headers().get("idempotency-replayed").is_some_and(|value| value == "true")
}

#[tokio::test]
async fn a_repeated_call_gets_the_same_answer_without_the_secret() {
    for (path, form, _) in FORMS {
        let setup = Setup::new().await;
        let (owner, path) = (setup.owner(), setup.path(path));
        let before = setup.events().await.len();
        let first = reply(&setup.app, named(&owner, &path, "one", form)).await;
        assert!(!is_replayed(&first));
        let (status, mut made) = parts(first);
        assert_eq!(status, 201, "{path}: {made}");
        for name in ["invite_token", "client_secret"] {
            if let Some(secret) = made.get_mut(name) {
                assert!(secret.take().is_string());
            }
        }
        for _ in 0..2 {
            let again = reply(&setup.app, named(&owner, &path, "one", form)).await;
            assert!(is_replayed(&again), "{path}");
            assert_eq!(parts(again), (201, made.clone()));
        }
        assert_eq!(setup.events().await.len(), before + 1, "{path}: made once");
    }
}

#[tokio::test]
async fn a_name_is_good_for_one_request_of_one_client_and_for_those_who_may_make_it() {
    for (path, form, other) in FORMS {
        let setup = Setup::new().await;
        let (owner, full) = (setup.owner(), setup.path(path));
        let status = async |bearer: &str, name: &str, body: &str| {
            parts(reply(&setup.app, named(bearer, &full, name, body)).await).0
        };
        assert_eq!(status(&owner, "one", form).await, 201);
        assert_eq!(status(&owner, "one", other).await, 409, "{path}: another request");
        assert_eq!(status(&owner, "two", other).await, 201, "{path}: another name");
        for bad in ["", &"x".repeat(129), "a\tb"] {
            assert_eq!(status(&owner, bad, form).await, 400, "{path} {bad:?}");
        }
        let member = setup.login(&setup.user(Role::Member).await);
        assert_eq!(status(&member, "one", form).await, 403, "{path}: an answer is for those who may ask");

        let theirs = setup.test.account().await;
        let key = TestKey::new(&theirs.client, "admin").stored(&setup.test.store).await;
        let full = format!("/api/v1/clients/{}{path}", theirs.client.id);
        let form = form.replace("bob@", "dave@");
        let answer = reply(&setup.app, named(key.plain.expose(), &full, "one", &form)).await;
        assert!(!is_replayed(&answer), "{path}: another client's names are its own");
        assert_eq!(parts(answer).0, 201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_one_name_at_once_are_one() {
    for (path, form, _) in FORMS {
        let setup = Setup::new().await;
        let before = setup.events().await.len();
        let mut running = Vec::new();
        for _ in 0..8 {
            let store = setup.test.another_connection();
            let identity = Identity::new(store.clone(), audience());
            let app = Arc::new(App { store, identity, access: Access::built_in().unwrap() });
            let request = named(&setup.owner(), &setup.path(path), "one", form);
            running.push(tokio::spawn(async move { reply(&app, request).await }));
        }
        let (mut fresh, mut ids) = (0, Vec::new());
        for one in running {
            let answer = one.await.unwrap();
            fresh += usize::from(!is_replayed(&answer));
            let (status, body) = parts(answer);
            assert_eq!(status, 201, "{path}: {body}");
            ids.push(body.get("user").unwrap_or(&body)["id"].clone());
        }
        assert!(ids[0].is_string());
        ids.dedup();
        assert_eq!((fresh, ids.len()), (1, 1), "{path}");
        assert_eq!(setup.events().await.len(), before + 1, "{path}");
    }
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_after_the_commit_is_answered_when_it_is_repeated() {
    for (path, form, _) in FORMS {
        let setup = Setup::new().await;
        let (owner, path) = (setup.owner(), setup.path(path));
        let before = setup.events().await.len();
        setup.test.faults.always("TransactWriteItems", Fault::LostAnswer);
        let lost = reply(&setup.app, named(&owner, &path, "one", form)).await;
        assert_eq!(parts(lost).0, 503, "{path}");
        setup.test.faults.heal();
        let again = reply(&setup.app, named(&owner, &path, "one", form)).await;
        assert!(is_replayed(&again), "{path}");
        let (status, body) = parts(again);
        assert_eq!((status, body.get("invite_token").is_none_or(Value::is_null)), (201, true), "{path}");
        assert_eq!(setup.events().await.len(), before + 1, "{path}");
    }
}
