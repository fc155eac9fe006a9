//! An identity over a fresh store, with a signing key that is published there.

use domain::{Access, Claims, Client, Moment, grant};
use identity::{Credential, Identity, Principal, Refusal};
use signing::{Algorithm, Signer};
use testkit::{ISSUER, TestKey, TestStore, audience, now, published_signer};

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) client: Client,
    pub(crate) identity: Identity,
    pub(crate) signer: Signer,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let test = TestStore::start().await;
        let client = test.client().await;
        let signer = published_signer(&test.store, Algorithm::Es256).await;
        let identity = Identity::new(test.store.clone(), audience());
        Self { test, client, identity, signer }
    }

    pub(crate) async fn key(&self, scopes: &str) -> TestKey {
        TestKey::new(&self.client, scopes).stored(&self.test.store).await
    }

    /// A token of `key` for all its scopes.
    pub(crate) fn token(&self, key: &TestKey) -> String {
        self.signer.sign(&Self::claims(key)).unwrap()
    }

    pub(crate) fn claims(key: &TestKey) -> Claims {
        let access = Access::built_in().unwrap();
        grant(Some(&key.record), &key.plain, None, 900, &access, now()).unwrap().claims(ISSUER)
    }

    pub(crate) async fn by_key(&self, key: &TestKey, at: Moment) -> Result<Principal, Refusal> {
        self.identity.principal(&Credential::Key(key.plain.clone()), at).await
    }

    pub(crate) async fn by_token(&self, token: &str, at: Moment) -> Result<Principal, Refusal> {
        let header = format!("Bearer {token}");
        self.identity.principal(&Credential::from_authorization(&header).unwrap(), at).await
    }

    /// The calls that the store has seen since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<(String, usize)> {
        let counts = self.test.faults.counts().into_iter().collect();
        self.test.faults.reset_counts();
        counts
    }
}
