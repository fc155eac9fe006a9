//! May this principal do what is asked?

use domain::{Access, DenyReason, Route, Workspace};
use identity::Principal;

use crate::event::Event;

/// The answer, in no form yet.
#[derive(Debug)]
pub enum Decision<'a> {
    /// This call, on this route, in this workspace.
    Allow(&'a Route, &'a Workspace),
    /// Not this call.
    Deny {
        /// Why; for counters and the log.
        reason: DenyReason,
        /// The route, where there is one.
        route: Option<&'a Route>,
    },
}

/// Decides by access.toml alone: a route that it does not name is nobody's.
#[must_use]
pub fn decide<'a>(access: &'a Access, event: &Event, principal: &'a Principal) -> Decision<'a> {
    let Some(route) = access.route(event.method(), event.path()) else {
        return Decision::Deny { reason: DenyReason::NoRoute, route: None };
    };
    if is_routed_elsewhere(access, event, route) {
        return Decision::Deny { reason: DenyReason::NoRoute, route: Some(route) };
    }
    if !principal.covers(&route.scope) {
        return Decision::Deny { reason: DenyReason::InsufficientScope, route: Some(route) };
    }
    match principal.workspace() {
        Ok(workspace) => Decision::Allow(route, workspace),
        Err(_) => Decision::Deny { reason: DenyReason::Workspace, route: Some(route) },
    }
}

/// The gateway has read the path otherwise than access.toml does, and gives the call to another route that stands
/// there. (A resource that does not stand there is a wider one of the gateway's own, such as `/{proxy+}`.)
fn is_routed_elsewhere(access: &Access, event: &Event, route: &Route) -> bool {
    event.resource().is_some_and(|resource| {
        resource != route.path
            && access.routes().iter().any(|other| other.method == route.method && other.path == resource)
    })
}
