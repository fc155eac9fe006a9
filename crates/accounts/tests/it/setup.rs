use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use accounts::{App, handle};
use domain::{
    Access, Action, AppGrant, AuditEvent, AuthorizationCode, Claims, Deed, Environment, Issue, Moment, Outcome,
    RefreshToken, Role, ScopeSet, User, UserId, Workspace, WorkspaceId, WorkspaceRole,
};
use edge::Request;
use identity::Identity;
use serde_json::{Value, json};
use signing::{Algorithm, Signer};
use store::audit::AuditFilter;
use testkit::{ISSUER, TestAccount, TestKey, TestStore, act, audience, change_user, moment, now, parts, request};

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) account: TestAccount,
    pub(crate) app: Arc<App>,
    signer: Signer,
    seconds: AtomicU32,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let test = TestStore::start().await;
        let account = test.account().await;
        let signer = testkit::published_signer(&test.store, Algorithm::Es256).await;
        let app = App {
            store: test.store.clone(),
            identity: Identity::new(test.store.clone(), audience()),
            access: Access::built_in().unwrap(),
        };
        Self { test, account, app: Arc::new(app), signer, seconds: AtomicU32::new(0) }
    }

    /// So late that every change is known.
    pub(crate) fn pass(&self) {
        self.seconds.fetch_add(5, Ordering::Relaxed);
    }

    pub(crate) fn moment(&self) -> Moment {
        moment(f64::from(self.seconds.load(Ordering::Relaxed)))
    }

    /// A live key of the default workspace.
    pub(crate) async fn key(&self, scopes: &str) -> String {
        let key = TestKey::new(&self.account.client, scopes).stored(&self.test.store).await;
        key.plain.expose().to_owned()
    }

    pub(crate) async fn test_key(&self, scopes: &str) -> String {
        let mut key = TestKey::new(&self.account.client, scopes);
        key.record.environment = Environment::Test;
        key.stored(&self.test.store).await.plain.expose().to_owned()
    }

    pub(crate) async fn personal_key(&self, user: &User, scopes: &str) -> TestKey {
        TestKey::personal(&self.account.client, user, scopes).stored(&self.test.store).await
    }

    /// One more user, in the default workspace.
    pub(crate) async fn user(&self, role: Role) -> User {
        self.account.user(&self.test.store, role).await
    }

    /// A member of the client who manages the default workspace, and a token of that login.
    pub(crate) async fn workspace_admin(&self) -> (User, String) {
        let user = self.user(Role::Member).await;
        let workspace = self.account.workspace.id.clone();
        change_user(&self.test.store, &user, |user| {
            user.workspaces.insert(workspace, WorkspaceRole::Admin);
        })
        .await;
        let token = self.login(&user);
        (user, token)
    }

    /// A token as a login gives it.
    pub(crate) fn login(&self, user: &User) -> String {
        self.login_holding(user, &user.role.scopes().to_string())
    }

    pub(crate) fn login_holding(&self, user: &User, scopes: &str) -> String {
        let claims = testkit::login_claims(user, &self.account.workspace, ScopeSet::parse(scopes).unwrap());
        self.sign(&claims)
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        self.signer.sign(claims).unwrap()
    }

    /// What tokens of this client have in common.
    pub(crate) fn issue(&self) -> Issue<'_> {
        Issue {
            issuer: ISSUER,
            client_id: &self.account.client.id,
            workspace_id: &self.account.workspace.id,
            at: now(),
            ends: now().plus(900),
        }
    }

    /// An app of the client's, stored, with a secret.
    pub(crate) async fn oauth_app(&self, scopes: &str) -> domain::App {
        let client = &self.account.client;
        let app = testkit::app(Some(client), Some(scopes), Some("secret"));
        let deed = Deed::new(Action::AppCreated, &app.id);
        self.test.store.app_create(&client.id, &app, deed, &act(), None).await.unwrap();
        app
    }

    /// What a user grants to an app, and its first refresh token.
    pub(crate) async fn granted(&self, app: &domain::App, user: &User, scopes: &str) -> (AppGrant, RefreshToken) {
        let plain = AuthorizationCode::random();
        let code = testkit::authorization_code(&plain, app, user, &self.account.client, scopes);
        let (grant, first) = testkit::grant_of(&code);
        self.test.store.code_create(&code).await.unwrap();
        self.test.store.code_redeem(&code, &grant).await.unwrap();
        (grant, first)
    }

    /// An access token of a grant.
    pub(crate) fn token_of(&self, grant: &AppGrant) -> String {
        self.sign(&Claims::of_grant(self.issue(), grant, grant.scopes.clone()))
    }

    /// Lets the function know the owner for good: after its first look at the feed an instance reads its records once more.
    pub(crate) async fn warm(&self) {
        for name in ["Warm", "Warmer"] {
            assert_eq!(self.call(&self.owner(), "PATCH", "", Some(json!({ "name": name }))).await.0, 200);
        }
    }

    pub(crate) fn client_id(&self) -> &str {
        self.account.client.id.as_str()
    }

    pub(crate) fn owner(&self) -> String {
        self.login(&self.account.owner)
    }

    /// The path of the client, and what comes behind it.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/clients/{}{rest}", self.account.client.id)
    }

    pub(crate) async fn answer(&self, request: Request) -> (u16, Value) {
        match handle(self.app.clone(), request, self.moment()).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(ISSUER)),
        }
    }

    /// The answer to a call with a key or token, with a JSON body where one is given.
    pub(crate) async fn call(&self, bearer: &str, method: &str, rest: &str, body: Option<Value>) -> (u16, Value) {
        let bearer = format!("Bearer {bearer}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.answer(request(method, &self.path(rest), &headers, body)).await
    }

    pub(crate) async fn get(&self, bearer: &str, rest: &str) -> (u16, Value) {
        self.call(bearer, "GET", rest, None).await
    }

    /// Makes a workspace whose owner is the client's.
    pub(crate) async fn workspace(&self, name: &str) -> WorkspaceId {
        let (status, body) = self.call(&self.owner(), "POST", "/workspaces", Some(json!({"name": name}))).await;
        assert_eq!(status, 201, "{body}");
        WorkspaceId::parse(body["id"].as_str().unwrap()).unwrap()
    }

    pub(crate) async fn stored_user(&self, id: &UserId) -> Option<User> {
        self.test.store.user_by_id(&self.account.client.id, id).await.unwrap()
    }

    pub(crate) async fn stored_workspace(&self, id: &WorkspaceId) -> Workspace {
        self.test.store.workspace_by_id(&self.account.client.id, id).await.unwrap().unwrap()
    }

    pub(crate) async fn stored_client(&self) -> domain::Client {
        self.test.store.client_by_id(&self.account.client.id).await.unwrap().unwrap()
    }

    /// Every event of the client, oldest first.
    pub(crate) async fn all_events(&self) -> Vec<AuditEvent> {
        let (mut events, mut after) = (Vec::new(), None);
        loop {
            let filter = AuditFilter::default();
            let store = &self.test.store;
            let page = store.audit_list(&self.account.client.id, &filter, 100, after.as_ref()).await.unwrap();
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

    /// The actions of the changes behind the first `seen`.
    pub(crate) async fn actions_since(&self, seen: usize) -> Vec<String> {
        self.events().await.into_iter().skip(seen).map(|event| event.action).collect()
    }
}
