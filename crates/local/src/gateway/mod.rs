//! Plays API Gateway for the REST API of `template.yaml`.
//!
//! 1. A request whose head or body is too large ends here.
//! 2. The route is looked up; no route is `MISSING_AUTHENTICATION_TOKEN`.
//! 3. The route's authorizer is asked, if it has one, and its answer judged ([`authorizer`]).
//! 4. The function behind the route is called, with what the authorizer hands on.
//! 5. Its answer becomes the response ([`answer`]), or what went wrong becomes a gateway response ([`refusal`]).
//!
//! `GET /healthz` is not API Gateway's: it says whether everything is up.

pub mod answer;
pub mod arn;
pub mod authorizer;
pub mod event;
pub mod headers;
pub mod refusal;
pub mod request;
pub mod router;
pub mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use template::{ApiRoute, Authorizer, Function, Method, Template};

use crate::clock;
use crate::failure::{Failure, Result};
use crate::lambda::{Invocation, Lambda, PAYLOAD_LIMIT};
use crate::progress::warn;
use answer::Reply;
use authorizer::Outcome;
use event::Api;
use refusal::{Refusal, Refusals};
use request::Incoming;
use router::{Match, Router};

/// How long API Gateway waits for a function.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);
/// Where SIMCEL's callers exchange a key, and what [`Gateway::try_exchange`] tries.
const EXCHANGE: &str = "/auth/token";
/// How often a first call is tried, and what lies between: a busy machine may be too slow for the first.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
/// What a body may measure.
pub const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// A REST API with the functions behind it.
#[derive(Debug)]
pub struct Gateway {
    api: Api,
    router: Router,
    refusals: Refusals,
    authorizers: BTreeMap<String, Guard>,
    lambda: Arc<Lambda>,
}

/// An authorizer and the package of its function.
#[derive(Debug)]
struct Guard {
    package: String,
    identity_headers: Vec<String>,
}

/// A refusal, and what the authorizer had handed on by then.
type Refused = (Refusal, Option<Map<String, Value>>);

impl Gateway {
    /// Reads the API from the template.
    ///
    /// # Errors
    /// It uses something of API Gateway that isn't played here.
    pub fn new(template: &Template, base_url: &str, lambda: impl Into<Arc<Lambda>>) -> Result<Self> {
        let functions = template.functions()?;
        let package = |logical_id: &str| {
            functions.iter().find(|function| function.logical_id == logical_id).map(|function| function.package.clone())
        };
        let mut authorizers = BTreeMap::new();
        for Authorizer { name, function, kind, result_ttl_seconds, identity_headers } in template.authorizers()? {
            if kind != "REQUEST" || result_ttl_seconds != 0 {
                return Err(Failure::new(format!(
                    "template.yaml: the authorizer {name} is a {kind} one whose answers are kept for {result_ttl_seconds} s; \
                     only REQUEST and 0 s are played here"
                )));
            }
            let package = package(&function)
                .ok_or_else(|| Failure::new(format!("template.yaml: there is no function {function} for {name}")))?;
            authorizers.insert(name, Guard { package, identity_headers });
        }
        let events = functions
            .iter()
            .flat_map(|function| function.events.iter().map(|route| (route, function.package.as_str())));
        let router = Router::new(events);
        let mut values = template.values()?;
        values.set("BaseUrl", base_url);
        let host = base_url.split("://").last().and_then(|rest| rest.split([':', '/']).next()).unwrap_or_default();
        Ok(Self {
            api: Api { stage: template.stage_name()?, domain: host.to_owned() },
            router,
            refusals: Refusals::new(template.gateway_responses(&values)?),
            authorizers,
            lambda: lambda.into(),
        })
    }

    /// Answers a request.
    pub async fn answer(&self, request: &Incoming) -> Reply {
        match self.pass(request).await {
            Ok(reply) => reply,
            Err((refusal, authorizer)) => self.refusals.reply(refusal, request, authorizer.as_ref()),
        }
    }

    /// What a request is answered that is too large to be read.
    #[must_use]
    pub fn too_large(&self, request: &Incoming) -> Reply {
        self.refusals.reply(Refusal::RequestTooLarge, request, None)
    }

    async fn pass(&self, request: &Incoming) -> Result<Reply, Refused> {
        if request.head_is_too_large() {
            return Err((Refusal::HeadersTooLarge, None));
        }
        let route =
            self.router.find(&request.method, &request.raw_path).ok_or((Refusal::MissingAuthenticationToken, None))?;
        let handed_on = match &route.target.authorizer {
            Some(name) => Some(self.authorize(name, request, &route).await.map_err(|refusal| (refusal, None))?),
            None => None,
        };
        let event = self.api.proxy_event(request, &route, handed_on.clone()).to_string().into_bytes();
        self.integrate(&route.target.function, event).await.map_err(|refusal| (refusal, handed_on))
    }

    async fn authorize(
        &self,
        name: &str,
        request: &Incoming,
        route: &Match<'_>,
    ) -> Result<Map<String, Value>, Refusal> {
        let Some(guard) = self.authorizers.get(name) else {
            warn(format!("template.yaml names no authorizer {name}"));
            return Err(Refusal::AuthorizerConfigurationError);
        };
        let present = |name: &String| request.header(&name.to_ascii_lowercase()).is_some_and(|value| !value.is_empty());
        if !guard.identity_headers.iter().all(present) {
            return Err(Refusal::Unauthorized);
        }
        let started = clock::stopwatch();
        let event = self.api.authorizer_event(request, route).to_string().into_bytes();
        let invocation =
            self.call(&guard.package, event).await.unwrap_or_else(|| Invocation::Failed("timed out".to_owned()));
        match authorizer::outcome(&invocation, &self.api.method_arn(request)) {
            Outcome::Allow(mut context) => {
                let taken = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                context.insert("integrationLatency".to_owned(), json!(taken));
                Ok(context)
            }
            Outcome::Unauthorized => Err(Refusal::Unauthorized),
            Outcome::AccessDenied { explicit } => Err(Refusal::AccessDenied { explicit }),
            Outcome::Failure(reason) => {
                warn(format!("{} failed: {reason}", guard.package));
                Err(Refusal::AuthorizerFailure)
            }
            Outcome::ConfigurationError(reason) => {
                warn(format!("{}: {reason}", guard.package));
                Err(Refusal::AuthorizerConfigurationError)
            }
        }
    }

    async fn integrate(&self, function: &str, event: Vec<u8>) -> Result<Reply, Refusal> {
        if event.len() > PAYLOAD_LIMIT {
            return Err(Refusal::RequestTooLarge);
        }
        match self.call(function, event).await {
            None => Err(Refusal::IntegrationTimeout),
            Some(Invocation::Answered(body)) => answer::read(&body).map_err(|reason| {
                warn(format!("{function} gave a malformed answer: {reason}"));
                Refusal::MalformedAnswer
            }),
            Some(Invocation::Failed(reason)) => {
                warn(format!("{function} failed: {reason}"));
                Err(Refusal::MalformedAnswer)
            }
            Some(Invocation::Unreachable(reason)) => {
                warn(format!("{function} was not reached: {reason}"));
                Err(Refusal::IntegrationFailure)
            }
        }
    }

    /// `None` where it takes longer than API Gateway waits.
    async fn call(&self, function: &str, event: Vec<u8>) -> Option<Invocation> {
        tokio::time::timeout(INTEGRATION_TIMEOUT, self.lambda.invoke(function, event)).await.ok()
    }

    /// Calls every function once, without a credential, so that a caller's first request finds them up.
    ///
    /// # Errors
    /// One isn't reached, or fails, at the last of a few tries.
    pub async fn warm_up(&self, template: &Template, port: u16) -> Result<()> {
        let functions = template.functions()?;
        for function in &functions {
            let is_authorizer = self.authorizers.values().any(|guard| guard.package == function.package);
            let mut routes = functions.iter().flat_map(|other| other.events.iter().map(move |route| (other, route)));
            let fits = |(other, route): &(&Function, &ApiRoute)| {
                if is_authorizer { route.authorizer.is_some() } else { *other == function }
            };
            // A function without a route is called by nobody who would wait.
            let Some((_, route)) = routes.find(fits) else { continue };
            let method = match &route.method {
                Method::Any => "HEAD",
                Method::Exact(method) => method,
            };
            let request = server::own_request(method, &route.path, port);
            let Some(found) = self.router.find(method, &route.path) else { continue };
            let event = if is_authorizer {
                self.api.authorizer_event(&request, &found)
            } else {
                self.api.proxy_event(&request, &found, None)
            };
            self.first_call(&function.package, &event, is_authorizer).await?;
        }
        Ok(())
    }

    async fn first_call(&self, name: &str, event: &Value, is_authorizer: bool) -> Result<()> {
        let mut tries = 1;
        loop {
            let failure = match self.lambda.invoke(name, event.to_string().into_bytes()).await {
                Invocation::Answered(_) => return Ok(()),
                Invocation::Failed(reason) if is_authorizer && reason == "Unauthorized" => return Ok(()),
                Invocation::Failed(reason) => format!("{name} failed its first call: {reason}"),
                Invocation::Unreachable(reason) => format!("{name} is not reached: {reason}"),
            };
            if tries == TRIES {
                return Err(Failure::new(failure));
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Exchanges `key` for a token as a caller would. That works only where the function, the store and the signing key
    /// do: a function that is up may still be unable to sign.
    ///
    /// # Errors
    /// The answer is not a 200, at the last of a few tries.
    pub async fn try_exchange(&self, key: &str, port: u16) -> Result<()> {
        let mut tries = 1;
        loop {
            let mut request = server::own_request("POST", EXCHANGE, port);
            request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
            request.body = json!({"apiKey": key}).to_string().into_bytes();
            let reply = self.answer(&request).await;
            if reply.status == StatusCode::OK {
                return Ok(());
            }
            // What a busy machine's store was too slow for may work a second later, as a 503 says of itself.
            if tries == TRIES || reply.status != StatusCode::SERVICE_UNAVAILABLE {
                let body = String::from_utf8_lossy(&reply.body);
                return Err(Failure::new(format!("POST {EXCHANGE} answers {} to the demo key: {body}", reply.status)));
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
}
