//! The DynamoDB tables: one concrete [`Store`], a file per entity, methods noun first.
//!
//! It is no trait: the bugs of a store live in its conditions, transactions, indexes and expiry, which a fake hides.
//! No AWS type is in a public signature. Time is an argument.
//!
//! | table | items (`pk` / `sk`) | file |
//! |---|---|---|
//! | keys | `KEY#<key>` / `KEY`; index `by_client` | [`keys`], [`key_list`] |
//! | keys | `FEED` / `<sequence>` and `HEAD` | [`feed`] |
//! | keys | `PATTERN` / `<client>#<place>`; `HASH#<hash>` / `KEY` | [`import`] |
//! | keys | `AGENTS#<client>` / `AGENT#<agent>`; `AGENT#<token>` / `TOKEN` | [`agents`] |
//! | keys | `REVOKED#<client id>` / `<end>#<token id>`, `#<hour>#<holder>` | `revoked` |
//! | directory | `CLIENT#<client>` / `CLIENT`; `SLUG#<slug>` / `SLUG` | `clients` |
//! | directory | `CLIENT#<client>` / `USER#<user>`; `EMAIL#<address>` / `EMAIL`; `KNOWN#<user>` / `<address>` | `users` |
//! | directory | `CLIENT#<client>` / `WORKSPACE#<workspace>`; `WORKSPACE#<workspace>` / `MEMBER#<user>` | [`workspaces`] |
//! | directory | `PASSWORD#<user>` / `PASSWORD` | `passwords` |
//! | directory | `INVITE#<hash>` / `INVITE` | [`invites`] |
//! | directory | `APP#<app>` / `APP`; `CLIENT#<client>` / `APP#<app>` | [`apps`] |
//! | directory | `CODE#<hash>` / `CODE`; `GRANT#<grant>` / `GRANT` | [`grants`] |
//! | directory | `GRANTS#<user>` / `GRANT#<grant>` | [`grant_list`] |
//! | directory | `SESSION#<hash>` / `SESSION` | [`sessions`] |
//! | directory | `REPLAY#<client>#<hash>` / `REPLAY` | [`replay`] |
//! | directory | `THROTTLE#<subject>` / `THROTTLE` | [`throttle`] |
//! | signing | `PUBLIC` / `<kid>`, `PRIVATE` / `<kid>`, `STATE` / `KEYS` | [`signing_keys`] |
//! | usage | `KEY#<key>` / `<hour>#<writer>` | [`usage`] |
//! | usage | `USED#<client>` / `<key>` | `last_used` |
//! | audit | `CHAIN#<client>` / `<sequence>` and `HEAD`, `STREAM#<client>#<actor>` / `<time>#<event>`; index `by_client` | [`audit`] |

pub mod account_change;
pub mod agents;
pub mod apps;
pub mod audit;
mod calls;
mod change;
mod clients;
mod config;
mod error;
pub mod feed;
pub mod grant_list;
pub mod grants;
pub mod import;
pub mod invites;
mod item;
pub mod key_list;
pub mod keys;
mod last_used;
mod page;
mod passwords;
pub mod replay;
mod retry;
pub mod revoked;
pub mod sessions;
pub mod signing_keys;
pub mod throttle;
pub mod usage;
mod usage_buffer;
mod users;
pub mod workspaces;

pub use config::{Config, Table};
pub use error::StoreError;
pub use page::Page;
pub use usage_buffer::{FLUSH_INTERVAL, UsageBuffer};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;

/// The tables that a function may touch. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    config: Config,
}

impl Store {
    /// Prepares the client; nothing is sent. Region, credentials and endpoint come from the environment
    /// (`AWS_ENDPOINT_URL_DYNAMODB` for a store that is not Amazon's).
    ///
    /// # Errors
    /// [`StoreError::Environment`].
    pub fn connect(config: Config) -> Result<Self, StoreError> {
        Ok(Self::over(&aws::connect("AWS_ENDPOINT_URL_DYNAMODB")?, config))
    }

    /// Prepares the client for a store at `endpoint` that asks for no real credentials: the embedded one.
    #[must_use]
    pub fn connect_embedded(endpoint: &str, config: Config) -> Self {
        Self::over(&aws::connect_emulated(endpoint, "local"), config)
    }

    fn over(shared: &aws::SdkConfig, config: Config) -> Self {
        let client = Client::from_conf(Builder::from(shared).interceptor(aws::UserAgent).build());
        Self { client, config }
    }

    fn table(&self, table: Table) -> Result<&str, StoreError> {
        self.config.name(table)
    }
}
