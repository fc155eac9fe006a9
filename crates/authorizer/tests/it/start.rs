//! With which settings the program starts.

use std::process::{Command, Stdio};

/// What the program says when it ends. It has no runtime to serve, so it always does.
fn start(settings: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authorizer"));
    command.env_clear().stdin(Stdio::null()).envs(settings.iter().copied()).envs([
        ("KEYGATE_BASE_URL", "https://auth.example"),
        ("KEYGATE_TABLE_KEYS", "keys"),
        ("KEYGATE_TABLE_DIRECTORY", "directory"),
        ("KEYGATE_TABLE_SIGNING", "signing"),
        ("KEYGATE_TABLE_USAGE", "usage"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        // Nobody listens there.
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    ]);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn a_setting_that_can_not_be_followed_ends_the_start() {
    let (policy, response) = ("KEYGATE_POLICY", "KEYGATE_HTTP_API_RESPONSE");
    for (settings, said) in [
        (&[(policy, "cached")][..], "Error: KEYGATE_POLICY must be `route` or `whole`"),
        (&[(policy, "Whole")], "Error: KEYGATE_POLICY must be `route` or `whole`"),
        (&[(response, "yes")], "Error: KEYGATE_HTTP_API_RESPONSE must be"),
        (
            &[(policy, "whole"), (response, "simple")],
            "Error: KEYGATE_HTTP_API_RESPONSE can't be `simple` where KEYGATE_POLICY is `whole`",
        ),
        (&[(policy, "whole"), (response, "yes")], "Error: KEYGATE_HTTP_API_RESPONSE must be"),
    ] {
        let output = start(settings);
        assert!(output.contains(said), "{settings:?}: {output}");
    }
    for settings in [
        &[][..],
        &[(policy, "")],
        &[(policy, "route"), (response, "simple")],
        &[(policy, "whole")],
        &[(policy, "whole"), (response, "policy")],
    ] {
        let output = start(settings);
        assert!(
            output.contains("Error: AWS_LAMBDA_RUNTIME_API is not set"),
            "it gets as far as its runtime: {settings:?}: {output}"
        );
    }
}
