use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::{Access, AuditEvent, Client, KeyRecord, Moment, Outcome, Role, User, Workspace, WorkspaceRole, random};
use edge::{ApiError, Reply, Request};
use identity::Identity;
use key_management::{App, handle};
use serde_json::{Value, json};
use signing::{Algorithm, Signer};
use store::account_change::{AccountChange, AccountChanged, Edit};
use store::audit::AuditFilter;
use store::{Store, StoreError};
use testkit::{
    ISSUER, TestAccount, TestKey, TestStore, act, audience, change_user, moment, now, parts, published_signer, request,
    request_of,
};
use tokio::time::sleep;

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) account: TestAccount,
    pub(crate) client: Client,
    pub(crate) app: Arc<App>,
    pub(crate) signer: Signer,
    seconds: AtomicU32,
}

/// What a caller shows.
pub(crate) trait Bearer {
    fn bearer(&self) -> String;
}

impl Bearer for TestKey {
    fn bearer(&self) -> String {
        format!("Bearer {}", self.plain.expose())
    }
}

impl Bearer for Arc<TestKey> {
    fn bearer(&self) -> String {
        self.as_ref().bearer()
    }
}

/// A token, or the string of a key.
impl Bearer for String {
    fn bearer(&self) -> String {
        format!("Bearer {self}")
    }
}

/// A function with caches of its own, as another process would be.
pub(crate) fn app(store: &Store) -> Arc<App> {
    let identity = Identity::new(store.clone(), audience());
    Arc::new(App { store: store.clone(), identity, access: Access::built_in().unwrap() })
}

pub(crate) async fn reply_of(app: Arc<App>, request: Request, at: Moment) -> Reply {
    // Boxed: it would be too deep for the compiler within a test's own.
    Box::pin(handle(app, request, at)).await.unwrap_or_else(|error| error.into_reply(ISSUER))
}

/// The answer to a call that may be repeated, and whether it had to be: on a machine that is too busy for many at once a call
/// of the store may time out. But no call may fail because of the others.
pub(crate) async fn reply_in_the_end(app: Arc<App>, call: impl Fn() -> Request, at: Moment) -> (Reply, bool) {
    let mut repeated = false;
    loop {
        match Box::pin(handle(app.clone(), call(), at)).await {
            Ok(reply) => return (reply, repeated),
            Err(ApiError::Unavailable(error)) => match error.downcast_ref() {
                Some(StoreError::Unavailable(_)) => {
                    repeated = true;
                    // Not all of them in the same second.
                    sleep(Duration::from_millis(500 + 10 * u64::from(random::bytes::<1>()[0]))).await;
                }
                _ => panic!("{error}"),
            },
            Err(other) => panic!("{other:?}"),
        }
    }
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let test = TestStore::start().await;
        let account = test.account().await;
        let signer = published_signer(&test.store, Algorithm::Es256).await;
        let (client, app) = (account.client.clone(), app(&test.store));
        Self { test, account, client, app, signer, seconds: AtomicU32::new(0) }
    }

    /// So late that every change is known.
    pub(crate) fn pass(&self) {
        self.seconds.fetch_add(5, Ordering::Relaxed);
    }

    pub(crate) fn moment(&self) -> Moment {
        moment(f64::from(self.seconds.load(Ordering::Relaxed)))
    }

    /// A live key of the default workspace.
    pub(crate) async fn key(&self, scopes: &str) -> TestKey {
        self.other_key(scopes, |_| {}).await
    }

    /// One that differs from that.
    pub(crate) async fn other_key(&self, scopes: &str, change: impl FnOnce(&mut KeyRecord)) -> TestKey {
        let mut key = TestKey::new(&self.client, scopes);
        change(&mut key.record);
        key.stored(&self.test.store).await
    }

    pub(crate) async fn personal_key(&self, user: &User, scopes: &str) -> TestKey {
        TestKey::personal(&self.client, user, scopes).stored(&self.test.store).await
    }

    /// One more user, in the default workspace.
    pub(crate) async fn user(&self, role: Role) -> User {
        self.account.user(&self.test.store, role).await
    }

    /// A member of the client who is in this workspace with this role.
    pub(crate) async fn member_of(&self, workspace: &Workspace, role: WorkspaceRole) -> User {
        let user = self.user(Role::Member).await;
        change_user(&self.test.store, &user, |user| {
            user.workspaces.insert(workspace.id.clone(), role);
        })
        .await;
        user
    }

    /// One more workspace, which is `owner`'s.
    pub(crate) async fn workspace(&self, owner: &User) -> Workspace {
        let store = &self.test.store;
        let workspace = Workspace::new(self.client.id.clone(), "research".to_owned(), owner.id.clone(), now());
        let before = store.user_by_id(&self.client.id, &owner.id).await.unwrap().unwrap();
        let mut after = before.clone();
        after.workspaces.insert(workspace.id.clone(), WorkspaceRole::Owner);
        let change = AccountChange {
            users: vec![Edit::Changed { before, after }],
            workspaces: vec![Edit::New(workspace.clone())],
            ..AccountChange::default()
        };
        let deed = domain::Deed::new(domain::Action::WorkspaceCreated, &workspace.id);
        let changed = store.account_change(&self.client.id, &change, vec![deed], &act(), None).await.unwrap();
        assert_eq!(changed, AccountChanged::Done);
        workspace
    }

    /// Lets the function know `caller` for good: after its first look at the feed an instance reads its records once more.
    pub(crate) async fn warm(&self, caller: &TestKey, any: &TestKey) {
        for name in ["warm", "warmer"] {
            let (status, _) = self.call(caller, "PATCH", &self.path_of(any), Some(json!({ "name": name }))).await;
            assert_eq!(status, 200);
        }
    }

    /// A token as a login gives it now.
    pub(crate) async fn login(&self, user: &User) -> String {
        let store = &self.test.store;
        let user = store.user_by_id(&self.client.id, &user.id).await.unwrap().unwrap();
        let mut workspaces = Vec::new();
        for id in user.workspaces.keys() {
            workspaces.extend(store.workspace_by_id(&self.client.id, id).await.unwrap());
        }
        let claims = testkit::login_claims(&user, &self.account.workspace, user.scopes(&workspaces));
        self.signer.sign(&claims).unwrap()
    }

    /// A token of a key, for all that it may do in the default workspace.
    pub(crate) fn token(&self, key: &TestKey) -> String {
        self.signer.sign(&key.claims_in(&self.account.workspace)).unwrap()
    }

    /// A login of the client's owner.
    pub(crate) async fn owner(&self) -> String {
        self.login(&self.account.owner).await
    }

    /// The path of the client's keys, and what comes behind it.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/clients/{}/api_keys{rest}", self.client.id)
    }

    pub(crate) fn path_of(&self, key: &TestKey) -> String {
        self.path(&format!("/{}", key.record.id))
    }

    pub(crate) async fn answer(&self, request: Request, at: Moment) -> (u16, Value) {
        parts(reply_of(self.app.clone(), request, at).await)
    }

    /// The answer to a call, with a JSON body where one is given.
    pub(crate) async fn call(&self, by: &impl Bearer, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_with(by, &[], method, path, body).await
    }

    /// The same with more headers.
    pub(crate) async fn call_with(
        &self,
        by: &impl Bearer,
        more: &[(&str, &str)],
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let bearer = by.bearer();
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend(more);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.answer(request(method, path, &headers, body), self.moment()).await
    }

    /// The same as a gateway hands it on that has seen `address`.
    pub(crate) async fn call_from(
        &self,
        address: &str,
        by: &impl Bearer,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let sample = testkit::event("key-management-create", &[]);
        let mut event: Value = serde_json::from_str(&sample).unwrap();
        event["requestContext"]["identity"]["sourceIp"] = json!(address);
        event["httpMethod"] = json!(method);
        event["requestContext"]["httpMethod"] = json!(method);
        event["path"] = json!(path);
        event["body"] = body.map_or(Value::Null, |body| json!(body.to_string()));
        event["headers"]["Authorization"] = json!(by.bearer());
        event["multiValueHeaders"]["Authorization"] = json!([by.bearer()]);
        self.answer(request_of(&event.to_string()), self.moment()).await
    }

    pub(crate) async fn create(&self, by: &impl Bearer, body: Value) -> (u16, Value) {
        self.call(by, "POST", &self.path(""), Some(body)).await
    }

    /// A key that is made by a call, which must succeed.
    pub(crate) async fn made(&self, by: &impl Bearer, body: Value) -> Value {
        let (status, answer) = self.create(by, body.clone()).await;
        assert_eq!(status, 201, "{body}: {answer}");
        answer
    }

    pub(crate) async fn get(&self, by: &impl Bearer, key: &TestKey) -> (u16, Value) {
        self.call(by, "GET", &self.path_of(key), None).await
    }

    pub(crate) async fn patch(&self, by: &impl Bearer, key: &TestKey, body: Value) -> (u16, Value) {
        self.call(by, "PATCH", &self.path_of(key), Some(body)).await
    }

    pub(crate) async fn rotate(&self, by: &impl Bearer, key: &TestKey, body: Option<Value>) -> (u16, Value) {
        self.call(by, "POST", &format!("{}/rotate", self.path_of(key)), body).await
    }

    pub(crate) async fn revoke(&self, by: &impl Bearer, key: &TestKey) -> (u16, Value) {
        self.call(by, "DELETE", &self.path_of(key), None).await
    }

    /// The ids that a list shows, page by page.
    pub(crate) async fn listed(&self, by: &impl Bearer, query: &str) -> Vec<String> {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, body) = self.call(by, "GET", &self.path(&format!("?limit=2{query}{cursor}")), None).await;
            assert_eq!(status, 200, "{body}");
            ids.extend(body["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()));
            match body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        ids.sort();
        ids
    }

    pub(crate) async fn record(&self, key: &TestKey) -> KeyRecord {
        self.test.store.key_by_id(&key.record.id).await.unwrap().unwrap()
    }

    /// Every event of the client, oldest first.
    pub(crate) async fn all_events(&self) -> Vec<AuditEvent> {
        let (mut events, mut after) = (Vec::new(), None);
        loop {
            let filter = AuditFilter::default();
            let page = self.test.store.audit_list(&self.client.id, &filter, 100, after.as_ref()).await.unwrap();
            events.extend(page.events);
            match page.next {
                Some(next) => after = Some(next),
                None => return events,
            }
        }
    }

    /// The changes, whose chain must hold.
    pub(crate) async fn events(&self) -> Vec<AuditEvent> {
        let mut events = self.all_events().await;
        events.retain(|event| event.hash.is_some());
        let mut previous = None;
        for event in &events {
            assert_eq!(event.previous_hash, previous, "{event:?}");
            assert_eq!(event.hash, Some(event.computed_hash()), "{event:?}");
            assert_eq!(event.outcome, Outcome::Done);
            previous.clone_from(&event.hash);
        }
        events
    }

    /// The refused changes.
    pub(crate) async fn refusals(&self) -> Vec<AuditEvent> {
        let mut events = self.all_events().await;
        events.retain(|event| event.hash.is_none());
        events
    }

    /// How many keys the client has.
    pub(crate) async fn count_keys(&self) -> usize {
        let filter = store::key_list::KeyFilter::default();
        let (mut count, mut after) = (0, None);
        loop {
            let page = self.test.store.key_list(&self.client.id, &filter, 100, after.as_ref()).await.unwrap();
            count += page.keys.len();
            match page.next {
                Some(next) => after = Some(next),
                None => return count,
            }
        }
    }
}

/// How often the store was called, by operation, as text: `GetItem 2, Query 1`.
pub(crate) fn calls(setup: &Setup) -> String {
    let counts = setup.test.faults.counts();
    counts.iter().map(|(operation, count)| format!("{operation} {count}")).collect::<Vec<_>>().join(", ")
}
