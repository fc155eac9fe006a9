//! A web server of a stranger, over TLS, with an authority of its own behind its certificate.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// A server on loopback whose certificate is for `localhost`, 127.0.0.1 and `::1`.
#[derive(Debug)]
pub struct TlsServer {
    /// Its port.
    pub port: u16,
    /// The authority that its certificate is from, as PEM: nobody trusts it who is not told to.
    pub authority: String,
    task: JoinHandle<()>,
}

impl TlsServer {
    /// Serves `router`.
    pub async fn start(router: Router) -> Self {
        let (config, authority) = certified();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = TlsListener { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, authority, task }
    }

    /// The address of something on it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Its authority, for a client to trust.
    #[must_use]
    pub fn root(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.authority.as_bytes()).unwrap()
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a server shows, and the authority behind it.
fn certified() -> (ServerConfig, String) {
    let mut authority = CertificateParams::default();
    // Another name than the certificate's: OpenSSL would take that for one that has signed itself.
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "An authority of tests");
    authority.distinguished_name = name;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap(), authority.pem())
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            // Whoever does not trust this server breaks off here.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
