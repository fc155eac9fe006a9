//! What is taken away, at authorizers that were asked all the time, had been idle, were frozen for ten seconds, or began
//! afterwards: each of them, at the first call that begins later than the bound, and after a thaw at the very first. The
//! same by an injected clock is in `crates/identity/tests/it/losses.rs`; there too what hangs on a client's settings, on which no
//! protected call depends that can be made here.

use std::fs::File;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::authorizers::{Asked, Authorizer, Copies, Outcome, written};
use crate::support::bound::BOUND;
use crate::support::clock::Stopwatch;
use crate::support::folders::RunFolder;
use crate::support::http::{Credential, Http};
use crate::support::run::Run;
use crate::support::system;

/// Read with `read`, written with `write`.
const USERS: &str = "/api/v1/users";
/// For so long an authorizer is frozen.
const FREEZE: Duration = Duration::from_secs(10);
/// After so long it has read the feed a second time, and then forgets nothing but what the feed names.
const SECOND_READ: Duration = Duration::from_millis(4_200);

/// A way in that is to end, and how it is refused then.
struct Way {
    name: &'static str,
    asked: Asked,
    ends: Outcome,
}

impl Way {
    /// By a key and by a token of it.
    fn both(
        name: &'static str,
        method: &str,
        key: &str,
        token: &str,
        workspace: Option<&str>,
        ends: Outcome,
    ) -> [Self; 2] {
        let raw = (Credential::ApiKey(key), workspace, ends.clone());
        [raw, (Credential::Bearer(token), None, ends)].map(|(credential, workspace, ends)| Self {
            name,
            asked: Asked::new(method, USERS, &credential, workspace),
            ends,
        })
    }
}

/// Shows that `change` ends all `ways` everywhere in time, and that what is `steady` stays.
async fn ends(run: &Run, ways: &[Way], steady: &Asked, change: impl AsyncFnOnce()) {
    let copies = Copies::of(run);
    let busy = copies.start().await;
    // A first call is one that nothing else has come before: each way has its own.
    let (mut idle, mut frozen) = (Vec::new(), Vec::new());
    for _ in ways {
        idle.push(copies.start().await);
        frozen.push(copies.start().await);
    }
    for pause in [Duration::ZERO, SECOND_READ, Duration::ZERO] {
        tokio::time::sleep(pause).await;
        for (way, used) in ways.iter().zip(idle.iter().zip(&frozen)) {
            for authorizer in [&busy, used.0, used.1] {
                assert_eq!(authorizer.ask(&way.asked).await, Outcome::Allowed, "{} is open at first", way.name);
            }
        }
    }

    frozen.iter().for_each(Authorizer::freeze);
    let since_the_freeze = Stopwatch::start();
    change().await;
    let since_the_change = Stopwatch::start();
    for way in ways {
        assert_eq!(copies.start().await.ask(&way.asked).await, way.ends, "{} at a cold authorizer", way.name);
    }
    loop {
        let round = since_the_change.elapsed();
        for way in ways {
            let begun = since_the_change.elapsed();
            let outcome = busy.ask(&way.asked).await;
            let may_pass = begun < BOUND && outcome == Outcome::Allowed;
            assert!(may_pass || outcome == way.ends, "{} at a busy one after {begun:?}: {outcome:?}", way.name);
        }
        assert_eq!(busy.ask(steady).await, Outcome::Allowed);
        if round > BOUND {
            break;
        }
    }
    for (way, idle) in ways.iter().zip(&idle) {
        assert_eq!(idle.ask(&way.asked).await, way.ends, "{} at an idle one", way.name);
        assert_eq!(idle.ask(steady).await, Outcome::Allowed);
    }
    tokio::time::sleep(FREEZE.saturating_sub(since_the_freeze.elapsed())).await;
    for (way, frozen) in ways.iter().zip(&frozen) {
        // The event is there before the thaw, as on Lambda, which thaws for it.
        let mut answer = Box::pin(frozen.ask(&way.asked));
        let early = tokio::time::timeout(Duration::from_millis(100), &mut answer).await;
        assert!(early.is_err(), "it is not frozen: {early:?}");
        frozen.thaw();
        assert_eq!(answer.await, way.ends, "{} at a thawed one", way.name);
        assert_eq!(frozen.ask(steady).await, Outcome::Allowed);
    }
}

async fn token_in(account: &Account, key: &str, workspace: &str) -> String {
    let body = json!({"api_key": key, "workspace_id": workspace});
    let request = account.http.request(Method::POST, "/auth/exchange").json(&body);
    account.http.send(request).await.expect(200)["data"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_loss_reaches_busy_idle_cold_and_thawed_authorizers_in_time() {
    let account = Account::sign_up(system(), "Thawing").await;
    let (owner, http) = (account.owner.login(), &account.http);
    let default = &account.workspace_id;
    let [revoked, narrowed, rotated] = [
        account.workspace_key(default, &["read"]).await,
        account.workspace_key(default, &["read", "write"]).await,
        account.workspace_key(default, &["read"]).await,
    ];
    let leaver = account.join("admin").await;
    let left = account.personal_key(&leaver, &["read"]).await;
    let suspended = account.workspace(&account.owner, "suspended").await;
    let shared = account.workspace_key(&suspended, &["read"]).await;
    let impersonal = account.workspace(&account.owner, "impersonal").await;
    let personal = account.personal_key(&account.owner, &["read"]).await;
    let personal_token = token_in(&account, &personal.raw, &impersonal).await;

    let mut ways = Vec::new();
    for (name, method, key, ends) in [
        ("a revoked key", "GET", &revoked, Outcome::Unauthorized),
        ("a narrowed key", "POST", &narrowed, Outcome::Forbidden),
        ("a rotated key", "GET", &rotated, Outcome::Unauthorized),
        ("a key of a removed user", "GET", &left, Outcome::Unauthorized),
        ("a key of a suspended workspace", "GET", &shared, Outcome::Forbidden),
    ] {
        ways.extend(Way::both(name, method, &key.raw, &http.token(&key.raw).await, None, ends));
    }
    let name = "a personal key where they are switched off";
    ways.extend(Way::both(name, "GET", &personal.raw, &personal_token, Some(&impersonal), Outcome::Forbidden));
    let login = Asked::new("GET", USERS, &leaver.login(), None);
    ways.push(Way { name: "the login of a removed user", asked: login, ends: Outcome::Unauthorized });
    let steady = Asked::new("GET", USERS, &Credential::ApiKey(&personal.raw), None);

    let change = async || {
        let manage = async |method, rest: String, body: Value, status| {
            account.manage(owner.clone(), method, &rest, &body, status).await;
        };
        manage(Method::DELETE, format!("/api_keys/{}", revoked.id), Value::Null, 204).await;
        manage(Method::PATCH, format!("/api_keys/{}", narrowed.id), json!({"scopes": ["read"]}), 200).await;
        manage(Method::POST, format!("/api_keys/{}/rotate", rotated.id), json!({"overlap_seconds": 0}), 201).await;
        manage(Method::DELETE, format!("/users/{}", leaver.id), Value::Null, 204).await;
        manage(Method::PATCH, format!("/workspaces/{suspended}"), json!({"status": "suspended"}), 200).await;
        manage(Method::PATCH, format!("/workspaces/{impersonal}"), json!({"personal_keys_allowed": false}), 200).await;
    };
    ends(system(), &ways, &steady, change).await;
}

#[tokio::test]
async fn a_withdrawn_signing_key_reaches_busy_idle_cold_and_thawed_authorizers_in_time() {
    let run = Run::start("withdrawn");
    let http = Http::new(&run);
    let token = http.token(&run.demo.api_key).await;
    let asked = |credential: Credential<'_>| Asked::new("GET", USERS, &credential, None);
    let ways = [Way { name: "its token", asked: asked(Credential::Bearer(&token)), ends: Outcome::Unauthorized }];
    let keys = http.send(http.request(Method::GET, "/.well-known/jwks.json")).await.expect(200);
    let kid = keys["keys"][0]["kid"].clone();
    ends(&run, &ways, &asked(Credential::ApiKey(&run.demo.api_key)), async || {
        let port = run.functions.invoke_port;
        let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/upkeep/invocations");
        http.send(http.request_to(Method::POST, &url).json(&json!({"withdraw": kid}))).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_authorizer_that_can_not_read_the_feed_says_so_in_log_and_metric() {
    let folder = RunFolder::new("unreadable");
    let file = |name: &str| File::create(folder.path.join(name)).unwrap();
    let mut command = Copies::of(system()).command();
    // Nobody listens there.
    command.env("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9").env("RUST_LOG", "info");
    command.stdout(file("stdout")).stderr(file("stderr"));
    let authorizer = Authorizer::start(command).await;
    let outcome =
        authorizer.ask_once(&Asked::new("GET", USERS, &Credential::ApiKey(&system().demo.api_key), None)).await;
    assert_eq!(outcome, Outcome::Unavailable("The store can't be reached".to_owned()));
    let said = |line: &&Value| line["message"] == "the change feed can't be read; the call is refused";
    let lines = written(&folder.path, "stderr");
    assert_eq!(lines.iter().filter(said).count(), 1, "{lines:?}");
    let counted = written(&folder.path, "stdout");
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert_eq!((&counted[0]["FeedUnreadable"], &counted[0]["function"]), (&json!(1), &json!("authorizer")));
}
