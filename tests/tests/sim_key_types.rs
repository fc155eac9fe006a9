//! Sim: its table of key types, each row a test of the row's name, and the sentence under it.
//!
//! | | Personal Keys | Workspace Keys |
//! |---|---|---|
//! | Billed to | Your individual account | Workspace owner |
//! | Scope | Across workspaces you have access to | Shared across the workspace |
//! | Managed by | Each user individually | Workspace admins |
//! | Permissions | Must be enabled at workspace level | Require admin permissions |

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Person};
use crate::support::bound::{Way, all_answer, all_become, arrives, exchange_becomes};
use crate::support::http::{Answer, Credential, NewKey};
use crate::support::system;

const EXECUTE: &str = "/api/workflows/wf_42/execute";
const RUN: &str = "workflows:execute";

/// A client with a workspace beside the default one: `studio`, which the producer owns, whose admin is the lead and whose
/// member is the artist. None of the last two is more than a member of the client.
struct Office {
    account: Account,
    studio: String,
    producer: Person,
    lead: Person,
    artist: Person,
}

async fn office() -> Office {
    let account = Account::sign_up(system(), "Office").await;
    // What members of the default workspace hold, as all are who join.
    let given = json!({"member_scopes": [RUN]});
    let default = format!("/workspaces/{}", account.workspace_id);
    account.manage(account.owner.login(), Method::PATCH, &default, &given, 200).await;
    let producer = account.join("admin").await;
    let studio = account.workspace(&producer, "studio").await;
    let (lead, artist) = (account.join("member").await, account.join("member").await);
    account.take_in(&studio, &lead, "admin").await;
    account.take_in(&studio, &artist, "member").await;
    Office { account, studio, producer, lead, artist }
}

impl Office {
    /// Runs a workflow as Sim's document does, in the workspace that is named, if any.
    async fn run(&self, key: &str, workspace: Option<&str>) -> Answer {
        let way = Way::post("running a workflow", EXECUTE, Credential::ApiKey(key));
        match workspace {
            Some(workspace) => way.in_workspace(workspace).answer(&self.account.http).await,
            None => way.answer(&self.account.http).await,
        }
    }

    /// What the demo API heard of the caller.
    async fn caller(&self, key: &str, workspace: Option<&str>) -> Value {
        self.run(key, workspace).await.expect(200)["caller"].clone()
    }

    /// What it hears when the key was exchanged for a token before.
    async fn caller_by_token(&self, key: &str, workspace: &str) -> Value {
        let token = self.token(key, workspace).await;
        let way = Way::post("running a workflow", EXECUTE, Credential::Bearer(&token));
        way.answer(&self.account.http).await.expect(200)["caller"].clone()
    }

    async fn token(&self, key: &str, workspace: &str) -> String {
        let exchanged = self.exchange(key, workspace).await.expect(200);
        exchanged["data"]["token"].as_str().unwrap().to_owned()
    }

    async fn exchange(&self, key: &str, workspace: &str) -> Answer {
        let body = json!({"api_key": key, "workspace_id": workspace});
        self.account.http.send(self.account.http.request(Method::POST, "/auth/exchange").json(&body)).await
    }

    /// A key of the studio's, made by its admin.
    async fn studio_key(&self) -> NewKey {
        let body = json!({"name": "renderer", "workspace_id": self.studio, "scopes": [RUN]});
        self.account.key(self.lead.login(), &body).await
    }

    async fn set_studio(&self, by: &Person, change: Value) {
        let rest = format!("/workspaces/{}", self.studio);
        self.account.manage(by.login(), Method::PATCH, &rest, &change, 200).await;
    }

    /// What everything that changes a key is answered to somebody, in turn: reading, changing, rotating, revoking.
    async fn attempts(&self, by: &Person, key: &NewKey) -> [u16; 4] {
        let one = self.account.path(&format!("/api_keys/{}", key.id));
        let rotate = format!("{one}/rotate");
        let calls = [
            (Method::GET, &one, Value::Null),
            (Method::PATCH, &one, json!({"name": "changed"})),
            (Method::POST, &rotate, json!({"overlap_seconds": 600})),
            (Method::DELETE, &one, Value::Null),
        ];
        let mut answers = [0; 4];
        for (answer, (method, path, body)) in answers.iter_mut().zip(calls) {
            *answer = self.account.http.call(method, path, by.login(), &body).await.status;
        }
        answers
    }
}

fn is_refused(statuses: &[u16]) -> bool {
    statuses.iter().all(|status| [403, 404].contains(status))
}

#[tokio::test]
async fn billed_to_your_individual_account() {
    let office = office().await;
    let key = office.account.personal_key(&office.artist, &[RUN]).await;
    let artist = office.artist.id.as_str();
    let record = office.account.record(&key).await;
    assert_eq!((&record["type"], &record["billed_to"]), (&json!("personal"), &json!(artist)));
    for workspace in [&office.account.workspace_id, &office.studio] {
        let callers =
            [office.caller(&key.raw, Some(workspace)).await, office.caller_by_token(&key.raw, workspace).await];
        for caller in callers {
            assert_eq!((&caller["billed_to"], &caller["user_id"]), (&json!(artist), &json!(artist)), "{caller}");
            assert_eq!(caller["workspace_id"], workspace.as_str());
        }
    }
}

#[tokio::test]
async fn billed_to_the_workspace_owner() {
    let office = office().await;
    let key = office.studio_key().await;
    let record = office.account.record(&key).await;
    assert_eq!((&record["type"], &record["billed_to"]), (&json!("workspace"), &json!(office.producer.id)));
    assert_eq!(record["created_by"], office.lead.id.as_str(), "made by somebody else than who pays");
    let callers = [office.caller(&key.raw, None).await, office.caller_by_token(&key.raw, &office.studio).await];
    for caller in callers {
        assert_eq!((&caller["billed_to"], &caller["user_id"]), (&json!(office.producer.id), &json!("")), "{caller}");
    }

    let token = office.token(&key.raw, &office.studio).await;
    office.set_studio(&office.producer, json!({"owner_user_id": office.lead.id})).await;
    arrives(async || {
        let by_token = Way::post("token", EXECUTE, Credential::Bearer(&token)).answer(&office.account.http).await;
        let payers = [
            office.caller(&key.raw, None).await["billed_to"].clone(),
            by_token.expect(200)["caller"]["billed_to"].clone(),
            office.account.record(&key).await["billed_to"].clone(),
        ];
        if payers.iter().all(|payer| *payer == office.lead.id) { Ok(()) } else { Err(format!("{payers:?} pay")) }
    })
    .await;
}

#[tokio::test]
async fn scope_across_workspaces_you_have_access_to() {
    let office = office().await;
    let elsewhere = office.account.workspace(&office.producer, "elsewhere").await;
    let key = office.account.personal_key(&office.artist, &[RUN]).await;
    let reached = office.caller(&key.raw, None).await;
    assert_eq!(reached["workspace_id"], office.account.workspace_id.as_str(), "left out, it is the default one");
    for workspace in [&office.account.workspace_id, &office.studio] {
        assert_eq!(office.caller(&key.raw, Some(workspace)).await["workspace_id"], workspace.as_str());
        office.exchange(&key.raw, workspace).await.expect(200);
    }
    for closed in [elsewhere.as_str(), "ws_0000000000000000"] {
        office.run(&key.raw, Some(closed)).await.expect(403);
        office.exchange(&key.raw, closed).await.expect(403);
    }

    let token = office.token(&key.raw, &office.studio).await;
    let raw = Way::post("key", EXECUTE, Credential::ApiKey(&key.raw)).in_workspace(&office.studio);
    let ways = [raw, Way::post("token", EXECUTE, Credential::Bearer(&token))];
    all_answer(&office.account.http, &ways, 200).await;
    let rest = format!("/workspaces/{}/members/{}", office.studio, office.artist.id);
    office.account.manage(office.lead.login(), Method::DELETE, &rest, &Value::Null, 204).await;
    all_become(&office.account.http, &ways, 403).await;
    office.run(&key.raw, Some(&office.account.workspace_id)).await.expect(200);
}

#[tokio::test]
async fn shared_across_the_workspace() {
    let office = office().await;
    let account = &office.account;
    let key = office.studio_key().await;
    assert_eq!(office.caller(&key.raw, None).await["workspace_id"], office.studio.as_str());
    assert_eq!(office.caller(&key.raw, Some(&office.studio)).await["workspace_id"], office.studio.as_str());
    office.run(&key.raw, Some(&account.workspace_id)).await.expect(403);
    office.exchange(&key.raw, &account.workspace_id).await.expect(403);

    // It is the workspace's: another admin of it sees and manages what the first one made, who may leave.
    account.take_in(&office.studio, &office.artist, "admin").await;
    let listed = account.list(office.artist.login(), "/api_keys", &format!("&workspace_id={}", office.studio)).await;
    assert_eq!(listed.iter().map(|record| record["id"].clone()).collect::<Vec<_>>(), [json!(key.id)]);
    let lead = format!("/users/{}", office.lead.id);
    account.manage(account.owner.login(), Method::DELETE, &lead, &Value::Null, 204).await;
    let gone = Way::get("login", "/api/v1/users", office.lead.login());
    all_become(&account.http, &[gone], 401).await;
    assert_eq!(office.caller(&key.raw, None).await["billed_to"], office.producer.id.as_str());
    let rest = format!("/api_keys/{}", key.id);
    account.manage(office.artist.login(), Method::PATCH, &rest, &json!({"name": "still ours"}), 200).await;
}

#[tokio::test]
async fn managed_by_each_user_individually() {
    let office = office().await;
    let account = &office.account;
    let key = account.personal_key(&office.artist, &[RUN]).await;
    let others = account.personal_key(&office.lead, &[RUN]).await;
    let listed = account.list(office.artist.login(), "/api_keys", "&type=personal").await;
    assert_eq!(listed.iter().map(|record| record["id"].clone()).collect::<Vec<_>>(), [json!(key.id)]);
    let statuses = office.attempts(&office.artist, &others).await;
    assert!(is_refused(&statuses), "another member's: {statuses:?}");
    let statuses = office.attempts(&office.lead, &key).await;
    assert!(is_refused(&statuses), "by an admin of the workspace: {statuses:?}");
    let rest = format!("/api_keys/{}", key.id);
    let owner = account.owner.login();
    for (method, rest, body) in [
        (Method::PATCH, rest.as_str(), json!({"name": "changed"})),
        (Method::POST, &format!("{rest}/rotate"), json!({})),
    ] {
        account.manage(owner.clone(), method, rest, &body, 403).await;
    }
    let record = account.record(&key).await;
    assert_eq!((&record["name"], &record["revoked"]), (&json!("mine"), &json!(false)));
    assert_eq!(record["previous_secret_expires_at"], Value::Null);
    office.run(&key.raw, None).await.expect(200);

    assert_eq!(office.attempts(&office.artist, &key).await, [200, 200, 201, 204]);
    // Whoever manages all keys ends one that has leaked, though it be nobody else's to use.
    account.manage(owner, Method::DELETE, &format!("/api_keys/{}", others.id), &Value::Null, 204).await;
    assert_eq!(account.record(&others).await["revoked"], true);
}

#[tokio::test]
async fn managed_by_workspace_admins() {
    let office = office().await;
    let account = &office.account;
    let key = office.studio_key().await;
    let statuses = office.attempts(&office.artist, &key).await;
    assert!(is_refused(&statuses), "by a member of the workspace: {statuses:?}");
    // An admin of one workspace is none of another.
    let elsewhere = account.workspace(&office.producer, "elsewhere").await;
    account.take_in(&elsewhere, &office.artist, "admin").await;
    let statuses = office.attempts(&office.artist, &key).await;
    assert!(is_refused(&statuses), "by an admin of another workspace: {statuses:?}");
    let record = account.record(&key).await;
    assert_eq!((&record["name"], &record["revoked"]), (&json!("renderer"), &json!(false)));
    office.run(&key.raw, None).await.expect(200);

    let listed = account.list(office.lead.login(), "/api_keys", &format!("&workspace_id={}", office.studio)).await;
    assert!(listed.iter().any(|record| record["id"] == key.id.as_str()), "{listed:?}");
    assert_eq!(office.attempts(&office.lead, &key).await, [200, 200, 201, 204]);
    let second = office.studio_key().await;
    assert_eq!(office.attempts(&office.producer, &second).await, [200, 200, 201, 204], "by its owner");
}

#[tokio::test]
async fn permissions_must_be_enabled_at_workspace_level() {
    let office = office().await;
    let (studio, home) = (office.studio.as_str(), office.account.workspace_id.as_str());
    let key = office.account.personal_key(&office.artist, &[RUN]).await;
    let in_studio = [Way::post("key", EXECUTE, Credential::ApiKey(&key.raw)).in_workspace(studio)];
    all_answer(&office.account.http, &in_studio, 200).await;
    office.set_studio(&office.lead, json!({"personal_keys_allowed": false})).await;
    all_become(&office.account.http, &in_studio, 403).await;
    exchange_becomes(&office.account.http, &json!({"api_key": key.raw, "workspace_id": studio}), 403).await;
    // Each workspace decides for itself.
    office.run(&key.raw, Some(home)).await.expect(200);
    office.exchange(&key.raw, home).await.expect(200);
    // A key that is made while they are off opens nothing there either.
    let late = office.account.personal_key(&office.artist, &[RUN]).await;
    office.run(&late.raw, Some(studio)).await.expect(403);

    office.set_studio(&office.lead, json!({"personal_keys_allowed": true})).await;
    arrives(async || match office.run(&key.raw, Some(studio)).await.status {
        200 => Ok(()),
        status => Err(format!("still {status}")),
    })
    .await;
}

#[tokio::test]
async fn permissions_require_admin() {
    let office = office().await;
    let account = &office.account;
    let body = |workspace: &str| json!({"name": "renderer", "workspace_id": workspace, "scopes": [RUN]});
    for (who, workspace, status) in [
        (&office.artist, office.studio.as_str(), 403),
        (&office.artist, &account.workspace_id, 403),
        // Who manages one workspace may be a member like any other in the next.
        (&office.lead, &account.workspace_id, 403),
        (&office.lead, &office.studio, 201),
        (&office.producer, &office.studio, 201),
        (&account.owner, &office.studio, 201),
    ] {
        account.manage(who.login(), Method::POST, "/api_keys", &body(workspace), status).await;
    }
    let own = account.personal_key(&office.artist, &["read"]).await;
    account.manage(Credential::Bearer(&own.raw), Method::POST, "/api_keys", &body(&office.studio), 403).await;
    // Nor does an admin of a workspace give what only the whole client's admins hold.
    let wider = json!({"name": "wider", "workspace_id": office.studio, "scopes": ["admin"]});
    account.manage(office.lead.login(), Method::POST, "/api_keys", &wider, 403).await;
}

/// "Workspace admins can disable personal API key usage for their workspace. If disabled, only workspace keys can be used."
#[tokio::test]
async fn workspace_admins_can_disable_personal_api_key_usage_and_then_only_workspace_keys_can_be_used() {
    let office = office().await;
    let http = &office.account.http;
    let personal = office.account.personal_key(&office.artist, &[RUN]).await;
    let own = office.account.personal_key(&office.lead, &[RUN]).await;
    let shared = office.studio_key().await;
    let token = office.token(&personal.raw, &office.studio).await;
    let shared_token = office.token(&shared.raw, &office.studio).await;
    let in_studio = |name, key| Way::post(name, EXECUTE, Credential::ApiKey(key)).in_workspace(&office.studio);
    let personal_ways = [
        in_studio("key", &personal.raw),
        Way::post("token", EXECUTE, Credential::Bearer(&token)),
        in_studio("the admin's own key", &own.raw),
    ];
    let shared_ways =
        [in_studio("workspace key", &shared.raw), Way::post("its token", EXECUTE, Credential::Bearer(&shared_token))];
    all_answer(http, &personal_ways, 200).await;
    all_answer(http, &shared_ways, 200).await;

    // A member is no admin.
    let rest = format!("/workspaces/{}", office.studio);
    let off = json!({"personal_keys_allowed": false});
    office.account.manage(office.artist.login(), Method::PATCH, &rest, &off, 403).await;
    all_answer(http, &personal_ways, 200).await;

    office.set_studio(&office.lead, off).await;
    all_become(http, &personal_ways, 403).await;
    all_answer(http, &shared_ways, 200).await;
}
