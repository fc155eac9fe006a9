//! The published documents.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use std::sync::Arc;

use domain::{Access, Moment};
use edge::{ApiError, Reply};
use jwks::{App, handle};
use serde_json::{Value, json};
use signing::Algorithm;
use testkit::{Fault, ISSUER, TestStore, event, moment, parts, published_signer, request, request_of};

fn app(test: &TestStore) -> Arc<App> {
    Arc::new(App::new(test.store.clone(), ISSUER, &Access::built_in().unwrap(), true))
}

async fn get(app: &Arc<App>, path: &str, headers: &[(&str, &str)], at: Moment) -> Result<Reply, ApiError> {
    handle(app.clone(), request("GET", path, headers, ""), at).await
}

const JWKS: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn every_published_key_is_in_the_set() {
    let test = TestStore::start().await;
    let mut kids = Vec::new();
    for algorithm in Algorithm::ALL {
        kids.push(published_signer(&test.store, algorithm).await.public().kid.clone());
    }
    let reply = handle(app(&test), request_of(&event("jwks-jwks", &[])), moment(0.0)).await.unwrap();
    assert_eq!(reply.headers()["cache-control"], "public, max-age=300");
    assert_eq!(reply.headers()["content-type"], "application/json");
    let (status, body) = parts(reply);
    assert_eq!(status, 200);
    let mut published: Vec<_> = body["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    published.sort_by_key(Value::to_string);
    kids.sort();
    assert_eq!(json!(published), json!(kids));
    for name in ["d", "p", "q", "k"] {
        assert!(body["keys"].as_array().unwrap().iter().all(|key| key.get(name).is_none()), "private {name}");
    }
}

#[tokio::test]
async fn who_has_the_document_is_sent_none() {
    let test = TestStore::start().await;
    published_signer(&test.store, Algorithm::Es256).await;
    let app = app(&test);
    for path in [JWKS, "/.well-known/oauth-authorization-server"] {
        let etag = get(&app, path, &[], moment(0.0)).await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
        for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let reply = get(&app, path, &[("if-none-match", &known)], moment(0.0)).await.unwrap();
            assert_eq!(reply.headers()["etag"].to_str().unwrap(), etag);
            assert_eq!(parts(reply), (304, Value::Null), "{known}");
        }
        let reply = get(&app, path, &[("if-none-match", "\"x\"")], moment(0.0)).await.unwrap();
        assert_eq!(reply.status().as_u16(), 200);
    }
}

#[tokio::test]
async fn the_set_is_read_every_four_seconds_and_outlives_a_store_that_is_away() {
    let test = TestStore::start().await;
    published_signer(&test.store, Algorithm::Es256).await;
    let app = app(&test);
    test.faults.reset_counts();
    for second in [0.0, 1.0, 3.9] {
        get(&app, JWKS, &[], moment(second)).await.unwrap();
    }
    assert_eq!(test.faults.counts()["Query"], 1);
    published_signer(&test.store, Algorithm::EdDsa).await;
    let (_, body) = parts(get(&app, JWKS, &[], moment(4.0)).await.unwrap());
    assert_eq!(body["keys"].as_array().unwrap().len(), 2, "a new key is seen, and a withdrawn one no more");
    test.faults.always("Query", Fault::InternalError);
    let (status, again) = parts(get(&app, JWKS, &[], moment(200.0)).await.unwrap());
    assert_eq!((status, again), (200, body));
}

#[tokio::test]
async fn before_the_first_key_nothing_is_kept_and_an_unread_set_is_503() {
    let test = TestStore::start().await;
    let app = app(&test);
    let reply = get(&app, JWKS, &[], moment(0.0)).await.unwrap();
    assert_eq!(reply.headers()["cache-control"], "no-cache");
    assert_eq!(parts(reply), (200, json!({"keys": []})));
    published_signer(&test.store, Algorithm::Es256).await;
    let (_, body) = parts(get(&app, JWKS, &[], moment(0.1)).await.unwrap());
    assert_eq!(body["keys"].as_array().unwrap().len(), 1);

    let cold = self::app(&test);
    test.faults.always("Query", Fault::InternalError);
    let (status, _) = parts(get(&cold, JWKS, &[], moment(0.0)).await.unwrap_err().into_reply(ISSUER));
    assert_eq!(status, 503);
}

#[tokio::test]
async fn the_metadata_name_the_issuer_and_only_what_is_there() {
    let test = TestStore::start().await;
    let app = app(&test);
    let (_, server) = parts(handle(app.clone(), request_of(&event("jwks-discovery", &[])), moment(0.0)).await.unwrap());
    assert_eq!(server["issuer"], ISSUER);
    assert_eq!(server["jwks_uri"], format!("{ISSUER}{JWKS}"));
    assert!(server["scopes_supported"].as_array().unwrap().contains(&json!("chat:completions")));
    for (member, path) in [
        ("authorization_endpoint", "/oauth/authorize"),
        ("token_endpoint", "/oauth/token"),
        ("registration_endpoint", "/oauth/register"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
    ] {
        assert_eq!(server[member], format!("{ISSUER}{path}"));
    }
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["authorization_response_iss_parameter_supported"], true);
    let (_, same) = parts(get(&app, "/.well-known/openid-configuration", &[], moment(0.0)).await.unwrap());
    assert_eq!(server, same);
    let (_, resource) = parts(get(&app, "/.well-known/oauth-protected-resource", &[], moment(0.0)).await.unwrap());
    assert_eq!((&resource["resource"], &resource["authorization_servers"]), (&json!(ISSUER), &json!([ISSUER])));
    let offered = resource["scopes_supported"].as_array().unwrap();
    assert!(offered.contains(&json!("read")) && !offered.contains(&json!("admin")), "no app can have it");
    assert_eq!(test.faults.counts().get("Query"), None, "bytes made once");
}

#[tokio::test]
async fn other_methods_and_paths_have_their_own_answers() {
    let test = TestStore::start().await;
    let app = app(&test);
    for method in ["POST", "PUT", "DELETE"] {
        let refused = handle(app.clone(), request(method, JWKS, &[], ""), moment(0.0)).await.unwrap_err();
        let reply = refused.into_reply(ISSUER);
        assert_eq!((reply.status().as_u16(), &reply.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
    }
    for path in
        ["/", "/.well-known", "/.well-known/", "/.well-known/jwks.json/", "/.well-known/x", "//.well-known/jwks.json"]
    {
        assert!(matches!(get(&app, path, &[], moment(0.0)).await, Err(ApiError::NotFound)), "{path}");
    }
    let head = handle(app, request("HEAD", "/.well-known/openid-configuration", &[], ""), moment(0.0)).await.unwrap();
    assert!(head.headers().contains_key("etag"));
    assert_eq!(parts(head), (200, Value::Null));
}
