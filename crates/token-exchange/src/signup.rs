//! `POST /auth/signup` (Simbee): a new client, its first owner, its default workspace, and a token to begin with.

use std::collections::BTreeMap;

use domain::{
    Act, Action, Client, ClientId, ClientSettings, Deed, Email, Moment, Password, PasswordHash, PlainKey, Role,
    ScopeSet, User, UserId, UserStatus, Workspace, WorkspaceRole, random,
};
use edge::{ApiError, Reply, Request, StatusCode};
use login::attempts;
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::account_change::{AccountChange, AccountChanged, Edit};

use crate::session::{LOGIN_LIFETIME, UserView};
use crate::{App, session};

/// How often another slug is tried where one is taken.
const SLUG_ATTEMPTS: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignUpForm {
    email: String,
    password: String,
    company_name: String,
}

#[derive(Serialize)]
struct SignUpAnswer<'a> {
    client: NewClient<'a>,
    user: UserView<'a>,
    token: String,
    scopes: ScopeSet,
    expires_in: i64,
}

#[derive(Serialize)]
struct NewClient<'a> {
    id: &'a ClientId,
    slug: &'a str,
    name: &'a str,
    status: &'static str,
    tier: &'static str,
}

/// Signs up.
pub(crate) async fn signup(app: &App, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    if app.sign_ups_per_hour == 0 {
        return Err(ApiError::Forbidden("Sign-up is closed".to_owned()));
    }
    let form: SignUpForm = edge::json(request)?;
    let bad = |message: &str| ApiError::BadRequest(message.to_owned());
    let email = Email::parse(&form.email).ok_or_else(|| bad("`email` must be an e-mail address"))?;
    let password = Password::new(&form.password).map_err(|problem| bad(&format!("`password`: {problem}")))?;
    let name = form.company_name.trim();
    if name.is_empty() || name.chars().count() > Client::MAX_NAME || name.chars().any(char::is_control) {
        return Err(bad("`company_name` must have 1 to 100 printable characters"));
    }
    if PlainKey::is_in(name) {
        return Err(bad("`company_name` holds an API key, and names are shown"));
    }
    let source = request.source_address();
    // Each makes a client, and each that is refused tells whether an address is known.
    attempts::hourly(&app.store, "sign-ups", app.sign_ups_per_hour, source, now.timestamp()).await?;
    // Looked up before the hashing, which costs more; the transaction below decides.
    if app.store.user_by_email(&email).await?.is_some() {
        return Err(taken());
    }
    let hash = login::hash(password).await?;
    let (client_id, owner_id, created_at) = (ClientId::random(), UserId::random(), now.timestamp());
    let workspace = Workspace::new(client_id.clone(), Workspace::DEFAULT.to_owned(), owner_id.clone(), created_at);
    let owner = User {
        id: owner_id,
        client_id: client_id.clone(),
        email,
        role: Role::Owner,
        status: UserStatus::Active,
        workspaces: BTreeMap::from([(workspace.id.clone(), WorkspaceRole::Owner)]),
        created_at,
        revision: 0,
    };
    let client = Client {
        id: client_id,
        name: name.to_owned(),
        slug: Client::slug_of(name),
        owner_user_id: owner.id.clone(),
        default_workspace_id: workspace.id.clone(),
        created_at,
        settings: ClientSettings::default(),
        owners: 1,
        revision: 0,
    };
    // Whoever can't be given a token is not signed up either.
    app.signing_key.ready(&app.identity, now).await?;
    let act = Act { actor: (&owner.id).into(), address: source.map(|address| address.to_string()), at: created_at };
    let client = create(app, client, &owner, workspace, hash, &act).await?;
    if let Some(address) = source.map(attempts::throttled_address)
        && let Err(error) = app.store.known_address_add(&owner.id, &address, created_at).await
    {
        // The account is made: what could not be noted is no reason to say otherwise.
        tracing::warn!(%error, "the address of a sign-up could not be noted");
    }
    let scopes = owner.role.scopes();
    let token = session::token(app, &owner, &client, scopes.clone(), now).await?;
    let answer = SignUpAnswer {
        client: NewClient {
            id: &client.id,
            slug: &client.slug,
            name: &client.name,
            status: "active",
            tier: "standard",
        },
        user: UserView::of(&owner),
        token,
        scopes,
        expires_in: LOGIN_LIFETIME,
    };
    Ok(edge::with_status(StatusCode::CREATED, &answer))
}

/// Makes the client, under another slug where its own is taken.
async fn create(
    app: &App,
    mut client: Client,
    owner: &User,
    workspace: Workspace,
    password: PasswordHash,
    act: &Act,
) -> Result<Client, ApiError> {
    let plain = client.slug.clone();
    let mut change = AccountChange {
        users: vec![Edit::New(owner.clone())],
        workspaces: vec![Edit::New(workspace)],
        password: Some((owner.id.clone(), password)),
        ..AccountChange::default()
    };
    for _ in 0..SLUG_ATTEMPTS {
        change.client = Some(Edit::New(client.clone()));
        let deed = Deed::new(Action::UserJoined, &owner.id).with("role", owner.role);
        match app.store.account_change(&client.id, &change, vec![deed], act, None).await? {
            AccountChanged::Done => return Ok(client),
            AccountChanged::EmailTaken => return Err(taken()),
            AccountChanged::SlugTaken => {
                client.slug = format!("{plain}-{}", random::base62(6).to_lowercase());
            }
            // New ids are nobody's.
            AccountChanged::Outdated | AccountChanged::AnsweredBefore => break,
        }
    }
    Err(StoreError::Contended.into())
}

fn taken() -> ApiError {
    ApiError::Conflict("This e-mail address has an account already".to_owned())
}
