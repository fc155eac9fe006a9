//! What a user has allowed stands in the user's list as long as it counts, whoever ends it.

use crate::setup::Setup;

impl Setup {
    /// The names of the apps to which the owner has granted what counts.
    async fn allowed(&self) -> Vec<String> {
        let owner = &self.account.owner.id;
        let page = self.test.store.grant_list(owner, 100, None, testkit::now()).await.unwrap();
        page.items.into_iter().map(|listed| listed.app_name).collect()
    }
}

#[tokio::test]
async fn a_grant_stands_in_its_users_list_until_the_app_a_replay_or_a_reuse_ends_it() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    assert!(setup.allowed().await.is_empty());
    for ended_by in ["revocation", "replay", "reuse"] {
        let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
        assert!(setup.allowed().await.is_empty(), "a code alone is nothing yet");
        let tokens = setup.redeem(&app, &code, 0.0).await;
        assert_eq!(setup.allowed().await, [app.name.as_str()], "{ended_by}");
        let first = tokens.text("refresh_token");
        setup.refresh(&app, &first, &[], 0.0).await.text("access_token");
        assert_eq!(setup.allowed().await, [app.name.as_str()], "{ended_by}");
        match ended_by {
            "revocation" => {
                let fields = [("token", first.as_str()), ("client_id", app.id.as_str())];
                assert_eq!(setup.form("/oauth/revoke", &fields, 1.0).await.status, 200);
            }
            "replay" => assert_eq!(setup.redeem(&app, &code, 1.0).await.error(), "invalid_grant"),
            _ => assert_eq!(setup.refresh(&app, &first, &[], 20.0).await.error(), "invalid_grant"),
        }
        assert!(setup.allowed().await.is_empty(), "{ended_by}");
    }
}
