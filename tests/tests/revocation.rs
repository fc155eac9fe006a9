//! A key's whole life: made, used in every way, listed, revoked, and refused in every way within five seconds.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bound::{BOUND, SLACK, Way, all_become};
use crate::support::clock::Stopwatch;
use crate::support::http::{Credential, Http, unauthorized};
use crate::support::system;

const INSIGHTS: &str = "/insights/v1/pnl-summary";

/// Everything that a key opens, with the tokens that were made of it before.
struct Ways<'a> {
    http: &'a Http,
    key: &'a str,
    tokens: [String; 2],
}

impl Ways<'_> {
    async fn all(&self) -> Vec<(&'static str, u16, Value)> {
        let Self { http, key, tokens: [simcel, simbee] } = self;
        let keys = http.keys_path();
        let answers = [
            ("exchange as SIMCEL", http.simcel_exchange(key).await),
            ("exchange as Simbee", http.simbee_exchange(key).await),
            ("raw key as bearer", http.get(INSIGHTS, Credential::Bearer(key)).await),
            ("raw key in X-API-Key", http.get(INSIGHTS, Credential::ApiKey(key)).await),
            ("SIMCEL's token", http.get(INSIGHTS, Credential::Bearer(simcel)).await),
            ("Simbee's token", http.get(INSIGHTS, Credential::Bearer(simbee)).await),
            ("managing with the key", http.get(&keys, Credential::Bearer(key)).await),
            ("managing with a token", http.get(&keys, Credential::Bearer(simbee)).await),
        ];
        answers.into_iter().map(|(name, answer)| (name, answer.status, answer.json())).collect()
    }
}

async fn listed(http: &Http, id: &str) -> Option<Value> {
    let mut cursor = String::new();
    loop {
        let page = http.get_again(&format!("{}?limit=100{cursor}", http.keys_path()), http.admin()).await.expect(200);
        if let Some(record) = page["data"].as_array().unwrap().iter().find(|record| record["id"] == id) {
            return Some(record.clone());
        }
        cursor = format!("&cursor={}", page["next_cursor"].as_str()?);
    }
}

#[tokio::test]
async fn a_new_key_works_at_once_and_revoked_is_refused_everywhere_within_five_seconds() {
    let http = Http::new(system());
    let key = http.create_key("short-lived", &["insights:read", "keys:manage"]).await;
    let simcel = http.simcel_exchange(&key.raw).await.expect(200)["accessToken"].as_str().unwrap().to_owned();
    let ways = Ways { http: &http, key: &key.raw, tokens: [simcel, http.token(&key.raw).await] };
    for (name, status, body) in ways.all().await {
        assert_eq!(status, 200, "{name}: {body}");
    }
    let record = listed(&http, &key.id).await.unwrap();
    assert_eq!((&record["name"], &record["revoked"]), (&json!("short-lived"), &json!(false)));

    assert_eq!(http.revoke_key(&key.id).await.status, 204);
    let (keys, since) = (http.keys_path(), Stopwatch::start());
    loop {
        // Taken before the calls: a refusal that comes later than the bound does not count.
        let sent = since.elapsed();
        let passed: Vec<&str> =
            ways.all().await.into_iter().filter(|(_, status, _)| *status != 401).map(|(name, ..)| name).collect();
        let others = [(INSIGHTS, Credential::ApiKey(&system().demo.api_key)), (&keys, http.admin())];
        for (path, credential) in others {
            http.get_again(path, credential).await.expect(200);
        }
        if passed.is_empty() {
            break;
        }
        assert!(sent < BOUND + SLACK, "{sent:?} after the revocation these still pass: {passed:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (name, status, body) in ways.all().await {
        assert_eq!((status, body), (401, unauthorized()), "{name}");
    }
    let record = listed(&http, &key.id).await.unwrap();
    assert_eq!(record["revoked"], true);
    http.token(&system().demo.api_key).await;
}

#[tokio::test]
async fn tokens_that_are_made_while_their_key_is_revoked_end_with_it() {
    let http = Http::new(system());
    let key = http.create_key("raced", &["insights:read"]).await;
    let exchanging = async || {
        let mut tokens = Vec::new();
        loop {
            let answer = http.simbee_exchange(&key.raw).await;
            match answer.status {
                200 => tokens.push(answer.json()["data"]["token"].as_str().unwrap().to_owned()),
                401 => return tokens,
                // A busy machine's store was too slow.
                other => assert_eq!(other, 503, "{answer:?}"),
            }
        }
    };
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        http.revoke_key(&key.id).await.status
    };
    let (one, two, three, revoked) = tokio::join!(exchanging(), exchanging(), exchanging(), revoking);
    assert_eq!(revoked, 204);
    // The last ones were under way when the revocation was.
    let last: Vec<String> = [one, two, three].into_iter().filter_map(|tokens| tokens.last().cloned()).collect();
    assert!(!last.is_empty());
    let ways: Vec<Way<'_>> = last.iter().map(|token| Way::get("token", INSIGHTS, Credential::Bearer(token))).collect();
    for body in all_become(&http, &ways, 401).await {
        assert_eq!(body, unauthorized());
    }
}

#[tokio::test]
async fn revoking_twice_answers_the_same_and_nobody_elses_key_is_there_to_revoke() {
    let http = Http::new(system());
    let key = http.create_key("twice", &["read"]).await;
    for _ in 0..2 {
        let answer = http.revoke_key(&key.id).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    let path = format!("/api/v1/clients/cl_0000000000000000/api_keys/{}", key.id);
    let foreign = http.send(http.admin().show(http.request(Method::DELETE, &path))).await;
    let unknown = http.revoke_key("ak_0000000000000000").await;
    assert_eq!(foreign.expect(404), unknown.expect(404));
}
