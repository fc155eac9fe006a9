//! `authorize`: where people say yes or no to apps, and where apps register themselves.

use std::sync::Arc;

use authorize::{App, Cookies, Documents, handle};
use domain::Access;
use edge::{Clock, Error};
use identity::Identity;
use outbound::{Outbound, Reach};
use signing::Audience;
use store::{Config, Store, Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    let clock = Clock::new();
    let issuer = edge::base_url()?;
    let store = Store::connect(Config::from_env(&[Table::Keys, Table::Directory, Table::Audit])?)?;
    let app = App {
        identity: Identity::new(store.clone(), Audience { issuer: issuer.clone(), resource: issuer.clone() })
            .within(edge::revocation_bound()?),
        store,
        access: Access::built_in()?,
        cookies: Cookies::new(&issuer),
        issuer: issuer.clone(),
        registrations_per_hour: edge::per_hour("KEYGATE_REGISTRATIONS_PER_HOUR")?,
        documents: Documents::new(
            Outbound::new(Reach::of(&issuer)),
            edge::per_hour("KEYGATE_CLIENT_DOCUMENTS_PER_HOUR")?,
        ),
    };
    edge::run(Arc::new(app), &issuer, clock, handle).await?;
    Ok(())
}
