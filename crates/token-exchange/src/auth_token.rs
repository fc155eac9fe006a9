//! `POST /auth/token`: a key for a token (SIMCEL), or a password for one (Simbee). Which of them the body's members say.

use domain::{Moment, ScopeSet, WorkspaceId};
use edge::{ApiError, Reply, Request};
use serde::Deserialize;

use crate::exchange::Asked;
use login::Account;

use crate::login::log_in;
use crate::{App, exchange};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(rename = "apiKey")]
    api_key: Option<String>,
    scopes: Option<ScopeSet>,
    workspace_id: Option<WorkspaceId>,
    email: Option<String>,
    client_id: Option<String>,
    user_id: Option<String>,
    password: Option<String>,
}

/// Reads the form and does what it asks for.
pub(crate) async fn auth_token(app: &App, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    match edge::json(request)? {
        Form { api_key: Some(api_key), scopes, workspace_id, email: None, client_id: None, user_id: None, password: None } => {
            let address = request.source_address();
            let asked = Asked { scopes: scopes.as_ref(), workspace: workspace_id, address };
            exchange::simcel(app, &api_key, asked, now).await
        }
        Form { api_key: None, scopes: None, workspace_id: None, email: Some(email), client_id: None, user_id: None, password: Some(password) } => {
            log_in(app, &Account::Email(&email), &password, request.source_address(), now).await
        }
        Form {
            api_key: None,
            scopes: None,
            workspace_id: None,
            email: None,
            client_id: Some(client_id),
            user_id: Some(user_id),
            password: Some(password),
        } => {
            let account = Account::User { client_id: &client_id, user_id: &user_id };
            log_in(app, &account, &password, request.source_address(), now).await
        }
        _ => Err(ApiError::BadRequest(
            "Give `apiKey`, or `email` and `password`, or `client_id`, `user_id` and `password`, and nothing of another"
                .to_owned(),
        )),
    }
}
