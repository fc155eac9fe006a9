//! What is asked for, and what must be answered.

use domain::KeyId;
use edge::{ApiError, Reply};
use serde_json::Value;
use testkit::{ISSUER, parts};

use crate::failure::Failure;
use crate::keys::functions::Function;

/// An operation that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A page of the list, from its beginning or from behind the cursor in its middle.
    List { limit: usize, from_middle: bool },
    /// A key by its id.
    Get,
    /// A token for a key.
    Exchange,
}

impl Operation {
    /// All of them. The two short pages end before the list does, in ten keys as in many.
    pub(crate) const ALL: [Self; 5] = [
        Self::List { limit: 9, from_middle: false },
        Self::List { limit: 4, from_middle: true },
        Self::List { limit: 50, from_middle: false },
        Self::Get,
        Self::Exchange,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::List { from_middle: true, .. } => "list, four from the middle",
            Self::List { limit: 50, .. } => "list, a page of 50",
            Self::List { .. } => "list, the first nine",
            Self::Get => "get",
            Self::Exchange => "exchange",
        }
    }

    pub(crate) fn function(self) -> Function {
        match self {
            Self::List { .. } | Self::Get => Function::KeyManagement,
            Self::Exchange => Function::TokenExchange,
        }
    }

    /// How many keys, or tokens, an answer holds in a client of so many keys.
    pub(crate) fn answers(self, keys: usize) -> usize {
        match self {
            Self::List { limit, .. } => limit.min(keys),
            Self::Get | Self::Exchange => 1,
        }
    }
}

/// What an answer must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// These keys, in this order.
    Keys(Vec<KeyId>),
    /// This key.
    Key(KeyId),
    /// A token.
    Token,
}

impl Expected {
    /// The body of an answer that is right.
    pub(crate) fn check(&self, call: &'static str, answer: Result<Reply, ApiError>) -> Result<Value, Failure> {
        let (status, body) = parts(answer.unwrap_or_else(|error| error.into_reply(ISSUER)));
        let wrong = |what: &str| Err(Failure::Answer { call, reason: format!("{what}: {status} {body}") });
        if status != 200 {
            return wrong("refused");
        }
        let right = match self {
            Self::Keys(ids) => body["data"].as_array().is_some_and(|keys| {
                keys.len() == ids.len() && keys.iter().zip(ids).all(|(key, id)| key["id"] == id.as_str())
            }),
            Self::Key(id) => body["id"] == id.as_str(),
            Self::Token => body["data"]["token"].as_str().is_some_and(|token| token.split('.').count() == 3),
        };
        if right { Ok(body) } else { wrong("not what was asked for") }
    }
}

#[cfg(test)]
mod tests {
    use edge::ok;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_is_refused_or_holds_something_else_is_a_failure() {
        let (one, other) = (KeyId::random(), KeyId::random());
        let page = |ids: &[&KeyId]| {
            ok(&json!({"data": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>(), "next_cursor": null}))
        };
        let list = Expected::Keys(vec![one.clone(), other.clone()]);
        list.check("list", Ok(page(&[&one, &other]))).unwrap();
        Expected::Key(one.clone()).check("get", Ok(ok(&json!({"id": one})))).unwrap();
        Expected::Token.check("exchange", Ok(ok(&json!({"data": {"token": "a.b.c"}})))).unwrap();
        for (expected, answer) in [
            (&list, Ok(page(&[&other, &one]))),
            (&list, Ok(page(&[&one]))),
            (&list, Err(ApiError::NotFound)),
            (&Expected::Key(one.clone()), Ok(ok(&json!({"id": other})))),
            (&Expected::Token, Ok(ok(&json!({"data": {"token": null}})))),
            (&Expected::Token, Ok(edge::no_content())),
        ] {
            assert!(matches!(expected.check("it", answer), Err(Failure::Answer { call: "it", .. })), "{expected:?}");
        }
    }
}
