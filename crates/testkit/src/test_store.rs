//! A fresh embedded store.

use std::path::Path;

use domain::Client;
use embedded::Embedded;
use serde_json::{Map, Value, json};
use store::{Config, Store, Table};
use template::Template;

use crate::builders::account;
use crate::faults::Faults;

/// A fresh store in memory, with the tables of `template.yaml`, reached through a proxy that counts and disturbs.
#[derive(Debug)]
pub struct TestStore {
    /// The store under test.
    pub store: Store,
    /// What the proxy has counted, and what it does to the next calls.
    pub faults: Faults,
    endpoint: String,
    embedded: Embedded,
}

impl TestStore {
    /// Starts one.
    pub async fn start() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let template = Template::load(path).unwrap();
        let embedded = Embedded::start(None, &template).await.unwrap();
        let (faults, endpoint) = Faults::start(embedded.endpoint()).await;
        let store = connect(&endpoint).await;
        Self { store, faults, endpoint, embedded }
    }

    /// Another connection to the same tables, as another process would have.
    pub async fn another_connection(&self) -> Store {
        connect(&self.endpoint).await
    }

    /// A store where none answers.
    pub async fn unreachable() -> Store {
        // The port was free a moment ago, and nobody listens there now.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        connect(&format!("http://{free}")).await
    }

    /// Puts an item as no code of the project would write it.
    pub fn put_raw(&self, table: &str, strings: &[(&str, &str)], numbers: &[(&str, u64)]) {
        let strings = strings.iter().map(|(name, value)| ((*name).to_owned(), json!({"S": value})));
        let numbers = numbers.iter().map(|(name, value)| ((*name).to_owned(), json!({"N": value.to_string()})));
        let item: Map<String, Value> = strings.chain(numbers).collect();
        self.embedded.put_item(json!({"TableName": table, "Item": item})).unwrap();
    }

    /// A client with an owner and a `default` workspace.
    pub async fn client(&self) -> Client {
        let account = account(&format!("{}@example.com", domain::random::base62(12)));
        self.store.client_create(&account.client, &account.owner, &account.workspace).await.unwrap();
        account.client
    }
}

async fn connect(endpoint: &str) -> Store {
    let names = [
        (Table::Keys, "KeysTable"),
        (Table::Directory, "DirectoryTable"),
        (Table::Signing, "SigningTable"),
        (Table::Usage, "UsageTable"),
    ];
    let config = Config::new(names.map(|(table, name)| (table, name.to_owned())));
    Store::connect_embedded(endpoint, config).await
}
