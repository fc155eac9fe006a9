//! Somebody who allows apps things at the real pages, without a browser: the pages need no script.

use std::collections::BTreeMap;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, Url};
use serde_json::{Value, json};

use super::account::{Account, Person};

/// Where the apps of these tests are answered: nobody listens there.
const CALLBACK: &str = "http://127.0.0.1/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

type Form = Vec<(String, String)>;

/// A person at the pages, who stays signed in.
pub struct Visitor {
    client: Client,
    pages: Url,
    email: String,
    password: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub async fn new(account: &Account, person: &Person) -> Self {
        let path = format!("/users/{}", person.id);
        let user = account.manage(person.login(), Method::GET, &path, &Value::Null, 200).await;
        let pages = account.http.request(Method::GET, "/oauth/authorize").build().unwrap().url().clone();
        Self {
            client: Client::builder().no_proxy().redirect(Policy::none()).build().unwrap(),
            pages,
            email: user["email"].as_str().unwrap().to_owned(),
            password: person.password.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// Says yes to an app, signing in where that is asked for; the code that the app gets.
    async fn says_yes(&mut self, app: &str, scope: &str) -> String {
        let asked = pairs(&[
            ("response_type", "code"),
            ("client_id", app),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let mut url = self.pages.clone();
        url.query_pairs_mut().extend_pairs(&asked);
        let mut page = self.send(Method::GET, url, None).await.text().await.unwrap();
        if page.contains(r#"name="password""#) {
            let mut form = form(&page);
            form.extend(pairs(&[("email", &self.email), ("password", &self.password)]));
            let answer = self.send(Method::POST, self.pages.clone(), Some(form)).await;
            let led = self.pages.join(&led_to(&answer)).unwrap();
            page = self.send(Method::GET, led, None).await.text().await.unwrap();
        }
        let mut form = form(&page);
        form.extend(pairs(&[("decision", "allow")]));
        let answer = self.send(Method::POST, self.pages.clone(), Some(form)).await;
        let answered = Url::parse(&led_to(&answer)).unwrap();
        let code = answered.query_pairs().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("no code: {answered}")).1.into_owned()
    }

    async fn send(&mut self, method: Method, url: Url, form: Option<Form>) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.client.request(method, url).header("cookie", cookies.join("; "));
        if let Some(form) = form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded(&form));
        }
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// An app of a client that people can allow something to.
#[derive(Clone, Debug)]
pub struct ConsentApp {
    pub id: String,
    pub secret: String,
}

impl ConsentApp {
    /// Made by the client's owner.
    pub async fn new(account: &Account, name: &str, scopes: &[&str]) -> Self {
        let form = json!({
            "name": name,
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scopes": scopes,
            "confidential": true,
        });
        let made = account.manage(account.owner.login(), Method::POST, "/apps", &form, 201).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self { id: text("id"), secret: text("client_secret") }
    }

    /// What `/oauth/token` answers the app.
    pub async fn token(&self, account: &Account, fields: &[(&str, &str)]) -> (u16, Value) {
        let mut form = pairs(fields);
        form.extend(pairs(&[("client_id", &self.id), ("client_secret", &self.secret)]));
        let request = account.http.request(Method::POST, "/oauth/token");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded(&form));
        let answer = account.http.send(request).await;
        (answer.status, answer.json())
    }

    /// Is allowed something by a visitor, and gets its tokens.
    pub async fn is_allowed(&self, account: &Account, by: &mut Visitor, scope: &str) -> Value {
        let code = by.says_yes(&self.id, scope).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = self.token(account, &fields).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

fn pairs(fields: &[(&str, &str)]) -> Form {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn encoded(form: &Form) -> String {
    let mut url = Url::parse("http://127.0.0.1/").unwrap();
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap().to_owned()
}

fn led_to(answer: &Response) -> String {
    assert_eq!(answer.status(), 303, "{answer:?}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// The hidden fields of a page's form.
fn form(page: &str) -> Form {
    let form = page.split_once(r#"action="authorize""#).unwrap_or_else(|| panic!("no form: {page}")).1;
    let form = form.split_once("</form>").unwrap().0;
    let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|input| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        (name.to_owned(), unescaped(rest.split_once('"').unwrap().0))
    });
    hidden.collect()
}

/// What a browser reads in a page's text.
fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, entity)) = rest.split_once("&#") {
        let (number, after) = entity.split_once(';').unwrap();
        plain.push_str(before);
        plain.push(char::from_u32(number.parse().unwrap()).unwrap());
        rest = after;
    }
    plain + rest
}
