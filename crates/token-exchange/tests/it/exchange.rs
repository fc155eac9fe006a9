use domain::Environment;
use serde_json::{Value, json};
use testkit::{Fault, TestKey, event, moment, now, request_of};

use crate::setup::Setup;

#[tokio::test]
async fn simcels_call_gets_simcels_answer() {
    let setup = Setup::new().await;
    let key = setup.key("insights:read plans:read").await;
    let event = event("token-exchange-auth-token", &[("REPLACE_WITH_KEY", key.plain.expose())]);
    let (status, body) = setup.answer(request_of(&event)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body.as_object().unwrap().len(), 3);
    assert_eq!((&body["expiresIn"], &body["tokenType"]), (&json!(3600), &json!("Bearer")));
    let claims = setup.claims(&body["accessToken"]).await;
    assert_eq!(claims.scope.to_string(), "insights:read plans:read");
    assert_eq!((claims.exp - claims.iat, claims.iat), (3600, now().unix()));
    assert_eq!((claims.sub.as_str(), claims.aud.as_str()), (key.record.id.as_str(), setup.client.id.as_str()));
    assert_eq!((claims.key_id, claims.secret_version), (Some(key.record.id.clone()), Some(key.record.secret_version)));
    assert_eq!(Some(&claims.workspace_id), key.record.workspace_id());
    assert_eq!((claims.env, claims.billed_to), (Environment::Live, setup.account.owner.id.clone()));
}

#[tokio::test]
async fn simbees_call_gets_simbees_answer() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    for name in ["token-exchange-auth-exchange", "token-exchange-function-url"] {
        let event = event(name, &[("REPLACE_WITH_KEY", key.plain.expose())]);
        let (status, body) = setup.answer(request_of(&event)).await;
        assert_eq!(status, 200, "{name}: {body}");
        if name.ends_with("exchange") {
            assert_eq!(body["data"]["expires_in"], 900);
            assert_eq!(body["data"]["scopes"], json!(["read", "write"]));
            assert_eq!(setup.claims(&body["data"]["token"]).await.exp, now().unix() + 900);
        }
    }
}

#[tokio::test]
async fn scopes_narrow_and_never_widen() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let ask = |scopes: Value| json!({"api_key": key.plain.expose(), "scopes": scopes}).to_string();
    let (status, body) = setup.post("/auth/exchange", &ask(json!(["read"]))).await;
    assert_eq!((status, &body["data"]["scopes"]), (200, &json!(["read"])));
    assert_eq!(setup.claims(&body["data"]["token"]).await.scope.to_string(), "read");

    let (status, body) = setup.post("/auth/exchange", &ask(json!(["read", "admin"]))).await;
    assert_eq!((status, &body["message"]), (403, &json!("The key does not have the scope `admin`")));
    let (status, body) = setup.post("/auth/exchange", &ask(json!(["no:such"]))).await;
    assert_eq!((status, &body["message"]), (400, &json!("`scopes`: number 1 is no scope that exists")));
    let (status, _) = setup.post("/auth/exchange", &ask(json!([]))).await;
    assert_eq!(status, 400, "none is not all");
}

#[tokio::test]
async fn a_warm_exchange_is_one_strong_read() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let body = json!({"apiKey": key.plain.expose()}).to_string();
    let calls = || {
        let counts = setup.test.faults.counts().into_iter().collect::<Vec<_>>();
        setup.test.faults.reset_counts();
        counts
    };
    calls();
    assert_eq!(setup.post("/auth/token", &body).await.0, 200);
    assert_eq!(calls(), [("GetItem".to_owned(), 4)], "cold: the key, the feed's head, its workspace and its client");
    for _ in 0..2 {
        assert_eq!(setup.post("/auth/token", &body).await.0, 200);
    }
    assert_eq!(calls(), [("GetItem".to_owned(), 2)]);

    setup.app.usage.flush(moment(0.0)).await.unwrap();
    let hours = setup.test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
    assert_eq!(hours.values().map(|tally| tally.exchanges).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn a_token_does_not_outlive_its_key() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read");
    key.record.expires_at = Some(now().plus(60));
    setup.test.store.key_create(&key.record, &testkit::act(), None).await.unwrap();
    let (_, body) = setup.post("/auth/token", &json!({"apiKey": key.plain.expose()}).to_string()).await;
    assert_eq!(body["expiresIn"], 60);
    assert_eq!(setup.claims(&body["accessToken"]).await.exp, now().unix() + 60);
}

#[tokio::test]
async fn a_refused_exchange_counts_nothing_and_a_store_that_can_not_count_refuses_nobody() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let body = json!({"apiKey": key.plain.expose()}).to_string();
    let refused = json!({"apiKey": key.plain.expose(), "scopes": ["admin"]}).to_string();
    assert_eq!(setup.post("/auth/token", &refused).await.0, 403);
    setup.test.faults.always("UpdateItem", Fault::InternalError);
    assert_eq!(setup.post("/auth/token", &body).await.0, 200);
    assert!(setup.app.usage.flush(moment(0.0)).await.is_err());
    assert_eq!(setup.post("/auth/token", &body).await.0, 200);
    setup.test.faults.heal();
    setup.app.usage.flush(moment(0.0)).await.unwrap();
    let hours = setup.test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
    assert_eq!(hours.values().map(|tally| tally.exchanges).collect::<Vec<_>>(), [2]);
}
