//! Apps, wherever they are described.

use domain::AppId;

use crate::App;
use crate::stop::Stop;

/// The app of an id, if there is one. Documents that describe an app at the address that is its id are not read yet: such an
/// app is unknown.
pub(crate) async fn find(app: &App, id: &AppId) -> Result<Option<domain::App>, Stop> {
    if id.document().is_some() {
        return Ok(None);
    }
    Ok(app.store.app_by_id(id).await?)
}
