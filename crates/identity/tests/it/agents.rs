//! Agents: what their tokens open, and all that they end with.

use std::net::IpAddr;

use domain::{
    Act, Action, AgentId, AgentRefusal, AgentToken, Deed, Environment, KeyRecord, KeyRefusal, Moment, PlainKey, Scope,
    ScopeSet, Shown,
};
use identity::{Call, Credential, CredentialError, FEED_INTERVAL, Identity, Named, Principal, Refusal, RefusalReason};
use store::agents::{AgentEnd, AgentGiven};
use store::keys::KeyChanged;
use testkit::{Fault, TestAgent, TestKey, act, audience, moment, now};

use crate::principals::with_check;
use crate::setup::{Setup, call};

fn reason<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> RefusalReason {
    match outcome.unwrap_err() {
        Refusal::Unauthorized { reason, .. } => reason,
        Refusal::Unavailable(error) => panic!("{error}"),
    }
}

fn held(principal: &Principal) -> String {
    principal.scopes().iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
}

/// So late that every change is known.
fn later() -> Moment {
    moment(FEED_INTERVAL.as_secs_f64())
}

async fn agent(setup: &Setup, key: &TestKey, id: &str, scopes: &str) -> TestAgent {
    TestAgent::new(key, id, scopes).stored(&setup.test.store).await
}

async fn below(setup: &Setup, parent: &TestAgent, key: &TestKey, id: &str) -> TestAgent {
    parent.below(key, id, "read").stored(&setup.test.store).await
}

async fn change_key(setup: &Setup, key: &TestKey, change: impl FnOnce(KeyRecord) -> KeyRecord) {
    let before = setup.test.store.key_by_id(&key.record.id).await.unwrap().unwrap();
    let after = change(before.clone());
    let deed = Deed::new(Action::KeyUpdated, &before.id);
    let changed = setup.test.store.key_change(&before, &after, deed, &act(), None).await.unwrap();
    assert_eq!(changed, KeyChanged::Done);
}

impl Setup {
    async fn by_agent(&self, agent: &TestAgent, at: Moment) -> Result<Principal, Refusal> {
        self.by_agent_token(&agent.plain, agent.id(), at).await
    }

    async fn by_agent_token(&self, token: &AgentToken, named: &AgentId, at: Moment) -> Result<Principal, Refusal> {
        self.identity.principal(&call(Credential::Agent(token.clone(), named.clone())), at).await
    }

    async fn end(&self, agent: &TestAgent) {
        let act = Act { at: now().plus(1), ..act() };
        let ended = self.test.store.agent_end(&self.client.id, agent.id(), &act).await.unwrap();
        assert_eq!(ended, AgentEnd::Ended);
    }
}

#[tokio::test]
async fn an_agent_is_its_key_with_less() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read write");
    key.record.environment = Environment::Test;
    let key = key.stored(&setup.test.store).await;
    let agent = agent(&setup, &key, "my-analysis-agent", "read").await;
    let principal = setup.by_agent(&agent, moment(0.0)).await.unwrap();
    assert_eq!(held(&principal), "read");
    assert_eq!(principal.key().unwrap().id, key.record.id);
    assert_eq!(principal.environment(), Environment::Test);
    assert_eq!((principal.credential_kind(), principal.jti()), ("agent", Some(agent.token.id.as_str())));
    assert_eq!((principal.party().kind.as_str(), principal.party().id.as_str()), ("agent", "my-analysis-agent"));
    assert_eq!(Some(&principal.workspace().unwrap().id), key.record.workspace_id());
    assert!(principal.claims().is_none() && principal.logged_in().is_none());
}

#[tokio::test]
async fn warm_and_fresh_an_agent_of_an_agent_costs_no_call() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let parent = agent(&setup, &key, "parent", "read").await;
    let child = below(&setup, &parent, &key, "child").await;
    setup.calls();
    setup.by_agent(&child, moment(0.0)).await.unwrap();
    let cold = [("GetItem".to_owned(), 6), ("Query".to_owned(), 1)];
    let what = "the feed's head, the token, its key, the workspace, both agents; the tokens that were ended";
    assert_eq!(setup.calls(), cold, "{what}");
    setup.by_agent(&child, moment(1.0)).await.unwrap();
    setup.by_agent(&parent, moment(1.0)).await.unwrap();
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)], "the other token");
    setup.by_agent(&child, moment(4.0)).await.unwrap();
    setup.calls();
    setup.by_agent(&child, moment(7.9)).await.unwrap();
    assert_eq!(setup.calls(), []);
    setup.by_agent(&child, moment(8.0)).await.unwrap();
    assert_eq!(setup.calls(), [("Query".to_owned(), 1)], "one read of the feed per interval");
}

#[tokio::test]
async fn each_bad_token_has_its_reason() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let (first, other) = (agent(&setup, &key, "first", "read").await, agent(&setup, &key, "other", "read").await);
    let at = moment(0.0);
    let unknown = TestAgent::new(&key, "first", "read");
    assert_eq!(reason(setup.by_agent(&unknown, at).await), AgentRefusal::Unknown.into());
    assert_eq!(reason(setup.by_agent_token(&first.plain, other.id(), at).await), AgentRefusal::WrongAgent.into());

    // The first one's id with another's secret.
    let (own, foreign) = (first.plain.expose(), other.plain.expose());
    let mixed = AgentToken::parse(&with_check(&format!("{}{}", &own[..26], &foreign[26..58]))).unwrap();
    assert_eq!(mixed.id(), first.plain.id());
    for at in [moment(0.1), moment(0.2)] {
        setup.calls();
        assert_eq!(reason(setup.by_agent_token(&mixed, first.id(), at).await), AgentRefusal::WrongSecret.into());
        assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)], "as many reads as for an unknown one");
        assert_eq!(reason(setup.by_agent(&unknown, at).await), AgentRefusal::Unknown.into());
        assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)]);
    }

    let short = TestAgent::new(&key, "short", "read").with(|grant| grant.expires_at = now().plus(60));
    let short = short.stored(&setup.test.store).await;
    setup.by_agent(&short, moment(59.9)).await.unwrap();
    assert_eq!(reason(setup.by_agent(&short, moment(60.0)).await), AgentRefusal::Expired.into());
    let header = format!("Bearer {own}");
    assert_eq!(Credential::from_authorization(&header).unwrap_err(), CredentialError::AgentId);
}

#[tokio::test]
async fn an_ended_agent_and_all_below_it_are_refused_within_five_seconds() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let top = agent(&setup, &key, "top", "read").await;
    let middle = below(&setup, &top, &key, "middle").await;
    let lowest = below(&setup, &middle, &key, "lowest").await;
    // Twice: at its second read of the feed an instance forgets everything anyway.
    for second in [0.0, 4.0] {
        for agent in [&top, &middle, &lowest] {
            setup.by_agent(agent, moment(second)).await.unwrap();
        }
    }
    setup.end(&middle).await;
    for agent in [&middle, &lowest] {
        let refused = setup.by_agent(agent, moment(8.0)).await;
        let Err(Refusal::Unauthorized { reason, key: Some(proved) }) = refused else { panic!("{refused:?}") };
        assert_eq!((reason, &proved.id), (AgentRefusal::Ended.into(), &key.record.id));
    }
    setup.by_agent(&top, moment(8.0)).await.unwrap();
    setup.by_key(&key, moment(8.0)).await.unwrap();

    // Again: what a read of the feed names is forgotten twice.
    assert_eq!(reason(setup.by_agent(&middle, moment(12.0)).await), AgentRefusal::Ended.into());

    // A token of the next agent of that name, at an instance that knows the name as ended, and at a cold one.
    let again = TestAgent::of(middle.agent.grant.clone(), 2);
    let ended = setup.test.store.agent_by_id(&setup.client.id, middle.id()).await.unwrap();
    let given = setup.test.store.agent_give(ended.as_ref(), &again.agent, &again.token, &act(), None).await.unwrap();
    assert_eq!(given, AgentGiven::Done);
    // At once, although the name is known here as one of an agent that has ended.
    for second in [12.1, 16.0] {
        setup.by_agent(&again, moment(second)).await.unwrap();
    }
    for agent in [&middle, &lowest] {
        assert_eq!(reason(setup.by_agent(agent, moment(16.0)).await), AgentRefusal::Ended.into());
    }
    let cold = Identity::new(setup.test.store.clone(), audience());
    let with = |agent: &TestAgent| call(Credential::Agent(agent.plain.clone(), agent.id().clone()));
    assert_eq!(reason(cold.principal(&with(&lowest), moment(16.0)).await), AgentRefusal::Ended.into());
    cold.principal(&with(&again), moment(16.0)).await.unwrap();
}

#[tokio::test]
async fn an_agent_dies_with_its_key() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let parent = agent(&setup, &key, "parent", "read").await;
    let child = below(&setup, &parent, &key, "child").await;
    for second in [0.0, 4.0] {
        for agent in [&parent, &child] {
            setup.by_agent(agent, moment(second)).await.unwrap();
        }
    }
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &act()).await.unwrap();
    for agent in [&parent, &child] {
        assert_eq!(reason(setup.by_agent(agent, moment(8.0)).await), KeyRefusal::Revoked.into());
    }
}

#[tokio::test]
async fn an_agents_token_that_was_ended_ends_within_five_seconds_with_what_was_made_with_it() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let claims = setup.claims(&key);
    let by_token = TestAgent::shown(&key, Shown::Token(&claims), "by-token", "read").stored(&setup.test.store).await;
    let parent = agent(&setup, &key, "parent", "read").await;
    let child = below(&setup, &parent, &key, "child").await;
    let beside = agent(&setup, &key, "beside", "read").await;
    for second in [0.0, 4.0] {
        for agent in [&by_token, &parent, &child, &beside] {
            setup.by_agent(agent, moment(second)).await.unwrap();
        }
    }
    setup.end_token(&claims.jti).await;
    setup.end_token(parent.token.id.as_str()).await;
    let cold = Identity::new(setup.test.store.clone(), audience());
    for agent in [&by_token, &parent, &child] {
        setup.by_agent(agent, moment(7.9)).await.unwrap();
        let call = call(Credential::Agent(agent.plain.clone(), agent.id().clone()));
        assert_eq!(reason(cold.principal(&call, moment(8.0)).await), AgentRefusal::Revoked.into());
    }
    for agent in [&by_token, &parent, &child] {
        assert_eq!(reason(setup.by_agent(agent, moment(8.0)).await), AgentRefusal::Revoked.into());
    }
    setup.by_agent(&beside, moment(8.0)).await.unwrap();
}

#[tokio::test]
async fn an_agent_of_a_rotated_secret_ends_with_the_overlap() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let old = agent(&setup, &key, "old", "read").await;
    setup.by_agent(&old, moment(0.0)).await.unwrap();
    let plain = PlainKey::random_for(&key.record.prefix, &key.record.id);
    change_key(&setup, &key, |record| record.rotated(&plain, 30, now())).await;
    let new = TestKey { plain, record: setup.test.store.key_by_id(&key.record.id).await.unwrap().unwrap() };
    let new_agent = agent(&setup, &new, "new", "read").await;
    setup.by_agent(&old, moment(29.9)).await.unwrap();
    assert_eq!(reason(setup.by_agent(&old, moment(30.0)).await), KeyRefusal::SecretReplaced.into());
    setup.by_agent(&new_agent, moment(30.0)).await.unwrap();
}

#[tokio::test]
async fn narrowing_the_key_narrows_its_agents_and_their_agents() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let parent = agent(&setup, &key, "parent", "read write").await;
    let child = parent.below(&key, "child", "write").stored(&setup.test.store).await;
    assert_eq!(held(&setup.by_agent(&parent, moment(0.0)).await.unwrap()), "read write");
    assert_eq!(held(&setup.by_agent(&child, moment(0.0)).await.unwrap()), "write");
    change_key(&setup, &key, |record| KeyRecord { scopes: ScopeSet::parse("read").unwrap(), ..record }).await;
    assert_eq!(held(&setup.by_agent(&parent, later()).await.unwrap()), "read");
    let child = setup.by_agent(&child, later()).await.unwrap();
    assert_eq!(held(&child), "");
    assert!(child.agent_maker(child.workspace().unwrap()).unwrap().held.is_none(), "nothing to give either");
}

#[tokio::test]
async fn the_keys_addresses_and_the_bound_workspace_bind_its_agents() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read");
    key.record.allowed_ips = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    let key = key.stored(&setup.test.store).await;
    let agent = agent(&setup, &key, "bound", "read").await;
    let from = async |address: Option<&str>, workspace: &str| {
        let credential = Credential::Agent(agent.plain.clone(), agent.id().clone());
        let address = address.map(|address| address.parse::<IpAddr>().unwrap());
        let workspace = if workspace.is_empty() { Named::None } else { Named::parse(workspace) };
        setup.identity.principal(&Call { credential, address, workspace }, moment(0.0)).await
    };
    let own = setup.client.default_workspace_id.as_str();
    from(Some("192.0.2.7"), "").await.unwrap();
    assert!(from(Some("192.0.2.7"), own).await.unwrap().workspace().is_ok());
    assert!(from(Some("192.0.2.7"), "ws_0123456789abcdef").await.unwrap().workspace().is_err());
    for address in [None, Some("198.51.100.1")] {
        assert_eq!(reason(from(address, "").await), KeyRefusal::Address.into());
    }
}

#[tokio::test]
async fn stale_and_unreadable_is_unavailable() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let agent = agent(&setup, &key, "agent", "read").await;
    setup.by_agent(&agent, moment(0.0)).await.unwrap();
    setup.test.faults.always("Query", Fault::InternalError);
    assert!(matches!(setup.by_agent(&agent, later()).await, Err(Refusal::Unavailable(_))));
    setup.test.faults.heal();
    let cold = Identity::new(setup.test.store.clone(), audience());
    setup.test.faults.always("GetItem", Fault::InternalError);
    let outcome = cold.principal(&call(Credential::Agent(agent.plain.clone(), agent.id().clone())), moment(0.0)).await;
    assert!(matches!(outcome, Err(Refusal::Unavailable(_))));
}

#[tokio::test]
async fn who_makes_agents_is_a_key_however_it_is_shown() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let agent = agent(&setup, &key, "agent", "read").await;
    let by_key = setup.by_key(&key, moment(0.0)).await.unwrap();
    let by_token = setup.by_token(&setup.token(&key), moment(0.0)).await.unwrap();
    let by_agent = setup.by_agent(&agent, moment(0.0)).await.unwrap();
    for (principal, held) in [(&by_key, "read write"), (&by_token, "read write"), (&by_agent, "read")] {
        let maker = principal.agent_maker(principal.workspace().unwrap()).unwrap();
        assert_eq!((&maker.key.id, maker.secret_version), (&key.record.id, key.record.secret_version));
        assert_eq!(maker.held, ScopeSet::parse(held));
        let shown = match maker.shown {
            Shown::Key => "api_key",
            Shown::Token(_) => "jwt",
            Shown::Agent(_) => "agent",
        };
        assert_eq!(shown, principal.credential_kind());
    }
    let claims =
        testkit::login_claims(&setup.account.owner, &setup.account.workspace, ScopeSet::parse("read").unwrap());
    let login = setup.by_token(&setup.signer.sign(&claims).unwrap(), moment(0.0)).await.unwrap();
    assert!(login.agent_maker(login.workspace().unwrap()).is_none());
}
