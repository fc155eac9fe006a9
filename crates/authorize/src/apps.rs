//! Apps, wherever they are described.

use domain::{AppId, Moment};
use edge::Request;

use crate::App;
use crate::stop::Stop;

/// The app of an id, if there is one.
pub(crate) async fn find(app: &App, id: &AppId, request: &Request, now: Moment) -> Result<Option<domain::App>, Stop> {
    match id.document() {
        None => Ok(app.store.app_by_id(id).await?),
        Some(url) => {
            let source = request.source_address();
            Ok(app.documents.app(id, url, (&app.store, &app.access), source, now.timestamp()).await?)
        }
    }
}
