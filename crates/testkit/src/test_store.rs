//! A fresh store.

use domain::Client;
use serde_json::{Map, Value, json};
use store::{Config, Store, Table};

use crate::builders::{TestAccount, account};
use crate::faults::Faults;
use crate::server::Server;

/// A fresh store with the tables of `template.yaml`, reached through a proxy that counts and disturbs: embedded and in
/// memory, or in tables of its own on the server that [`STORE_VARIABLE`](crate::STORE_VARIABLE) names.
#[derive(Debug)]
pub struct TestStore {
    /// The store under test.
    pub store: Store,
    /// What the proxy has counted, and what it does to the next calls.
    pub faults: Faults,
    endpoint: String,
    server: Server,
}

impl TestStore {
    /// Starts one.
    pub async fn start() -> Self {
        let server = Server::start().await;
        let (faults, endpoint) = Faults::start(server.endpoint()).await;
        let store = connect(&endpoint, |name| server.table_name(name));
        Self { store, faults, endpoint, server }
    }

    /// Another connection to the same tables, as another process would have.
    #[must_use]
    pub fn another_connection(&self) -> Store {
        connect(&self.endpoint, |name| self.server.table_name(name))
    }

    /// A store where none answers.
    #[must_use]
    pub fn unreachable() -> Store {
        // The port was free a moment ago, and nobody listens there now.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        connect(&format!("http://{free}"), str::to_owned)
    }

    /// Puts an item as no code of the project would write it; `table` is the template's name for its table.
    pub fn put_raw(&self, table: &str, strings: &[(&str, &str)], numbers: &[(&str, u64)]) {
        let strings = strings.iter().map(|(name, value)| ((*name).to_owned(), json!({"S": value})));
        let numbers = numbers.iter().map(|(name, value)| ((*name).to_owned(), json!({"N": value.to_string()})));
        let item: Map<String, Value> = strings.chain(numbers).collect();
        self.server.put_item(json!({"TableName": self.server.table_name(table), "Item": item}));
    }

    /// A client with an owner and a `default` workspace.
    pub async fn client(&self) -> Client {
        self.account().await.client
    }

    /// The same, with all that belongs to it.
    pub async fn account(&self) -> TestAccount {
        account(&format!("{}@example.com", domain::random::base62(12))).stored(&self.store).await
    }
}

/// `called` says what the table of a name in the template is called.
fn connect(endpoint: &str, called: impl Fn(&str) -> String) -> Store {
    let names = [
        (Table::Keys, "KeysTable"),
        (Table::Directory, "DirectoryTable"),
        (Table::Signing, "SigningTable"),
        (Table::Usage, "UsageTable"),
        (Table::Audit, "AuditTable"),
    ];
    let config = Config::new(names.map(|(table, name)| (table, called(name))));
    Store::connect_embedded(endpoint, config)
}
