//! Keys and times.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use domain::{
    Access, Act, Action, AllowedAddresses, Claims, Client, ClientId, ClientSettings, Deed, Email, Environment,
    HashedKey, Issue, KeyId, KeyKind, KeyPattern, KeyPrefix, KeyRecord, Metadata, Moment, NewKey, Password,
    PasswordHash, PlainKey, Role, ScopeSet, Timestamp, User, UserId, UserStatus, Workspace, WorkspaceRole, grant,
};
use store::Store;
use store::account_change::{AccountChange, AccountChanged, Edit};
use store::import::KeysImported;

use crate::signing_key::ISSUER;

/// The second in which tests begin.
pub const NOW: i64 = 1_800_000_000;

/// The time in which tests begin.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_unix(NOW)
}

/// Both clocks, `seconds` after tests begin.
#[must_use]
pub fn moment(seconds: f64) -> Moment {
    let passed = Duration::from_secs_f64(seconds);
    Moment { wall_ms: NOW * 1000 + i64::try_from(passed.as_millis()).unwrap(), monotonic: passed }
}

/// Whoever makes what tests need to be there, when tests begin.
#[must_use]
pub fn act() -> Act {
    Act { actor: (&UserId::random()).into(), address: None, at: now() }
}

/// A client as a sign-up makes it.
#[derive(Debug)]
pub struct TestAccount {
    /// The client.
    pub client: Client,
    /// Its first owner, whose password is [`PASSWORD`].
    pub owner: User,
    /// Its default workspace.
    pub workspace: Workspace,
}

/// The claims of a login of now, as a sign-in gives them.
#[must_use]
pub fn login_claims(user: &User, workspace: &Workspace, scope: ScopeSet) -> Claims {
    let issue = Issue {
        issuer: ISSUER,
        client_id: &user.client_id,
        workspace_id: &workspace.id,
        at: now(),
        ends: now().plus(900),
    };
    Claims::of_login(issue, user, scope)
}

/// The password of every user that tests make.
pub const PASSWORD: &str = "a-strong-password";

/// Hashed once: it takes long by design.
static PASSWORD_HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::of(&Password::new(PASSWORD).unwrap()));

/// A client whose owner has this address, not stored yet.
#[must_use]
pub fn account(email: &str) -> TestAccount {
    let (client_id, owner_id) = (ClientId::random(), UserId::random());
    let workspace = Workspace::new(client_id.clone(), Workspace::DEFAULT.to_owned(), owner_id.clone(), now());
    let owner = User {
        id: owner_id,
        client_id: client_id.clone(),
        email: Email::parse(email).unwrap(),
        role: Role::Owner,
        status: UserStatus::Active,
        workspaces: BTreeMap::from([(workspace.id.clone(), WorkspaceRole::Owner)]),
        created_at: now(),
        revision: 0,
    };
    let client = Client {
        slug: format!("acme-{}", client_id.as_str().to_lowercase()),
        id: client_id,
        name: "Acme Corp".to_owned(),
        owner_user_id: owner.id.clone(),
        default_workspace_id: workspace.id.clone(),
        created_at: now(),
        settings: ClientSettings::default(),
        owners: 1,
        revision: 0,
    };
    TestAccount { client, owner, workspace }
}

impl TestAccount {
    /// Stores all of it, and the owner's password.
    pub async fn stored(self, store: &Store) -> Self {
        let change = AccountChange {
            client: Some(Edit::New(self.client.clone())),
            users: vec![Edit::New(self.owner.clone())],
            workspaces: vec![Edit::New(self.workspace.clone())],
            password: Some((self.owner.id.clone(), PASSWORD_HASH.clone())),
            ..AccountChange::default()
        };
        let deed = Deed::new(Action::UserJoined, &self.owner.id);
        let changed = store.account_change(&self.client.id, &change, vec![deed], &act(), None).await.unwrap();
        assert_eq!(changed, AccountChanged::Done);
        self
    }

    /// One more user, who has come, is in the default workspace, and has the password [`PASSWORD`].
    pub async fn user(&self, store: &Store, role: Role) -> User {
        let user = User {
            id: UserId::random(),
            email: Email::parse(&format!("{}@example.com", domain::random::base62(12))).unwrap(),
            role,
            workspaces: BTreeMap::from([(self.workspace.id.clone(), WorkspaceRole::Member)]),
            ..self.owner.clone()
        };
        let client = store.client_by_id(&self.client.id).await.unwrap().unwrap();
        let one_more = Client { owners: client.owners + u32::from(role == Role::Owner), ..client.clone() };
        let change = AccountChange {
            client: Some(Edit::Changed { before: client, after: one_more }),
            users: vec![Edit::New(user.clone())],
            password: Some((user.id.clone(), PASSWORD_HASH.clone())),
            ..AccountChange::default()
        };
        let deed = Deed::new(Action::UserJoined, &user.id);
        let changed = store.account_change(&self.client.id, &change, vec![deed], &act(), None).await.unwrap();
        assert_eq!(changed, AccountChanged::Done);
        user
    }
}

/// Changes a user as a test needs it, and tells the feed.
pub async fn change_user(store: &Store, user: &User, change: impl FnOnce(&mut User)) {
    let before = store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
    let mut after = before.clone();
    change(&mut after);
    let edit = AccountChange { users: vec![Edit::Changed { before, after }], ..AccountChange::default() };
    commit(store, &user.client_id, &edit).await;
}

/// Changes a workspace as a test needs it, and tells the feed.
pub async fn change_workspace(store: &Store, workspace: &Workspace, change: impl FnOnce(&mut Workspace)) {
    let before = store.workspace_by_id(&workspace.client_id, &workspace.id).await.unwrap().unwrap();
    let mut after = before.clone();
    change(&mut after);
    let edit = AccountChange { workspaces: vec![Edit::Changed { before, after }], ..AccountChange::default() };
    commit(store, &workspace.client_id, &edit).await;
}

/// Changes a client as a test needs it, and tells the feed.
pub async fn change_client(store: &Store, client: &Client, change: impl FnOnce(&mut Client)) {
    let before = store.client_by_id(&client.id).await.unwrap().unwrap();
    let mut after = before.clone();
    change(&mut after);
    let edit = AccountChange { client: Some(Edit::Changed { before, after }), ..AccountChange::default() };
    commit(store, &client.id, &edit).await;
}

async fn commit(store: &Store, client: &ClientId, change: &AccountChange) {
    let deed = Deed::new(Action::ClientUpdated, client);
    let changed = store.account_change(client, change, vec![deed], &act(), None).await.unwrap();
    assert_eq!(changed, AccountChanged::Done);
}

/// A key as its holder has it, and its record.
#[derive(Debug)]
pub struct TestKey {
    /// The string.
    pub plain: PlainKey,
    /// The record.
    pub record: KeyRecord,
}

impl TestKey {
    /// A live key of the client's default workspace, not stored yet: change `record` as the test needs.
    #[must_use]
    pub fn new(client: &Client, scopes: &str) -> Self {
        let environment = Environment::Live;
        let plain = PlainKey::random(&environment.default_prefix());
        let record = NewKey {
            client_id: client.id.clone(),
            name: "production".to_owned(),
            kind: KeyKind::Workspace(client.default_workspace_id.clone()),
            environment,
            scopes: ScopeSet::parse(scopes).unwrap(),
            created_at: now(),
            created_by: UserId::random().to_string(),
            expires_at: None,
            allowed_ips: AllowedAddresses::default(),
            metadata: Metadata::default(),
        }
        .record(&plain);
        Self { plain, record }
    }

    /// A personal key of `user`, not stored yet.
    #[must_use]
    pub fn personal(client: &Client, user: &User, scopes: &str) -> Self {
        let mut key = Self::new(client, scopes);
        key.record.kind = KeyKind::Personal(user.id.clone());
        key
    }

    /// The claims of a token for all its scopes, in `workspace`, that lives for 900 seconds.
    #[must_use]
    pub fn claims_in(&self, workspace: &Workspace) -> Claims {
        let proved = KeyRecord::check(Some(&self.record), &self.plain, now()).unwrap();
        let access = Access::built_in().unwrap();
        grant(proved, Some(&self.record.scopes), Ok(workspace), None, 900, &access, now()).unwrap().claims(ISSUER)
    }

    /// Stores the record.
    pub async fn stored(self, store: &Store) -> Self {
        store.key_create(&self.record, &act(), None).await.unwrap();
        self
    }
}

/// A key of another system as its holder has it, and the record that its import makes.
#[derive(Debug)]
pub struct ImportedKey {
    /// The string: `sk-sim-` and 32 characters more.
    pub text: String,
    /// The record.
    pub record: KeyRecord,
}

impl ImportedKey {
    /// One of the client's default workspace, not stored yet: change `record` as the test needs.
    #[must_use]
    pub fn new(client: &Client, scopes: &str) -> Self {
        let text = format!("{}{}", Self::pattern().prefix().as_str(), domain::random::base62(32));
        let record = KeyRecord {
            id: KeyId::random(),
            prefix: Self::pattern().prefix().clone(),
            hash: HashedKey::of_text(&text),
            ..TestKey::new(client, scopes).record
        };
        Self { text, record }
    }

    /// What all of them look like.
    #[must_use]
    pub fn pattern() -> KeyPattern {
        KeyPattern::new(KeyPrefix::parse("sk-sim-").unwrap(), 39).unwrap()
    }

    /// Registers the pattern, and imports the key.
    pub async fn stored(self, store: &Store) -> Self {
        let client = &self.record.client_id;
        store.pattern_register(client, &Self::pattern(), &act()).await.unwrap();
        let outcome = store.import_keys(client, std::slice::from_ref(&self.record), &act()).await.unwrap();
        assert_eq!(outcome, KeysImported::Done);
        self
    }
}
