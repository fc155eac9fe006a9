//! Two runs on one machine.

use crate::support::http::{Credential, Http, unauthorized};
use crate::support::run::Run;
use crate::support::system;

#[tokio::test]
async fn two_runs_stand_side_by_side_and_know_nothing_of_each_other() {
    let mut second = Run::start("second");
    assert_ne!(second.port, system().port);
    assert_ne!(second.demo, system().demo);
    let (here, there) = (Http::new(system()), Http::new(&second));
    let models = "/v1/models";
    here.get(models, Credential::Bearer(&system().demo.api_key)).await.expect(200);
    there.get(models, Credential::Bearer(&second.demo.api_key)).await.expect(200);
    let foreign = there.get(models, Credential::Bearer(&system().demo.api_key)).await;
    assert_eq!(foreign.expect(401), unauthorized());
    let token = there.token(&second.demo.api_key).await;
    assert_eq!(here.get(models, Credential::Bearer(&token)).await.expect(401), unauthorized());

    let status = second.stop();
    assert!(status.success(), "{status}: {}", second.output());
    here.get(models, Credential::Bearer(&system().demo.api_key)).await.expect(200);
}
