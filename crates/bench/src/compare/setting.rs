//! What all subjects share: the store with what is in it, the ways to it, the programs, a JWK set for the peers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tempfile::TempDir;
use testkit::TlsServer;

use crate::compare::install::{self, Installed};
use crate::counted::Counted;
use crate::failure::Failure;
use crate::fixture::Fixture;
use crate::process;
use crate::program::{Program, build_floor, build_functions};
use crate::store_process::StoreProcess;

/// The programs of this project.
pub(super) struct Programs {
    pub(super) authorizer: Program,
    pub(super) token_exchange: Program,
    pub(super) jwks: Program,
    pub(super) echo: PathBuf,
    pub(super) own_echo: PathBuf,
    pub(super) get_item: PathBuf,
    pub(super) verify: PathBuf,
    pub(super) jsonwebtoken: PathBuf,
}

/// Whatever ends last comes last.
pub(super) struct Setting {
    pub(super) fixture: Fixture,
    pub(super) programs: Programs,
    pub(super) peers: Option<Installed>,
    /// Where peers fetch the JWK set, over TLS.
    pub(super) jwk_set: TlsServer,
    /// The way to the store over TLS.
    pub(super) tls: Arc<Counted>,
    folder: TempDir,
    stored: StoreProcess,
}

impl Setting {
    /// Builds and fills everything, and installs the peers where they are wanted.
    pub(super) async fn start(peers: bool) -> Result<Self, Failure> {
        build_functions().await?;
        let compared = ["floor-echo", "floor-own-echo", "floor-get-item", "floor-verify", "peer-jsonwebtoken"];
        let [echo, own_echo, get_item, verify, jsonwebtoken] = build_floor(compared).await?;
        let peers = if peers { Some(install::peers().await?) } else { None };
        // Only what was started before may use several.
        process::stay_on_one_processor()?;
        let folder = tempfile::Builder::new().prefix("keygate-bench-").tempdir()?;
        let stored = StoreProcess::start(&folder.path().join("keygate.db"))?;
        let fixture = Fixture::stored(stored.endpoint()).await?;
        let tls = Arc::new(Counted::start_tls(stored.endpoint(), &folder.path().join(ROOTS)).await?);
        let jwk_set = serve(fixture.jwks()?).await;
        std::fs::write(folder.path().join(JWK_SET_ROOT), &jwk_set.authority)?;
        std::fs::write(folder.path().join(JWK_SET_ROOTS), crate::counted::with_system_roots(&jwk_set.authority))?;
        let function = async |name| Program::build(name, stored.endpoint(), &fixture.master_key).await;
        let programs = Programs {
            authorizer: function("authorizer").await?,
            token_exchange: function("token-exchange").await?,
            jwks: function("jwks").await?,
            echo,
            own_echo,
            get_item,
            verify,
            jsonwebtoken,
        };
        Ok(Self { fixture, programs, peers, jwk_set, tls, folder, stored })
    }

    /// A way to the store that counts.
    pub(super) async fn way(&self) -> Result<Arc<Counted>, Failure> {
        Ok(Arc::new(Counted::start(self.stored.endpoint()).await?))
    }

    /// The store itself.
    pub(super) fn store(&self) -> &str {
        self.stored.endpoint()
    }

    /// The roots by which the way over TLS is trusted, beside all that the system has.
    pub(super) fn roots(&self) -> PathBuf {
        self.folder.path().join(ROOTS)
    }

    /// The authority of the JWK set's server alone, and among all that the system has.
    pub(super) fn jwk_set_roots(&self) -> [PathBuf; 2] {
        [JWK_SET_ROOT, JWK_SET_ROOTS].map(|file| Path::new(self.folder.path()).join(file))
    }
}

const ROOTS: &str = "roots.pem";
const JWK_SET_ROOT: &str = "jwk-set-root.pem";
const JWK_SET_ROOTS: &str = "jwk-set-roots.pem";

/// The path of the JWK set.
pub(super) const JWK_SET: &str = "/.well-known/jwks.json";

async fn serve(jwk_set: String) -> TlsServer {
    let answer = move || std::future::ready(([(CONTENT_TYPE, "application/json")], jwk_set.clone()));
    TlsServer::start(Router::new().route(JWK_SET, get(answer))).await
}
