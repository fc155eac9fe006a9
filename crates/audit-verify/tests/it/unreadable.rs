use audit_verify::chain::{Expected, Problem};
use serde_json::{Value, json};

use crate::setup::{judge, lines, login, plain_chain, read};

fn reason(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn members_that_stand_twice_are_read_in_no_way() {
    let events = plain_chain(2);
    let text = lines(&events);
    for (written, other) in [
        (r#""address":"#, r#""address":null,"address":"#),
        (r#""action":"key.updated""#, r#""action":"key.revoked","\u0061ction":"key.updated""#),
        (r#"{"n":0"#, r#"{"n":1,"n":0"#),
        (r#""hash":"#, r#""hash":null,"hash":"#),
    ] {
        assert!(text.contains(written), "{written}");
        let reason = reason(&text.replacen(written, other, 1));
        assert!(reason.contains("twice"), "{other}: {reason}");
        assert!(reason.starts_with("standard input, line 1, column "), "{reason}");
    }
    let page = format!(r#"{{"data":[{}],"data":[],"next_cursor":null}}"#, events[0]);
    assert!(reason(&page).contains("twice"));
}

#[test]
fn members_that_no_event_has_are_not_passed_over() {
    let mut chained = plain_chain(1);
    chained[0]["note"] = json!("x");
    assert_eq!(judge(&lines(&chained), &Expected::default()).broken().problem, Problem::Changed);
    let mut outside = login();
    outside["note"] = json!("x");
    assert!(reason(&lines(&[outside])).contains("no event"));
    for name in ["id", "at", "actor", "action", "object", "address", "outcome", "details", "hash", "previous_hash"] {
        let mut outside = login();
        outside.as_object_mut().unwrap().remove(name);
        assert!(reason(&lines(&[outside])).contains("no event"), "{name}");
    }
    let page = json!({"data": plain_chain(1), "next_cursor": null, "note": "x"});
    assert!(reason(&page.to_string()).contains("no event"));
}

#[test]
fn what_is_no_export_has_a_place() {
    let events = plain_chain(2);
    let line = lines(&events[..1]);
    let indented = serde_json::to_string_pretty(&events).unwrap();
    for (text, place) in [
        (String::new(), "standard input: nothing stands there"),
        (" \n\n".to_owned(), "standard input: nothing stands there"),
        ("hello".to_owned(), "standard input, line 1, column 1: "),
        (format!("{line}{}", &line[..40]), "standard input, line 2, column 40: "),
        (format!("{line}{{}}"), "standard input, line 2, column 1: no event"),
        (format!("{line} 1"), "standard input, line 2, column 2: "),
        (format!("{line}[{},[]]", events[1]), "standard input, line 2, column "),
        (format!("{line}\u{feff}{line}"), "standard input, line 2, column 1: "),
        (
            r#"{"statusCode":403,"error":"Forbidden","message":"…"}"#.to_owned(),
            "standard input, line 1, column 1: no event",
        ),
        (json!({"data": {}, "next_cursor": null}).to_string(), "standard input, line 1, column 1: no event"),
        (json!({"data": [{"data": []}]}).to_string(), "standard input, line 1, column 10: no event"),
        (json!([null]).to_string(), "standard input, line 1, column 2: "),
        // Of a text that is spread over lines, the line and column in it.
        (indented.replacen(r#""n": 1"#, r#""n": 1, "n": 2"#, 1), "standard input, line "),
        (format!("[{}1{}]", "[".repeat(100_000), "]".repeat(100_000)), "standard input, line 1, column 2: "),
        (format!(r#"{{"a":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000)), "standard input, line 1, column "),
    ] {
        let reason = reason(&text);
        assert!(reason.starts_with(place), "{reason}\n{place}");
    }
    let twice = indented.lines().position(|line| line.contains(r#""n": 1"#)).unwrap() + 1;
    let reason = reason(&indented.replacen(r#""n": 1"#, r#""n": 1, "n": 2"#, 1));
    assert!(reason.starts_with(&format!("standard input, line {twice}, ")), "{reason}, not {twice}");
}

#[test]
fn hashes_and_ids_of_other_kinds_are_no_event() {
    let event = plain_chain(1).remove(0);
    for name in ["hash", "previous_hash", "id"] {
        for other in [json!(1), json!([]), json!({}), json!(true)] {
            let mut event = event.clone();
            event[name] = other;
            assert!(reason(&lines(&[event])).contains("no event"), "{name}");
        }
    }
    let mut nameless = event.clone();
    nameless["id"] = Value::Null;
    assert!(reason(&lines(&[nameless])).contains("no event"));
}
