//! The README's own command lines, at this run's address and data directory and otherwise as they stand there.

use crate::project;
use crate::support::clients::run_readme;
use crate::support::{build, system};

/// The shell blocks under a heading.
fn blocks(heading: &str) -> Vec<String> {
    let readme = project::read("README.md");
    let section = readme.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("the README has no `{heading}`"));
    let blocks: Vec<String> =
        section.split("```sh\n").skip(1).map(|it| it.split("```").next().unwrap().to_owned()).collect();
    assert!(!blocks.is_empty(), "nothing to run under `{heading}`");
    blocks
}

/// What the blocks print; the variables that the first ones set are there for all.
fn run(headings: &[&str]) -> Option<String> {
    let target = build::target().to_string_lossy().into_owned();
    let data_dir = system().data_dir().to_string_lossy().into_owned();
    let script = headings
        .iter()
        .flat_map(|heading| blocks(heading))
        .collect::<String>()
        .replace("http://127.0.0.1:8788", &system().demo.base_url)
        .replace(".keygate/", &format!("{data_dir}/"))
        .replace("$PWD/target/", &format!("{target}/"))
        .replace(" target/", &format!(" {target}/"));
    run_readme(&script)
}

#[track_caller]
fn assert_holds(printed: &str, words: &[&str]) {
    let mut rest = printed;
    for word in words {
        let at = rest.find(word).unwrap_or_else(|| panic!("`{word}` is missing, or comes too early:\n{printed}"));
        rest = &rest[at + word.len()..];
    }
}

#[test]
fn the_readmes_first_token_and_four_ways_to_call_work_when_pasted() {
    let Some(printed) = run(&["A first token", "Four ways to call"]) else { return };
    assert_holds(
        &printed,
        &[
            r#""insight":"pnl-summary""#,
            r#""planId":"plan_42""#,
            r#"{"keys":["#,
            "HTTP/1.1 401 Unauthorized",
            "HTTP/1.1 403 Forbidden",
            "HTTP/1.1 404 Not Found",
            "'insight': 'pnl-summary'",
            r#""expires_in":900"#,
            r#""object":"chat.completion""#,
            r#""workflowId":"wf_42""#,
            r#""raw_key":""#,
            r#""name":"reporting""#,
            "HTTP/1.1 204 No Content",
        ],
    );
}

#[test]
fn the_readmes_app_and_agent_work_when_pasted() {
    let Some(printed) = run(&["A first token", "Four ways to call", "OAuth 2.0 and agents"]) else { return };
    // Behind the end of the key of the section before.
    let (_, printed) = printed.split_once("HTTP/1.1 204 No Content").unwrap();
    assert_holds(
        printed,
        &[
            r#""token_type":"Bearer""#,
            r#""scope":"read""#,
            r#""agent_id":"summarizer""#,
            r#""object":"list""#,
            "HTTP/1.1 204",
        ],
    );
}

#[test]
fn the_readmes_cargo_lambda_invoke_is_allowed_with_a_key_and_unauthorized_without() {
    let Some(printed) = run(&["A first token", "One function by itself"]) else { return };
    let client = format!(r#""client_id":"{}""#, system().demo.client_id);
    let printed = printed.replace("\": \"", "\":\"");
    assert_holds(&printed, &[r#""Effect":"Allow""#, "Unauthorized"]);
    assert_holds(&printed, &[r#""credential":"api_key""#]);
    assert_holds(&printed, &[&client]);
    // The policy names the one route, its parameter left open.
    assert_holds(&printed, &["/live/POST/api/workflows/*/execute"]);
}
