//! Our functions: the programs that are deployed, with the environment that the template gives them, their log at its usual
//! level and thrown away.

use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use signing::Algorithm;

use crate::compare::setting::Setting;
use crate::compare::subject::{Expected, Subject};
use crate::compare::warm::Warm;
use crate::counted::Counted;
use crate::failure::Failure;
use crate::fixture::{JWKS, bare_event};
use crate::program::Program;

/// An authorizer that gets one token again and again, as the peers do; the others get one that is new to them each time.
pub(super) const KNOWN: &str = "authorizer, JWT ES256, known";
/// As many as that an authorizer has long forgotten the first after the last.
const NEW_TOKENS: usize = 1_500;

/// The event for a document that is made at the start.
const DISCOVERY: &str = "jwks-discovery";

/// The subjects that are warm, each with a way to the store of its own.
pub(super) async fn warm(setting: &Setting) -> Result<Vec<Warm>, Failure> {
    let (fixture, programs) = (&setting.fixture, &setting.programs);
    let mut all = Vec::new();
    for (name, algorithm) in [
        ("authorizer, JWT ES256", Algorithm::Es256),
        ("authorizer, JWT EdDSA", Algorithm::EdDsa),
        ("authorizer, JWT RS256", Algorithm::Rs256),
    ] {
        let (way, events) = (setting.way().await?, fixture.token_events(algorithm, NEW_TOKENS)?);
        let subject = subject(name, programs.authorizer.clone().on(way.endpoint()), events[0].clone(), Expected::Allow);
        all.push(Warm::function(subject, Some(way)).await?.asked(events));
    }
    for (name, program, event, expected) in [
        (KNOWN, &programs.authorizer, fixture.token_event(Algorithm::Es256)?, Expected::Allow),
        ("authorizer, raw key", &programs.authorizer, fixture.key_event(), Expected::Allow),
        ("authorizer, agent", &programs.authorizer, fixture.agent_event()?, Expected::Allow),
        ("token-exchange", &programs.token_exchange, fixture.exchange_event(), Expected::Member("accessToken")),
        ("jwks", &programs.jwks, bare_event(JWKS), Expected::Member("keys")),
    ] {
        let way = setting.way().await?;
        let subject = subject(name, program.clone().on(way.endpoint()), event, expected);
        all.push(Warm::function(subject, Some(way)).await?);
    }
    Ok(all)
}

/// The subjects that are cold. Those that reach the store do so by plain HTTP and over TLS.
pub(super) fn cold(setting: &Setting) -> Result<Vec<Subject>, Failure> {
    let (fixture, programs) = (&setting.fixture, &setting.programs);
    let token = fixture.token_event(Algorithm::Es256)?;
    let plain = |program: &Program| program.clone().on(setting.store());
    let tls = |program: &Program| over_tls(program, &setting.tls, &setting.roots());
    let (authorizer, jwks, exchange) = (&programs.authorizer, &programs.jwks, &programs.token_exchange);
    let issued = Expected::Member("accessToken");
    Ok(vec![
        subject(
            "authorizer, before a store read",
            plain(authorizer),
            fixture.misshapen_event()?,
            Expected::Unauthorized,
        ),
        subject("authorizer, JWT ES256", plain(authorizer), token.clone(), Expected::Allow),
        subject("authorizer, JWT ES256, TLS", tls(authorizer), token, Expected::Allow),
        subject("authorizer, raw key, TLS", tls(authorizer), fixture.key_event(), Expected::Allow),
        subject("jwks, no store read, TLS", tls(jwks), bare_event(DISCOVERY), Expected::Member("issuer")),
        subject("jwks, one store read", plain(jwks), bare_event(JWKS), Expected::Member("keys")),
        subject("jwks, one store read, TLS", tls(jwks), bare_event(JWKS), Expected::Member("keys")),
        subject("token-exchange", plain(exchange), fixture.exchange_event(), issued),
        subject("token-exchange, TLS", tls(exchange), fixture.exchange_event(), issued),
    ])
}

/// The same program on the store behind TLS, whose authority it is told to trust beside those that it has embedded.
fn over_tls(program: &Program, way: &Arc<Counted>, roots: &Path) -> Program {
    program.clone().on(way.endpoint()).with("SSL_CERT_FILE", &roots.to_string_lossy())
}

fn subject(name: &'static str, program: Program, event: Bytes, expected: Expected) -> Subject {
    Subject { name, start: Box::new(move || program.command()), event, expected }
}
