//! Keys and times.

use std::sync::LazyLock;
use std::time::Duration;

use domain::{
    Client, ClientId, ClientSettings, Email, Environment, KeyKind, KeyRecord, Moment, NewKey, Password, PasswordHash,
    PlainKey, Role, ScopeSet, Timestamp, User, UserId, Workspace, WorkspaceId,
};
use store::Store;

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

/// The password of every user that tests make.
pub const PASSWORD: &str = "a-strong-password";

/// Hashed once: it takes long by design.
static PASSWORD_HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::of(&Password::new(PASSWORD).unwrap()));

/// A client whose owner has this address, not stored yet.
#[must_use]
pub fn account(email: &str) -> TestAccount {
    let (client_id, workspace_id) = (ClientId::random(), WorkspaceId::random());
    let owner = User {
        id: UserId::random(),
        client_id: client_id.clone(),
        email: Email::parse(email).unwrap(),
        role: Role::Owner,
        password_hash: PASSWORD_HASH.clone(),
        created_at: now(),
    };
    let workspace = Workspace {
        id: workspace_id.clone(),
        client_id: client_id.clone(),
        name: Workspace::DEFAULT.to_owned(),
        owner_user_id: owner.id.clone(),
        created_at: now(),
    };
    let client = Client {
        slug: format!("acme-{}", client_id.as_str().to_lowercase()),
        id: client_id,
        name: "Acme Corp".to_owned(),
        owner_user_id: owner.id.clone(),
        default_workspace_id: workspace_id,
        created_at: now(),
        settings: ClientSettings::default(),
    };
    TestAccount { client, owner, workspace }
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
            billed_to: UserId::random(),
            created_at: now(),
            created_by: UserId::random().to_string(),
            expires_at: None,
        }
        .record(&plain);
        Self { plain, record }
    }

    /// Stores the record.
    pub async fn stored(self, store: &Store) -> Self {
        store.key_create(&self.record).await.unwrap();
        self
    }
}
