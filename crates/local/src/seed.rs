//! The demo client: made once per data directory, so that there is something to try the system with.

use std::collections::BTreeMap;
use std::path::Path;

use domain::{
    Act, Action, AllowedAddresses, Client, ClientId, ClientSettings, Deed, Email, Environment, KeyKind, KeyRecord,
    Metadata, NewKey, Password, PasswordHash, PlainKey, Role, ScopeSet, Timestamp, User, UserId, UserStatus, Workspace,
    WorkspaceId, WorkspaceRole, random,
};
use serde::{Deserialize, Serialize};
use store::account_change::{AccountChange, AccountChanged, Edit};
use store::{Config, Store, Table};

use crate::data_dir::write_private;
use crate::failure::{Context, Failure, Result};

const SCOPES: &str = "insights:read plans:read workflows:execute logs:read chat:completions models:read read write";

/// A key of the demo client.
struct DemoKey {
    name: &'static str,
    environment: Environment,
    scopes: &'static str,
}

const LIVE: DemoKey = DemoKey { name: "demo", environment: Environment::Live, scopes: SCOPES };
const TEST: DemoKey = DemoKey { name: "demo test", environment: Environment::Test, scopes: SCOPES };
const ADMIN: DemoKey = DemoKey { name: "demo admin", environment: Environment::Live, scopes: "admin" };

/// `demo.json`: what a caller needs to try the system.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demo {
    /// Where the gateway listens.
    pub base_url: String,
    /// The demo client.
    pub client_id: String,
    /// Its `default` workspace.
    pub workspace_id: String,
    /// A live key for the demo API.
    pub api_key: String,
    /// A test key with the same scopes.
    pub test_key: String,
    /// A live key with `admin`.
    pub admin_key: String,
    /// The owner's e-mail address.
    pub email: String,
    /// The owner's password.
    pub password: String,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Connects to the embedded store at `endpoint`, whose tables are called by their logical ids.
#[must_use]
pub fn connect(endpoint: &str) -> Store {
    let names = [(Table::Keys, "KeysTable"), (Table::Directory, "DirectoryTable"), (Table::Audit, "AuditTable")];
    let config = Config::new(names.map(|(table, name)| (table, name.to_owned())));
    Store::connect_embedded(endpoint, config)
}

/// The demo client of this data directory, with keys that work: the one that `file` describes where the store knows it,
/// or a new one. Then `file` says where it is to be tried.
///
/// # Errors
/// The store fails, or the file can't be written.
pub async fn demo(store: &Store, file: &Path, base_url: &str, now: Timestamp) -> Result<Demo> {
    let mut demo = match std::fs::read(file).ok().and_then(|content| serde_json::from_slice::<Demo>(&content).ok()) {
        Some(demo) => match workspace_of(store, &demo).await? {
            Some(workspace) => renew(store, demo, &workspace, now).await?,
            None => create(store, now).await?,
        },
        None => create(store, now).await?,
    };
    base_url.clone_into(&mut demo.base_url);
    let mut content = serde_json::to_vec_pretty(&demo).doing(|| "writing demo.json".to_owned())?;
    content.push(b'\n');
    write_private(file, &content)?;
    Ok(demo)
}

async fn workspace_of(store: &Store, demo: &Demo) -> Result<Option<Workspace>> {
    let ids = ClientId::parse(&demo.client_id).zip(WorkspaceId::parse(&demo.workspace_id));
    let Some((client, workspace)) = ids else { return Ok(None) };
    let doing = || "looking for the demo client".to_owned();
    if store.client_by_id(&client).await.doing(doing)?.is_none() {
        return Ok(None);
    }
    store.workspace_by_id(&client, &workspace).await.doing(doing)
}

/// Replaces the keys that no longer work: whoever tries the system revokes them too, and a start needs one that does.
async fn renew(store: &Store, mut demo: Demo, workspace: &Workspace, now: Timestamp) -> Result<Demo> {
    for (string, key) in [(&mut demo.api_key, LIVE), (&mut demo.test_key, TEST), (&mut demo.admin_key, ADMIN)] {
        if !works(store, string, now).await? {
            *string = key.create(store, workspace, now).await?;
        }
    }
    Ok(demo)
}

async fn works(store: &Store, key: &str, now: Timestamp) -> Result<bool> {
    let Ok(plain) = PlainKey::parse(key) else { return Ok(false) };
    let record = store.key_by_string(&plain).await.doing(|| "looking for a demo key".to_owned())?;
    Ok(KeyRecord::check(record.as_ref(), &plain, now).is_ok())
}

async fn create(store: &Store, now: Timestamp) -> Result<Demo> {
    // Its own address and slug, so that a lost demo.json is no end: the next client stands beside the first.
    let suffix = random::base62(6).to_lowercase();
    let email = format!("owner-{suffix}@demo.example");
    let password = random::base62(24);
    let wrong = || Failure::new("the demo owner's address or password can't be used");
    let (client_id, owner_id) = (ClientId::random(), UserId::random());
    let workspace = Workspace::new(client_id.clone(), Workspace::DEFAULT.to_owned(), owner_id.clone(), now);
    let owner = User {
        id: owner_id,
        client_id: client_id.clone(),
        email: Email::parse(&email).ok_or_else(wrong)?,
        role: Role::Owner,
        status: UserStatus::Active,
        workspaces: BTreeMap::from([(workspace.id.clone(), WorkspaceRole::Owner)]),
        created_at: now,
        revision: 0,
    };
    let client = Client {
        id: client_id,
        name: "Demo".to_owned(),
        slug: format!("demo-{suffix}"),
        owner_user_id: owner.id.clone(),
        default_workspace_id: workspace.id.clone(),
        created_at: now,
        settings: ClientSettings::default(),
        owners: 1,
        revision: 0,
    };
    let change = AccountChange {
        client: Some(Edit::New(client.clone())),
        users: vec![Edit::New(owner.clone())],
        workspaces: vec![Edit::New(workspace.clone())],
        password: Some((owner.id.clone(), PasswordHash::of(&Password::new(&password).map_err(|_| wrong())?))),
        ..AccountChange::default()
    };
    let deed = Deed::new(Action::UserJoined, &owner.id).with("role", owner.role);
    let changed = store.account_change(&client.id, &change, vec![deed], &by(&owner.id, now), None).await;
    match changed.doing(|| "making the demo client".to_owned())? {
        AccountChanged::Done => {}
        _ => return Err(Failure::new("the demo client's address or name is taken")),
    }
    Ok(Demo {
        base_url: String::new(),
        client_id: client.id.to_string(),
        workspace_id: workspace.id.to_string(),
        api_key: LIVE.create(store, &workspace, now).await?,
        test_key: TEST.create(store, &workspace, now).await?,
        admin_key: ADMIN.create(store, &workspace, now).await?,
        email,
        password,
    })
}

/// All of it is the demo owner's doing.
fn by(owner: &UserId, at: Timestamp) -> Act {
    Act { actor: owner.into(), address: None, at }
}

impl DemoKey {
    async fn create(&self, store: &Store, workspace: &Workspace, now: Timestamp) -> Result<String> {
        let Self { name, environment, scopes } = *self;
        let plain = PlainKey::random(&environment.default_prefix());
        let record = NewKey {
            client_id: workspace.client_id.clone(),
            name: name.to_owned(),
            kind: KeyKind::Workspace(workspace.id.clone()),
            environment,
            scopes: ScopeSet::parse(scopes).ok_or_else(|| Failure::new(format!("`{scopes}` are no scopes")))?,
            created_at: now,
            created_by: workspace.owner_user_id.to_string(),
            expires_at: None,
            allowed_ips: AllowedAddresses::default(),
            metadata: Metadata::default(),
        }
        .record(&plain);
        let act = by(&workspace.owner_user_id, now);
        store.key_create(&record, &act, None).await.doing(|| format!("making the key `{name}`"))?;
        Ok(plain.expose().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use embedded::Embedded;
    use template::Template;

    use super::*;

    async fn empty_store() -> (Embedded, Store) {
        let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let embedded = Embedded::start(None, &template).await.unwrap();
        let store = connect(&embedded.endpoint());
        (embedded, store)
    }

    fn now() -> Timestamp {
        Timestamp::from_unix(1_800_000_000)
    }

    async fn scopes(store: &Store, key: &str) -> (Environment, String) {
        let plain = PlainKey::parse(key).unwrap();
        let record = store.key_by_string(&plain).await.unwrap().unwrap();
        assert!(KeyRecord::check(Some(&record), &plain, now()).is_ok());
        (record.environment, record.scopes.to_string())
    }

    #[tokio::test]
    async fn the_demo_client_is_made_once_and_follows_the_port() {
        let (_embedded, store) = empty_store().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("demo.json");
        let first = demo(&store, &file, "http://127.0.0.1:1", now()).await.unwrap();
        let again = demo(&store, &file, "http://127.0.0.1:2", now()).await.unwrap();
        assert_eq!(again, Demo { base_url: "http://127.0.0.1:2".to_owned(), ..first });
        assert_eq!(serde_json::from_slice::<Demo>(&std::fs::read(&file).unwrap()).unwrap(), again);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn the_keys_are_in_the_store_with_their_scopes() {
        let (_embedded, store) = empty_store().await;
        let folder = tempfile::tempdir().unwrap();
        let demo = demo(&store, &folder.path().join("demo.json"), "", now()).await.unwrap();
        let sorted = |scopes: &str| ScopeSet::parse(scopes).unwrap().to_string();
        assert_eq!(scopes(&store, &demo.api_key).await, (Environment::Live, sorted(SCOPES)));
        assert_eq!(scopes(&store, &demo.test_key).await, (Environment::Test, sorted(SCOPES)));
        assert_eq!(scopes(&store, &demo.admin_key).await, (Environment::Live, "admin".to_owned()));
    }

    #[tokio::test]
    async fn a_demo_key_that_was_revoked_is_replaced_and_the_others_stay() {
        let (_embedded, store) = empty_store().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("demo.json");
        let first = demo(&store, &file, "", now()).await.unwrap();
        let client = ClientId::parse(&first.client_id).unwrap();
        let revoked = PlainKey::parse(&first.api_key).unwrap().id();
        store.key_revoke(&client, &revoked, &by(&UserId::random(), now())).await.unwrap();
        let second = demo(&store, &file, "", now()).await.unwrap();
        assert_ne!(second.api_key, first.api_key);
        scopes(&store, &second.api_key).await;
        assert_eq!(second, Demo { api_key: second.api_key.clone(), ..first });
    }

    #[tokio::test]
    async fn a_store_that_does_not_know_the_demo_client_gets_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("demo.json");
        let (_embedded, store) = empty_store().await;
        let first = demo(&store, &file, "", now()).await.unwrap();
        let (_embedded, other) = empty_store().await;
        let second = demo(&other, &file, "", now()).await.unwrap();
        assert_ne!(first.client_id, second.client_id);
        scopes(&other, &second.api_key).await;
    }
}
