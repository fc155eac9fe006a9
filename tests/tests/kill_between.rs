//! `kill -9` between the write of a creation and its answer: whoever repeats the call under the same `Idempotency-Key` has one
//! key, whichever of the two came first.

use std::time::Duration;

use domain::ClientId;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use store::key_list::KeyFilter;
use store::{Config, Store, Table};
use tokio::task::JoinHandle;

use crate::support::account::Account;
use crate::support::audit;
use crate::support::http::{Answer, Http};
use crate::support::processes::{self, Process};
use crate::support::run::Run;

/// How often the moment between write and answer is looked for. It is some milliseconds long.
const ROUNDS: u32 = 60;
/// Past this the answer has long been there.
const LATEST: Duration = Duration::from_millis(80);
/// How long a written record may take to be seen, and an answer to arrive that was on its way.
const SETTLED: Duration = Duration::from_millis(400);
/// How many creations are cut off at moments of all kinds.
const CUTS: u32 = 8;
/// How often a call is repeated while the function is started again.
const REPETITIONS: u32 = 50;

/// A creation under the name of a call; the key's name is the same.
async fn create(account: Account, name: String) -> reqwest::Result<Answer> {
    let request = account.http.request(Method::POST, &account.path("/api_keys"));
    let request = request.header("Idempotency-Key", &name).json(&json!({"name": name, "scopes": ["read"]}));
    account.http.try_send(account.owner.login().show(request)).await
}

fn sent(account: &Account, name: &str) -> JoinHandle<reqwest::Result<Answer>> {
    tokio::spawn(create(account.clone(), name.to_owned()))
}

/// Repeats a creation until it is answered as one.
async fn repeated(account: &Account, name: &str) -> Answer {
    for _ in 0..REPETITIONS {
        match create(account.clone(), name.to_owned()).await {
            Ok(answer) if answer.status < 500 => return answer,
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    panic!("{name} is answered by nobody, though repeated {REPETITIONS} times");
}

/// Whether a creation's answer is that of one that was made before; it shows the secret where it was not.
fn is_replayed(answer: &Answer) -> bool {
    let body = answer.expect(201);
    let replayed = answer.header("idempotency-replayed") == Some("true");
    assert_eq!(body["raw_key"].is_null(), replayed, "the secret is shown once: {body}");
    replayed
}

/// The store that the functions of a run use, past all of them.
fn store_behind(function: &Process) -> Store {
    let endpoint = function.variable("AWS_ENDPOINT_URL_DYNAMODB").unwrap();
    Store::connect_embedded(&endpoint, Config::new([(Table::Keys, "KeysTable".to_owned())]))
}

async fn is_written(store: &Store, account: &Account, name: &str) -> bool {
    let client = ClientId::parse(&account.client_id).unwrap();
    let page = store.key_list(&client, &KeyFilter::default(), 100, None).await.unwrap();
    assert!(page.next.is_none(), "more keys than are looked at");
    page.keys.iter().any(|key| key.name == name)
}

/// Sends creations and holds Lambda's place a moment later, until one is written whose answer then can't pass; the name of
/// its call. Lambda's place goes on being held.
async fn written_and_unanswered(account: &Account, store: &Store, lambda: &Process) -> String {
    let (mut early, mut late) = (Duration::ZERO, LATEST);
    for round in 0..ROUNDS {
        let (name, moment) = (format!("held {round}"), (early + late) / 2);
        let sending = sent(account, &name);
        tokio::time::sleep(moment).await;
        assert!(lambda.signal(Signal::STOP));
        tokio::time::sleep(SETTLED).await;
        let (answered, written) = (sending.is_finished(), is_written(store, account, &name).await);
        if written && !answered {
            return name;
        }
        assert!(lambda.signal(Signal::CONT));
        sending.await.unwrap().unwrap();
        if answered {
            late = moment;
        } else {
            early = moment;
        }
        if late.saturating_sub(early) < Duration::from_millis(1) {
            // It takes longer at one time than at another: begin anew.
            (early, late) = (Duration::ZERO, LATEST);
        }
    }
    panic!("in {ROUNDS} rounds no creation was caught between its write and its answer");
}

#[tokio::test]
async fn a_creation_that_a_kill_cuts_off_makes_one_key_however_often_it_is_repeated() {
    let run = Run::start("killed-between");
    let mut account = Account::sign_up(&run, "Cut off").await;
    let function = processes::named(run.pid, "key-management").unwrap();
    let lambda = processes::named(run.pid, "cargo-lambda").unwrap();
    let store = store_behind(&function);
    let held = written_and_unanswered(&account, &store, &lambda).await;
    let family = processes::family(run.pid);
    run.kill();
    // What is held hears no other signal.
    assert!(lambda.signal(Signal::KILL));
    processes::wait_for_the_end(&family);

    let run = run.start_again();
    account.http = Http::new(&run);
    let answer = repeated(&account, &held).await;
    assert!(is_replayed(&answer), "it was written before the kill: {answer:?}");
    let again = repeated(&account, &held).await;
    assert_eq!((again.status, &again.body), (201, &answer.body));

    let mut replayed = 0;
    for cut in 0..CUTS {
        let name = format!("cut {cut}");
        let function = processes::named(run.pid, "key-management").unwrap();
        let sending = sent(&account, &name);
        tokio::time::sleep(Duration::from_millis(3) * cut).await;
        function.signal(Signal::KILL);
        let first = sending.await.unwrap();
        let answer = repeated(&account, &name).await;
        let is_second = is_replayed(&answer);
        if let Some(first) = first.ok().filter(|first| first.status == 201) {
            assert!(is_second && first.json()["record"] == answer.json()["record"], "{first:?}, then {answer:?}");
        }
        replayed += u32::from(is_second);
    }
    eprintln!("of {CUTS} creations that were cut off {replayed} had been written");

    let keys = account.list(account.owner.login(), "/api_keys", "").await;
    let count = |name: &str| keys.iter().filter(|key| key["name"] == name).count();
    for name in (0..CUTS).map(|cut| format!("cut {cut}")).chain([held]) {
        assert_eq!(count(&name), 1, "{name}");
    }
    let events = audit::events(&account).await;
    audit::assert_whole(&events);
    for key in &keys {
        let made = events.iter().filter(|event| event.action == "key.created" && event.object.id == key["id"]);
        assert_eq!(made.count(), 1, "{key}");
    }
    assert_eq!(events.iter().filter(|event| event.action == "key.created").count(), keys.len());
}
