//! Another system's keys, by their hashes.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use domain::{Environment, HashedKey, KeyId, PlainKey, Role, Sequence, WorkspaceRole, random};
use identity::{Call, Credential, Identity, Named, Principal, Refusal};
use serde_json::{Value, json};
use store::import::{IMPORTED_TOGETHER, MOST_PATTERNS};
use testkit::{Fault, ImportedKey, TestKey, audience, moment, now};

use crate::setup::{Bearer, Setup, app, calls, reply_of};

/// What is said of a hash that is none, and of another client's.
const NO_HASH: &str = "`hash` can't be imported: it must be the SHA-256 of one key's string, in 64 hex digits, or in 44 \
                       characters of base64 with padding";

/// A key string of the other system.
fn foreign() -> String {
    format!("sk-sim-{}", random::base62(32))
}

fn row(text: &str) -> Value {
    json!({"name": "nightly export", "hash": HashedKey::of_text(text).to_hex(), "encoding": "hex"})
}

/// A row that differs from that in some members.
fn row_with(text: &str, members: Value) -> Value {
    let mut row = row(text);
    let Value::Object(members) = members else { panic!("{members}") };
    row.as_object_mut().unwrap().extend(members);
    row
}

fn body(dry_run: bool, rows: &[Value]) -> Value {
    json!({"dry_run": dry_run, "pattern": {"prefix": "sk-sim-", "length": 39}, "rows": rows})
}

/// Row by row: the result and its reason, or the id of its record.
fn said(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["data"].as_array().unwrap();
    assert!(rows.iter().enumerate().all(|(place, row)| row["row"] == place), "{answer}");
    let said = rows.iter().map(|row| {
        let more = row["reason"].as_str().or(row["record"]["id"].as_str());
        (row["result"].as_str().unwrap(), more.unwrap_or_default())
    });
    said.collect()
}

fn results(answer: &Value) -> Vec<&str> {
    said(answer).into_iter().map(|(result, _)| result).collect()
}

impl Setup {
    async fn send(&self, by: &impl Bearer, body: Value) -> (u16, Value) {
        self.call(by, "POST", &self.path("/import"), Some(body)).await
    }

    /// An import of `sk-sim-` strings that must be answered.
    async fn import(&self, by: &impl Bearer, rows: &[Value]) -> Value {
        let (status, answer) = self.send(by, body(false, rows)).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Who stands behind a key string, to a function that has just started.
    async fn principal(&self, text: &str, second: f64) -> Result<Principal, Refusal> {
        let identity = Identity::new(self.test.store.clone(), audience());
        let credential = Credential::from_headers([("X-API-Key", text)]).unwrap();
        identity.principal(&Call { credential, address: None, workspace: Named::None }, moment(second)).await
    }

    async fn imported_events(&self) -> Vec<String> {
        let events = self.events().await.into_iter();
        events.filter(|event| event.action == "key.imported").map(|event| event.object.id).collect()
    }
}

#[tokio::test]
async fn an_imported_key_works_and_its_record_says_what_the_row_said() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let (text, plain) = (foreign(), foreign());
    let full = row_with(
        &text,
        json!({
            "scopes": ["read", "write"], "expires_at": now().plus(3600), "environment": "live",
            "workspace_id": setup.client.default_workspace_id, "metadata": {"team": "a"}, "allowed_ips": ["192.0.2.0/24"],
        }),
    );
    let (status, answer) = setup
        .call_from("192.0.2.7", &admin, "POST", &setup.path("/import"), Some(body(false, &[full, row(&plain)])))
        .await;
    assert_eq!((status, results(&answer)), (200, vec!["imported", "imported"]), "{answer}");
    let record = &answer["data"][0]["record"];
    let id = record["id"].as_str().unwrap();
    let hash = HashedKey::of_text(&text);
    for (member, expected) in [
        ("client_id", json!(setup.client.id)),
        ("name", json!("nightly export")),
        ("type", json!("workspace")),
        ("environment", json!("live")),
        ("prefix", json!("sk-sim-")),
        ("fingerprint", json!(format!("fp_{}", &hash.to_hex()[..12]))),
        ("scopes", json!(["read", "write"])),
        ("workspace_id", json!(setup.client.default_workspace_id)),
        ("billed_to", json!(setup.account.owner.id)),
        ("expires_at", json!(now().plus(3600))),
        ("allowed_ips", json!(["192.0.2.0/24"])),
        ("metadata", json!({"team": "a"})),
        ("created_by", json!(admin.record.id)),
        ("created_at", json!(now())),
        ("rotation_due_at", json!(now().plus(90 * 24 * 3600))),
        ("revoked", json!(false)),
    ] {
        assert_eq!(record[member], expected, "{member}");
    }
    assert!(!answer.to_string().contains(&hash.to_hex()), "{answer}");
    assert_eq!(answer["data"][1]["record"]["scopes"], json!(["read"]), "the client's default");
    let principal = setup.principal(&plain, 0.0).await.unwrap();
    assert_eq!(principal.key().unwrap().id.as_str(), answer["data"][1]["record"]["id"]);

    let events = setup.events().await;
    let told: Vec<_> = events.iter().rev().take(3).map(|event| event.action.as_str()).collect();
    assert_eq!(told, ["key.imported", "key.imported", "client.updated"]);
    let event = events.iter().find(|event| event.object.id == id).unwrap();
    assert_eq!((event.actor.id.as_str(), event.address.as_deref()), (admin.record.id.as_str(), Some("192.0.2.7")));
    assert!(!serde_json::to_string(&events).unwrap().contains(&hash.to_hex()));
}

#[tokio::test]
async fn a_dry_run_says_what_the_real_run_does_and_writes_nothing() {
    let setup = Setup::new().await;
    let admin = setup.key("keys:manage read").await;
    let (before, first, second) = (foreign(), foreign(), foreign());
    setup.import(&admin, &[row(&before)]).await;
    let other = setup.test.client().await;
    let theirs = ImportedKey::new(&other, "read").stored(&setup.test.store).await;
    let rows = [
        row(&first),
        row(&before),
        row_with(&foreign(), json!({"name": ""})),
        row(&theirs.text),
        row_with(&second, json!({"scopes": ["admin"]})),
        row(&second),
        row_with(&first, json!({"name": "another name"})),
        row_with("", json!({"hash": "x"})),
        row_with(&foreign(), json!({"environment": "test"})),
    ];
    // A pattern that is new with it.
    let asked = |dry_run| {
        let mut body = body(dry_run, &rows);
        body["pattern"]["length"] = json!(40);
        body
    };
    let refusals = setup.refusals().await.len();
    setup.test.faults.reset_counts();
    let (status, dry) = setup.send(&admin, asked(true)).await;
    assert_eq!(status, 200, "{dry}");
    let reads = ["BatchGetItem", "GetItem", "Query"];
    let counts = setup.test.faults.counts();
    assert!(counts.keys().all(|operation| reads.contains(&operation.as_str())), "{counts:?}");
    assert_eq!(setup.send(&admin, asked(true)).await, (200, dry.clone()), "as often as one likes");

    let (status, real) = setup.send(&admin, asked(false)).await;
    assert_eq!(status, 200, "{real}");
    let expected = [
        ("would_import", "imported"),
        ("exists", "exists"),
        ("invalid", "invalid"),
        ("invalid", "invalid"),
        ("invalid", "invalid"),
        ("would_import", "imported"),
        ("invalid", "invalid"),
        ("invalid", "invalid"),
        ("would_import", "imported"),
    ];
    for (place, ((dry, real), (of_dry, of_real))) in said(&dry).into_iter().zip(said(&real)).zip(expected).enumerate() {
        assert_eq!((dry.0, real.0), (of_dry, of_real), "{place}");
        if of_dry != "would_import" {
            assert_eq!(dry.1, real.1, "{place}");
        }
    }
    assert_eq!(said(&real)[6].1, "`hash` is that of row 0");
    assert_eq!(said(&real)[5].0, "imported", "the row before it, which is no good, stands in nobody's way");
    assert_eq!(dry["data"][0].get("record"), None);
    assert_eq!(setup.refusals().await.len(), refusals + 1, "the scope that the caller lacks, in the real run");
    assert_eq!(setup.imported_events().await.len(), 4);
}

#[tokio::test]
async fn the_sample_event_is_a_dry_run() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let ids = [("REPLACE_WITH_KEY", admin.plain.expose()), ("REPLACE_WITH_CLIENT_ID", setup.client.id.as_str())];
    let sample = testkit::event("key-management-import", &ids);
    let (status, answer) = setup.answer(testkit::request_of(&sample), moment(0.0)).await;
    assert_eq!((status, &answer), (200, &json!({"data": [{"row": 0, "result": "would_import"}]})));
}

#[tokio::test]
async fn an_import_that_is_repeated_writes_nothing() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let rows: Vec<_> = (0..3).map(|_| row(&foreign())).collect();
    let first = setup.import(&admin, &rows).await;
    let head = setup.test.store.feed_head().await.unwrap();
    setup.test.faults.reset_counts();
    // `Idempotency-Key` is taken and makes no difference, whatever it was used for.
    for (name, rows) in [("a", &rows[..]), ("a", &rows[1..]), ("b", &rows[..])] {
        let headers = [("idempotency-key", name)];
        let (path, asked) = (setup.path("/import"), Some(body(false, rows)));
        let (status, again) = setup.call_with(&admin, &headers, "POST", &path, asked).await;
        assert_eq!((status, results(&again)), (200, vec!["exists"; rows.len()]), "{again}");
        let skipped = 3 - rows.len();
        for (place, row) in again["data"].as_array().unwrap().iter().enumerate() {
            assert_eq!(row["record"], first["data"][place + skipped]["record"]);
        }
    }
    assert!(!setup.test.faults.counts().contains_key("TransactWriteItems"));
    assert_eq!(setup.test.store.feed_head().await.unwrap(), head);
    assert_eq!(setup.imported_events().await.len(), 3);
    // What was changed since is shown as it is, and stays so.
    let id = KeyId::parse(first["data"][0]["record"]["id"].as_str().unwrap()).unwrap();
    setup.test.store.key_revoke(&setup.client.id, &id, &testkit::act()).await.unwrap();
    let again = setup.import(&admin, &rows[..1]).await;
    assert_eq!((results(&again), &again["data"][0]["record"]["revoked"]), (vec!["exists"], &json!(true)));
}

#[tokio::test]
async fn two_hundred_rows_are_imported_and_one_more_is_a_bad_request() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let mut rows: Vec<_> = (0..200).map(|_| row(&foreign())).collect();
    let answer = setup.import(&admin, &rows).await;
    assert_eq!(results(&answer), ["imported"; 200]);
    assert_eq!(setup.count_keys().await, 201);
    let records = answer["data"].as_array().unwrap().iter().map(|row| row["record"]["id"].as_str().unwrap().to_owned());
    let told: BTreeSet<_> = setup.imported_events().await.into_iter().collect();
    assert_eq!(told, records.collect(), "each is one event of one chain");

    rows.push(row(&foreign()));
    for rows in [&rows[..], &[]] {
        let (status, answer) = setup.send(&admin, body(false, rows)).await;
        assert_eq!((status, &answer["message"]), (400, &json!("`rows` must be 1 to 200")));
    }
}

#[tokio::test]
async fn rows_are_looked_for_and_written_many_at_a_time() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    for _ in 0..2 {
        setup.import(&admin, &[row(&foreign())]).await;
    }
    let rows: Vec<_> = (0..=IMPORTED_TOGETHER).map(|_| row(&foreign())).collect();
    setup.test.faults.reset_counts();
    setup.import(&admin, &rows).await;
    // What the feed has told of since, and the patterns; the client and the end of its chain for each transaction; the hashes and when the keys were last used.
    assert_eq!(calls(&setup), "BatchGetItem 2, GetItem 3, Query 2, TransactWriteItems 2");
}

#[tokio::test]
async fn a_hash_is_hex_or_base64_with_padding() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let text = foreign();
    let hash = HashedKey::of_text(&text);
    let bytes = hash.as_bytes();
    let (hex, base64) = (hash.to_hex(), STANDARD.encode(bytes));
    let send = async |hash: &str, encoding: &str| {
        let rows = [row_with("", json!({"hash": hash, "encoding": encoding}))];
        let (status, answer) = setup.send(&admin, body(true, &rows)).await;
        assert_eq!(status, 200, "{answer}");
        let row = answer["data"][0].clone();
        assert!(!row.to_string().contains(hash) || hash.len() < 2, "{row}");
        row
    };
    for (hash, encoding) in [(&*hex, "hex"), (&*hex.to_uppercase(), "hex"), (&*base64, "base64")] {
        assert_eq!(send(hash, encoding).await, json!({"row": 0, "result": "would_import"}), "{hash}");
    }
    // Of 48 bytes, whose base64 is 64 characters, as is the hex of 32.
    let long = STANDARD.encode([7; 48]);
    let stray = format!("{}{}=", &base64[..42], if base64.as_bytes()[42] == b'B' { 'C' } else { 'B' });
    for (hash, encoding) in [
        ("", "hex"),
        ("", "base64"),
        (&hex[1..], "hex"),
        (&hex[2..], "hex"),
        (&format!("{hex}00"), "hex"),
        (&format!("0x{}", &hex[2..]), "hex"),
        (&format!("+{}", &hex[1..]), "hex"),
        (&format!(" {}", &hex[1..]), "hex"),
        (&*base64, "hex"),
        (&*hex, "base64"),
        (&*long, "base64"),
        (&*stray, "base64"),
        (&STANDARD_NO_PAD.encode(bytes), "base64"),
        (&format!("{base64}="), "base64"),
        (&format!("{base64}\n"), "base64"),
        (&STANDARD.encode(&bytes[1..]), "base64"),
        (&URL_SAFE.encode([0xff; 32]), "base64"),
        (&*text, "hex"),
        (&*text, "base64"),
    ] {
        assert_eq!(send(hash, encoding).await, json!({"row": 0, "result": "invalid", "reason": NO_HASH}), "{hash}");
    }
    for encoding in ["", "HEX", "base64url", "sha256"] {
        let row = send(&hex, encoding).await;
        assert_eq!(row["reason"], "`encoding` must be `hex` or `base64`", "{encoding}");
    }
    // Both encodings are of the same key.
    let other_form = row_with("", json!({"hash": base64, "encoding": "base64"}));
    let answer = setup.import(&admin, &[row(&text), other_form.clone()]).await;
    assert_eq!(said(&answer)[1], ("invalid", "`hash` is that of row 0"));
    assert_eq!(results(&setup.import(&admin, &[other_form]).await), ["exists"]);
    assert!(setup.principal(&text, 0.0).await.is_ok());
}

#[tokio::test]
async fn a_bad_row_has_its_reason_and_the_others_go_on() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let other = setup.test.client().await;
    let own = PlainKey::random(&Environment::Live.default_prefix());
    let held = foreign();
    let scopes: Vec<String> = (0..51).map(|place| format!("s{place}")).collect();
    let cases = [
        (json!({"name": " "}), "`name` must have 1 to 100 printable characters"),
        (json!({"name": "x".repeat(101)}), "`name` must have 1 to 100 printable characters"),
        (json!({"name": own.expose()}), "`name` holds an API key, and names are shown"),
        (json!({"name": format!("old {held}")}), "`name` holds a key, and names are shown"),
        (json!({"metadata": {"old": held}}), "`metadata` holds a key, and metadata is shown"),
        (json!({"metadata": {"a": "x".repeat(16 * 1024)}}), "expected at most 16 KB of metadata"),
        (json!({"environment": "production"}), "`environment` must be `live` or `test`"),
        (json!({"expires_at": now()}), "`expires_at` must be a time in the future, in UTC as RFC 3339 writes it"),
        (json!({"expires_at": "tomorrow"}), "`expires_at` must be a time in the future, in UTC as RFC 3339 writes it"),
        (json!({"scopes": []}), "`scopes` must be 1 to 50 scopes"),
        (json!({"scopes": ["read write"]}), "`scopes` must be 1 to 50 scopes"),
        (json!({"scopes": scopes}), "`scopes` must be 1 to 50 scopes"),
        (json!({"scopes": ["read", "no:such"]}), "`scopes`: number 2 is no scope that exists"),
        (
            json!({"allowed_ips": ["10.0.0.1/8"]}),
            "`allowed_ips` must be 50 addresses or ranges at most, such as 192.0.2.0/24, no bits behind the prefix",
        ),
        (json!({"workspace_id": "default"}), "`workspace_id` names no workspace of this client"),
        (json!({"workspace_id": other.default_workspace_id}), "`workspace_id` names no workspace of this client"),
    ];
    let mut rows: Vec<_> = cases.iter().map(|(members, _)| row_with(&foreign(), members.clone())).collect();
    let good = foreign();
    rows.push(row(&good));
    let answer = setup.import(&admin, &rows).await;
    for ((members, expected), said) in cases.iter().zip(said(&answer)) {
        assert_eq!(said, ("invalid", *expected), "{members}");
    }
    assert_eq!(results(&answer).last(), Some(&"imported"));
    assert!(!answer.to_string().contains(&held) && !answer.to_string().contains(own.expose()));
    assert_eq!(setup.imported_events().await.len(), 1);
    // With no good row at all nothing is registered either.
    let mut body = body(false, &rows[..1]);
    body["pattern"]["length"] = json!(40);
    assert_eq!(results(&setup.send(&admin, body).await.1), ["invalid"]);
    assert_eq!(setup.test.store.pattern_list_of_client(&setup.client.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_malformed_call_is_a_bad_request_as_a_whole() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let good = body(false, &[row(&foreign())]);
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => drop(parent.remove(member)),
            value => drop(parent.insert(member.to_owned(), value)),
        }
        body
    };
    for body in [
        with("/dry_run", Value::Null),
        with("/dry_run", json!("no")),
        with("/pattern", Value::Null),
        with("/rows", Value::Null),
        with("/rows", json!({})),
        with("/rows", json!([[]])),
        with("/client_id", json!("x")),
        with("/pattern/suffix", json!("x")),
        with("/pattern/length", json!("39")),
        with("/pattern/length", json!(-39)),
        with("/pattern/length", json!(39.5)),
        with("/pattern/prefix", json!(7)),
        with("/rows/0/name", Value::Null),
        with("/rows/0/hash", Value::Null),
        with("/rows/0/encoding", Value::Null),
        with("/rows/0/hash", json!(7)),
        with("/rows/0/scopes", json!("read")),
        with("/rows/0/metadata", json!([])),
        with("/rows/0/type", json!("personal")),
        with("/rows/0/key", json!(foreign())),
        with("/rows/0/owner_user_id", json!(setup.account.owner.id)),
        with("/rows/0/revoked", json!(false)),
        json!([]),
    ] {
        let (status, answer) = setup.send(&admin, body.clone()).await;
        assert_eq!((status, &answer["error"]), (400, &json!("Bad Request")), "{body}");
    }
    let twice = good.to_string().replace("\"dry_run\":false", "\"dry_run\":true,\"dry_run\":false");
    let bearer = admin.bearer();
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let raw = |body: String| testkit::request("POST", &setup.path("/import"), &headers, body);
    assert_eq!(setup.answer(raw(twice), moment(0.0)).await.0, 400);
    assert_eq!(setup.count_keys().await, 1, "nothing was written");

    // Longer than any other call's, up to 5 MB.
    let padded = |length: usize| {
        let text = good.to_string();
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    assert_eq!(setup.answer(raw(padded(5 * 1024 * 1024)), moment(0.0)).await.0, 200);
    let (status, answer) = setup.answer(raw(padded(5 * 1024 * 1024 + 1)), moment(0.0)).await;
    assert_eq!((status, &answer["message"]), (413, &json!("The body may have 5120 KB at most")));
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        assert_eq!(setup.call(&admin, method, &setup.path("/import"), None).await.0, 405, "{method}");
    }
}

#[tokio::test]
async fn a_name_to_repeat_it_by_is_taken_and_must_be_one() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let rows = [row(&foreign())];
    for (name, status) in [("one", 200), ("one", 200), ("", 400), (&"x".repeat(129)[..], 400)] {
        let headers = [("idempotency-key", name)];
        let (answered, answer) =
            setup.call_with(&admin, &headers, "POST", &setup.path("/import"), Some(body(true, &rows))).await;
        assert_eq!(answered, status, "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_pattern_that_something_of_ours_could_match_is_a_bad_request() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    for (prefix, length, expected) in [
        ("s", 39, "`pattern`: `prefix` must be 2 to 20 of `A-Z a-z 0-9 _ -`, and not begin with `agent_tok`"),
        ("sk.sim.", 39, "`pattern`: `prefix` must be 2 to 20 of `A-Z a-z 0-9 _ -`, and not begin with `agent_tok`"),
        ("agent_tok_", 39, "`pattern`: `prefix` must be 2 to 20 of `A-Z a-z 0-9 _ -`, and not begin with `agent_tok`"),
        ("agent", 39, "`pattern`: an agent's token could match: it begins with `agent_tok`"),
        ("eyJ", 39, "`pattern`: a JWT could match: it begins with `ey` or `ew`"),
        ("sk-sim-", 19, "`pattern`: `length` must be 20 to 200"),
        ("sk-sim-", 201, "`pattern`: `length` must be 20 to 200"),
        (
            "sk_live_",
            62,
            "`pattern`: strings that are made here could match: 56 to 74 characters need a `-` or `_` behind the place 8 of \
             the prefix",
        ),
    ] {
        for dry_run in [true, false] {
            let mut body = body(dry_run, &[row(&foreign())]);
            body["pattern"] = json!({"prefix": prefix, "length": length});
            let (status, answer) = setup.send(&admin, body).await;
            assert_eq!((status, &answer["message"]), (400, &json!(expected)), "{prefix} {length}");
        }
    }
    assert_eq!(setup.test.store.feed_head().await.unwrap(), Sequence(0));
}

#[tokio::test]
async fn a_client_has_so_many_patterns_and_a_dry_run_says_so_too() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let ask = async |dry_run, length| {
        let mut body = body(dry_run, &[row(&foreign())]);
        body["pattern"]["length"] = json!(length);
        setup.send(&admin, body).await
    };
    for place in 0..MOST_PATTERNS {
        assert_eq!(ask(false, 30 + place).await.0, 200);
    }
    for dry_run in [true, false] {
        let (status, answer) = ask(dry_run, 29).await;
        assert_eq!(status, 409, "{answer}");
        assert_eq!(ask(dry_run, 30).await.0, 200, "what is registered goes on");
    }
    assert_eq!(setup.imported_events().await.len(), MOST_PATTERNS + 1);
}

#[tokio::test]
async fn a_row_takes_the_authority_to_make_that_key() {
    let setup = Setup::new().await;
    let manager = setup.key("keys:manage read insights:read").await;
    let rows = |members: &[Value]| members.iter().map(|row| row_with(&foreign(), row.clone())).collect::<Vec<_>>();
    let lacks = |scope: &str| format!("The caller does not have the scope `{scope}` to give");
    let answer = setup
        .import(
            &manager,
            &rows(&[
                json!({"scopes": ["read", "insights:read"]}),
                json!({"scopes": ["write"]}),
                json!({"scopes": ["insights:*"]}),
                json!({"scopes": ["read", "admin"]}),
            ]),
        )
        .await;
    assert_eq!(results(&answer), ["imported", "invalid", "invalid", "invalid"]);
    let reasons: Vec<_> = said(&answer).into_iter().skip(1).map(|(_, reason)| reason.to_owned()).collect();
    assert_eq!(reasons, [lacks("write"), lacks("insights:*"), lacks("admin")]);
    let refused = setup.refusals().await;
    let noted = refused.last().unwrap();
    assert_eq!((noted.action.as_str(), &noted.details["rows"]), ("key.imported", &json!(3)));
    assert_eq!(noted.details["message"], json!(lacks("write")));

    let tester = setup.other_key("admin", |record| record.environment = Environment::Test).await;
    let both = rows(&[json!({"environment": "test"}), json!({})]);
    let answer = setup.import(&tester, &both).await;
    assert_eq!(said(&answer)[1], ("invalid", "A test key manages test keys alone"));
    assert_eq!(results(&answer)[0], "imported");

    let brief = setup.other_key("admin", |record| record.expires_at = Some(now().plus(60))).await;
    let ends = [json!({"expires_at": now().plus(60)}), json!({"expires_at": now().plus(61)}), json!({})];
    assert_eq!(results(&setup.import(&brief, &rows(&ends)).await), ["imported", "invalid", "invalid"]);

    let ranges = serde_json::from_value(json!(["192.0.2.0/24"])).unwrap();
    let held = setup.other_key("admin", |record| record.allowed_ips = ranges).await;
    let from = [json!({"allowed_ips": ["192.0.2.7"]}), json!({"allowed_ips": ["192.0.3.7"]}), json!({})];
    let sent = Some(body(false, &rows(&from)));
    let (status, answer) = setup.call_from("192.0.2.7", &held, "POST", &setup.path("/import"), sent).await;
    assert_eq!((status, results(&answer)), (200, vec!["imported", "invalid", "invalid"]));

    // Who may make no key at all is refused as a whole.
    for scopes in ["read", "usage:read write"] {
        let (status, answer) = setup.send(&setup.key(scopes).await, body(false, &rows(&[json!({})]))).await;
        assert_eq!((status, &answer["message"]), (403, &json!("This needs the scope `keys:manage`")));
    }
    let nobody: String = format!("sk_live_{}", "0".repeat(54));
    assert_eq!(setup.send(&nobody, body(false, &rows(&[json!({})]))).await.0, 401);
    let other = setup.test.client().await;
    let theirs = TestKey::new(&other, "admin").stored(&setup.test.store).await;
    assert_eq!(setup.send(&theirs, body(false, &rows(&[json!({})]))).await.0, 404);
}

#[tokio::test]
async fn a_workspaces_admin_imports_for_that_workspace_alone() {
    let setup = Setup::new().await;
    let research = setup.workspace(&setup.account.owner).await;
    let admin = setup.member_of(&research, WorkspaceRole::Admin).await;
    let login = setup.login(&admin).await;
    let into = |text: &str, workspace: &str| row_with(text, json!({"workspace_id": workspace}));
    let (own, general) = (foreign(), foreign());
    let rows = [into(&own, research.id.as_str()), row(&general)];
    let answer = setup.import(&login, &rows).await;
    assert_eq!(results(&answer), ["imported", "invalid"]);
    assert_eq!(said(&answer)[1].1, "A workspace's keys are managed by its admins");

    // What another has imported where this one manages nothing is no better than another client's.
    setup.import(&setup.owner().await, &[row(&general)]).await;
    for dry_run in [true, false] {
        let (_, answer) = setup.send(&login, body(dry_run, &[into(&general, research.id.as_str())])).await;
        assert_eq!(said(&answer), [("invalid", NO_HASH)]);
    }
    let member = setup.user(Role::Member).await;
    let answer = setup.import(&setup.login(&member).await, &[into(&own, research.id.as_str()), row(&foreign())]).await;
    assert_eq!(results(&answer), ["invalid", "invalid"]);
}

#[tokio::test]
async fn another_clients_hash_is_told_of_to_nobody() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let other = setup.test.client().await;
    let theirs = ImportedKey::new(&other, "read").stored(&setup.test.store).await;
    let record = setup.test.store.key_by_id(&theirs.record.id).await.unwrap();
    let malformed = row_with("", json!({"hash": "x"}));
    for dry_run in [true, false] {
        let (status, answer) = setup.send(&admin, body(dry_run, &[row(&theirs.text), malformed.clone()])).await;
        assert_eq!((status, said(&answer)), (200, vec![("invalid", NO_HASH); 2]));
        assert!(
            !answer.to_string().contains(other.id.as_str()) && !answer.to_string().contains(theirs.record.id.as_str())
        );
    }
    assert_eq!(setup.test.store.key_by_id(&theirs.record.id).await.unwrap(), record);
    assert_eq!(setup.principal(&theirs.text, 0.0).await.unwrap().client_id(), &other.id);
}

#[tokio::test]
async fn a_fault_midway_leaves_what_was_written_and_a_repetition_finishes() {
    for fault in [Fault::InternalError, Fault::LostAnswer] {
        let setup = Setup::new().await;
        let admin = setup.key("admin").await;
        setup.import(&admin, &[row(&foreign())]).await;
        let strings: Vec<_> = (0..3 * IMPORTED_TOGETHER).map(|_| foreign()).collect();
        let rows: Vec<_> = strings.iter().map(|text| row(text)).collect();
        // The first part is written; the second fails as often as it is tried.
        setup.test.faults.once("TransactWriteItems", Fault::Slow(std::time::Duration::ZERO));
        for _ in 0..3 {
            setup.test.faults.once("TransactWriteItems", fault);
        }
        let (status, answer) = setup.send(&admin, body(false, &rows)).await;
        assert_eq!((status, &answer["error"]), (503, &json!("Service Unavailable")), "{fault:?}");
        let written = setup.imported_events().await.len() - 1;
        // A lost answer is one of a transaction that was made.
        assert!([1, 2].map(|parts| parts * IMPORTED_TOGETHER).contains(&written), "{fault:?}: {written}");

        let answer = setup.import(&admin, &rows).await;
        let (exist, new) = (vec!["exists"; written], vec!["imported"; rows.len() - written]);
        assert_eq!(results(&answer), [exist, new].concat(), "{fault:?}");
        assert_eq!(setup.imported_events().await.len(), 1 + rows.len(), "{fault:?}");
        assert_eq!(setup.count_keys().await, 2 + rows.len());
        for text in &strings {
            assert!(setup.test.store.key_id_by_hash(&HashedKey::of_text(text)).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_changes_nothing() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    setup.import(&admin, &[row(&foreign())]).await;
    let rows = [row(&foreign())];
    for (operation, fault) in [
        ("BatchGetItem", Fault::Throttle),
        ("BatchGetItem", Fault::Unprocessed),
        ("Query", Fault::InternalError),
        ("TransactWriteItems", Fault::Throttle),
        ("TransactWriteItems", Fault::TransactionConflict),
    ] {
        setup.test.faults.always(operation, fault);
        let (status, answer) = setup.send(&admin, body(false, &rows)).await;
        assert_eq!((status, &answer["error"]), (503, &json!("Service Unavailable")), "{operation} {fault:?}");
        setup.test.faults.heal();
    }
    assert_eq!(setup.imported_events().await.len(), 1);
    assert_eq!(results(&setup.import(&admin, &rows).await), ["imported"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_of_the_same_rows_at_once_make_each_key_once() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let strings: Vec<_> = (0..50).map(|_| foreign()).collect();
    let rows: Vec<_> = strings.iter().map(|text| row(text)).collect();
    let mut writers = Vec::new();
    for place in 0..4 {
        let app = app(&setup.test.another_connection());
        // Not in the same order, so that they meet in the middle of their parts.
        let mut rows = rows.clone();
        rows.rotate_left(place * 11);
        let (path, bearer, body) = (setup.path("/import"), admin.bearer(), body(false, &rows).to_string());
        writers.push(tokio::spawn(async move {
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
            let (mut imported, mut records) = (0, BTreeMap::new());
            loop {
                let request = testkit::request("POST", &path, &headers, body.as_str());
                let (status, answer) = testkit::parts(reply_of(app.clone(), request, moment(0.0)).await);
                if status == 503 {
                    // Whoever met the others too often says so; its caller repeats it. What it had written is there.
                    assert_eq!(answer["message"], "Try again in a moment");
                    continue;
                }
                assert_eq!(status, 200, "{answer}");
                for row in answer["data"].as_array().unwrap() {
                    assert!(["imported", "exists"].contains(&row["result"].as_str().unwrap()), "{row}");
                    imported += usize::from(row["result"] == "imported");
                    let record = &row["record"];
                    records.insert(record["fingerprint"].to_string(), record["id"].as_str().unwrap().to_owned());
                }
                return (imported, records);
            }
        }));
    }
    let mut seen = Vec::new();
    let mut imported = 0;
    for writer in writers {
        let (count, records) = writer.await.unwrap();
        imported += count;
        seen.push(records);
    }
    assert!(seen.iter().all(|records| *records == seen[0]), "all see the same keys");
    assert_eq!(seen[0].len(), 50);
    assert!(imported <= 50, "{imported}");
    assert_eq!(setup.count_keys().await, 51);
    let told = setup.imported_events().await;
    assert_eq!(told.len(), 50);
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), seen[0].values().cloned().collect());
    assert_eq!(setup.test.store.feed_head().await.unwrap(), Sequence(1), "the pattern, once");
}

#[tokio::test]
async fn a_row_that_another_import_has_just_written_exists_and_the_rest_go_on() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let rows = [row(&foreign()), row(&foreign()), row(&foreign())];
    assert_eq!(results(&setup.send(&admin, body(true, &rows)).await.1), ["would_import"; 3]);
    let by_another = setup.import(&admin, &rows[1..2]).await;
    // It looks as the dry run did, and finds the other's row when it writes its own.
    setup.test.faults.once("BatchGetItem", Fault::Stale);
    setup.test.faults.reset_counts();
    let answer = setup.import(&admin, &rows).await;
    assert_eq!(results(&answer), ["imported", "exists", "imported"]);
    assert_eq!(answer["data"][1]["record"], by_another["data"][0]["record"]);
    assert_eq!(setup.test.faults.counts()["TransactWriteItems"], 2);
    assert_eq!(setup.imported_events().await.len(), 3);
}

#[tokio::test]
async fn an_imported_key_is_changed_rotated_and_revoked_as_any_other() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let text = foreign();
    let answer = setup.import(&admin, &[row(&text)]).await;
    let one = setup.path(&format!("/{}", answer["data"][0]["record"]["id"].as_str().unwrap()));
    let (status, record) = setup.call(&admin, "GET", &one, None).await;
    assert_eq!((status, &record), (200, &answer["data"][0]["record"]));
    let (status, record) = setup.call(&admin, "PATCH", &one, Some(json!({"scopes": ["write"], "name": "new"}))).await;
    assert_eq!((status, &record["scopes"], &record["name"]), (200, &json!(["write"]), &json!("new")));
    let scopes = |principal: Principal| principal.scopes().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(scopes(setup.principal(&text, 0.0).await.unwrap()), ["write"]);

    let rotate = format!("{one}/rotate");
    let (status, rotated) = setup.call(&admin, "POST", &rotate, Some(json!({"overlap_seconds": 60}))).await;
    assert_eq!(status, 201, "{rotated}");
    let own = rotated["raw_key"].as_str().unwrap();
    assert!(own.starts_with("sk-sim-") && PlainKey::parse(own).is_ok());
    assert!(setup.principal(&text, 59.0).await.is_ok());
    assert!(setup.principal(&text, 60.0).await.is_err());
    assert_eq!(scopes(setup.principal(own, 60.0).await.unwrap()), ["write"]);
    assert_eq!(results(&setup.import(&admin, &[row(&text)]).await), ["exists"], "a hash leads to its key for good");

    assert_eq!(setup.call(&admin, "DELETE", &one, None).await.0, 204);
    assert!(setup.principal(&text, 0.0).await.is_err() && setup.principal(own, 0.0).await.is_err());
}
