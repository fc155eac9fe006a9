//! A key gets another secret while it is in use: nobody is refused who shows either, until the overlap ends.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::bound::{Way, all_answer, all_become};
use crate::support::clock::{Stopwatch, now};
use crate::support::http::{Credential, NewKey, unauthorized};
use crate::support::system;

const MODELS: &str = "/v1/models";
const SCOPE: &str = "models:read";

/// How many exchanges there are at least, and how many are under way at once.
const EXCHANGES: usize = 2_000;
const AT_ONCE: usize = 64;
/// How long both secrets count, in seconds.
const OVERLAP: i64 = 8;
/// How long it goes on when the overlap is over, in seconds.
const AFTERWARDS: i64 = 2;
/// In how many exchanges one may be answered 503, as a machine does that is busy with other tests too.
const ONE_BUSY_IN: usize = 50;
/// After which time the test gives up.
const PATIENCE: Duration = Duration::from_secs(55);

async fn rotate(account: &Account, key: &NewKey, body: &Value, status: u16) -> Value {
    let rest = format!("/api_keys/{}/rotate", key.id);
    account.manage(account.owner.login(), Method::POST, &rest, body, status).await
}

/// Which of the two secrets was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secret {
    Old,
    New,
}

/// An exchange that was answered other than 503. The clock is the one that the functions have too, in whole seconds as
/// theirs is.
#[derive(Debug)]
struct Exchange {
    secret: Secret,
    sent: Timestamp,
    answered: Timestamp,
    /// Since the first one.
    took: Duration,
    status: u16,
    token: Option<String>,
}

/// What the callers share.
struct Load {
    account: Account,
    old: String,
    /// The second secret, and when the first one ends: from the rotation's answer on.
    rotated: OnceLock<(String, Timestamp)>,
    begun: AtomicUsize,
    busy: AtomicUsize,
    since: Stopwatch,
}

impl Load {
    /// Exchanges one after the other, each secret in turn.
    async fn exchanges(&self) -> Vec<Exchange> {
        let mut done = Vec::new();
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            let rotated = self.rotated.get();
            let is_over = rotated.is_some_and(|(_, end)| now() > end.plus(AFTERWARDS));
            if (number >= EXCHANGES && is_over) || self.since.elapsed() > PATIENCE {
                return done;
            }
            done.push(match rotated {
                Some((new, _)) if number % 2 == 1 => self.exchange(Secret::New, new).await,
                _ => self.exchange(Secret::Old, &self.old).await,
            });
        }
    }

    async fn exchange(&self, secret: Secret, key: &str) -> Exchange {
        loop {
            let sent = now();
            let answer = self.account.http.simbee_exchange(key).await;
            let answered = now();
            if answer.status == 503 && self.since.elapsed() < PATIENCE {
                self.busy.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            let token = answer.json()["data"]["token"].as_str().map(str::to_owned);
            return Exchange { secret, sent, answered, took: self.since.elapsed(), status: answer.status, token };
        }
    }
}

impl Exchange {
    /// Whether it was answered as it had to be; the old secret ends at `end`. What was under way at that moment may have
    /// been judged before or after.
    fn is_right(&self, end: Timestamp) -> bool {
        match self.secret {
            Secret::New => self.status == 200,
            Secret::Old if self.answered < end => self.status == 200,
            Secret::Old if self.sent >= end => self.status == 401,
            Secret::Old => [200, 401].contains(&self.status),
        }
    }
}

fn expiry(token: &str) -> i64 {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()["exp"].as_i64().unwrap()
}

#[tokio::test]
async fn two_thousand_exchanges_over_a_rotation_are_none_refused_wrongly() {
    let account = Account::sign_up(system(), "Rotating").await;
    let key = account.workspace_key(&account.workspace_id, &[SCOPE]).await;
    let first_token = account.http.token(&key.raw).await;
    let load = std::sync::Arc::new(Load {
        account: account.clone(),
        old: key.raw.clone(),
        rotated: OnceLock::new(),
        begun: AtomicUsize::new(0),
        busy: AtomicUsize::new(0),
        since: Stopwatch::start(),
    });
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let load = std::sync::Arc::clone(&load);
        callers.spawn(async move { load.exchanges().await });
    }
    while load.begun.load(Ordering::Relaxed) < EXCHANGES / 4 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (before_rotation, begun) = (now(), load.since.elapsed());
    let answer = rotate(&account, &key, &json!({"overlap_seconds": OVERLAP}), 201).await;
    let new = NewKey::of(&answer);
    let after_rotation = now();
    let end = Timestamp::parse(answer["record"]["previous_secret_expires_at"].as_str().unwrap()).unwrap();
    assert!(before_rotation.plus(OVERLAP) <= end && end <= after_rotation.plus(OVERLAP), "{end}");
    load.rotated.set((new.raw.clone(), end)).unwrap();
    let old_way = Way::get("token of the old secret", MODELS, Credential::Bearer(&first_token));
    let in_overlap = old_way.answer(&account.http).await;
    assert!(in_overlap.status == 200 || now() >= end, "{in_overlap:?}");

    let exchanges: Vec<Exchange> = callers.join_all().await.into_iter().flatten().collect();
    let (took, busy) = (load.since.elapsed(), load.busy.load(Ordering::Relaxed));
    eprintln!("{} exchanges, {busy} times 503, in {:.1} s", exchanges.len(), took.as_secs_f64());
    assert!(exchanges.len() >= EXCHANGES, "{} exchanges in {took:?}", exchanges.len());
    assert!(busy * ONE_BUSY_IN <= exchanges.len(), "{busy} times 503");
    let wrong: Vec<_> = exchanges.iter().filter(|exchange| !exchange.is_right(end)).collect();
    assert!(wrong.is_empty(), "the old secret ends at {end}: {} answers, such as {:?}", wrong.len(), wrong.first());
    // Each kind must have been there, or nothing was tried.
    let count = |secret, is_late: bool| {
        let fits = |it: &&Exchange| it.secret == secret && if is_late { it.sent >= end } else { it.answered < end };
        exchanges.iter().filter(fits).count()
    };
    let early_old = exchanges.iter().filter(|it| it.took < begun).count();
    assert!(early_old >= 100, "{early_old} before the rotation");
    for (secret, is_late) in [(Secret::Old, false), (Secret::New, false), (Secret::Old, true), (Secret::New, true)] {
        assert!(count(secret, is_late) >= 5, "{secret:?}, after the end: {is_late}: {}", count(secret, is_late));
    }

    // What was made with a secret ends with it, whenever that was.
    let tokens_of =
        |secret| exchanges.iter().filter(move |it| it.secret == secret).filter_map(|it| it.token.as_deref());
    let old: Vec<&str> = tokens_of(Secret::Old).collect();
    let newer = tokens_of(Secret::New).next_back().unwrap();
    let in_overlap = exchanges.iter().filter(|it| it.secret == Secret::Old && it.sent > after_rotation);
    let in_overlap: Vec<i64> = in_overlap.filter_map(|it| it.token.as_deref()).map(expiry).collect();
    assert!(in_overlap.iter().max().is_some_and(|last| *last <= end.unix()), "tokens end at {in_overlap:?}");
    let step = (old.len() / 10).max(1);
    let ended: Vec<Way<'_>> = std::iter::once(first_token.as_str())
        .chain(old.iter().step_by(step).copied())
        .map(|token| Way::get("token of the old secret", MODELS, Credential::Bearer(token)))
        .chain([Way::get("old secret", MODELS, Credential::ApiKey(&key.raw))])
        .collect();
    for body in all_answer(&account.http, &ended, 401).await {
        assert_eq!(body, unauthorized());
    }
    let living = [
        Way::get("token of the new secret", MODELS, Credential::Bearer(newer)),
        Way::get("new secret", MODELS, Credential::ApiKey(&new.raw)),
    ];
    all_answer(&account.http, &living, 200).await;
}

#[tokio::test]
async fn both_strings_of_a_rotated_key_count_until_the_overlap_is_ended_and_then_only_the_new_one() {
    let account = Account::sign_up(system(), "Rotated").await;
    let key = account.workspace_key(&account.workspace_id, &[SCOPE]).await;
    let hour = json!({"overlap_seconds": 3600});
    let second = NewKey::of(&rotate(&account, &key, &hour, 201).await);
    assert_eq!(second.id, key.id);
    assert_ne!(second.raw, key.raw);
    let (old, newer) = (account.http.token(&key.raw).await, account.http.token(&second.raw).await);
    let credentials = [&key.raw, &second.raw, &old, &newer];
    let ways = credentials.map(|it| Way::get("a string or a token of it", MODELS, Credential::Bearer(it)));
    all_answer(&account.http, &ways, 200).await;
    rotate(&account, &key, &hour, 409).await;

    let third = NewKey::of(&rotate(&account, &key, &json!({"overlap_seconds": 0}), 201).await);
    for refused in [&key.raw, &second.raw] {
        assert_eq!(account.http.simbee_exchange(refused).await.expect(401), unauthorized());
    }
    let newest = account.http.token(&third.raw).await;
    for body in all_become(&account.http, &ways, 401).await {
        assert_eq!(body, unauthorized());
    }
    let living = [&third.raw, &newest].map(|it| Way::get("what is left", MODELS, Credential::Bearer(it)));
    all_answer(&account.http, &living, 200).await;
}
