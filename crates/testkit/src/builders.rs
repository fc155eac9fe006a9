//! Keys and times.

use std::time::Duration;

use domain::{Client, Environment, KeyKind, KeyRecord, Moment, PlainKey, ScopeSet, SecretVersion, Timestamp, UserId};
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
        let record = KeyRecord {
            id: plain.id(),
            client_id: client.id.clone(),
            name: "production".to_owned(),
            kind: KeyKind::Workspace(client.default_workspace_id.clone()),
            environment,
            prefix: environment.default_prefix(),
            hash: plain.hash(),
            secret_version: SecretVersion(1),
            scopes: ScopeSet::parse(scopes).unwrap(),
            billed_to: UserId::random(),
            created_at: now(),
            created_by: UserId::random().to_string(),
            expires_at: None,
            revoked_at: None,
        };
        Self { plain, record }
    }

    /// Stores the record.
    pub async fn stored(self, store: &Store) -> Self {
        store.key_create(&self.record).await.unwrap();
        self
    }
}
