//! The comparison, on little, and without the peers that must be installed.

use serde_json::Value;

use crate::run;

#[test]
fn a_comparison_has_every_figure_and_leaves_no_goal_out() {
    let output = run(&["--quick", "--json", "--rounds", "2", "--calls", "3", "--revocations", "0", "--no-peers"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&report["command"], &report["rounds"], &report["calls"]), (&"compare".into(), &2.into(), &3.into()));

    let figures = report["figures"].as_array().unwrap();
    let of = |name: &str| figures.iter().find(|figures| figures["name"] == name).unwrap_or_else(|| panic!("{name}"));
    for warm in ["echo", "authorizer, JWT RS256", "authorizer, agent", "token-exchange", "jwks", "Rust, jsonwebtoken"] {
        for figure in ["cpu_us", "p50_us", "p99_us", "per_second", "peak_mb"] {
            assert!(of(warm)[figure].as_f64().unwrap() > 0.0, "{warm}: {figure}");
        }
    }
    for cold in ["echo", "authorizer, before a store read", "authorizer, JWT ES256, TLS", "token-exchange, TLS"] {
        for figure in ["cold_cpu_ms", "cold_first_ms", "peak_mb"] {
            assert!(of(cold)[figure].as_f64().unwrap() > 0.0, "{cold}: {figure}");
        }
    }
    // What the batches saw at the proxy: the read of an exchange, and none of an authorizer.
    assert!(of("token-exchange")["store_calls"].as_f64().unwrap() >= 1.0);
    assert!(of("authorizer, raw key")["store_calls"].as_f64().unwrap() < 1.0);

    let names = |list: &str, of: fn(&Value) -> &Value| {
        report[list].as_array().unwrap().iter().map(|goal| of(goal).as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (judged, missed) = (names("goals", |goal| &goal["name"]), names("goals_missed", |name| name));
    let not_measured = names("goals_not_measured", |goal| &goal["name"]);
    assert_eq!(judged.len() + not_measured.len(), 19);
    assert!(missed.iter().all(|name| judged.contains(name)));
    for goal in report["goals"].as_array().unwrap() {
        assert_eq!(goal["met"] == true, !missed.iter().any(|name| goal["name"] == **name), "{goal}");
    }
    assert!(
        not_measured.contains(&"aws-jwt-verify's warm CPU / the authorizer's, one token for both".to_owned()),
        "a peer was left out"
    );
}

#[test]
fn a_flood_of_unknown_signing_keys_is_refused_and_reads_no_more_than_it_may() {
    let output = run(&["unknown-kids", "--flood", "60", "--rounds", "2", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["unknown_kids"], 60);
    let (reads, allowed) = (report["reads_of_keys"].as_u64().unwrap(), report["allowed_reads"].as_u64().unwrap());
    assert!(reads <= allowed, "{report}");
    for (latency, beside) in report["valid"].as_array().unwrap().iter().zip(["nothing", "the flood"]) {
        assert_eq!((&latency["beside"], &latency["calls"]), (&beside.into(), &60.into()));
        assert!(latency["p50"].as_f64().unwrap() > 0.0 && latency["p99"].as_f64() >= latency["p50"].as_f64());
    }
}
