use audit_verify::chain::{Expected, Problem};
use domain::audit::{Details, hash_of_members};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::setup::{chain_of, chains, event, hash, judge, known_head, lines, login, pages, plain_chain, read};

/// A way from an event to a value in it.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Element(usize),
}

/// Ways to everything in a value, itself left out.
fn paths(value: &Value) -> Vec<Vec<Step>> {
    let children: Vec<(Step, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (Step::Member(name.clone()), value)).collect(),
        Value::Array(values) => values.iter().enumerate().map(|(place, value)| (Step::Element(place), value)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (step, child) in children {
        found.push(vec![step.clone()]);
        found.extend(paths(child).into_iter().map(|path| [std::slice::from_ref(&step), &path[..]].concat()));
    }
    found
}

fn at<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name).unwrap(),
        Step::Element(place) => value.get_mut(place).unwrap(),
    })
}

/// Every other value that one may become by one change.
fn others(value: &Value) -> Vec<Value> {
    let changed = match value {
        Value::Null => json!("x"),
        Value::Bool(set) => json!(!set),
        Value::Number(number) => json!(number.as_i64().unwrap() ^ 1),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(values) => json!([&values[..], &[Value::Null]].concat()),
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("one more".to_owned(), Value::Null);
            Value::Object(more)
        }
    };
    let shorter = value
        .as_str()
        .and_then(|text| text.char_indices().next_back())
        .map(|(end, _)| json!(value.as_str().unwrap()[..end]));
    let candidates = [Some(changed), shorter, Some(Value::Null), Some(json!("")), Some(json!(0)), Some(json!([]))];
    candidates.into_iter().flatten().filter(|other| other != value).collect()
}

/// Every event that one may become by one change.
fn tampered(event: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut more = event.clone();
    more["one_more"] = Value::Null;
    found.push(more);
    for path in paths(event) {
        let (last, parent) = path.split_last().unwrap();
        for other in others(at(&mut event.clone(), &path)) {
            let mut changed = event.clone();
            *at(&mut changed, &path) = other;
            found.push(changed);
        }
        let (mut without, mut renamed) = (event.clone(), event.clone());
        match (last, at(&mut without, parent)) {
            (Step::Member(name), Value::Object(members)) => {
                let value = members.remove(name).unwrap();
                at(&mut renamed, parent).as_object_mut().unwrap().remove(name);
                at(&mut renamed, parent)[format!("{name}x")] = value;
                found.push(renamed);
            }
            (Step::Element(place), Value::Array(values)) => drop(values.remove(*place)),
            _ => unreachable!(),
        }
        found.push(without);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_form_of_a_whole_chain_is_whole(events in chains(0..9), limit in 1_usize..4) {
        let expected = known_head(&events);
        let mut mixed: Vec<Value> = events.iter().flat_map(|event| [event.clone(), login()]).collect();
        mixed.push(login());
        for text in [
            json!(mixed).to_string(),
            lines(&mixed),
            lines(&mixed).replace('\n', "\r\n\n"),
            pages(&mixed, limit, ""),
            pages(&mixed, limit, "\n"),
            format!("[{}]", pages(&mixed, limit, ",")),
            format!("{}{}", lines(&mixed[..1]), pages(&mixed[1..], limit, "\n")),
            serde_json::to_string_pretty(&mixed).unwrap(),
        ] {
            let summary = judge(&text, &expected).whole();
            prop_assert_eq!((summary.events, summary.outside), (events.len(), events.len() + 1));
            if let Some((first, last)) = summary.ends {
                prop_assert_eq!(json!(first.id), events[0]["id"].clone());
                prop_assert_eq!(last.hash, expected.head.clone());
            }
        }
    }

    #[test]
    fn no_change_of_any_member_passes(events in chains(1..4), place in any::<Index>()) {
        let place = place.index(events.len());
        let known = known_head(&events);
        for changed in tampered(&events[place]) {
            let mut events = events.clone();
            events[place] = changed;
            let text = lines(&events);
            prop_assert!(!judge(&text, &known).is_whole(), "{}", text);
            // Even where no head is known, the event behind it tells of it.
            let last = place + 1 == events.len();
            prop_assert!(last || !judge(&text, &Expected::default()).is_whole(), "{}", text);
        }
    }

    /// Whatever is done to the text: where it passes, a reader of JSON reads what was written.
    #[test]
    fn no_other_letter_passes_unless_it_means_the_same(
        events in chains(1..4),
        place in any::<Index>(),
        byte in any::<u8>(),
        kind in 0..3,
    ) {
        let text = lines(&events);
        let mut bytes = text.clone().into_bytes();
        let place = place.index(bytes.len());
        match kind {
            0 => bytes[place] = byte,
            1 => bytes.insert(place, byte),
            _ => drop(bytes.remove(place)),
        }
        let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
        if judge(&changed, &known_head(&events)).is_whole() {
            let found = serde_json::Deserializer::from_str(&changed).into_iter::<Value>();
            prop_assert_eq!(found.collect::<Result<Vec<_>, _>>().unwrap(), events);
        }
    }

    #[test]
    fn an_event_that_was_taken_out_is_missed(events in chains(2..9), place in any::<Index>()) {
        let place = place.index(events.len());
        let mut rest = events.clone();
        rest.remove(place);
        let broken = judge(&lines(&rest), &known_head(&events)).broken();
        let (problem, named) = match place {
            _ if place + 1 == events.len() => (Problem::NotTheHead, place - 1),
            0 => (Problem::Beginning, 1),
            _ => (Problem::MissingBefore, place + 1),
        };
        prop_assert_eq!((broken.problem, json!(broken.event.unwrap().id)), (problem, events[named]["id"].clone()));
        prop_assert!(!broken.export_alone);
        if place + 1 < events.len() {
            prop_assert!(!judge(&lines(&rest), &Expected::default()).is_whole());
        }
    }

    #[test]
    fn events_that_changed_places_are_told_from_missing_ones(
        events in chains(2..9), one in any::<Index>(), other in any::<Index>(),
    ) {
        let (one, other) = (one.index(events.len()), other.index(events.len()));
        prop_assume!(one != other);
        let (first, last) = (one.min(other), one.max(other));
        let mut swapped = events.clone();
        swapped.swap(first, last);
        for expected in [known_head(&events), Expected::default()] {
            let broken = judge(&lines(&swapped), &expected).broken();
            prop_assert!(matches!(&broken.problem, Problem::OutOfOrder(_)), "{:?}", broken);
            prop_assert_eq!(broken.event.unwrap().place.event, first + 1);
            prop_assert!(broken.export_alone);
        }
        // One of them is missing besides: then it is not the export's order alone.
        if events.len() > 2 {
            let gap = (0..events.len() - 1).find(|place| *place != first && *place != last);
            if let Some(gap) = gap {
                swapped.remove(gap);
                prop_assert!(!judge(&lines(&swapped), &known_head(&events)).broken().export_alone);
            }
        }
    }

    #[test]
    fn pages_that_were_fetched_twice_are_told_from_forged_ones(
        events in chains(1..9), from in any::<Index>(), to in any::<Index>(),
    ) {
        let (from, to) = (from.index(events.len()), to.index(events.len()));
        let (from, to) = (from.min(to), from.max(to) + 1);
        let doubled = [&events[..to], &events[from..to], &events[to..]].concat();
        let broken = judge(&lines(&doubled), &known_head(&events)).broken();
        prop_assert_eq!(broken.event.unwrap().place.event, to + 1);
        let Problem::Doubled(first) = broken.problem else { panic!("{:?}", broken.problem) };
        prop_assert_eq!(first.event, from + 1);
        prop_assert!(broken.export_alone);
    }
}

fn rehashed(mut event: Value) -> Value {
    event["hash"] = json!(hash_of_members(event.as_object().unwrap().clone()));
    event
}

#[test]
fn a_change_with_a_new_hash_breaks_the_link_behind_it() {
    let events = plain_chain(4);
    let mut forged = events[1].clone();
    forged["details"]["n"] = json!("forged");
    let forged = rehashed(forged);
    let mut chain = events.clone();
    chain[1] = forged.clone();
    let broken = judge(&lines(&chain), &Expected::default()).broken();
    assert_eq!((broken.problem, broken.event.unwrap().place.event), (Problem::MissingBefore, 3));

    // Beside the true one it is a rival of it.
    chain = events.clone();
    chain.insert(2, forged);
    let broken = judge(&lines(&chain), &Expected::default()).broken();
    let Problem::Rival(true_one) = &broken.problem else { panic!("{broken:?}") };
    assert_eq!((true_one.event, broken.event.unwrap().place.event), (2, 3));

    // The last one, and all of a chain that was written anew, show by the head alone.
    let mut last = events[3].clone();
    last["details"]["n"] = json!("forged");
    let chain = [&events[..3], &[rehashed(last)]].concat();
    assert!(judge(&lines(&chain), &Expected::default()).is_whole());
    assert_eq!(judge(&lines(&chain), &known_head(&events)).broken().problem, Problem::NotTheHead);
    assert_eq!(judge(&lines(&plain_chain(4)), &known_head(&events)).broken().problem, Problem::NotTheHead);
}

#[test]
fn numbers_of_one_value_are_not_one_number() {
    let events = chain_of(&[Details::from_iter([("n".to_owned(), json!([1, 0]))]), Details::new()]);
    let text = lines(&events);
    for (written, other) in [("[1,", "[1.0,"), ("[1,", "[1e0,"), ("[1,", "[10e-1,"), (",0]", ",-0]"), (",0]", ",0.0]")]
    {
        assert!(text.contains(written));
        let broken = judge(&text.replacen(written, other, 1), &Expected::default()).broken();
        assert_eq!((broken.problem, broken.event.unwrap().place.event), (Problem::Changed, 1), "{other}");
    }
    // Both are the same double, and so have one hash.
    let mut large = events[0].clone();
    large["details"]["n"] = json!(9_007_199_254_740_993_u64);
    let mut other = large.clone();
    other["details"]["n"] = json!(9_007_199_254_740_992_u64);
    let (large, other) = (rehashed(large), rehashed(other));
    assert_eq!(hash(&large), hash(&other));
    assert_eq!(judge(&lines(&[large]), &Expected::default()).broken().problem, Problem::Changed);
}

/// `serde_json` would take what stands in the text for the details, and everybody else the text itself.
#[test]
fn details_that_two_readers_would_read_in_two_ways_are_not_read() {
    let mut events = plain_chain(3);
    let details = events[1]["details"].to_string();
    events[1]["details"] = json!({"$serde_json::private::RawValue": details});
    let read = read(&lines(&events));
    assert!(read.is_err_and(|unreadable| unreadable.to_string().contains("a name that none may have")));
}

#[test]
fn an_export_may_begin_behind_a_known_event_and_nowhere_else() {
    let events = plain_chain(5);
    let rest = lines(&events[2..]);
    let after = |event: &Value| Expected { after: Some(hash(event)), head: Some(hash(&events[4])) };
    assert_eq!(judge(&rest, &after(&events[1])).whole().events, 3);
    for expected in [after(&events[0]), after(&events[2]), known_head(&events)] {
        let broken = judge(&rest, &expected).broken();
        assert_eq!((broken.problem, broken.event.unwrap().place.event), (Problem::Beginning, 1));
    }
    // From the beginning, though something was said to be before it.
    let broken = judge(&lines(&events), &after(&events[1])).broken();
    assert_eq!((broken.problem, broken.event.unwrap().place.event), (Problem::BeginsAnew, 1));
    // Nothing new.
    assert_eq!(
        judge("[]", &Expected { after: Some(hash(&events[4])), head: Some(hash(&events[4])) }).whole().events,
        0
    );
    assert_eq!(judge("[]", &after(&events[1])).broken().event, None);
}

#[test]
fn the_head_is_the_last_one() {
    let events = plain_chain(4);
    let broken = judge(&lines(&events), &Expected { after: None, head: Some(hash(&events[1])) }).broken();
    assert_eq!((broken.problem, broken.event.unwrap().place.event), (Problem::BehindTheHead, 2));
    let broken = judge(&lines(&events[..3]), &known_head(&events)).broken();
    assert_eq!((broken.problem, broken.event.unwrap().place.event), (Problem::NotTheHead, 3));
}

#[test]
fn disorder_does_not_hide_that_something_was_changed() {
    let events = plain_chain(4);
    let mut export = [0, 2, 1, 3].map(|place| events[place].clone());
    assert!(judge(&lines(&export), &Expected::default()).broken().export_alone);
    export[3]["action"] = json!("key.created");
    for export in [&export[..], &[events[0].clone(), events[0].clone(), export[3].clone()]] {
        let broken = judge(&lines(export), &Expected::default()).broken();
        assert!(matches!(broken.problem, Problem::OutOfOrder(_) | Problem::Doubled(_)), "{broken:?}");
        assert!(!broken.export_alone);
    }
}

#[test]
fn two_chains_are_not_one() {
    let (events, others) = (plain_chain(2), plain_chain(2));
    let broken = judge(&lines(&[&events[..], &others].concat()), &Expected::default()).broken();
    assert_eq!((broken.problem, broken.event.unwrap().place.event), (Problem::BeginsAnew, 3));
    let broken = judge(&lines(&[events[0].clone(), others[0].clone()]), &Expected::default()).broken();
    assert_eq!(broken.problem, Problem::BeginsAnew);
    // Put in behind the first of a chain that began behind something.
    let after = Expected { after: Some("0".repeat(64)), head: None };
    let [first, second] =
        [0, 1].map(|n| event(&Details::from_iter([("n".to_owned(), json!(n))]), after.after.as_deref()));
    let broken = judge(&lines(&[first, second]), &after).broken();
    assert!(matches!(&broken.problem, Problem::Rival(place) if place.event == 1), "{broken:?}");
}

#[test]
fn an_event_can_not_be_taken_out_of_the_chain_by_its_hash() {
    let events = plain_chain(3);
    let without_hash = |place: usize, members: &[&str]| {
        let mut events = events.clone();
        for name in members {
            events[place][name] = Value::Null;
        }
        judge(&lines(&events), &known_head(&plain_chain(1))).broken()
    };
    assert_eq!(without_hash(1, &["hash"]).problem, Problem::Changed);
    assert_eq!(without_hash(1, &["hash", "previous_hash"]).problem, Problem::MissingBefore);
    assert_eq!(without_hash(0, &["hash"]).problem, Problem::Beginning);
    assert_eq!(without_hash(2, &["hash", "previous_hash"]).problem, Problem::NotTheHead);
}

#[test]
fn places_are_counted_with_what_is_outside_of_the_chain() {
    let mut events = plain_chain(3);
    events[2]["at"] = json!("2027-01-15T08:00:01Z");
    let text = format!(
        "{}\n\n{}",
        pages(&[events[0].clone(), login(), events[1].clone()], 2, "\n"),
        lines(&[login(), events[2].clone()])
    );
    let broken = judge(&text, &Expected::default()).broken();
    let event = broken.event.clone().unwrap();
    assert_eq!((event.place.event, event.place.line), (5, 5));
    assert_eq!(
        broken.to_string(),
        format!("event 5 of standard input (line 5), {}: changed: its hash is not that of its content", event.id)
    );
    assert_eq!(read(&text).unwrap()[2].place.line, 2);
}
