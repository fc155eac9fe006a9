//! The addresses that a key may be used from.

use domain::KeyRecord;
use serde_json::json;

use crate::setup::Setup;

fn held_to(ranges: &str) -> impl FnOnce(&mut KeyRecord) {
    let ranges = serde_json::from_str(ranges).unwrap();
    |record| record.allowed_ips = ranges
}

#[tokio::test]
async fn they_are_set_changed_and_taken_away() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    for (given, shown) in [
        (json!(["192.0.2.7", "2001:DB8::/32"]), json!(["192.0.2.7/32", "2001:db8::/32"])),
        (json!([]), json!([])),
        (json!(["::ffff:10.0.0.0/104"]), json!(["10.0.0.0/8"])),
        (json!(null), json!([])),
        (json!(["::1"]), json!(["::1/128"])),
    ] {
        let (status, body) = setup.patch(&admin, &key, json!({"allowed_ips": given})).await;
        assert_eq!((status, &body["allowed_ips"]), (200, &shown), "{given}");
        let made = setup.made(&admin, json!({"name": "x", "allowed_ips": given})).await;
        assert_eq!(made["record"]["allowed_ips"], shown, "{given}");
    }
    let (_, body) = setup.patch(&admin, &key, json!({"name": "x"})).await;
    assert_eq!(body["allowed_ips"], json!(["::1/128"]), "what is left out stays");
    for bad in [
        json!(["192.0.2.1/24"]),
        json!(["x"]),
        json!(["192.0.2.1", "192.0.2.300"]),
        json!("192.0.2.1"),
        json!([1]),
        json!([null]),
        json!({}),
        json!(vec!["192.0.2.1"; 51]),
    ] {
        assert_eq!(setup.patch(&admin, &key, json!({"allowed_ips": bad})).await.0, 400, "{bad}");
        assert_eq!(setup.create(&admin, json!({"name": "x", "allowed_ips": bad})).await.0, 400, "{bad}");
    }
    assert_eq!(setup.patch(&admin, &key, json!({"allowed_ips": vec!["192.0.2.1"; 50]})).await.0, 200);
}

#[tokio::test]
async fn a_manager_is_held_to_its_own_as_the_gateway_has_seen_it() {
    let setup = Setup::new().await;
    let manager = setup.other_key("admin", held_to(r#"["192.0.2.0/24", "2001:db8::/32"]"#)).await;
    let token = setup.token(&manager);
    // The sample event says of itself to come from 203.0.113.7.
    for (address, expected) in [
        ("192.0.2.8", 200),
        ("2001:db8::8", 200),
        ("::ffff:192.0.2.8", 200),
        ("203.0.113.7", 401),
        ("192.0.3.1", 401),
        ("", 401),
    ] {
        assert_eq!(setup.call_from(address, &manager, "GET", &setup.path(""), None).await.0, expected, "{address}");
        assert_eq!(setup.call_from(address, &token, "GET", &setup.path(""), None).await.0, expected, "{address}");
    }
    assert_eq!(setup.call(&manager, "GET", &setup.path(""), None).await.0, 401, "from nowhere");
}

#[tokio::test]
async fn a_key_gives_none_that_its_own_do_not_cover() {
    let setup = Setup::new().await;
    let manager = setup.other_key("admin", held_to(r#"["192.0.2.0/24"]"#)).await;
    let call =
        async |method: &str, path: &str, body| setup.call_from("192.0.2.7", &manager, method, path, Some(body)).await.0;
    for (addresses, expected) in [
        (json!(["192.0.2.9"]), 201),
        (json!(["192.0.2.0/24"]), 201),
        (json!(["192.0.0.0/16"]), 403),
        (json!(["192.0.2.9", "198.51.100.1"]), 403),
        (json!(["::/0"]), 403),
        (json!([]), 403),
        (json!(null), 403),
    ] {
        let status = call("POST", &setup.path(""), json!({"name": "x", "allowed_ips": addresses})).await;
        assert_eq!(status, expected, "{addresses}");
    }
    assert_eq!(call("POST", &setup.path(""), json!({"name": "x"})).await, 403, "left out means from anywhere");

    let within = setup.other_key("read", held_to(r#"["192.0.2.0/28"]"#)).await;
    let path = setup.path_of(&within);
    for (addresses, expected) in [
        (json!(["192.0.2.0/26"]), 200),
        (json!(null), 403),
        (json!([]), 403),
        (json!(["0.0.0.0/0"]), 403),
        (json!(["192.0.2.1"]), 200),
    ] {
        assert_eq!(call("PATCH", &path, json!({"allowed_ips": addresses})).await, expected, "{addresses}");
    }
    assert_eq!(call("POST", &format!("{path}/rotate"), json!({})).await, 201);
    assert_eq!(call("PATCH", &path, json!({"scopes": ["read", "write"]})).await, 200);

    let free = setup.key("read").await;
    let path = setup.path_of(&free);
    assert_eq!(call("POST", &format!("{path}/rotate"), json!({})).await, 403, "a secret that it could use anywhere");
    assert_eq!(call("PATCH", &path, json!({"scopes": ["read", "write"]})).await, 403);
    assert_eq!(call("PATCH", &path, json!({"name": "x"})).await, 200, "nothing is given");
    assert_eq!(call("PATCH", &path, json!({"allowed_ips": ["198.51.100.1"]})).await, 200, "something is taken");
    assert_eq!(call("PATCH", &path, json!({"allowed_ips": ["198.51.100.2"]})).await, 403, "that is another");
}
