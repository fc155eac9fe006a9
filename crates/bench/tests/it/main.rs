//! The program itself, on little.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use std::process::{Command, Output};

use serde_json::Value;

mod compare;
mod peers;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().unwrap()
}

#[test]
fn keys_gives_every_number_of_both_sides() {
    let output = run(&["keys", "--keys", "200", "--rounds", "2", "--calls", "2", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&report["sides"][0], &report["sides"][1]), (&"10 keys".into(), &"200 keys".into()));
    let operations = report["operations"].as_array().unwrap();
    let answered: Vec<_> = operations
        .iter()
        .map(|it| [&it["operation"], &it["costs"][0]["answered"], &it["costs"][1]["answered"]].map(Value::to_string))
        .collect();
    let expected = [
        ["\"list, the first nine\"", "9", "9"],
        ["\"list, four from the middle\"", "4", "4"],
        ["\"list, a page of 50\"", "10", "50"],
        ["\"get\"", "1", "1"],
        ["\"exchange\"", "1", "1"],
    ];
    assert_eq!(answered, expected);
    for operation in operations {
        for cost in operation["costs"].as_array().unwrap() {
            for number in ["function_cpu", "store_cpu", "wall_p50", "wall_p99"] {
                assert!(cost[number].as_f64().unwrap() > 0.0, "{number}: {operation}");
            }
        }
        for ratio in operation["ratio"].as_object().unwrap().values() {
            let [least, median, most] = ["least", "median", "most"].map(|it| ratio[it].as_f64().unwrap());
            assert!(0.0 < least && least <= median && median <= most, "{operation}");
        }
    }
}

#[test]
fn wrong_arguments_exit_with_two() {
    let output = run(&["keys", "--keys", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("--keys"));
}

#[test]
fn revocation_measures_each_key_at_each_authorizer_by_both_credentials() {
    let output = run(&["revocation", "--rounds", "3", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&report["authorizers"], &report["rounds"]), (&4.into(), &3.into()));
    assert!(report["allowed"].as_u64().unwrap() > 100 && report["refused"].as_u64().unwrap() >= 24, "{report}");
    for (delay, credential) in report["delays"].as_array().unwrap().iter().zip(["JWT", "raw key"]) {
        assert_eq!((&delay["credential"], &delay["measured"]), (&credential.into(), &12.into()));
        let [p50, p99, max] = ["p50", "p99", "max"].map(|it| delay[it].as_f64().unwrap());
        assert!(0.0 <= p50 && p50 <= p99 && p99 <= max && max > 0.0, "{delay}");
    }
}
