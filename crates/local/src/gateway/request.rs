//! A request as it arrives, before anything is made of it.

use std::net::IpAddr;

/// What a caller sent, and what is known of it besides.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The method, `X-HTTP-Method-Override` already obeyed.
    pub method: String,
    /// The path as sent, percent-encoding untouched.
    pub raw_path: String,
    /// What stands behind the `?`, where there is one.
    pub raw_query: Option<String>,
    /// `HTTP/1.1` or another.
    pub protocol: &'static str,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The port that it came in at.
    pub port: u16,
    /// The request's own id.
    pub request_id: String,
    /// When it came.
    pub received: jiff::Timestamp,
}

/// What a request line and the values of all headers may measure together, in bytes.
const HEAD_LIMIT: usize = 10_240;

impl Incoming {
    /// The path that routes and functions see: one slash in front, however many were sent.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}", self.raw_path.trim_start_matches('/'))
    }

    /// The first value of a header; `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether request line and headers are larger than API Gateway takes.
    #[must_use]
    pub fn head_is_too_large(&self) -> bool {
        let query = self.raw_query.as_ref().map_or(0, |query| query.len() + 1);
        let line = self.method.len() + self.raw_path.len() + query + self.protocol.len() + 2;
        let headers: usize = self.headers.iter().map(|(_, value)| value.len()).sum();
        line + headers > HEAD_LIMIT
    }

    /// The query, decoded, in order. A `;` splits as `&` does.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.raw_query.as_deref().unwrap_or_default();
        query
            .split(['&', ';'])
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name), decode(value))
            })
            .collect()
    }
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(decoded) = escaped {
            out.push(decoded);
            at += 3;
        } else {
            out.push(if byte == b'+' { b' ' } else { byte });
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn incoming(method: &str, target: &str, headers: &[(&str, &str)]) -> Incoming {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Incoming {
            method: method.to_owned(),
            raw_path: path.to_owned(),
            raw_query: query,
            protocol: "HTTP/1.1",
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Vec::new(),
            peer: [127, 0, 0, 1].into(),
            port: 8788,
            request_id: "4f1c1d6e-6f0b-4f0a-9b1e-2f6f3f1f9a11".to_owned(),
            received: jiff::Timestamp::from_second(1_764_004_544).unwrap(),
        }
    }

    #[test]
    fn the_query_is_decoded_and_damaged_encoding_is_left_as_it_is() {
        let target = "/x?email=test%2Balias@gmail.com&plus=a+b&price=10&price=20;flag&e=%zz%4&u=%C3%A9%ff&=v";
        let pairs = incoming("GET", target, &[]).query();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("email", "test+alias@gmail.com"),
                ("plus", "a b"),
                ("price", "10"),
                ("price", "20"),
                ("flag", ""),
                ("e", "%zz%4"),
                ("u", "é\u{fffd}"),
                ("", "v"),
            ]
        );
    }

    #[test]
    fn ten_kilobytes_of_request_line_and_values_are_taken_and_no_more() {
        let line = "GET /x HTTP/1.1".len();
        for (size, too_large) in [(HEAD_LIMIT - line, false), (HEAD_LIMIT - line + 1, true)] {
            let value = "v".repeat(size);
            assert_eq!(incoming("GET", "/x", &[("a-long-name", &value)]).head_is_too_large(), too_large);
        }
    }

    #[test]
    fn slashes_in_front_become_one() {
        assert_eq!(incoming("GET", "///a//b/", &[]).path(), "/a//b/");
        assert_eq!(incoming("GET", "/", &[]).path(), "/");
    }
}
