//! Which tables a function touches, and what they are called.

use std::collections::BTreeMap;

use crate::error::StoreError;

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Key records and the change feed.
    Keys,
    /// Clients, users, workspaces, and what belongs to logins.
    Directory,
    /// Signing keys.
    Signing,
    /// Usage counters.
    Usage,
    /// The audit log.
    Audit,
}

impl Table {
    /// The environment variable that names the table.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Keys => "KEYGATE_TABLE_KEYS",
            Self::Directory => "KEYGATE_TABLE_DIRECTORY",
            Self::Signing => "KEYGATE_TABLE_SIGNING",
            Self::Usage => "KEYGATE_TABLE_USAGE",
            Self::Audit => "KEYGATE_TABLE_AUDIT",
        }
    }
}

/// The names of the tables that a function touches; any other is an error at its first use.
#[derive(Clone, Debug)]
pub struct Config {
    names: BTreeMap<Table, String>,
}

impl Config {
    /// Takes names as they are.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = (Table, String)>) -> Self {
        Self { names: names.into_iter().collect() }
    }

    /// Reads the names of `tables` from the environment.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] where one has no name: the function must not start.
    pub fn from_env(tables: &[Table]) -> Result<Self, StoreError> {
        let names = tables.iter().map(|table| match std::env::var(table.variable()) {
            Ok(name) if !name.is_empty() => Ok((*table, name)),
            _ => Err(StoreError::Misconfigured(*table)),
        });
        Ok(Self { names: names.collect::<Result<_, _>>()? })
    }

    pub(crate) fn name(&self, table: Table) -> Result<&str, StoreError> {
        self.names.get(&table).map(String::as_str).ok_or(StoreError::Misconfigured(table))
    }
}
