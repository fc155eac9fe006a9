//! A client of a test's own with people in it, made as anybody would make them: by sign-up, invitation and acceptance.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use super::clock::now;
use super::http::{Credential, Http, NewKey};
use super::run::Run;

/// A client.
#[derive(Clone)]
pub struct Account {
    pub http: Http,
    pub client_id: String,
    /// Its `default` workspace.
    pub workspace_id: String,
    pub owner: Person,
}

/// Somebody who has logged in.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub password: String,
    pub token: String,
}

impl Person {
    pub fn login(&self) -> Credential<'_> {
        Credential::Bearer(&self.token)
    }

    fn of(answer: &Value, password: String) -> Self {
        Self { id: text(&answer["user"]["id"]), password, token: text(&answer["token"]) }
    }
}

/// An invitation that nobody has accepted yet.
pub struct Invitation {
    pub email: String,
    pub token: String,
    pub user_id: String,
}

impl Account {
    /// Signs up.
    pub async fn sign_up(run: &Run, company: &str) -> Self {
        let (http, email, password) = (Http::new(run), unused_email(), unused_password());
        let body = json!({"email": email, "password": password, "company_name": company});
        let answer = http.send(http.request(Method::POST, "/auth/signup").json(&body)).await.expect(201);
        let (client_id, owner) = (text(&answer["client"]["id"]), Person::of(&answer, password));
        let path = format!("/api/v1/clients/{client_id}/workspaces");
        let workspaces = http.get(&path, owner.login()).await.expect(200);
        let default = workspaces["data"].as_array().unwrap().iter().find(|it| it["name"] == "default");
        let workspace_id = text(&default.unwrap_or_else(|| panic!("{workspaces}"))["id"]);
        Self { http, client_id, workspace_id, owner }
    }

    /// The path of something that belongs to the client.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/clients/{}{rest}", self.client_id)
    }

    /// A call on what belongs to the client, which must be answered `status`; a body that is `null` is none.
    pub async fn manage(&self, by: Credential<'_>, method: Method, rest: &str, body: &Value, status: u16) -> Value {
        let answer = self.http.call(method.clone(), &self.path(rest), by, body).await;
        assert_eq!(answer.status, status, "{method} {rest} with {body}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// Invites somebody.
    pub async fn invite(&self, role: &str) -> Invitation {
        let email = unused_email();
        let body = json!({"email": email, "role": role});
        let answer = self.manage(self.owner.login(), Method::POST, "/users", &body, 201).await;
        Invitation { email, token: text(&answer["invite_token"]), user_id: text(&answer["user"]["id"]) }
    }

    /// Invites somebody who accepts.
    pub async fn join(&self, role: &str) -> Person {
        let invitation = self.invite(role).await;
        let password = unused_password();
        let body = json!({"invite_token": invitation.token, "password": password});
        let request = self.http.request(Method::POST, "/auth/accept-invite").json(&body);
        let answer = self.http.send(request).await.expect(200);
        assert_eq!(answer["user"], json!({"id": invitation.user_id, "email": invitation.email, "role": role}));
        Person::of(&answer, password)
    }

    /// Makes a workspace, which is then `owner`'s; its id.
    pub async fn workspace(&self, owner: &Person, name: &str) -> String {
        let answer = self.manage(owner.login(), Method::POST, "/workspaces", &json!({"name": name}), 201).await;
        assert_eq!(answer["owner_user_id"], owner.id.as_str());
        text(&answer["id"])
    }

    /// Takes somebody into a workspace, as the client's owner.
    pub async fn take_in(&self, workspace: &str, person: &Person, role: &str) {
        let rest = format!("/workspaces/{workspace}/members/{}", person.id);
        self.manage(self.owner.login(), Method::PUT, &rest, &json!({"role": role}), 200).await;
    }

    /// Makes a key.
    pub async fn key(&self, by: Credential<'_>, body: &Value) -> NewKey {
        NewKey::of(&self.manage(by, Method::POST, "/api_keys", body, 201).await)
    }

    /// A personal key of somebody's.
    pub async fn personal_key(&self, of: &Person, scopes: &[&str]) -> NewKey {
        self.key(of.login(), &json!({"name": "mine", "type": "personal", "scopes": scopes})).await
    }

    /// A key of a workspace, made by the client's owner.
    pub async fn workspace_key(&self, workspace: &str, scopes: &[&str]) -> NewKey {
        self.key(self.owner.login(), &json!({"name": "ours", "workspace_id": workspace, "scopes": scopes})).await
    }

    /// A key's record.
    pub async fn record(&self, key: &NewKey) -> Value {
        self.manage(self.owner.login(), Method::GET, &format!("/api_keys/{}", key.id), &Value::Null, 200).await
    }

    /// All that a list holds, page by page. `query` begins with `&` where there is one.
    pub async fn list(&self, by: Credential<'_>, rest: &str, query: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = self.path(&format!("{rest}?limit=100{query}{cursor}"));
            let page = self.http.get_again(&path, by.clone()).await.expect(200);
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An address that nobody has yet.
pub fn unused_email() -> String {
    format!("somebody+{}.{}.{}@example.com", now().unix(), std::process::id(), next())
}

/// A password that nobody has yet.
pub fn unused_password() -> String {
    format!("a-strong-password-{}", domain::random::base62(20))
}
