//! For every set of scopes and every call, policies allow exactly what access.toml says: those for the one route that was
//! asked, and those for all of them, whichever was asked first.

use std::collections::BTreeSet;

use authorizer::{Policies, Unsayable, WholePolicies};
use domain::{Access, ScopeSet};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use testkit::TestKey;

use crate::evaluator::allows;
use crate::setup::{API, Setup, rest};

/// Calls, and what the shipped access.toml asks for them; nothing where it has no route.
const CALLS: &[(&str, Option<&str>)] = &[
    ("GET/insights/v1/pnl-summary", Some("insights:read")),
    ("GET/insights/v1/a/b/c", Some("insights:read")),
    ("GET/insights/v1/*", Some("insights:read")),
    ("GET/insights/v1/*/*", Some("insights:read")),
    ("GET/insights/v1/...", Some("insights:read")),
    ("GET/insights/v1/..a/.b", Some("insights:read")),
    ("GET/insights/v1/a;b", Some("insights:read")),
    ("GET/insights/v1/$&'()+,=:@~", Some("insights:read")),
    ("GET/api/v1/users", Some("read")),
    ("POST/api/v1/users", Some("write")),
    ("POST/api/workflows/42/execute", Some("workflows:execute")),
    ("POST/api/workflows/*/execute", Some("workflows:execute")),
    ("POST/api/workflows/execute/execute", Some("workflows:execute")),
    ("GET/api/v1/logs", Some("logs:read")),
    ("POST/v1/chat/completions", Some("chat:completions")),
    ("GET/v1/models", Some("models:read")),
    ("POST/mcp", Some("mcp:use")),
    // Another method, more, less.
    ("DELETE/api/v1/users", None),
    ("get/api/v1/users", None),
    ("*/api/v1/users", None),
    ("GET/*", None),
    ("*/*", None),
    ("GET/", None),
    ("POST/insights/v1/x", None),
    ("GET/insights/v1", None),
    ("GET/insights/v1/", None),
    ("GET/insights/v1x/y", None),
    ("GET/api/v1/users/7", None),
    ("GET/api/v1", None),
    ("GET/API/v1/users", None),
    ("GET/Insights/v1/x", None),
    ("GET/api/v1/Users", None),
    ("POST/api/workflows/execute", None),
    ("POST/api/workflows//execute", None),
    ("POST/api/workflows/a/b/execute", None),
    ("POST/api/workflows/*/*/execute", None),
    ("POST/api/workflows/a/execute/execute", None),
    ("POST/api/workflows/a/execute/", None),
    ("POST/api/workflows/a/execute/b", None),
    ("POST/x/POST/api/workflows/a/execute", None),
    // Two readings.
    ("GET/insights/v1/x/", None),
    ("GET/insights/v1//x", None),
    ("GET//insights/v1/x", None),
    ("GET/insights//v1/x", None),
    ("GET/insights/v1/a//b", None),
    ("GET/insights/v1/.", None),
    ("GET/insights/v1/..", None),
    ("GET/insights/v1/./x", None),
    ("GET/insights/v1/../../api/v1/users", None),
    ("GET/insights/v1/x/../../../api/v1/users", None),
    ("GET/insights/v1/..;/x", None),
    ("GET/insights/v1/.;a", None),
    ("GET/insights/v1/..;a/b", None),
    ("GET/insights/v1/;x", None),
    ("GET/insights/v1/x/;", None),
    ("GET/insights/v1/%2e%2e/x", None),
    ("GET/insights/v1/%2E%2e/x", None),
    ("GET/insights/v1/a%2fb", None),
    ("GET/insights/v1/a%2Fb", None),
    ("GET/insights/v1/a%5cb", None),
    ("GET/insights/v1/%252e", None),
    ("GET/insights/v1/a%00", None),
    ("GET/insights/v1/..%3b/x", None),
    ("GET/insights/v1/%", None),
    ("GET/insights/v1/%zz", None),
    ("GET/insights/v1/a\\b", None),
    ("GET/insights/v1/a#b", None),
    ("POST/api/workflows/../execute", None),
    ("POST/api/workflows/a%2fb/execute", None),
    ("POST/api/workflows/a%2Fb/execute", None),
];

/// What a policy for one route allows and a policy for all of them denies, which can't say it.
const NARROWER: &[(&str, &str)] =
    &[("GET/insights/v1/a%20b", "insights:read"), ("POST/api/workflows/%C3%A4/execute", "workflows:execute")];

/// What cannot stand in the path of a request, but might in that of an event.
const NO_REQUEST: &[&str] =
    &["GET/insights/v1/a?b", "GET/insights/v1/?", "GET/insights/v1/a b", "GET/insights/v1/a\tb"];

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_global_rejects: 1 << 20, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

async fn whole(access: Access) -> Result<Setup, Unsayable> {
    let mut setup = Setup::new().await;
    setup.app.policies = Policies::Whole(WholePolicies::new(&access)?);
    setup.app.access = access;
    Ok(setup)
}

/// What a holder of `scopes` shows.
fn bearer(setup: &Setup, key: &TestKey, scopes: &ScopeSet) -> String {
    format!("Bearer {}", setup.token_of(key, scopes))
}

/// The policy that its bearer gets for `call`, and whether it comes with a context.
async fn policy(setup: &Setup, bearer: &str, call: &str) -> (Value, bool) {
    let answer = setup.ask(&rest(call, &[("Authorization", bearer)])).await.answer();
    (answer["policyDocument"].clone(), answer.get("context").is_some())
}

fn arn(call: &str) -> String {
    format!("{API}/{call}")
}

/// Every set of the shipped scopes.
fn every_set() -> impl Iterator<Item = ScopeSet> {
    let names: Vec<String> = Access::built_in().unwrap().scope_names().map(ToOwned::to_owned).collect();
    (1_u32..1 << names.len()).map(move |chosen| {
        let held = names.iter().enumerate().filter(|(place, _)| chosen >> place & 1 == 1);
        ScopeSet::parse(&held.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" ")).unwrap()
    })
}

/// Whether a set opens what needs `needed`, by the contract's words.
fn opens(set: &ScopeSet, needed: Option<&str>) -> bool {
    needed.is_some_and(|needed| set.iter().any(|scope| scope.as_str() == needed || scope.as_str() == "admin"))
}

#[test]
fn the_calls_are_those_of_every_shipped_route() {
    let access = Access::built_in().unwrap();
    let asked: BTreeSet<_> = CALLS.iter().filter_map(|(_, needed)| *needed).collect();
    assert_eq!(asked, access.routes().iter().map(|route| route.scope.as_str()).collect());
}

#[tokio::test]
async fn the_policy_for_one_route_allows_the_call_that_was_asked_if_a_scope_opens_it() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let narrower = NARROWER.iter().map(|(call, needed)| (*call, Some(*needed)));
    let all: Vec<_> =
        CALLS.iter().copied().chain(narrower).chain(NO_REQUEST.iter().map(|call| (*call, None))).collect();
    let routed: Vec<_> = CALLS.iter().copied().filter(|(_, needed)| needed.is_some()).collect();
    for (place, set) in every_set().enumerate() {
        // Every call for the smallest sets and the largest, and three of the routes for those in between.
        let thorough = matches!(set.iter().count(), 1 | 11 | 12);
        let bearer = bearer(&setup, &key, &set);
        let some: Vec<_> = routed.iter().copied().cycle().skip(place % routed.len()).take(3).collect();
        for (call, needed) in if thorough { &all } else { &some } {
            let (policy, context) = policy(&setup, &bearer, call).await;
            let expected = opens(&set, *needed);
            assert_eq!(allows(&policy, &arn(call)), expected, "{set} on {call}: {policy}");
            assert_eq!(context, expected, "{set} on {call}");
            // Were it kept by mistake, it would open no other route.
            for (other, _) in routed.iter().filter(|(_, other)| thorough && other != needed) {
                assert!(!allows(&policy, &arn(other)), "{set} on {call} also opens {other}: {policy}");
            }
        }
    }
}

#[tokio::test]
async fn the_policy_for_all_routes_allows_exactly_what_each_set_of_scopes_opens() {
    let setup = whole(Access::built_in().unwrap()).await.unwrap();
    let key = setup.key("admin").await;
    for (place, set) in every_set().enumerate() {
        let (first, _) = CALLS[place % CALLS.len()];
        let (policy, context) = policy(&setup, &bearer(&setup, &key, &set), first).await;
        let opens_any = CALLS.iter().any(|(_, needed)| opens(&set, *needed));
        assert_eq!(context, opens_any, "{set}, asked for {first}");
        for (call, needed) in CALLS {
            assert_eq!(
                allows(&policy, &arn(call)),
                opens(&set, *needed),
                "{set} on {call}, asked for {first}: {policy}"
            );
        }
        for (call, _) in NARROWER {
            assert!(!allows(&policy, &arn(call)), "{set} on {call}: {policy}");
        }
        for elsewhere in [API.replace("live", "test"), API.replace("abc", "abd"), API.replace("us-east-1", "us-east-2")]
        {
            assert!(!allows(&policy, &format!("{elsewhere}/GET/api/v1/users")));
        }
    }
    let wildcards = ScopeSet::parse("insights:* chat:* models:*").unwrap();
    let (policy, _) = policy(&setup, &bearer(&setup, &key, &wildcards), "POST/mcp").await;
    for (call, needed) in CALLS {
        let expected = matches!(needed, Some("insights:read" | "chat:completions" | "models:read"));
        assert_eq!(allows(&policy, &arn(call)), expected, "{call}: {policy}");
    }
}

#[tokio::test]
async fn the_policy_for_all_routes_is_the_same_whichever_was_asked() {
    let setup = whole(Access::built_in().unwrap()).await.unwrap();
    let key = setup.key("admin").await;
    let set = ScopeSet::parse("read insights:read").unwrap();
    let bearer = bearer(&setup, &key, &set);
    let (expected, _) = policy(&setup, &bearer, "GET/api/v1/users").await;
    assert_eq!(expected["Statement"].as_array().unwrap().len(), 2);
    for (call, _) in CALLS {
        assert_eq!(policy(&setup, &bearer, call).await.0, expected, "{call}");
    }
}

/// A path of an access file: some of three literals and parameters, and perhaps all the rest.
fn template() -> impl Strategy<Value = String> {
    let segment = prop_oneof![3 => Just("a"), 3 => Just("b"), 1 => Just("c"), 4 => Just("{p}")];
    let length = prop_oneof![1 => Just(1_usize), 4 => Just(2), 2 => Just(3)];
    (length.prop_flat_map(move |length| prop::collection::vec(segment.clone(), length)), prop::bool::weighted(0.15))
        .prop_map(|(segments, rest)| {
            let path = segments.iter().fold(String::new(), |path, segment| format!("{path}/{segment}"));
            if rest { path + "/{rest+}" } else { path }
        })
}

fn access_file() -> impl Strategy<Value = String> {
    let route = (prop_oneof![5 => Just("GET"), 1 => Just("POST")], template(), 0..3_usize);
    prop::collection::vec(route, 1..6).prop_map(|routes| {
        let scopes = "[scopes]\ns0 = \"x\"\ns1 = \"x\"\ns2 = \"x\"\n".to_owned();
        routes.iter().fold(scopes, |file, (method, path, scope)| {
            format!("{file}[[routes]]\nmethod = \"{method}\"\npath = \"{path}\"\nscope = \"s{scope}\"\n")
        })
    })
}

/// All paths of one to four segments, and some with tricks in them.
fn paths() -> Vec<String> {
    let more = |paths: &[String], segments: &[&str]| -> Vec<String> {
        paths.iter().flat_map(|path| segments.iter().map(move |segment| format!("{path}/{segment}"))).collect()
    };
    let mut paths = Vec::new();
    let mut last = vec![String::new()];
    for length in 1..=5 {
        let odd = more(&last, &["", ".", "..", "..;", ";x", "%2f", "*", ".a"]);
        last = more(&last, if length < 5 { &["a", "b", "c", "x"] } else { &["a", "x"] });
        // Each odd segment in the last place, and before another.
        let inside = more(&odd, &["a"]);
        paths.extend(last.iter().cloned());
        let some =
            |list: Vec<String>| list.into_iter().enumerate().filter(|(place, _)| place % 11 == 0).map(|(_, path)| path);
        paths.extend(some(odd));
        paths.extend(some(inside));
    }
    paths
}

#[test]
fn for_any_access_file_all_routes_are_allowed_as_each_one_by_itself_or_the_function_does_not_start() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let setup = std::cell::RefCell::new(runtime.block_on(Setup::new()));
    let key = runtime.block_on(setup.borrow().key("admin s0 s1 s2"));
    let paths = paths();
    let sets = ["s0", "s1", "s2", "s0 s1", "s1 s2", "s0 s2", "admin"].map(|set| ScopeSet::parse(set).unwrap());
    let (said, unsaid) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner(400).run(&access_file(), |file| {
        let Ok(access) = Access::parse(&file) else { return Err(TestCaseError::reject("a route twice")) };
        let Ok(policies) = WholePolicies::new(&access) else {
            unsaid.set(unsaid.get() + 1);
            return Ok(());
        };
        said.set(said.get() + 1);
        let expected: Vec<_> = ["GET", "POST"]
            .into_iter()
            .flat_map(|method| paths.iter().map(move |path| (method, path)))
            .map(|(method, path)| {
                (arn(&format!("{method}{path}")), access.route(method, path).map(|route| route.scope.clone()))
            })
            .collect();
        {
            let mut setup = setup.borrow_mut();
            setup.app.access = access;
            setup.app.policies = Policies::Whole(policies);
        }
        for set in &sets {
            let setup = setup.borrow();
            let (policy, _) = runtime.block_on(policy(&setup, &bearer(&setup, &key, set), "GET/a"));
            for (arn, needed) in &expected {
                let opened = needed.as_ref().is_some_and(|needed| set.covers(needed));
                prop_assert_eq!(allows(&policy, arn), opened, "{} on {} of {}: {}", set, arn, file, policy);
            }
        }
        Ok(())
    });
    outcome.unwrap();
    println!("{} files said, {} not", said.get(), unsaid.get());
    assert!(said.get() > 150 && unsaid.get() > 20, "{} said, {} not", said.get(), unsaid.get());
}

fn file(routes: &[(&str, &str)]) -> Access {
    let scopes = "[scopes]\nread = \"x\"\nwrite = \"x\"\n".to_owned();
    let text = routes.iter().fold(scopes, |file, (path, scope)| {
        format!("{file}[[routes]]\nmethod = \"GET\"\npath = \"{path}\"\nscope = \"{scope}\"\n")
    });
    Access::parse(&text).unwrap()
}

#[test]
fn routes_that_no_pattern_tells_apart_are_named_at_the_start() {
    for routes in [
        // `/users/*` is denied `/users/*/*`, and that is another route.
        &[("/users/{id}", "read"), ("/users/{id}/keys", "read")][..],
        // To deny `/x/*/raw` would deny `/x/a/b/raw`, which is the wider route's.
        &[("/x/{rest+}", "read"), ("/x/{id}/raw", "write")],
        // To deny `/x/*` would deny `/x/own`.
        &[("/x/own", "read"), ("/x/{id}", "write"), ("/{any}/{id}", "read")],
        &[("/a/{x}/b/{rest+}", "read")],
    ] {
        assert!(matches!(WholePolicies::new(&file(routes)), Err(Unsayable::Overlap(..))), "{routes:?}");
    }
    let named = WholePolicies::new(&file(&[("/users/{id}", "read"), ("/users/{id}/keys", "read")])).unwrap_err();
    assert_eq!(
        named.to_string(),
        "no policy can name `GET /users/{id}` and `GET /users/{id}/keys` apart: IAM's `*` crosses slashes"
    );
    let percent = WholePolicies::new(&file(&[("/caf%C3%A9", "read"), ("/users/{id}", "read")])).unwrap_err();
    assert_eq!(percent.to_string(), "no policy can allow `GET /caf%C3%A9`: a kept policy denies every percent sign");
    for routes in [
        &[("/users", "read"), ("/users/{id}", "write")][..],
        &[("/x/{rest+}", "read"), ("/x/own", "write")],
        &[("/x/own", "read"), ("/x/{id}", "write")],
        &[("/a/{x}/{rest+}", "read")],
        &[("/a/{x}/b", "read"), ("/a/{x}/c", "write")],
    ] {
        assert!(WholePolicies::new(&file(routes)).is_ok(), "{routes:?}");
    }
}

/// As many routes as `count` says, of a length that is usual.
fn many(count: usize) -> Access {
    let routes: Vec<_> = (0..count).map(|number| format!("/api/v1/things{number:03}/list")).collect();
    file(&routes.iter().map(|path| (path.as_str(), "read")).collect::<Vec<_>>())
}

#[tokio::test]
async fn what_does_not_fit_into_8_kb_does_not_start() {
    let most = (1..200).take_while(|count| WholePolicies::new(&many(*count)).is_ok()).last().unwrap();
    assert_eq!(WholePolicies::new(&many(most + 1)).unwrap_err(), Unsayable::TooLarge);
    let setup = whole(many(most)).await.unwrap();
    let key = setup.key("admin").await;
    let long = "arn:aws-us-gov:execute-api:ap-southeast-1:123456789012:abcdefghij";
    let ask = async |stage: &str| {
        let arn = format!("{long}/{stage}/GET/api/v1/things000/list");
        let event = json!({"type": "REQUEST", "methodArn": arn, "headers": {"X-API-Key": key.plain.expose()}});
        (setup.ask(&event.to_string()).await.answer()["policyDocument"].clone(), arn)
    };
    let (policy, arn) = ask("0123456789abcdef").await;
    let (size, one) = (policy.to_string().len(), format!("{arn}\",\"").len());
    assert!(size <= 8192 && size + one > 8192, "{size}");
    assert!(allows(&policy, &arn));
    let (policy, arn) = ask(&"s".repeat(128)).await;
    assert!(!allows(&policy, &arn) && policy.to_string().len() < 8192, "a stage with a long name: {policy}");

    let long_path = format!("/{}", "x".repeat(430));
    assert_eq!(WholePolicies::new(&file(&[(&long_path, "read")])).unwrap_err(), Unsayable::TooLarge);
}

#[tokio::test]
async fn whoever_can_do_nothing_is_denied_everything() {
    let setup = whole(Access::built_in().unwrap()).await.unwrap();
    let key = setup.key("admin").await;
    let elsewhere = [("X-API-Key", key.plain.expose()), ("X-Workspace-ID", "ws_0123456789abcdef")];
    let routed = json!({
        "type": "REQUEST", "methodArn": format!("{API}/GET/api/v1/users"), "resource": "/api/v1/logs",
        "headers": {"X-API-Key": key.plain.expose()},
    });
    let nothing_asked = json!({"type": "REQUEST", "headers": {"X-API-Key": key.plain.expose()}});
    for event in [rest("GET/api/v1/users", &elsewhere), routed.to_string(), nothing_asked.to_string()] {
        let answer = setup.ask(&event).await.answer();
        assert_eq!(answer.get("context"), None);
        for (call, _) in CALLS {
            assert!(!allows(&answer["policyDocument"], &arn(call)), "{event}: {answer}");
        }
        assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny", "a statement must be there");
    }
    let usage = setup.key("usage:read").await;
    let answer = setup.ask(&rest("GET/api/v1/users", &[("X-API-Key", usage.plain.expose())])).await;
    assert_eq!(answer.effect(), "Deny");
}

#[tokio::test]
async fn an_http_api_gets_a_policy_and_never_a_yes_to_keep() {
    let setup = whole(Access::built_in().unwrap()).await.unwrap();
    let key = setup.key("insights:read").await;
    let event = testkit::event("authorizer-http-v2", &[("REPLACE_WITH_TOKEN", &setup.token(&key))]);
    let answer = setup.ask(&event).await.answer();
    assert_eq!(answer.get("isAuthorized"), None);
    let asked = serde_json::from_str::<Value>(&event).unwrap()["routeArn"].as_str().unwrap().to_owned();
    assert!(allows(&answer["policyDocument"], &asked), "{answer}");
    let (base, _) = asked.split_once("/GET/").unwrap();
    assert!(!allows(&answer["policyDocument"], &format!("{base}/GET/api/v1/users")));
}
