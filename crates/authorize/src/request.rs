//! An authorization request (RFC 6749, section 4.1.1; RFC 7636, section 4.3; RFC 8707, section 2).

use domain::app_grant::is_challenge;
use domain::{AppId, GrantType, Moment, Resource, ScopeSet};
use edge::{Parameters, Request};
use url::form_urlencoded;

use crate::pages::Fields;
use crate::redirect::Target;
use crate::stop::Stop;
use crate::{App, apps, scopes};

/// The parameters that are known, in the order in which the pages carry them on.
const KNOWN: [&str; 9] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "response_mode",
];
/// The longest state, in characters.
const MAX_STATE: usize = 1024;

/// What an app asks for.
pub(crate) struct Asked {
    /// The app.
    pub(crate) by: domain::App,
    /// Where it is answered to.
    pub(crate) target: Target,
    /// Its S256 challenge.
    pub(crate) challenge: String,
    /// What it asks for, of what it may ask for.
    pub(crate) scopes: ScopeSet,
    /// For whom the tokens are to be.
    pub(crate) resource: Option<Resource>,
    /// The request's parameters, for the forms of the pages.
    pub(crate) fields: Fields,
}

impl Asked {
    /// Reads a request, from a query or from a form that carries it on. What is wrong with the app or with where it wants to
    /// be answered comes first, and is shown to the person; everything else is told to the app.
    pub(crate) async fn read(app: &App, parameters: &Parameters, request: &Request, now: Moment) -> Result<Self, Stop> {
        let bad = Stop::bad;
        let id = parameters.one("client_id")?.ok_or_else(|| bad("The app does not say which one it is."))?;
        let redirect_uri = parameters
            .one("redirect_uri")?
            .ok_or_else(|| bad("The app does not say where it wants to be answered."))?;
        let id = AppId::parse(id).ok_or_else(|| bad("No such app is known here."))?;
        let by = apps::find(app, &id, request, now).await?.ok_or_else(|| bad("No such app is known here."))?;
        if !by.answers_to(redirect_uri) {
            return Err(bad("The app wants to be answered at an address that it is not registered with."));
        }
        let state = parameters.one("state").ok().flatten().filter(|state| state.chars().count() <= MAX_STATE);
        let target = Target {
            redirect_uri: redirect_uri.to_owned(),
            state: state.map(str::to_owned),
            issuer: app.issuer.clone(),
            is_vouched_for: by.client_id.is_some(),
        };
        let stop = |error: &str, description: &str| target.stop(error, description);
        if parameters.repeated().is_some() {
            return Err(stop("invalid_request", "A parameter stands there more than once"));
        }
        if parameters.one("state")? != state {
            return Err(stop("invalid_request", "state may have 1,024 characters at most"));
        }
        if !by.may(GrantType::AuthorizationCode) {
            return Err(stop("unauthorized_client", "The app is not registered for authorization codes"));
        }
        match parameters.one("response_type")? {
            Some("code") => {}
            None => return Err(stop("invalid_request", "response_type is missing")),
            Some(_) => return Err(stop("unsupported_response_type", "response_type must be code")),
        }
        if parameters.one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(stop("invalid_request", "response_mode must be query"));
        }
        let challenge = parameters.one("code_challenge")?;
        // Left out it would mean `plain` (RFC 7636, section 4.3), which protects from nobody who reads the request.
        if challenge.is_none() || parameters.one("code_challenge_method")? != Some("S256") {
            return Err(stop("invalid_request", "A code_challenge with code_challenge_method S256 is required"));
        }
        let challenge = challenge.filter(|challenge| is_challenge(challenge)).map(str::to_owned);
        let challenge =
            challenge.ok_or_else(|| stop("invalid_request", "code_challenge must be the base64url of a SHA-256"))?;
        let resource = match parameters.one("resource")? {
            None => None,
            Some(text) => {
                let wrong = || stop("invalid_target", "resource must be an https URL without a fragment");
                Some(Resource::parse(text).ok_or_else(wrong)?)
            }
        };
        let scopes = scopes::asked(&app.access, &by, parameters.one("scope")?)
            .map_err(|description| stop("invalid_scope", description))?;
        let mut fields = Fields::new();
        for name in KNOWN {
            if let Some(value) = parameters.one(name)? {
                fields.push((name, value.to_owned()));
            }
        }
        Ok(Self { by, target, challenge, scopes, resource, fields })
    }

    /// The same request as a query: always written alike, so that a form's token can be bound to it.
    pub(crate) fn query(&self) -> String {
        query(&self.fields)
    }

    /// Where the browser asks for the next page.
    pub(crate) fn location(&self) -> String {
        format!("authorize?{}", self.query())
    }
}

fn query(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Where a form that carries a request on leads back to; `None` where it carries none. It is always a page of this very
/// function, which reads the request anew.
pub(crate) fn location_of(form: &Parameters) -> Option<String> {
    let value = |name| Some((name, form.one(name).ok()??.to_owned()));
    let fields: Fields = KNOWN.into_iter().filter_map(value).collect();
    fields.iter().any(|(name, _)| *name == "client_id").then(|| format!("authorize?{}", query(&fields)))
}
