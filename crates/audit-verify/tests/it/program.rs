//! The program itself.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::setup::{hash, lines, login, pages, plain_chain};

fn run(arguments: &[&str], input: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_audit-verify"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that reads no input has ended perhaps.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

/// The exit code, what is said, and what is complained of.
fn answer(arguments: &[&str], input: &str) -> (i32, String, String) {
    let output = run(arguments, input);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_whole_chain_is_summed_up_and_exits_with_0() {
    let mut events = plain_chain(3);
    let (first, last) = (events[0]["id"].as_str().unwrap().to_owned(), events[2]["id"].as_str().unwrap().to_owned());
    let head = hash(&events[2]);
    events.insert(1, login());
    let expected = format!(
        "whole: 3 events, first {first} at 2027-01-15T08:00:00Z, last {last} at 2027-01-15T08:00:00Z, head {head}; \
         1 outside of the chain\n"
    );
    for arguments in [&[][..], &["-"], &["--head", &head]] {
        assert_eq!(answer(arguments, &pages(&events, 2, "\n")), (0, expected.clone(), String::new()));
    }
    let none = "whole: no events; 0 outside of the chain\n";
    assert_eq!(answer(&[], "[]"), (0, none.to_owned(), String::new()));
}

#[test]
fn files_are_read_one_after_another() {
    let folder = tempfile::tempdir().unwrap();
    let events = plain_chain(4);
    let one = file(folder.path(), "one", &lines(&events[..2]));
    let two = file(folder.path(), "two", &json!(&events[2..3]).to_string());
    let rest = lines(&events[3..]);
    assert_eq!(answer(&[&one, &two, "-"], &rest).0, 0);
    let (code, _, errors) = answer(&[&two, &one, "-"], &rest);
    assert_eq!(code, 1);
    let id = events[2]["id"].as_str().unwrap();
    assert_eq!(
        errors,
        format!(
            "broken: event 1 of {two} (line 1), {id}: out of order: the event that it follows is event 2 of {one} (line 2). \
             Every event is there as it was written: the export is in disorder, not the chain\n"
        )
    );
    let (code, _, errors) = answer(&["--after", &hash(&events[1]), &two], "");
    assert_eq!((code, errors.as_str()), (0, ""));
}

#[test]
fn a_broken_chain_exits_with_1_and_names_the_link() {
    let mut events = plain_chain(3);
    events[1]["details"]["n"] = json!("forged");
    let id = events[1]["id"].as_str().unwrap().to_owned();
    let expected =
        format!("broken: event 2 of standard input (line 2), {id}: changed: its hash is not that of its content\n");
    assert_eq!(answer(&[], &lines(&events)), (1, String::new(), expected));
    let cut = answer(&["--head", &"0".repeat(64)], &lines(&plain_chain(2)));
    assert_eq!((cut.0, cut.1.as_str()), (1, ""));
    assert!(cut.2.contains("the end is missing"), "{}", cut.2);
}

#[test]
fn what_can_not_be_read_exits_with_2() {
    let (code, out, errors) = answer(&[], "{\n  \"id\": ");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.starts_with("standard input, line 2, column "), "{errors}");
    assert_eq!(answer(&[], "").0, 2);
    let (code, _, errors) = answer(&["/nowhere/export"], "");
    assert_eq!(code, 2);
    assert!(errors.starts_with("/nowhere/export: "), "{errors}");
    let (code, _, errors) = answer(&["--nonsense"], "");
    assert_eq!(code, 2);
    assert!(errors.contains("--nonsense"), "{errors}");
}

#[test]
fn help_says_what_the_chain_can_not_show() {
    let (code, out, _) = answer(&["--help"], "");
    assert_eq!(code, 0);
    assert!(out.contains("Without --head an end that was cut off can't be seen"), "{out}");
}

#[test]
fn an_id_moves_no_terminal() {
    let mut events = plain_chain(1);
    events[0]["id"] = json!("ev_\u{1b}[2J\r");
    let (code, _, errors) = answer(&[], &lines(&events));
    assert_eq!(code, 1);
    assert!(errors.contains(r"ev_\u{1b}[2J\r"), "{errors}");
}
