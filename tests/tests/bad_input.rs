//! No input causes a 5xx: ugly inputs at every route of the template.

use std::collections::BTreeSet;

use template::Method;

use crate::isolation::Tenant;
use crate::project;
use crate::support::bad_bodies::bodies;
use crate::support::client_calls::{CALLS, Ids, ROOT};
use crate::support::http::Http;
use crate::support::raw::{self, Answer};
use crate::support::{Once, system};

/// A client whom the inputs can hurt alone, and every route with its parameters filled in by what is there.
struct Target {
    /// A live key that holds `admin`.
    admin: String,
    /// Method and path of whatever reads a body, and of what has no such method.
    forms: Vec<(String, String)>,
    /// The same of whatever reads a query.
    queries: Vec<(String, String)>,
}

fn target() -> &'static Target {
    static TARGET: Once<Target> = Once::new();
    TARGET.get(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tenant = Tenant::new("Bad input").await;
            let admin = tenant.account.workspace_key(&tenant.account.workspace_id, &["admin"]).await.raw;
            Target { admin, forms: routes(&tenant.ids, with_a_form), queries: routes(&tenant.ids, with_a_query) }
        })
    })
}

/// The methods that read a body at a path of a client's; where there are none, `GET`.
fn with_a_form(path: &str) -> Vec<&'static str> {
    let forms = CALLS.iter().filter(|call| call.path == path && call.body.is_some());
    let methods: BTreeSet<&str> = forms.map(|call| call.method).collect();
    if methods.is_empty() { vec!["GET"] } else { methods.into_iter().collect() }
}

/// `GET`, or where there is none the first method.
fn with_a_query(path: &str) -> Vec<&'static str> {
    let mut methods = CALLS.iter().filter(|call| call.path == path).map(|call| call.method);
    let first = methods.clone().next();
    methods.find(|method| *method == "GET").or(first).into_iter().collect()
}

/// Every route of the template, its parameters filled in; `methods` says which are asked at a path of a client's.
fn routes(ids: &Ids, methods: fn(&str) -> Vec<&'static str>) -> Vec<(String, String)> {
    let mut routes = Vec::new();
    for route in project::template().functions().unwrap().iter().flat_map(|function| &function.events) {
        let methods = match (&route.method, route.path.strip_prefix(ROOT)) {
            (Method::Exact(method), _) => vec![method.as_str()],
            (Method::Any, None) => vec!["GET", "POST"],
            (Method::Any, Some(rest)) => methods(rest),
        };
        let path = ids.fill(&route.path.replace("{id}", "1").replace("{proxy+}", "pnl-summary"));
        routes.extend(methods.into_iter().map(|method| (method.to_owned(), path.clone())));
    }
    assert!(routes.len() >= 20, "{routes:?}");
    assert!(routes.iter().any(|(method, path)| method == "POST" && path.ends_with("/rotate")), "{routes:?}");
    routes
}

/// Sends a request. Whatever comes back is no fault of the system's, and repeats no key.
fn send(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let request = raw::request(method, target, headers, body);
    let shown = || String::from_utf8_lossy(&request[..request.len().min(400)]).into_owned();
    let answer = raw::try_exchange(system().port, &request).unwrap_or_else(|error| panic!("{error}: {}", shown()));
    assert!((200..500).contains(&answer.status), "{}\n{answer:?}", shown());
    let demo = &system().demo;
    for key in [&demo.api_key, &demo.test_key, &demo.admin_key] {
        assert!(!answer.text().contains(key.as_str()) && !answer.head.contains(key.as_str()), "{}", shown());
    }
    answer
}

/// No function may have died of what the others survived: a new process hides it.
fn assert_nothing_broke() {
    let output = system().output();
    for word in ["panicked", " ended (", " failed: ", "malformed answer", "was not reached"] {
        assert!(!output.contains(word), "{word}: {output}");
    }
    for log in std::fs::read_dir(system().data_dir().join("logs")).unwrap().flatten() {
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert!(!text.contains("panicked"), "{}: {text}", log.path().display());
    }
}

#[test]
fn no_body_on_any_route_causes_a_5xx() {
    let bearer = format!("Bearer {}", target().admin);
    let json = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    for (method, path) in &target().forms {
        for body in bodies() {
            send(method, path, &json, &body);
        }
    }
    assert_nothing_broke();
}

#[test]
fn no_content_type_on_any_route_causes_a_5xx() {
    let bearer = format!("Bearer {}", target().admin);
    for (method, path) in &target().forms {
        for content_type in [
            "",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data",
            "application/json; charset=utf-16",
            "application/json, application/json",
            ";",
            "a/b/c",
            "\u{e9}/json",
        ] {
            for length in ["0", "2"] {
                let body = if length == "0" { &b""[..] } else { b"{}" };
                send(method, path, &[("authorization", &bearer), ("content-type", content_type)], body);
            }
        }
        send(method, path, &[("authorization", &bearer), ("content-encoding", "gzip")], b"\x1f\x8b\x08");
        send(method, path, &[("content-type", "application/json"), ("content-type", "application/json")], b"{}");
    }
    assert_nothing_broke();
}

/// Credentials of every wrong form.
fn credentials(key: &str, token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!() };
    let encoded = |text: &str| {
        use base64::Engine as _;
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text)
    };
    let with_header = |text: &str| format!("{}.{payload}.{signature}", encoded(text));
    let with_payload = |text: &str| format!("{header}.{}.{signature}", encoded(text));
    let mut credentials: Vec<String> = [
        "",
        " ",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c.d",
        "a..c",
        "e30.e30.",
        "=.=.=",
        "null",
        "sk_live_",
        "sk_test_0",
        "sk-sim-",
        "agent_tok_x",
        "\u{e9}",
        "\u{ff53}k_live_",
        "../../etc/passwd",
        "' OR 1=1 --",
        "*",
        "%00",
        "\t",
    ]
    .map(str::to_owned)
    .into();
    credentials.extend([
        key[..key.len() - 1].to_owned(),
        format!("{key}0"),
        key.to_uppercase(),
        key.replace("sk_live_", "sk_test_"),
        key.replace("sk_live_", ""),
        format!(" {key}"),
        format!("{key},{key}"),
        "0".repeat(9_000),
        format!("{token}."),
        format!(".{token}"),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{}", "A".repeat(86)),
        format!("{header}.{payload}.{}", &signature[1..]),
        format!("{}.{payload}.{signature}", "[".repeat(3_000)),
        with_header(r#"{"alg":"none","typ":"at+jwt"}"#),
        with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":"x"}"#),
        with_header(r#"{"alg":"ES256","typ":"at+jwt","kid":"../../../dev/null"}"#),
        with_header(r#"{"alg":"ES256","typ":"at+jwt","kid":"\u0000"}"#),
        with_header(r#"{"alg":"ES256","typ":"at+jwt","kid":7}"#),
        with_header(r#"{"alg":"ES256","typ":"at+jwt","kid":["a"]}"#),
        with_header(&format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{}"}}"#, "k".repeat(5_000))),
        with_header(r#"{"alg":"ES256","typ":"at+jwt","kid":"x","jku":"http://127.0.0.1:1/","crit":["exp"]}"#),
        with_header(&"[".repeat(4_000)),
        with_header(""),
        with_payload("{}"),
        with_payload("null"),
        with_payload(r#"{"exp":1e999}"#),
        with_payload(r#"{"exp":18446744073709551616,"iat":-1}"#),
        with_payload(&"{\"a\":".repeat(800)),
        with_payload("\u{feff}{}"),
    ]);
    credentials
}

#[tokio::test]
async fn no_credential_causes_a_5xx_and_none_of_these_opens_anything() {
    let key = system().demo.api_key.as_str();
    let http = Http::new(system());
    let token = http.token(key).await;
    let keys = http.keys_path();
    for credential in credentials(key, &token) {
        for path in ["/insights/v1/pnl-summary", keys.as_str()] {
            for (name, value) in [
                ("authorization", format!("Bearer {credential}")),
                ("authorization", credential.clone()),
                ("x-api-key", credential.clone()),
                ("x-api-key", format!("{credential}\u{80}")),
            ] {
                // Spaces around a header's value are none of it.
                if value.trim() == key && name == "x-api-key" {
                    continue;
                }
                let answer = send("GET", path, &[(name, &value)], b"");
                assert_eq!(answer.status, 401, "{name}: {value}: {answer:?}");
            }
        }
        let text = serde_json::to_string(&credential).unwrap();
        for (path, member) in [("/auth/token", "apiKey"), ("/auth/exchange", "api_key")] {
            let body = format!(r#"{{"{member}":{text}}}"#);
            let answer = send("POST", path, &[("content-type", "application/json")], body.as_bytes());
            assert_eq!(answer.status, 401, "{body}: {answer:?}");
        }
    }
    assert_nothing_broke();
}

#[test]
fn no_query_path_or_header_causes_a_5xx() {
    let admin = ("x-api-key", target().admin.as_str());
    for (method, path) in &target().queries {
        for query in [
            "?",
            "?&",
            "?=",
            "?=&=",
            "?a",
            "?a=%",
            "?a=%zz",
            "?a=%00",
            "?a=%ff%fe",
            "?a=1&a=2&a=3",
            "?a[]=1&a[b]=2",
            "?limit=0",
            "?limit=101",
            "?limit=-1",
            "?limit=1e9",
            "?limit=",
            "?limit=1&limit=2",
            "?cursor=",
            "?cursor=AAAA",
            "?cursor=%F0%9F%92%A9",
            "?cursor=eyJhIjoxfQ",
            "?revoked=maybe",
            "?type=",
            "?environment=prod",
            "?workspace_id=..",
            "?planId=<script>",
            "?$filter=1",
            "?;;;",
            "?#x",
        ] {
            send(method, &format!("{path}{query}"), &[admin], b"");
        }
        for tail in ["/", "//", "/..", "/%2e%2e", "/%00", "%00", "%", "%zz", ";a=b", "\u{e9}", "/\u{202e}", "~", "*"] {
            let target: String = format!("{path}{tail}");
            let request = raw::request(method, &target, &[admin], b"");
            // Not every byte may stand in a request line: then the answer is the server's own 400, or none.
            if let Ok(answer) = raw::try_exchange(system().port, &request) {
                assert!((200..500).contains(&answer.status), "{target}: {answer:?}");
            }
        }
        for (name, value) in [
            ("x-workspace-id", ""),
            ("x-workspace-id", "ws_0000000000000000"),
            ("x-workspace-id", "\u{80}"),
            ("x-agent-id", "x"),
            ("x-forwarded-for", "::1, evil, \u{7f}a"),
            ("x-forwarded-for", "999.1.1.1"),
            ("if-none-match", "*"),
            ("if-none-match", "W/\"x\", \u{ff}"),
            ("if-none-match", "\""),
            ("range", "bytes=0-0,-1"),
            ("accept", "\u{e9}"),
            ("x-http-method-override", "\u{e9}"),
            ("x-http-method-override", ""),
            ("x-http-method-override", "CONNECT"),
            ("expect", "x"),
            ("x-amzn-trace-id", "Root=;;;"),
            ("traceparent", "00-0-0-0"),
            ("cookie", ";;;==="),
            ("upgrade", "h2c"),
            ("x-amz-date", "x"),
            ("te", "trailers"),
            ("origin", "null"),
            ("content-length", "0"),
        ] {
            let request = raw::request(method, path, &[admin, (name, value)], b"");
            if let Ok(answer) = raw::try_exchange(system().port, &request) {
                assert!((200..500).contains(&answer.status), "{name}: {value}: {answer:?}");
            }
        }
    }
    assert_nothing_broke();
}

#[test]
fn bytes_that_are_no_request_end_their_own_connection_and_nothing_else() {
    for bytes in [
        &b"\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /auth/token HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /auth/token HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /auth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /auth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n",
        b"POST /auth/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: x\r\nbad header: x\r\nconnection: close\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: x\r\nx: a\0b\r\nconnection: close\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: x\r\n folded: x\r\nconnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        // Those that wait for more are cut off by the other side's end.
        if let Ok(answer) = raw::cut_off(system().port, bytes) {
            assert!(answer.status < 500 || answer.status == 505, "{}: {answer:?}", String::from_utf8_lossy(bytes));
        }
    }
    let many: Vec<(String, String)> = (0..200).map(|number| (format!("x-{number}"), "v".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = raw::exchange(system().port, &raw::request("GET", "/v1/models", &many, b""));
    assert_eq!(answer.status, 431, "{answer:?}");
    assert_eq!(raw::exchange(system().port, &raw::request("GET", "/v1/models", &[], b"")).status, 401);
    assert_nothing_broke();
}
