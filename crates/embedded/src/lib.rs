//! The DynamoDB-compatible server (dynoxide, on SQLite) that stands in for Amazon's on one machine and in tests, with
//! the tables of `template.yaml`.

use std::net::SocketAddr;
use std::path::Path;

use dynoxide::{Database, ImportOptions};
use template::Template;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Why the embedded store can't be used.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// The database itself.
    #[error("the embedded store failed: {0}")]
    Database(String),
    /// A table of the template that the store can't make.
    #[error("table {table} can't be made: {reason}")]
    Table {
        /// Its logical id.
        table: String,
        /// What the store says.
        reason: String,
    },
    /// The template's tables can't be read.
    #[error(transparent)]
    Template(#[from] template::Error),
    /// No port could be had.
    #[error("the embedded store can't listen: {0}")]
    Listen(#[from] std::io::Error),
}

/// An embedded store, and its server.
pub struct Embedded {
    database: Database,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Embedded {
    /// Opens the database in the file at `path`, or a new one in memory, makes the tables of `template` that are
    /// missing, and serves it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`EmbeddedError`].
    pub async fn start(path: Option<&Path>, template: &Template) -> Result<Self, EmbeddedError> {
        let opened = match path {
            Some(path) => Database::new(&path.to_string_lossy()),
            None => Database::memory(),
        };
        let database = opened.map_err(|error| EmbeddedError::Database(error.to_string()))?;
        make_tables(&database, template)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        Ok(Self { database, address, server })
    }

    /// Where it answers: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an item, in the form of a `PutItem` call: what a test needs that damages a table.
    ///
    /// # Errors
    /// [`EmbeddedError::Database`].
    pub fn put_item(&self, request: serde_json::Value) -> Result<(), EmbeddedError> {
        let wrong = |reason: String| EmbeddedError::Database(reason);
        let request = serde_json::from_value(request).map_err(|error| wrong(error.to_string()))?;
        self.database.put_item(request).map_err(|error| wrong(error.to_string()))?;
        Ok(())
    }

    /// Puts many items into a table, all or none, past everything that would count or check them one by one: what a
    /// measurement needs that fills a table.
    ///
    /// # Errors
    /// [`EmbeddedError::Database`].
    pub fn import_items(&self, table: &str, items: serde_json::Value) -> Result<usize, EmbeddedError> {
        let wrong = |reason: String| EmbeddedError::Database(reason);
        let items = serde_json::from_value(items).map_err(|error| wrong(error.to_string()))?;
        let imported = self.database.import_items(table, items, ImportOptions::default());
        imported.map(|it| it.items_imported).map_err(|error| wrong(error.to_string()))
    }

    /// Removes what has expired; Amazon does that by itself, this server when it is told to.
    ///
    /// # Errors
    /// [`EmbeddedError::Database`].
    pub fn sweep(&self) -> Result<usize, EmbeddedError> {
        self.database.sweep_ttl().map_err(|error| EmbeddedError::Database(error.to_string()))
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn make_tables(database: &Database, template: &Template) -> Result<(), EmbeddedError> {
    for table in template.tables()? {
        let name = &table.logical_id;
        let wrong = |reason: String| EmbeddedError::Table { table: name.clone(), reason };
        let known = database.get_table_metadata(name).map_err(|error| wrong(error.to_string()))?;
        if known.is_some() {
            continue;
        }
        let create = serde_json::from_value(table.create_table_request()).map_err(|error| wrong(error.to_string()))?;
        database.create_table(create).map_err(|error| wrong(error.to_string()))?;
        if let Some(request) = table.time_to_live_request() {
            let expiry = serde_json::from_value(request).map_err(|error| wrong(error.to_string()))?;
            database.update_time_to_live(expiry).map_err(|error| wrong(error.to_string()))?;
        }
    }
    Ok(())
}
