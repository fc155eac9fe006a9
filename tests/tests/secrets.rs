//! Where secrets are, when everything has been done with them that can be done.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::HashedKey;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, unused_password};
use crate::support::bound::arrives;
use crate::support::http::{Credential, Http, NewKey};
use crate::support::{raw, system};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The names of the files that hold `text`.
fn holders(text: &str) -> Vec<String> {
    let data = system().data_dir();
    let mut names: Vec<String> = files(&data)
        .into_iter()
        .filter(|file| {
            let content = std::fs::read(file).unwrap_or_default();
            content.windows(text.len()).any(|window| window == text.as_bytes())
        })
        .map(|file| file.strip_prefix(&data).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}

/// The part of a key string that nobody else knows: the 32 characters behind prefix and id.
fn secret_part(key: &str) -> &str {
    &key["sk_live_".len() + 16..][..32]
}

#[tokio::test]
async fn no_key_and_no_token_is_written_down_anywhere() {
    let http = Http::new(system());
    let demo = &system().demo;
    let key = http.create_key("secret", &["insights:read", "plans:read"]).await;
    let simcel = http.simcel_exchange(&key.raw).await.expect(200)["accessToken"].as_str().unwrap().to_owned();
    let simbee = http.token(&key.raw).await;
    let agent = http.agent_token(Credential::ApiKey(&key.raw), "secretive", &["insights:read"]).await;
    let wrong = format!("{}x", key.raw);
    for credential in [key.raw.as_str(), &simcel, &simbee, &agent, &wrong, &format!("{simbee}x")] {
        for path in ["/insights/v1/pnl-summary", "/v1/models", "/nowhere", &http.keys_path()] {
            let _ = http.get(path, Credential::Bearer(credential)).await;
            let _ = http.get(path, Credential::ApiKey(credential)).await;
            let _ = http.get(path, Credential::Agent(credential, "secretive")).await;
            let _ = http.get(path, Credential::Agent(&agent, credential)).await;
        }
        // In places where it doesn't belong, which errors and logs must not repeat.
        for body in [
            json!({"apiKey": credential, "scopes": [credential]}),
            json!({"api_key": credential, "scopes": credential}),
            json!({"apiKey": [credential]}),
            json!({ credential: 1 }),
            json!(credential),
            json!({"name": credential.repeat(9), "scopes": [credential]}),
            json!({"name": "x", "workspace_id": credential}),
            json!({"name": "x", "environment": credential}),
            json!({"name": "x", "expires_at": credential}),
            json!({"agent_id": credential, "scopes": ["insights:read"]}),
            json!({"agent_id": "x", "scopes": ["insights:read"], "tools": [credential]}),
        ] {
            for path in ["/auth/token", "/auth/exchange", "/auth/agent-token", &http.keys_path()] {
                let answer = http.post(path, http.admin(), &body).await;
                assert!(!answer.body.contains(credential), "{body} at {path}: {answer:?}");
            }
        }
        let target = format!("{}?cursor={credential}&{credential}=1", http.keys_path());
        let header = format!("Bearer {}", demo.admin_key);
        let answer = raw::exchange(system().port, &raw::request("GET", &target, &[("authorization", &header)], b""));
        assert!(!answer.text().contains(credential) && !answer.head.contains(credential), "{answer:?}");
    }
    assert_eq!(http.revoke_key(&key.id).await.status, 204);
    let _ = http.simcel_exchange(&key.raw).await;

    let login = json!({"email": demo.email, "password": demo.password});
    for body in [&login, &json!({"email": demo.password, "password": demo.password})] {
        let answer = http.send(http.request(Method::POST, "/auth/token").json(body)).await;
        assert_eq!(answer.status, if body == &login { 200 } else { 401 }, "{answer:?}");
        assert!(!answer.body.contains(&demo.password), "{answer:?}");
    }

    // That the search finds things: what is meant to be there.
    assert_eq!(holders(secret_part(&demo.api_key)), ["demo.json", "events/authorizer-rest-x-api-key.json"]);
    let database = holders(&key.id);
    assert!(database.iter().any(|name| name.starts_with("keygate.db")), "{database:?}");
    let logs: Vec<_> = files(&system().data_dir().join("logs"));
    assert!(logs.iter().any(|log| std::fs::metadata(log).unwrap().len() > 0));

    for secret in [secret_part(&key.raw), &agent["agent_tok_".len() + 16..]] {
        assert_eq!(holders(secret), Vec::<String>::new());
        assert!(!system().output().contains(secret));
    }
    for other in [secret_part(&demo.test_key), secret_part(&demo.admin_key), &demo.password] {
        assert_eq!(holders(other), ["demo.json"]);
    }
    for token in [&simcel, &simbee] {
        assert_eq!(holders(token.rsplit('.').next().unwrap()), Vec::<String>::new());
    }
    let master_key = std::fs::read_to_string(system().data_dir().join("master.key")).unwrap();
    assert_eq!(holders(&master_key), ["master.key"]);
}

/// A key string of another system, 40 characters long.
fn foreign_key() -> String {
    format!("former_{}", domain::random::base62(33))
}

/// Takes a key of another system over by its hash; what the rows were answered.
async fn import(account: &Account, dry_run: bool, rows: Value) -> Vec<Value> {
    let body = json!({"dry_run": dry_run, "pattern": {"prefix": "former_", "length": 40}, "rows": rows});
    let answer = account.manage(account.owner.login(), Method::POST, "/api_keys/import", &body, 200).await;
    answer["data"].as_array().unwrap().iter().map(|row| row["result"].clone()).collect()
}

#[tokio::test]
async fn no_invitation_password_rotated_or_imported_key_is_written_down_or_shown_anywhere() {
    let account = Account::sign_up(system(), "Discreet").await;
    let http = &account.http;
    let (open, joined) = (account.invite("member").await, account.invite("admin").await);
    let (password, wrong_password) = (unused_password(), unused_password());
    let accept = json!({"invite_token": joined.token, "password": password});
    http.send(http.request(Method::POST, "/auth/accept-invite").json(&accept)).await.expect(200);
    let wrong = json!({"email": joined.email, "password": wrong_password});
    http.send(http.request(Method::POST, "/auth/token").json(&wrong)).await.expect(401);

    let first = account.workspace_key(&account.workspace_id, &["models:read"]).await;
    let rest = format!("/api_keys/{}/rotate", first.id);
    let rotate = account.manage(account.owner.login(), Method::POST, &rest, &json!({}), 201).await;
    let second = NewKey::of(&rotate);

    let foreign = [foreign_key(), foreign_key()];
    let [hex, base64] = [&foreign[0], &foreign[1]].map(|key| HashedKey::of_text(key).to_hex());
    let bytes: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&base64[at..at + 2], 16).unwrap()).collect();
    let rows = json!([
        {"name": "first", "hash": hex, "encoding": "hex", "scopes": ["models:read"]},
        {"name": "second", "hash": BASE64_STANDARD.encode(bytes), "encoding": "base64", "scopes": ["models:read"]},
    ]);
    assert_eq!(import(&account, true, rows.clone()).await, ["would_import", "would_import"]);
    http.simbee_exchange(&foreign[0]).await.expect(401);
    assert_eq!(import(&account, false, rows.clone()).await, ["imported", "imported"]);
    assert_eq!(import(&account, false, rows).await, ["exists", "exists"]);
    for key in &foreign {
        arrives(async || {
            let exchanged = http.simbee_exchange(key).await.status;
            let called = http.get("/v1/models", Credential::ApiKey(key)).await.status;
            if (exchanged, called) == (200, 200) { Ok(()) } else { Err(format!("{exchanged} and {called}")) }
        })
        .await;
    }

    let secrets = [
        open.token.as_str(),
        &joined.token,
        &account.owner.password,
        &password,
        &wrong_password,
        secret_part(&first.raw),
        secret_part(&second.raw),
        &foreign[0],
        &foreign[1],
    ];
    // In places where they don't belong, which errors and logs must not repeat.
    for secret in [&open.token, &joined.token, &password, &second.raw, &foreign[0], &foreign_key()] {
        let keys = account.path("/api_keys");
        let mut answers = vec![
            http.get("/v1/models", Credential::Bearer(secret)).await,
            http.get(&keys, Credential::Bearer(secret)).await,
            http.get(&format!("{keys}?cursor={secret}"), account.owner.login()).await,
            http.get(&account.path(&format!("/audit_events?actor={secret}&object={secret}")), account.owner.login())
                .await,
            http.get(&account.path(&format!("/users/{secret}")), account.owner.login()).await,
            http.get(&account.path(&format!("/workspaces/{secret}/members/{secret}")), account.owner.login()).await,
        ];
        for (path, body) in [
            ("/auth/accept-invite", json!({"invite_token": secret, "password": "short"})),
            ("/auth/accept-invite", json!({"invite_token": [secret], "password": "a-strong-password"})),
            ("/auth/accept-invite", json!({"invite_token": "invite_x", "password": "x", (secret.as_str()): 1})),
            ("/auth/exchange", json!({"api_key": [secret]})),
            ("/auth/signup", json!({"email": secret, "password": "short", "company_name": secret})),
            (&keys, json!({"name": "x", "workspace_id": secret})),
            (&keys, json!({"name": "x", "allowed_ips": [secret]})),
            (&account.path("/users"), json!({"email": secret, "role": "member"})),
            (&account.path("/users"), json!({"email": "x@example.com", "role": secret})),
            (&account.path("/workspaces"), json!({"name": "x", (secret.as_str()): "y"})),
            (&account.path("/api_keys/import"), json!({"dry_run": false, "pattern": secret, "rows": [secret]})),
            (
                &account.path("/api_keys/import"),
                json!({
                    "dry_run": false,
                    "pattern": {"prefix": "former_", "length": 40},
                    "rows": [{"name": "x", "hash": secret, "encoding": "hex"}, {"name": "x", "hash": "", "encoding": secret}],
                }),
            ),
        ] {
            answers.push(http.post(path, account.owner.login(), &body).await);
        }
        for answer in answers {
            assert!(answer.status < 500 && !answer.body.contains(secret.as_str()), "{secret}: {answer:?}");
        }
    }

    let mut shown = String::new();
    for list in ["/api_keys", "/users", "/workspaces", "/audit_events"] {
        let listed = account.list(account.owner.login(), list, "").await;
        assert!(!listed.is_empty(), "{list}");
        shown.push_str(&json!(listed).to_string());
    }
    // That the search finds things: what is meant to be there.
    for there in [&joined.email, &first.id, "key.imported", "user.joined", "login.failed", "key.rotated"] {
        assert!(shown.contains(there), "{there}");
    }
    assert!(holders(&joined.email).iter().any(|name| name.starts_with("keygate.db")));
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is in a list");
        assert_eq!(holders(secret), Vec::<String>::new(), "{secret}");
        assert!(!system().output().contains(secret), "{secret}");
    }
    // Nor is the hash that a key is found by, but where it is found.
    for hash in [&hex, &base64] {
        assert!(!shown.contains(hash.as_str()));
        assert!(holders(hash).iter().all(|name| name.starts_with("keygate.db")), "{:?}", holders(hash));
    }
}
