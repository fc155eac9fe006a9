//! An identity over a fresh store, with a signing key that is published there.

use domain::{Claims, Client, Moment, PresentedKey, Workspace};
use identity::{Call, Credential, Identity, Named, Principal, Refusal};
use signing::{Algorithm, KeyMaterial, Signer};
use store::revoked::{Ending, TokenEnd};
use testkit::{TestAccount, TestKey, TestStore, act, audience, now, published_signer};

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) account: TestAccount,
    pub(crate) client: Client,
    pub(crate) identity: Identity,
    pub(crate) signer: Signer,
}

/// A call from nowhere that names no workspace.
pub(crate) fn call(credential: Credential<'_>) -> Call<'_> {
    Call { credential, address: None, workspace: Named::None }
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let mut setup = Self::without_signing_key().await;
        setup.signer = published_signer(&setup.test.store, Algorithm::Es256).await;
        setup
    }

    /// Its signer's key is published nowhere.
    pub(crate) async fn without_signing_key() -> Self {
        let test = TestStore::start().await;
        let account = test.account().await;
        let signer = Signer::new(&KeyMaterial::generate(Algorithm::Es256).unwrap()).unwrap();
        let identity = Identity::new(test.store.clone(), audience());
        Self { test, client: account.client.clone(), account, identity, signer }
    }

    pub(crate) async fn key(&self, scopes: &str) -> TestKey {
        TestKey::new(&self.client, scopes).stored(&self.test.store).await
    }

    /// A token of `key` for all its scopes.
    pub(crate) fn token(&self, key: &TestKey) -> String {
        self.signer.sign(&self.claims(key)).unwrap()
    }

    pub(crate) fn claims(&self, key: &TestKey) -> Claims {
        key.claims_in(&self.account.workspace)
    }

    pub(crate) fn token_in(&self, key: &TestKey, workspace: &Workspace) -> String {
        self.signer.sign(&key.claims_in(workspace)).unwrap()
    }

    pub(crate) async fn by_key(&self, key: &TestKey, at: Moment) -> Result<Principal, Refusal> {
        self.identity.principal(&call(Credential::Key(PresentedKey::Own(key.plain.clone()))), at).await
    }

    /// With `X-Workspace-ID`.
    pub(crate) async fn by_key_in(&self, key: &TestKey, workspace: &str, at: Moment) -> Result<Principal, Refusal> {
        let credential = Credential::Key(PresentedKey::Own(key.plain.clone()));
        let call = Call { credential, address: None, workspace: Named::parse(workspace) };
        self.identity.principal(&call, at).await
    }

    pub(crate) async fn by_token(&self, token: &str, at: Moment) -> Result<Principal, Refusal> {
        let header = format!("Bearer {token}");
        self.identity.principal(&call(Credential::from_authorization(&header).unwrap()), at).await
    }

    /// Ends a token before its time.
    pub(crate) async fn end_token(&self, token: &str) {
        let ending = Ending { client: &self.client.id, token, ends: now().plus(900), holder: "somebody" };
        assert_eq!(self.test.store.revoked_add(ending, &act()).await.unwrap(), TokenEnd::Ended);
    }

    /// The calls that the store has seen since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<(String, usize)> {
        let counts = self.test.faults.counts().into_iter().collect();
        self.test.faults.reset_counts();
        counts
    }
}
