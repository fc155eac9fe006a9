//! Each kind of change that takes something away, at functions that were busy, idle, frozen, or had not begun.

use std::time::Duration;

use domain::{
    Action, Client, Deed, KeyRecord, Moment, PresentedKey, Role, Scope, ScopeSet, User, Workspace, WorkspaceStatus,
};
use identity::{Call, Credential, FEED_INTERVAL, Identity, Principal, Refusal};
use store::account_change::{AccountChange, AccountChanged, Edit};
use testkit::{TestKey, act, audience, change_client, change_user, change_workspace, moment, now, withdraw_signer};

use crate::setup::{Setup, call};

/// Functions have read the feed twice by now, so that nothing but what it names makes them forget.
const WARM: [f64; 3] = [0.0, 4.0, 4.1];
/// What is taken away is so at 5.0; a call that begins then or later must find it so.
const DUE: f64 = 5.0 + FEED_INTERVAL.as_secs_f64();
/// In seconds.
const LONGEST_TOKEN: i64 = 3600;
/// As near an hour as a token lives on in it that was made ten minutes before: one that has expired, or that a clock which
/// was set back holds for one of the future, is refused anyway.
const LONG: Duration = Duration::from_mins(49);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    KeyRevoked,
    KeyNarrowed,
    UserRemoved,
    UserDemoted,
    WorkspaceSuspended,
    PersonalKeysOff,
    /// The client's default workspace is another one: a raw personal key that names none works there.
    Client,
    SigningKeyWithdrawn,
}

impl Loss {
    const ALL: [Self; 8] = [
        Self::KeyRevoked,
        Self::KeyNarrowed,
        Self::UserRemoved,
        Self::UserDemoted,
        Self::WorkspaceSuspended,
        Self::PersonalKeysOff,
        Self::Client,
        Self::SigningKeyWithdrawn,
    ];

    /// Which of raw key and token it ends.
    fn ends(self) -> [bool; 2] {
        [self != Self::SigningKeyWithdrawn, self != Self::Client]
    }
}

/// A personal key that writes, with a token of it.
struct Case {
    setup: Setup,
    user: User,
    closed: Workspace,
    key: TestKey,
    token: String,
}

impl Case {
    async fn new() -> Self {
        let setup = Setup::new().await;
        let store = &setup.test.store;
        let user = setup.account.user(store, Role::Admin).await;
        let owner = setup.account.owner.id.clone();
        let mut closed = Workspace::new(setup.client.id.clone(), "closed".to_owned(), owner, now());
        closed.status = WorkspaceStatus::Suspended;
        let edit = AccountChange { workspaces: vec![Edit::New(closed.clone())], ..AccountChange::default() };
        commit(&setup, &edit).await;
        let key = TestKey::personal(&setup.client, &user, "read write").stored(store).await;
        let mut claims = setup.claims(&key);
        claims.iat -= 600;
        claims.nbf = claims.iat;
        claims.exp = claims.iat + LONGEST_TOKEN;
        let token = setup.signer.sign(&claims).unwrap();
        Self { setup, user, closed, key, token }
    }

    fn instance(&self) -> Identity {
        Identity::new(self.setup.test.store.clone(), audience())
    }

    /// An instance that was used by both credentials.
    async fn used(&self) -> Identity {
        let instance = self.instance();
        for second in WARM {
            assert_eq!(self.opens(&instance, moment(second)).await, [true, true]);
        }
        instance
    }

    async fn opens(&self, instance: &Identity, at: Moment) -> [bool; 2] {
        [self.opens_by(instance, 0, at).await, self.opens_by(instance, 1, at).await]
    }

    /// Whether raw key (0) or token (1) may write.
    async fn opens_by(&self, instance: &Identity, way: usize, at: Moment) -> bool {
        let header = format!("Bearer {}", self.token);
        let call: Call<'_> = call(match way {
            0 => Credential::Key(PresentedKey::Own(self.key.plain.clone())),
            _ => Credential::from_authorization(&header).unwrap(),
        });
        match instance.principal(&call, at).await {
            Ok(principal) => may_write(&principal),
            Err(Refusal::Unauthorized { .. }) => false,
            Err(Refusal::Unavailable(error)) => panic!("{error}"),
        }
    }

    async fn suffer(&self, loss: Loss) {
        let (store, client): (_, &Client) = (&self.setup.test.store, &self.setup.client);
        match loss {
            Loss::KeyRevoked => {
                store.key_revoke(&client.id, &self.key.record.id, &act()).await.unwrap();
            }
            Loss::KeyNarrowed => {
                let before = store.key_by_id(&self.key.record.id).await.unwrap().unwrap();
                let after = KeyRecord { scopes: ScopeSet::parse("read").unwrap(), ..before.clone() };
                let deed = Deed::new(Action::KeyUpdated, &before.id);
                store.key_change(&before, &after, deed, &act(), None).await.unwrap();
            }
            Loss::UserRemoved => {
                let user = store.user_by_id(&client.id, &self.user.id).await.unwrap().unwrap();
                let edit = AccountChange { users: vec![Edit::Removed(user)], ..AccountChange::default() };
                commit(&self.setup, &edit).await;
            }
            Loss::UserDemoted => change_user(store, &self.user, |user| user.role = Role::Member).await,
            Loss::WorkspaceSuspended => {
                let suspend = |workspace: &mut Workspace| workspace.status = WorkspaceStatus::Suspended;
                change_workspace(store, &self.setup.account.workspace, suspend).await;
            }
            Loss::PersonalKeysOff => {
                let switch = |workspace: &mut Workspace| workspace.personal_keys_allowed = false;
                change_workspace(store, &self.setup.account.workspace, switch).await;
            }
            Loss::Client => {
                let to = self.closed.id.clone();
                // The feed tells of a client where its settings change, and nothing changes its default workspace yet.
                let change = |client: &mut Client| {
                    client.default_workspace_id = to;
                    client.settings.token_lifetime = Some(60);
                };
                change_client(store, client, change).await;
            }
            Loss::SigningKeyWithdrawn => {
                withdraw_signer(store, &self.setup.signer).await;
            }
        }
    }
}

fn may_write(principal: &Principal) -> bool {
    principal.covers(&Scope::parse("write").unwrap()) && principal.workspace().is_ok()
}

async fn commit(setup: &Setup, change: &AccountChange) {
    let client = &setup.client.id;
    let deed = vec![Deed::new(Action::ClientUpdated, client)];
    let changed = setup.test.store.account_change(client, change, deed, &act(), None).await.unwrap();
    assert_eq!(changed, AccountChanged::Done);
}

/// The moment at which each kind of instance is called next. Where the first call after a pause is meant, each credential makes
/// it at an instance of its own.
fn next_calls() -> Vec<(&'static str, Moment)> {
    let last = moment(WARM[2]);
    vec![
        ("idle", moment(DUE)),
        ("frozen for 10 s", Moment { wall_ms: last.wall_ms + 10_000, ..last }),
        (
            "frozen for most of an hour, in which the monotonic clock stood still",
            Moment { wall_ms: last.wall_ms + i64::try_from(LONG.as_millis()).unwrap(), ..last },
        ),
        (
            "frozen for most of an hour, in which the wall clock stood still",
            Moment { monotonic: last.monotonic + LONG, ..last },
        ),
        (
            "thawed with its wall clock set back",
            Moment { wall_ms: last.wall_ms - 300_000, monotonic: last.monotonic + Duration::from_millis(1) },
        ),
    ]
}

#[tokio::test]
async fn every_loss_reaches_busy_idle_cold_and_frozen_functions_within_the_bound() {
    for loss in Loss::ALL {
        let case = Box::pin(Case::new()).await;
        let busy = case.used().await;
        let mut paused = Vec::new();
        for (name, at) in next_calls() {
            for way in [0, 1] {
                paused.push((name, at, way, case.used().await));
            }
        }
        let ended = loss.ends();
        let remains = ended.map(|ended| !ended);

        case.suffer(loss).await;
        assert_eq!(case.opens(&case.instance(), moment(5.0)).await, remains, "{loss:?}: cold");
        for (name, at, way, instance) in paused {
            let opens = case.opens_by(&instance, way, at).await;
            assert_eq!(opens, remains[way], "{loss:?}: the first call of one that was {name}, way {way}");
        }
        // It is asked all the time: what it says before its next read of the feed is the old answer, and then never again.
        assert_eq!(case.opens(&busy, moment(7.9)).await, [true, true], "{loss:?}: within the interval");
        for step in 0..10 {
            let at = moment(8.0 + f64::from(step) * 0.25);
            assert_eq!(case.opens(&busy, at).await, remains, "{loss:?}: busy, at {at:?}");
        }
    }
}

#[tokio::test]
async fn another_bound_is_kept_as_the_first_one_is() {
    for (bound, interval) in [(2, 1.0), (30, 29.0)] {
        let case = Box::pin(Case::new()).await;
        let instance = case.instance().within(Duration::from_secs(bound));
        for second in [0.0, interval, interval] {
            assert_eq!(case.opens(&instance, moment(second)).await, [true, true]);
        }
        case.suffer(Loss::KeyRevoked).await;
        assert_eq!(case.opens(&instance, moment(2.0 * interval - 0.01)).await, [true, true], "{bound}");
        assert_eq!(case.opens(&instance, moment(2.0 * interval)).await, [false, false], "{bound}");
    }
}
