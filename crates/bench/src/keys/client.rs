//! A client with its keys.

use domain::{KeyId, PlainKey, random};
use edge::Request;
use serde_json::json;
use testkit::{account, request};

use crate::failure::Failure;
use crate::keys::fill::fill;
use crate::keys::functions::Functions;
use crate::keys::operation::{Expected, Operation};
use crate::store_process::StoreProcess;

/// A prime: calls that step by it go through all keys of a client that has fewer, those of a batch far apart.
const STEP: usize = 1_618_033;

/// The longest page.
const LONGEST_PAGE: usize = 100;

/// A client, and how its keys are asked for.
pub(crate) struct FilledClient {
    /// All of its keys, in the order of its list; the first manages the others.
    pub(crate) keys: Vec<PlainKey>,
    /// The path of its list.
    path: String,
    /// Where the middle of the list begins.
    middle: String,
}

impl FilledClient {
    /// Makes a client with `count` keys, and sees that the functions have all of them: each is listed, in order, and the last one is found by its
    /// id and exchanged.
    pub(crate) async fn new(functions: &Functions, stored: &mut StoreProcess, count: usize) -> Result<Self, Failure> {
        let email = format!("{}@example.com", random::base62(12));
        let client = account(&email).stored(&functions.store).await.client;
        let keys = fill(&functions.store, stored, &client, count).await?;
        let path = format!("/api/v1/clients/{}/api_keys", client.id);
        let mut filled = Self { keys, path, middle: String::new() };
        filled.middle = filled.walk(functions).await?;
        for operation in [Operation::Get, Operation::Exchange] {
            let (request, expected) = filled.call_for(operation, count - 1);
            let answer = functions.answer(operation.function(), request).await;
            expected.check("the last key", answer)?;
        }
        Ok(filled)
    }

    /// Goes through the whole list; gives the cursor that stands in its middle.
    async fn walk(&self, functions: &Functions) -> Result<String, Failure> {
        let middle = self.keys.len() / 2;
        let (mut seen, mut cursor, mut at_middle) = (0, None, None);
        loop {
            let left = if seen < middle { middle } else { self.keys.len() } - seen;
            let limit = left.min(LONGEST_PAGE);
            let (request, expected) = self.page(seen, limit, cursor.as_deref());
            let operation = Operation::List { limit, from_middle: false };
            let body = expected.check("the list", functions.answer(operation.function(), request).await)?;
            seen += limit;
            cursor = body["next_cursor"].as_str().map(str::to_owned);
            if seen == middle {
                at_middle.clone_from(&cursor);
            }
            let wrong = |reason: &str| Failure::Answer { call: "the list", reason: reason.to_owned() };
            match (&cursor, seen == self.keys.len()) {
                (Some(_), false) => {}
                (None, true) => return at_middle.ok_or_else(|| wrong("it has no middle")),
                (Some(_), true) => return Err(wrong("it goes on behind the last key")),
                (None, false) => return Err(wrong("it ends before the last key")),
            }
        }
    }

    /// The call of an operation in some turn, and what it must answer.
    pub(crate) fn call(&self, operation: Operation, turn: usize) -> (Request, Expected) {
        self.call_for(operation, turn.wrapping_mul(STEP) % self.keys.len())
    }

    /// The same, for the key at `place` where the operation is for one.
    fn call_for(&self, operation: Operation, place: usize) -> (Request, Expected) {
        let key = &self.keys[place];
        match operation {
            Operation::List { limit, from_middle: false } => self.page(0, limit, None),
            Operation::List { limit, from_middle: true } => self.page(self.keys.len() / 2, limit, Some(&self.middle)),
            Operation::Get => (self.managing(&format!("/{}", key.id())), Expected::Key(key.id())),
            Operation::Exchange => {
                let body = json!({"api_key": key.expose()}).to_string();
                let headers = [("content-type", "application/json")];
                (request("POST", "/auth/exchange", &headers, body), Expected::Token)
            }
        }
    }

    /// The call for a page that begins at `place`, with the cursor that leads there.
    fn page(&self, place: usize, limit: usize, cursor: Option<&str>) -> (Request, Expected) {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let ids: Vec<KeyId> = self.keys.iter().skip(place).take(limit).map(PlainKey::id).collect();
        (self.managing(&format!("?limit={limit}{cursor}")), Expected::Keys(ids))
    }

    fn managing(&self, rest: &str) -> Request {
        let bearer = format!("Bearer {}", self.keys[0].expose());
        request("GET", &format!("{}{rest}", self.path), &[("authorization", &bearer)], "")
    }
}
