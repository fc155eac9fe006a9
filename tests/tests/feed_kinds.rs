//! Changes that take something away, each of them at a system that has the key, its user and its workspace in its caches: raw
//! keys and tokens that were used a moment ago are refused within five seconds. Revocation is in `revocation.rs`, switching
//! personal keys off and leaving a workspace in `sim_key_types.rs`, rotation in `rotation.rs`.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::bound::{Way, all_answer, all_become, arrives, exchange_becomes};
use crate::support::clock::now;
use crate::support::http::{Credential, NewKey, lacks_scope, unauthorized};
use crate::support::system;

/// Read with `read`, written with `write`.
const USERS: &str = "/api/v1/users";

/// A key and a token of it.
struct Used {
    key: NewKey,
    token: String,
}

impl Used {
    async fn of(account: &Account, key: NewKey) -> Self {
        Self { token: account.http.token(&key.raw).await, key }
    }

    async fn of_workspace(account: &Account, scopes: &[&str]) -> Self {
        Self::of(account, account.workspace_key(&account.workspace_id, scopes).await).await
    }

    fn reading(&self) -> [Way<'_>; 2] {
        [
            Way::get("key reads", USERS, Credential::ApiKey(&self.key.raw)),
            Way::get("token reads", USERS, Credential::Bearer(&self.token)),
        ]
    }

    fn writing(&self) -> [Way<'_>; 2] {
        [
            Way::post("key writes", USERS, Credential::ApiKey(&self.key.raw)),
            Way::post("token writes", USERS, Credential::Bearer(&self.token)),
        ]
    }
}

async fn change_key(account: &Account, key: &NewKey, change: Value) {
    let rest = format!("/api_keys/{}", key.id);
    account.manage(account.owner.login(), Method::PATCH, &rest, &change, 200).await;
}

#[tokio::test]
async fn narrowed_scopes_are_lost_to_key_and_token() {
    let account = Account::sign_up(system(), "Narrowed").await;
    let used = Used::of_workspace(&account, &["read", "write"]).await;
    all_answer(&account.http, &used.reading(), 200).await;
    all_answer(&account.http, &used.writing(), 201).await;
    change_key(&account, &used.key, json!({"scopes": ["read"]})).await;
    for body in all_become(&account.http, &used.writing(), 403).await {
        assert_eq!(body, lacks_scope());
    }
    all_answer(&account.http, &used.reading(), 200).await;
}

#[tokio::test]
async fn an_earlier_expiry_ends_key_and_token_and_a_later_one_keeps_them() {
    let account = Account::sign_up(system(), "Expiring").await;
    let owner = account.owner.login();
    let first_end = now().plus(8);
    let body = json!({"name": "prolonged", "scopes": ["read"], "expires_at": first_end.to_string()});
    let prolonged = account.key(owner, &body).await;
    let prolonged_way = [Way::get("prolonged", USERS, Credential::ApiKey(&prolonged.raw))];
    all_answer(&account.http, &prolonged_way, 200).await;
    change_key(&account, &prolonged, json!({"expires_at": first_end.plus(600).to_string()})).await;
    let shortened = Used::of_workspace(&account, &["read"]).await;
    all_answer(&account.http, &shortened.reading(), 200).await;
    change_key(&account, &shortened.key, json!({"expires_at": now().plus(3).to_string()})).await;
    for body in all_become(&account.http, &shortened.reading(), 401).await {
        assert_eq!(body, unauthorized());
    }
    assert_eq!(account.http.simbee_exchange(&shortened.key.raw).await.expect(401), unauthorized());
    while now() <= first_end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    all_answer(&account.http, &prolonged_way, 200).await;
}

#[tokio::test]
async fn addresses_that_are_no_longer_allowed_are_refused() {
    let account = Account::sign_up(system(), "Elsewhere").await;
    let used = Used::of_workspace(&account, &["read"]).await;
    change_key(&account, &used.key, json!({"allowed_ips": ["127.0.0.0/8", "2001:db8::/32"]})).await;
    all_answer(&account.http, &used.reading(), 200).await;
    change_key(&account, &used.key, json!({"allowed_ips": ["192.0.2.0/24"]})).await;
    for body in all_become(&account.http, &used.reading(), 401).await {
        assert_eq!(body, unauthorized());
    }
    assert_eq!(account.http.simbee_exchange(&used.key.raw).await.expect(401), unauthorized());
    let spoofed = used.reading()[0].clone().with_header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(all_answer(&account.http, &[spoofed], 401).await, [unauthorized()]);
}

#[tokio::test]
async fn a_suspended_workspace_is_closed_to_its_keys_and_to_personal_ones_until_it_is_opened_again() {
    let account = Account::sign_up(system(), "Suspended").await;
    let workspace = account.workspace(&account.owner, "closing").await;
    let shared = Used::of(&account, account.workspace_key(&workspace, &["read"]).await).await;
    let personal = account.personal_key(&account.owner, &["read"]).await;
    let [key, token] = shared.reading();
    let named = Way::get("personal key", USERS, Credential::ApiKey(&personal.raw)).in_workspace(&workspace);
    let ways = [key, token, named];
    all_answer(&account.http, &ways, 200).await;
    let rest = format!("/workspaces/{workspace}");
    let set = async |status: &str| {
        let change = json!({"status": status});
        account.manage(account.owner.login(), Method::PATCH, &rest, &change, 200).await;
    };
    set("suspended").await;
    all_become(&account.http, &ways, 403).await;
    exchange_becomes(&account.http, &json!({"api_key": shared.key.raw}), 403).await;
    let elsewhere = [Way::get("personal key elsewhere", USERS, Credential::ApiKey(&personal.raw))];
    all_answer(&account.http, &elsewhere, 200).await;

    set("active").await;
    arrives(async || {
        for way in &ways {
            let status = way.answer(&account.http).await.status;
            if status != 200 {
                return Err(format!("{way:?} is answered {status}"));
            }
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_user_who_is_removed_takes_login_and_personal_keys_along_and_leaves_the_workspaces_keys() {
    let account = Account::sign_up(system(), "Leaving").await;
    let leaver = account.join("admin").await;
    let personal = Used::of(&account, account.personal_key(&leaver, &["read"]).await).await;
    let body = json!({"name": "left behind", "scopes": ["read"]});
    let shared = Used::of(&account, account.key(leaver.login(), &body).await).await;
    let [key, token] = personal.reading();
    let ways = [key, token, Way::get("login", USERS, leaver.login())];
    all_answer(&account.http, &ways, 200).await;
    all_answer(&account.http, &shared.reading(), 200).await;
    let rest = format!("/users/{}", leaver.id);
    account.manage(account.owner.login(), Method::DELETE, &rest, &Value::Null, 204).await;
    for body in all_become(&account.http, &ways, 401).await {
        assert_eq!(body, unauthorized());
    }
    exchange_becomes(&account.http, &json!({"api_key": personal.key.raw}), 401).await;
    all_answer(&account.http, &shared.reading(), 200).await;
    account.http.simbee_exchange(&shared.key.raw).await.expect(200);
}

#[tokio::test]
async fn a_lower_role_narrows_login_and_personal_keys() {
    let account = Account::sign_up(system(), "Demoted").await;
    let demoted = account.join("admin").await;
    let personal = Used::of(&account, account.personal_key(&demoted, &["read", "write"]).await).await;
    let [key, token] = personal.writing();
    let writing = [key, token, Way::post("login writes", USERS, demoted.login())];
    all_answer(&account.http, &writing, 201).await;
    let manage = account.path("/users");
    let managing = [Way::get("login manages", &manage, demoted.login())];
    all_answer(&account.http, &managing, 200).await;
    let rest = format!("/users/{}", demoted.id);
    account.manage(account.owner.login(), Method::PATCH, &rest, &json!({"role": "member"}), 200).await;
    for body in all_become(&account.http, &writing, 403).await {
        assert_eq!(body, lacks_scope());
    }
    all_become(&account.http, &managing, 403).await;
    all_answer(&account.http, &personal.reading(), 200).await;
}
