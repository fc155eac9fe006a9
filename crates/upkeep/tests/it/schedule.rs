use std::path::Path;

use domain::published_keys::{ACTIVE_FOR, PENDING_FOR, RETIRING_FOR};
use serde_json::json;
use signing::{Algorithm, Signer, WrapContext};
use testkit::{TestKms, TestStore};
use upkeep::App;

use crate::setup::{app, call, keys, kid, moves, scheduled, states};

#[tokio::test]
async fn every_thirty_days_another_key_signs() {
    let test = TestStore::start().await;
    let app = app(&test.store, Algorithm::Es256);
    let mut log = Vec::new();
    // Of two months, the hours in which something happens and some in which nothing does.
    for hour in (0..12).chain(715..730).chain(1435..1450) {
        let answer = call(&app, scheduled(), hour * 3600).await.unwrap();
        log.extend(moves(&answer).into_iter().map(|(kid, what)| (hour, kid.to_owned(), what.to_owned())));
    }
    let mut steps: Vec<(i64, &str)> = log.iter().map(|(hour, _, what)| (*hour, what.as_str())).collect();
    steps.sort_unstable();
    let month = 30 * 24;
    let first = [
        (0, "activated"),
        (0, "published"),
        // More than two hours before it signs.
        (month - 2, "published"),
        (month + 1, "activated"),
        (month + 1, "retired"),
        (month + 3, "gone"),
    ];
    assert_eq!(steps[..first.len()], first);
    assert_eq!(steps.iter().filter(|(_, what)| *what == "activated").count(), 3);
    // The first key is the one that retired and went, the second the one that followed.
    assert_eq!(log[0].1, log[5].1);
    assert_eq!(keys(&test).await.iter().count(), test.store.signing_key_publics().await.unwrap().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_once_do_no_more_than_one() {
    let test = TestStore::start().await;
    // Each turn of a key's life: the first key, the next one, its turn, the end of the old one.
    let turns = [0, ACTIVE_FOR - PENDING_FOR, ACTIVE_FOR, ACTIVE_FOR + RETIRING_FOR];
    for (turn, expected) in turns.into_iter().zip([2, 1, 2, 1]) {
        let mut runs = Vec::new();
        for _ in 0..5 {
            let app = app(&test.another_connection(), Algorithm::Es256);
            runs.push(tokio::spawn(async move { call(&app, scheduled(), turn).await.unwrap() }));
        }
        let mut made = 0;
        for run in runs {
            made += moves(&run.await.unwrap()).len();
        }
        assert_eq!(made, expected, "at {turn}");
    }
    assert_eq!(keys(&test).await.iter().count(), 1);
}

#[tokio::test]
async fn another_algorithm_is_published_before_it_signs_and_the_old_one_ends() {
    let test = TestStore::start().await;
    call(&app(&test.store, Algorithm::Es256), scheduled(), 0).await.unwrap();
    let app = app(&test.store, Algorithm::Rs256);
    let answer = call(&app, scheduled(), 3600).await.unwrap();
    assert_eq!(states(&answer), [json!(["ES256", "active"]), json!(["RS256", "pending"])]);
    let answer = call(&app, scheduled(), 3600 + PENDING_FOR - 1).await.unwrap();
    assert_eq!(states(&answer), [json!(["ES256", "active"]), json!(["RS256", "pending"])]);
    let answer = call(&app, scheduled(), 3600 + PENDING_FOR).await.unwrap();
    assert_eq!(states(&answer), [json!(["ES256", "retiring"]), json!(["RS256", "active"])]);
}

#[tokio::test]
async fn what_kms_wraps_for_it_opens_for_whoever_signs() {
    let test = TestStore::start().await;
    let kms = TestKms::start(Path::new(env!("CARGO_TARGET_TMPDIR"))).await;
    let key = kms.key().await;
    let app = App { wrapper: kms.wrapper(&key), ..app(&test.store, Algorithm::EdDsa) };
    call(&app, scheduled(), 0).await.unwrap();
    let kid = kid(&test, "active").await;
    let private = test.store.signing_key_private(&kid).await.unwrap().unwrap();
    let context = WrapContext { kid: &kid, algorithm: Algorithm::EdDsa };
    let signer = Signer::unwrap(&kms.wrapper(&key), &private.wrapped, context).await.unwrap();
    assert_eq!(signer.public().kid, kid);
}
