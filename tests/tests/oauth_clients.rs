//! OAuth as other people's clients speak it: npm's `openid-client`, `PyPI`'s Authlib and the MCP TypeScript SDK, unmodified,
//! with a person at the real pages in headless Chromium.

use axum::routing::get;
use axum::{Json, Router};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TlsServer;

use crate::support::account::Account;
use crate::support::clients::{run_browser, run_python, source};
use crate::support::folders::RunFolder;
use crate::support::http::Credential;
use crate::support::run::Run;
use crate::support::system;

/// A client, its owner's address, and an app of it with a secret.
async fn app(company: &str) -> (Account, String, String, String) {
    let account = Account::sign_up(system(), company).await;
    let form = json!({
        "name": format!("App of {company}"),
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scopes": ["read", "write"],
        "confidential": true,
    });
    let made = account.manage(account.owner.login(), Method::POST, "/apps", &form, 201).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let email = email(&account).await;
    (account, email, text("id"), text("client_secret"))
}

/// The owner's address.
async fn email(account: &Account) -> String {
    let path = format!("/users/{}", account.owner.id);
    let owner = account.manage(account.owner.login(), Method::GET, &path, &Value::Null, 200).await;
    owner["email"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn openid_client_signs_in_refreshes_introspects_and_revokes() {
    let (account, email, id, secret) = app("Openid").await;
    let base = &system().demo.base_url;
    let environment = [
        ("ISSUER", base.as_str()),
        ("APP_ID", &id),
        ("APP_SECRET", &secret),
        ("EMAIL", &email),
        ("PASSWORD", &account.owner.password),
    ];
    let report = run_browser("openid_client.mjs", &environment).json();
    assert_eq!(report["own"], json!({"type": "bearer", "scope": "read", "refresh": null}));
    assert_eq!(report["iss"], base.as_str());
    assert_eq!(report["tokens"], json!({"type": "bearer", "scope": "read write", "expires": 900}));
    let page = report["page"]["consent"].as_str().unwrap();
    for shown in ["App of Openid", "127.0.0.1", &email, "Read what belongs to the client"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(report["page"]["fits"], true, "a phone's width is enough");
    assert!(
        report["page"]["outside"].as_array().unwrap().iter().all(|path| path == "/callback" || path == "/favicon.ico")
    );
    assert_eq!((&report["called"], &report["rotated"]), (&json!(200), &json!(true)));
    assert_eq!(report["seen"], json!({"active": true, "client": id, "scope": "read write"}));
    assert_eq!(report["denied"], "access_denied");
    assert_eq!((&report["revoked"], &report["refused"]), (&json!(false), &json!("invalid_grant")));
    assert_eq!(report["after"], 401, "what hangs on the grant has ended");
}

#[tokio::test]
async fn authlib_signs_in_refreshes_introspects_and_revokes() {
    let (account, email, id, secret) = app("Authlib").await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let redirect = format!("http://{}/callback", listener.local_addr().unwrap());
    drop(listener);
    let script = source("python/authlib_client.py");
    let base = [
        ("ISSUER", system().demo.base_url.as_str()),
        ("APP_ID", &id),
        ("APP_SECRET", &secret),
        ("REDIRECT_URI", &redirect),
    ];
    let step = |name: &str, more: &[(&str, &str)]| {
        let script = script.replace("sys.argv[1]", &format!("{name:?}"));
        run_python(&script, &[&base[..], more].concat()).json()
    };
    let begun = step("begin", &[]);
    assert_eq!(begun["own"], "read");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (url, state, verifier) = (text(&begun["url"]), text(&begun["state"]), text(&begun["verifier"]));
    let person = [("URL_TO_OPEN", url.as_str()), ("EMAIL", &email), ("PASSWORD", &account.owner.password)];
    let answer = text(&run_browser("consent.mjs", &person).json()["answer"]);
    let report = step("end", &[("STATE", &state), ("VERIFIER", &verifier), ("ANSWER", &answer)]);
    let expected = json!({
        "scope": "read",
        "called": 200,
        "rotated": true,
        "active": true,
        "revoked": 200,
        "after": {"active": false},
    });
    assert_eq!(report, expected);
}

#[tokio::test]
async fn the_mcp_sdks_client_signs_in_from_nothing_but_the_servers_url() {
    let (account, email, _, _) = app("Mcp").await;
    let base = &system().demo.base_url;
    let server = format!("{base}/mcp");
    let environment = [("SERVER", server.as_str()), ("EMAIL", &email), ("PASSWORD", &account.owner.password)];
    let report = run_browser("mcp.mjs", &environment).json();
    assert_eq!(report["first"], "unauthorized");
    assert_eq!(report["connected"], true);
    assert_eq!(report["tools"], json!(["whoami"]));
    let caller = &report["caller"];
    assert_eq!((&caller["client_id"], &caller["user_id"]), (&json!(account.client_id), &json!(account.owner.id)));
    let scopes: Vec<&str> = caller["scopes"].as_str().unwrap().split(' ').collect();
    assert!(
        scopes.contains(&"mcp:use") && !scopes.contains(&"admin") && !scopes.contains(&"keys:manage"),
        "{scopes:?}"
    );
    assert!(report["page"]["consent"].as_str().unwrap().contains("MCP test client"));
    assert_eq!(report["refresh"], true);
    // It asks for what the metadata name, and gets a token for that.
    assert_eq!(report["resource"].as_str().unwrap().trim_end_matches('/'), base);
    assert_eq!(report["audience"], base.as_str());
    // The app belongs to no client, and manages nothing.
    let apps = account.manage(account.owner.login(), Method::GET, "/apps", &Value::Null, 200).await;
    assert!(!apps.to_string().contains(report["client"].as_str().unwrap()));
    account.http.post("/mcp", Credential::Bearer("x"), &json!({})).await.expect(401);
}

// The document's server answers while the client is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mcp_sdks_client_is_known_by_its_document_without_registering() {
    // Its own address is in it, so the server is there first.
    let document = std::sync::Arc::new(std::sync::OnceLock::<Value>::new());
    let shown = document.clone();
    let router = Router::new().route("/client.json", get(async move || Json(shown.get().unwrap().clone())));
    let server = TlsServer::start(router).await;
    let id = server.url("/client.json");
    let described = json!({
        "client_id": id,
        "client_name": "MCP client with a document",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    document.set(described).unwrap();
    let folder = RunFolder::new("authority");
    let authority = folder.path.join("authority.pem");
    std::fs::write(&authority, &server.authority).unwrap();
    let run = Run::start_with("documents", &[("SSL_CERT_FILE", authority.to_str().unwrap())]);

    let account = Account::sign_up(&run, "Documents").await;
    let (email, mcp) = (email(&account).await, format!("{}/mcp", run.demo.base_url));
    let environment =
        [("SERVER", mcp.as_str()), ("CLIENT_DOCUMENT", &id), ("EMAIL", &email), ("PASSWORD", &account.owner.password)];
    let report = run_browser("mcp.mjs", &environment).json();
    assert_eq!((&report["first"], &report["connected"]), (&json!("unauthorized"), &json!(true)));
    assert_eq!((&report["client"], &report["tools"]), (&json!(id), &json!(["whoami"])));
    assert_eq!(report["caller"]["user_id"], json!(account.owner.id));
    let page = report["page"]["consent"].as_str().unwrap();
    assert!(page.contains("MCP client with a document") && page.contains("describes itself at localhost"), "{page}");
    assert_eq!(report["refresh"], true);
}
