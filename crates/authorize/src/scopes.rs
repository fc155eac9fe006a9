//! Which scopes an app may ask for, and which of them somebody can give it.

use domain::{Access, Scope, ScopeSet};

use crate::pages::ScopeLine;

/// What an app that says nothing is taken to ask for.
const LEFT_OUT: &str = "read";

/// The same, as a set.
pub(crate) fn left_out() -> Option<ScopeSet> {
    ScopeSet::parse(LEFT_OUT)
}

/// What an app asks for, of what it may ask for (RFC 6749, section 3.3).
///
/// # Errors
/// The description of an `invalid_scope`.
pub(crate) fn asked(access: &Access, app: &domain::App, text: Option<&str>) -> Result<ScopeSet, &'static str> {
    let asked = match (text, &app.scopes) {
        (Some(text), _) => ScopeSet::parse(text).ok_or("scope must be 1 to 50 scopes with one space between two")?,
        (None, Some(own)) => own.clone(),
        (None, None) => left_out().ok_or("scope is missing")?,
    };
    if access.first_unknown(&asked).is_some() {
        return Err("scope names a scope that does not exist");
    }
    may_ask(access, app, &asked).ok_or("The app may have none of these scopes")
}

/// Of `scopes` what the app may have: what it was registered for, and nothing privileged where nobody vouches for it.
fn may_ask(access: &Access, app: &domain::App, scopes: &ScopeSet) -> Option<ScopeSet> {
    match (&app.scopes, &app.client_id) {
        (Some(own), Some(_)) => of(scopes, own),
        (Some(own), None) => access.unprivileged(&of(scopes, own)?),
        (None, _) => access.unprivileged(scopes),
    }
}

/// What of `asked` the set `held` gives: of `insights:*` and `insights:read` the second. What is given by a wider scope of
/// those that were asked for is not named beside it.
pub(crate) fn of(asked: &ScopeSet, held: &ScopeSet) -> Option<ScopeSet> {
    let whole: Vec<_> = asked.iter().filter(|scope| held.covers(scope)).cloned().collect();
    let parts = held.iter().filter(|scope| asked.covers(scope) && !whole.iter().any(|given| given.covers(scope)));
    ScopeSet::new(whole.iter().chain(parts).cloned())
}

/// Scopes as a person reads them.
pub(crate) fn lines(access: &Access, scopes: &ScopeSet) -> Vec<ScopeLine> {
    scopes.iter().map(|scope| ScopeLine { words: words(access, scope), name: scope.to_string() }).collect()
}

fn words(access: &Access, scope: &Scope) -> String {
    match (access.description(scope), scope.wildcard_namespace()) {
        (Some(words), _) => words.to_owned(),
        (None, Some(namespace)) => {
            let covered = access.scope_names().filter_map(Scope::parse).filter(|name| scope.covers(name));
            let words: Vec<String> = covered.filter_map(|name| access.description(&name).map(str::to_owned)).collect();
            format!("Everything that begins with {namespace}: {}", words.join("; "))
        }
        // A scope that was retired: its name is all that is known.
        (None, None) => "Something that has no description any more".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{AppId, ClientId, Timestamp};

    use super::*;

    fn app(client: bool, scopes: Option<&str>) -> domain::App {
        domain::App {
            id: AppId::random(),
            client_id: client.then(ClientId::random),
            name: "x".to_owned(),
            redirect_uris: Vec::new(),
            grant_types: Vec::new(),
            scopes: scopes.map(|scopes| ScopeSet::parse(scopes).unwrap()),
            secret: None,
            created_at: Timestamp::from_unix(0),
            created_by: String::new(),
            revision: 0,
        }
    }

    #[test]
    fn an_app_asks_for_what_it_may_have() {
        let access = Access::built_in().unwrap();
        for (of_client, own, text, result) in [
            (true, Some("admin read"), None, Some("admin read")),
            (true, Some("admin"), Some("write"), Some("write")),
            (true, Some("read write"), Some("write admin"), Some("write read")),
            (true, Some("read"), Some("write"), None),
            (true, None, Some("read admin"), Some("read")),
            (false, Some("admin read"), None, Some("read")),
            (false, Some("admin"), Some("admin"), None),
            (false, None, None, Some("read")),
            (false, None, Some("insights:* keys:manage usage:read write"), Some("insights:* write")),
            (false, None, Some("admin"), None),
            (false, None, Some("keys:*"), None),
            (false, None, Some("read unheard:of"), None),
            (false, None, Some("read  write"), None),
            (false, None, Some("read\twrite"), None),
        ] {
            let found = asked(&access, &app(of_client, own), text).ok().map(|scopes| scopes.to_string());
            assert_eq!(found.as_deref(), result, "{of_client} {own:?} {text:?}");
        }
    }

    #[test]
    fn nothing_is_given_that_is_not_asked_for_and_held() {
        let set = |text| ScopeSet::parse(text).unwrap();
        for (asked, held, given) in [
            ("admin", "admin read write", Some("admin")),
            ("admin read", "read write", Some("read write")),
            ("insights:*", "insights:read read", Some("insights:read")),
            ("insights:read", "insights:* read", Some("insights:read")),
            ("write read", "read write", Some("write read")),
            ("write", "read", None),
        ] {
            assert_eq!(of(&set(asked), &set(held)).map(|set| set.to_string()).as_deref(), given, "{asked} {held}");
        }
    }

    #[test]
    fn every_scope_has_words() {
        let access = Access::built_in().unwrap();
        let scopes = ScopeSet::parse("insights:* read").unwrap();
        let lines: Vec<String> = lines(&access, &scopes).into_iter().map(|line| line.words).collect();
        assert_eq!(
            lines,
            ["Everything that begins with insights: Read all insights", "Read what belongs to the client"]
        );
    }
}
