//! The parameters of OAuth's requests (RFC 6749, section 3.1 and appendix B).

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::json::{MAX_BODY_BYTES, is_of_type};
use crate::request::Request;
use crate::urlencoded::form_decoded;

/// What a request says, by name. Names that nobody knows are left alone, and one without a value is as good as left out.
#[derive(Clone, Debug, Default)]
pub struct Parameters(BTreeMap<String, Vec<String>>);

/// A parameter stands there more than once, so that two readers might each take another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated(pub String);

impl Parameters {
    /// Those of the query.
    #[must_use]
    pub fn of_query(request: &Request) -> Self {
        let mut all = Self::default();
        for (name, value) in request.query() {
            all.add(name, value);
        }
        all
    }

    /// Those of a form in the body: `application/x-www-form-urlencoded`, at most 64 KB.
    ///
    /// # Errors
    /// [`ApiError::PayloadTooLarge`], [`ApiError::UnsupportedMediaType`], [`ApiError::BadRequest`] for what is no form, in
    /// this order.
    pub fn of_form(request: &Request) -> Result<Self, ApiError> {
        let body = request.body().as_bytes();
        if body.len() > MAX_BODY_BYTES {
            return Err(ApiError::PayloadTooLarge { limit: MAX_BODY_BYTES });
        }
        if !is_of_type(request, "application/x-www-form-urlencoded") {
            return Err(ApiError::UnsupportedMediaType);
        }
        let mut all = Self::default();
        let malformed = || ApiError::BadRequest("The body is no form".to_owned());
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |part| form_decoded(part).ok_or_else(malformed);
            all.add(&decoded(name)?, &decoded(value)?);
        }
        Ok(all)
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.entry(name.to_owned()).or_default().push(value.to_owned());
    }

    /// A parameter; `None` where it is left out or empty.
    ///
    /// # Errors
    /// [`Repeated`].
    pub fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        match self.0.get(name).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([value]) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            Some(_) => Err(Repeated(name.to_owned())),
        }
    }

    /// The first, in the alphabet's order, that stands there more than once.
    #[must_use]
    pub fn repeated(&self) -> Option<Repeated> {
        self.0.iter().find(|(_, values)| values.len() > 1).map(|(name, _)| Repeated(name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use crate::request::Body;

    use super::*;

    fn read(body: impl Into<Body>) -> Result<Parameters, ApiError> {
        let mut request = Request::new(body.into());
        let content_type = "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap();
        request.headers_mut().insert("content-type", content_type);
        Parameters::of_form(&request)
    }

    fn form(body: &str) -> Parameters {
        read(body).unwrap()
    }

    #[test]
    fn a_form_is_decoded_and_an_empty_parameter_is_none() {
        let all = form("scope=read+write&state=%C3%A4%26%3D&empty=&bare");
        assert_eq!(all.one("scope"), Ok(Some("read write")));
        assert_eq!(all.one("state"), Ok(Some("ä&=")));
        for none in ["empty", "bare", "other"] {
            assert_eq!(all.one(none), Ok(None), "{none}");
        }
        assert_eq!(all.repeated(), None);
    }

    #[test]
    fn what_stands_there_twice_is_neither_of_both() {
        let all = form("scope=read&state=&scope=read&state=x");
        assert_eq!(all.one("scope"), Err(Repeated("scope".to_owned())));
        assert_eq!(all.one("state"), Err(Repeated("state".to_owned())), "an empty one counts");
        assert_eq!(all.repeated(), Some(Repeated("scope".to_owned())));
    }

    #[test]
    fn what_is_no_form_is_refused_and_not_guessed_at() {
        let bad = [&b"code=%"[..], b"code=%zz", b"code=%ff", b"code=%c0%80", b"%=x", b"code=\xff", b"a=b&code=%C3"];
        for bad in bad {
            assert!(matches!(read(bad), Err(ApiError::BadRequest(_))), "{bad:?}");
        }
        assert_eq!(form("c%6fde=a&code=b").one("code"), Err(Repeated("code".to_owned())), "however it is written");
        assert_eq!(form("&&=x&").repeated(), None);
    }

    #[test]
    fn what_is_no_form_by_its_own_word_is_refused() {
        let refused = Parameters::of_form(&Request::new(Body::Text("a=b".to_owned())));
        assert!(matches!(refused, Err(ApiError::UnsupportedMediaType)));
        let refused = Parameters::of_form(&Request::new(Body::Text("a".repeat(MAX_BODY_BYTES + 1))));
        assert!(matches!(refused, Err(ApiError::PayloadTooLarge { .. })));
    }
}
