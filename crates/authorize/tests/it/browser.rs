//! A browser as far as these pages need one: it keeps cookies, reads forms and sends them.

use std::collections::BTreeMap;

use serde_json::json;
use testkit::PASSWORD;

use crate::setup::{Answer, Setup, encoded, event};

pub(crate) type Form = Vec<(String, String)>;

pub(crate) struct Browser<'a> {
    setup: &'a Setup,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: String,
    pub(crate) seconds: f64,
}

impl Answer {
    /// The hidden fields of the page's form that leads to `action`.
    pub(crate) fn form(&self, action: &str) -> Form {
        let start = self.body.find(&format!(r#"action="{action}""#)).unwrap_or_else(|| panic!("no form: {self:?}"));
        let form = &self.body[start..];
        let form = &form[..form.find("</form>").unwrap()];
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1);
        hidden
            .map(|input| {
                let (name, rest) = input.split_once("\" value=\"").unwrap();
                (name.to_owned(), unescaped(rest.split_once('"').unwrap().0))
            })
            .collect()
    }
}

/// What a browser reads in a page's text.
pub(crate) fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once("&#") {
        let (number, after) = entity.split_once(';').unwrap();
        plain.push_str(before);
        plain.push(char::from_u32(number.parse().unwrap()).unwrap());
        rest = after;
    }
    plain + rest
}

impl<'a> Browser<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Self {
        Self { setup, cookies: BTreeMap::new(), address: "192.0.2.1".to_owned(), seconds: 0.0 }
    }

    async fn send(&mut self, method: &str, path: &str, query: &str, body: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = json!({"content-type": "application/x-www-form-urlencoded"});
        let event = event(method, path, query, &headers, &cookies, body, &self.address);
        let answer = self.setup.handle(&event, self.seconds).await;
        for cookie in answer.all("set-cookie") {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                assert!(rest.ends_with("Max-Age=0"), "{cookie}");
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, asked: &[(String, String)]) -> Answer {
        self.send("GET", "/oauth/authorize", &encoded(asked), "").await
    }

    pub(crate) async fn get_raw(&mut self, query: &str) -> Answer {
        self.send("GET", "/oauth/authorize", query, "").await
    }

    pub(crate) async fn post(&mut self, form: &[(String, String)]) -> Answer {
        self.send("POST", "/oauth/authorize", "", &encoded(form)).await
    }

    pub(crate) async fn sign_out(&mut self, form: &[(String, String)]) -> Answer {
        self.send("POST", "/oauth/logout", "", &encoded(form)).await
    }

    /// Goes where an answer of these pages leads.
    pub(crate) async fn follow(&mut self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, 303, "{answer:?}");
        let query = answer.header("location").unwrap().strip_prefix("authorize?").unwrap().to_owned();
        self.get_raw(&query).await
    }

    /// What the login form sends.
    pub(crate) async fn try_password(&mut self, page: &Answer, email: &str, password: &str) -> Answer {
        let mut form = page.form("authorize");
        form.push(("email".to_owned(), email.to_owned()));
        form.push(("password".to_owned(), password.to_owned()));
        self.post(&form).await
    }

    /// Logs in and gives the page behind it.
    pub(crate) async fn sign_in(&mut self, asked: &[(String, String)], email: &str) -> Answer {
        let page = self.get(asked).await;
        page.assert_page(200);
        let answer = self.try_password(&page, email, PASSWORD).await;
        self.follow(&answer).await
    }

    /// Presses a button of the consent page.
    pub(crate) async fn decide(&mut self, page: &Answer, decision: &str) -> Answer {
        let mut form = page.form("authorize");
        form.push(("decision".to_owned(), decision.to_owned()));
        self.post(&form).await
    }
}
