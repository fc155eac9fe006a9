//! `kill -9` of the whole system, in the middle of its work.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use domain::{KeyId, Tally, Timestamp};
use embedded::Embedded;
use store::{Config, FLUSH_INTERVAL, Store, Table};

use crate::project;
use crate::support::clock;
use crate::support::http::{Credential, Http, NewKey, unauthorized};
use crate::support::processes;
use crate::support::run::Run;

const INSIGHTS: &str = "/insights/v1/pnl-summary";

/// How long a count waits at most, and what a write on a busy machine may add.
const FLUSHED: Duration = FLUSH_INTERVAL.saturating_add(Duration::from_secs(2));

/// What stands in the usage table of a system that is down.
async fn stored_counts(data: &Path, key: &NewKey, since: Timestamp) -> Tally {
    let embedded = Embedded::start(Some(&data.join("keygate.db")), &project::template()).await.unwrap();
    let config = Config::new([(Table::Usage, "UsageTable".to_owned())]);
    let store = Store::connect_embedded(&embedded.endpoint(), config);
    let id = KeyId::parse(&key.id).unwrap();
    let hours = store.usage_of_key(&id, since, clock::now()).await.unwrap();
    hours.values().fold(Tally::default(), |mut sum, tally| {
        sum.add(tally);
        sum
    })
}

async fn call_times(http: &Http, key: &NewKey, times: u64) -> u64 {
    for _ in 0..times {
        http.get(INSIGHTS, Credential::ApiKey(&key.raw)).await.expect(200);
    }
    times
}

async fn exchange_times(http: &Http, key: &NewKey, times: u64) -> u64 {
    for _ in 0..times {
        http.token(&key.raw).await;
    }
    times
}

/// Makes keys until nobody answers any more; the answer is those that were answered.
async fn create_until_the_end(http: Http) -> Vec<NewKey> {
    let mut created = Vec::new();
    loop {
        let body = serde_json::json!({"name": format!("key {}", created.len()), "scopes": ["insights:read"]});
        let request = http.admin().show(http.request(reqwest::Method::POST, &http.keys_path())).json(&body);
        let Ok(answer) = http.try_send(request).await else { return created };
        if answer.status == 503 {
            // What a busy store was too slow for may be there or not: nobody was told of it.
            continue;
        }
        created.push(NewKey::of(&answer.expect(201)));
    }
}

#[tokio::test]
async fn kill_9_loses_no_answered_key_and_no_count_that_was_due() {
    let since = clock::now();
    let run = Run::start("killed");
    let http = Http::new(&run);
    let counted = http.create_key("counted", &["insights:read"]).await;
    let revoked = http.create_key("revoked", &["insights:read"]).await;
    assert_eq!(http.revoke_key(&revoked.id).await.status, 204);
    let token = http.token(&counted.raw).await;
    let early = 1 + exchange_times(&http, &counted, 20).await;
    let early_calls = call_times(&http, &counted, 10).await;
    tokio::time::sleep(FLUSHED).await;

    let creating = tokio::spawn(create_until_the_end(Http::new(&run)));
    let late = exchange_times(&http, &counted, 15).await;
    let late_calls = call_times(&http, &counted, 5).await;
    let family = processes::family(run.pid);
    let ports = processes::ports(&family);
    for program in
        ["local", "cargo-lambda", "accounts", "authorizer", "token-exchange", "key-management", "jwks", "demo-api"]
    {
        // The kernel keeps fifteen characters of a name.
        assert!(family.iter().any(|process| program.starts_with(&process.name)), "{program} is not among {family:?}");
    }
    assert!(ports.len() >= 3, "gateway, store and cargo-lambda listen: {ports:?}");
    run.kill();
    let created = creating.await.unwrap();
    assert!(!created.is_empty());

    processes::wait_for_the_end(&family);
    for port in ports {
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(), "somebody listens on port {port}");
    }
    let kept = stored_counts(&run.data_dir(), &counted, since).await;
    for (kind, kept, early, late) in
        [("exchanges", kept.exchanges, early, late), ("calls", kept.allowed, early_calls, late_calls)]
    {
        assert!((early..=early + late).contains(&kept), "{kept} of {early} early and {late} late {kind} are counted");
    }

    let before = run.demo.clone();
    let mut run = run.start_again();
    assert!(run.took < Duration::from_mins(5), "the second start took {:?}", run.took);
    assert_eq!(run.demo, before);
    let http = Http::new(&run);
    for key in &created {
        http.token(&key.raw).await;
    }
    assert_eq!(http.simbee_exchange(&revoked.raw).await.expect(401), unauthorized());
    http.get(INSIGHTS, Credential::Bearer(&token)).await.expect(200);
    let (after, calls_after) = (exchange_times(&http, &counted, 5).await, 1 + call_times(&http, &counted, 5).await);
    let status = run.stop();
    assert!(status.success(), "{status}: {}", run.output());
    let in_the_end = stored_counts(&run.data_dir(), &counted, since).await;
    assert_eq!(
        (in_the_end.exchanges, in_the_end.allowed),
        (kept.exchanges + after, kept.allowed + calls_after),
        "a stop that is asked for loses no count, and none is counted twice"
    );
}
