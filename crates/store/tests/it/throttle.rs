use domain::Timestamp;
use store::StoreError;
use store::throttle::{Allowance, Attempt};
use testkit::{Fault, TestStore, now};

const TEN: Allowance = Allowance { free: 10, window: 600 };

async fn ask(test: &TestStore, at: Timestamp) -> Attempt {
    test.store.throttle_attempt("alice", TEN, at).await.unwrap()
}

#[tokio::test]
async fn beyond_the_free_ones_the_wait_doubles_up_to_a_quarter_of_an_hour() {
    let test = TestStore::start().await;
    for _ in 0..9 {
        assert_eq!(ask(&test, now()).await, Attempt::Go);
    }
    let mut at = now();
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        assert_eq!(ask(&test, at).await, Attempt::Go, "the tenth, and one after each wait");
        assert_eq!(ask(&test, at).await, Attempt::Wait(wait));
        at = at.plus(wait);
    }
}

#[tokio::test]
async fn who_waits_makes_nobody_wait_longer() {
    let test = TestStore::start().await;
    for _ in 0..10 {
        ask(&test, now()).await;
    }
    for _ in 0..20 {
        assert_eq!(ask(&test, now()).await, Attempt::Wait(1));
    }
    assert_eq!(ask(&test, now().plus(1)).await, Attempt::Go);
}

#[tokio::test]
async fn a_success_and_a_quiet_window_begin_anew() {
    let test = TestStore::start().await;
    for _ in 0..10 {
        ask(&test, now()).await;
    }
    test.store.throttle_clear("alice").await.unwrap();
    for _ in 0..10 {
        assert_eq!(ask(&test, now()).await, Attempt::Go);
    }
    assert_eq!(ask(&test, now()).await, Attempt::Wait(1));
    for _ in 0..10 {
        assert_eq!(ask(&test, now().plus(601)).await, Attempt::Go, "ten minutes after the last wait");
    }
    let other = test.store.throttle_attempt("bob", TEN, now()).await.unwrap();
    assert_eq!(other, Attempt::Go);
}

#[tokio::test]
async fn a_window_begins_with_its_first_attempt() {
    let test = TestStore::start().await;
    for minute in 0..30 {
        // Nine in ten minutes, again and again: never too many.
        assert_eq!(ask(&test, now().plus(minute * 67)).await, Attempt::Go, "{minute}");
    }
}

#[tokio::test]
async fn an_attempt_that_turned_out_well_is_given_back() {
    let test = TestStore::start().await;
    for _ in 0..30 {
        assert_eq!(ask(&test, now()).await, Attempt::Go);
        test.store.throttle_give_back("alice").await.unwrap();
    }
    for _ in 0..9 {
        ask(&test, now()).await;
    }
    assert_eq!(ask(&test, now()).await, Attempt::Go, "the tenth, after which none passes");
    test.store.throttle_give_back("alice").await.unwrap();
    assert_eq!(ask(&test, now()).await, Attempt::Go, "it was given back");
    assert_eq!(ask(&test, now()).await, Attempt::Wait(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_no_more_than_a_hundred_in_a_row() {
    let test = TestStore::start().await;
    let mut tasks = Vec::new();
    for _ in 0..100 {
        let store = test.store.clone();
        tasks.push(tokio::spawn(async move { store.throttle_attempt("alice", TEN, now()).await }));
    }
    let mut passed = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(Attempt::Go) => passed += 1,
            // Where the machine is busy the store's time-outs answer for some; they have not passed either.
            Ok(Attempt::Wait(_)) | Err(StoreError::Contended | StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(passed <= 10, "{passed}");
}

#[tokio::test]
async fn a_store_that_is_away_lets_nobody_try() {
    let test = TestStore::start().await;
    test.faults.always("UpdateItem", Fault::InternalError);
    let outcome = test.store.throttle_attempt("alice", TEN, now()).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}
