//! Forms, errors and client authentication (O1, O2, O3, O13).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::App;
use serde_json::Value;
use testkit::{Fault, request};

use crate::oauth_setup::{SECRET, basic, changed, form, form_from};
use crate::setup::Setup;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn every_error_has_oauths_shape_whatever_is_wrong_with_the_request() {
    let setup = Setup::new().await;
    let good = "grant_type=client_credentials";
    let long = format!("{good}&x={}", "a".repeat(64 * 1024));
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let post = |headers: &[(&str, &str)], body: &str| request("POST", path, headers, body);
        for (asked, status) in [
            (post(&[("content-type", "application/json")], r#"{"grant_type":"client_credentials"}"#), 400),
            (post(&[("content-type", "multipart/form-data")], good), 400),
            (post(&[], good), 400),
            (post(&[FORM, ("content-type", "application/json")], good), 400),
            (post(&[FORM], "grant_type=%zz"), 400),
            (post(&[FORM], "grant_type=%ff"), 400),
            (post(&[FORM], "grant_type=x&grant_type=x"), 400),
            (post(&[FORM], "other=1&other=2"), 400),
            (post(&[FORM], &long), 413),
            (request("GET", path, &[], ""), 405),
            (request("PUT", path, &[FORM], good), 405),
            (request("POST", &format!("{path}/"), &[FORM], good), 404),
            (request("POST", &format!("{path}/x"), &[FORM], good), 404),
        ] {
            let described = format!("{path} {asked:?}");
            let answer = setup.oauth(asked, 0.0).await;
            assert_eq!((answer.status, answer.error()), (status, "invalid_request"), "{described}");
            assert_eq!(answer.header("allow"), (status == 405).then_some("POST"));
            assert_eq!(answer.header("pragma"), Some("no-cache"));
        }
    }
    assert_eq!(setup.oauth(request("POST", "/oauth/nothing", &[FORM], good), 0.0).await.status, 404);
    assert_eq!(setup.oauth(request("POST", "/oauth", &[FORM], good), 0.0).await.status, 404);
}

#[tokio::test]
async fn what_stands_in_the_query_or_is_empty_was_not_sent() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let query = format!(
        "/oauth/token?grant_type=client_credentials&client_id={}&client_secret={}",
        setup.client.id,
        key.plain.expose()
    );
    let answer = setup.oauth(request("POST", &query, &[FORM], ""), 0.0).await;
    assert_eq!(answer.error(), "invalid_request");
    let named = [CREDENTIALS, ("client_id", setup.client.id.as_str()), ("client_secret", "")];
    assert_eq!(setup.form("/oauth/token", &named, 0.0).await.error(), "invalid_client");
    let empty =
        [CREDENTIALS, ("client_id", setup.client.id.as_str()), ("client_secret", key.plain.expose()), ("scope", "")];
    assert_eq!(setup.form("/oauth/token", &empty, 0.0).await.text("scope"), "read");
}

#[tokio::test]
async fn there_is_no_password_grant_and_no_implicit_one() {
    let setup = Setup::new().await;
    let email = setup.account.owner.email.to_string();
    for grant_type in [
        "password",
        "implicit",
        "Client_Credentials",
        "client_credentials ",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        let fields = [("grant_type", grant_type), ("username", &email), ("password", testkit::PASSWORD)];
        assert_eq!(setup.form("/oauth/token", &fields, 0.0).await.error(), "unsupported_grant_type", "{grant_type}");
    }
    assert_eq!(setup.form("/oauth/token", &[("code", "x")], 0.0).await.error(), "invalid_request");
}

async fn by_headers(setup: &Setup, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> (u16, Value) {
    let headers: Vec<_> = [FORM].into_iter().chain(headers.iter().copied()).collect();
    let answer = setup.oauth(request("POST", "/oauth/token", &headers, form(fields).as_str()), 0.0).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn an_app_proves_itself_by_basic_or_in_the_body_and_not_by_both() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", true).await;
    let id = app.id.as_str();
    let credentials = basic(id, SECRET);
    let in_body = [CREDENTIALS, ("client_id", id), ("client_secret", SECRET)];
    assert_eq!(by_headers(&setup, &[], &in_body).await.0, 200);
    assert_eq!(by_headers(&setup, &[("authorization", &credentials)], &[CREDENTIALS]).await.0, 200);
    let lower = credentials.replace("Basic", "bAsIc");
    assert_eq!(by_headers(&setup, &[("authorization", &lower)], &[CREDENTIALS]).await.0, 200);
    let named = [CREDENTIALS, ("client_id", id)];
    assert_eq!(
        by_headers(&setup, &[("authorization", &credentials)], &named).await.0,
        200,
        "once more, as many clients do"
    );

    let other = setup.oauth_app("read", true).await;
    let another = [CREDENTIALS, ("client_id", other.id.as_str())];
    let assertion = [CREDENTIALS, ("client_assertion", "x"), ("client_id", id), ("client_secret", SECRET)];
    for (headers, fields) in [
        (vec![("authorization", credentials.as_str())], &in_body[..]),
        (vec![("authorization", &credentials)], &another),
        (vec![("authorization", &credentials), ("authorization", &credentials)], &[CREDENTIALS]),
        (vec![("authorization", &credentials)], &assertion[..2]),
        (vec![], &assertion),
        (vec![], &[CREDENTIALS, ("client_secret", SECRET)]),
    ] {
        let (status, body) = by_headers(&setup, &headers, fields).await;
        assert_eq!((status, &body["error"]), (400, &Value::from("invalid_request")), "{headers:?} {fields:?}");
    }
}

#[tokio::test]
async fn whoever_does_not_prove_to_be_the_client_gets_one_answer() {
    let setup = Setup::new().await;
    let (app, public) = (setup.oauth_app("read", true).await, setup.oauth_app("read", false).await);
    let id = app.id.as_str();
    let unknown = changed(id);
    let raw = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let mut bodies = Vec::new();
    for header in [
        basic(id, "wrong"),
        basic(id, &changed(SECRET)),
        basic(id, ""),
        basic(&unknown, SECRET),
        basic(public.id.as_str(), SECRET),
        basic("", SECRET),
        basic(&format!("{id}\0"), SECRET),
        // Not form-encoded, which this secret must be.
        raw(&format!("{id}:{SECRET}")),
        raw(id),
        raw(&format!("{id}:%zz")),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic ====".to_owned(),
        format!("Basic  {}", &basic(id, SECRET)[6..]),
        format!("Bearer {}", &basic(id, SECRET)[6..]),
        format!("Digest {}", &basic(id, SECRET)[6..]),
    ] {
        let sent = form_from("192.0.2.7", "/oauth/token", &[("authorization", &header)], &form(&[CREDENTIALS]));
        let answer = setup.oauth(sent, 0.0).await;
        assert_eq!(answer.error(), "invalid_client", "{header}");
        assert_eq!(answer.header("www-authenticate"), Some(r#"Basic realm="keygate""#));
        bodies.push(answer.body);
    }
    for fields in [
        vec![("client_id", id), ("client_secret", "wrong")],
        vec![("client_id", id)],
        vec![("client_id", &unknown), ("client_secret", SECRET)],
        vec![("client_id", &unknown)],
        vec![("client_id", "https://app.example/"), ("client_secret", SECRET)],
        vec![("client_id", id), ("client_assertion", "x")],
        vec![],
    ] {
        let fields: Vec<_> = [CREDENTIALS].into_iter().chain(fields).collect();
        let answer = setup.form("/oauth/token", &fields, 0.0).await;
        assert_eq!(answer.error(), "invalid_client", "{fields:?}");
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn an_unknown_app_costs_as_many_reads_as_a_wrong_secret() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", true).await;
    let mut costs = Vec::new();
    for (id, secret) in [(app.id.to_string(), changed(SECRET)), (changed(app.id.as_str()), SECRET.to_owned())] {
        for _ in 0..2 {
            setup.test.faults.reset_counts();
            let fields = [CREDENTIALS, ("client_id", &id), ("client_secret", &secret)];
            assert_eq!(setup.form("/oauth/token", &fields, 0.0).await.error(), "invalid_client");
            costs.push(format!("{:?}", setup.test.faults.counts()));
        }
    }
    assert!(costs.iter().all(|cost| cost == r#"{"GetItem": 1}"#), "{costs:?}");
}

#[tokio::test]
async fn an_app_gets_tokens_only_in_the_ways_that_it_is_registered_for() {
    let setup = Setup::new().await;
    let none = setup
        .stored(App { grant_types: Vec::new(), ..testkit::app(Some(&setup.client), Some("read"), Some(SECRET)) })
        .await;
    let code = setup.code(&none, &setup.account.owner, "read", |_| ()).await;
    for fields in [
        &[CREDENTIALS][..],
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", testkit::REDIRECT_URI),
            ("code_verifier", testkit::VERIFIER),
        ],
        &[("grant_type", "refresh_token"), ("refresh_token", "x")],
    ] {
        assert_eq!(
            setup.form_by(&none, "/oauth/token", fields, 0.0).await.error(),
            "unauthorized_client",
            "{fields:?}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503_in_oauths_shape_and_no_refusal() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", true).await;
    let public = setup.oauth_app("read", false).await;
    let tokens = setup.tokens(&public, "read").await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let code = setup.code(&public, &setup.account.owner, "read", |_| ()).await;
    let id = public.id.as_str();
    setup.test.faults.always("*", Fault::InternalError);
    for (path, fields) in [
        ("/oauth/token", vec![CREDENTIALS]),
        ("/oauth/token", vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())]),
        (
            "/oauth/token",
            vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "x"), ("code_verifier", "x")],
        ),
        ("/oauth/revoke", vec![("token", access.as_str())]),
        ("/oauth/introspect", vec![("token", access.as_str())]),
    ] {
        let answer = setup.form_by(&app, path, &fields, 5.0).await;
        assert_eq!((answer.status, answer.error()), (503, "temporarily_unavailable"), "{path} {fields:?}");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    setup.test.faults.heal();
    assert_eq!(setup.redeem(&public, &code, 5.0).await.status, 200, "{id}");
    assert_eq!(setup.refresh(&public, &refresh, &[], 5.0).await.status, 200);
}
