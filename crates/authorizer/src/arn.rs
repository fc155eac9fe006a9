//! Method ARNs: `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>`.

use domain::Route;

use crate::pattern::Pattern;

/// An ARN that names a call.
#[derive(Debug)]
pub struct MethodArn {
    /// Everything up to the stage: what every route of this deployment begins with.
    base: String,
    pub(crate) method: String,
    /// With its leading slash.
    pub(crate) path: String,
}

impl MethodArn {
    /// Reads one; `None` where it is of another form, or its base holds what a policy would take for a wildcard.
    #[must_use]
    pub fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(4, '/');
        let (api, stage, method) = (parts.next()?, parts.next()?, parts.next()?);
        let path = parts.next().unwrap_or_default();
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_$.".contains(&byte))
        };
        let fits = api.starts_with("arn:") && api.contains(":execute-api:") && plain(api) && plain(stage);
        fits.then(|| Self { base: format!("{api}/{stage}"), method: method.to_owned(), path: format!("/{path}") })
    }

    /// What every route of this deployment begins with.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// What a policy names so as to allow `route` and nothing beside it. It is made from access.toml, never copied from
    /// the call: a `*` in a path would be a wildcard there.
    pub(crate) fn resource(&self, route: &Route) -> String {
        format!("{}/{}{}", self.base, route.method, Pattern::of_template(&route.path))
    }

    /// What a policy names so as to deny all: there is no route to name.
    pub(crate) fn everything(&self) -> String {
        format!("{}/*", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart_at_its_slashes() {
        let arn = MethodArn::parse("arn:aws:execute-api:eu-west-1:123:abc/live/GET/insights/v1/a/b").unwrap();
        assert_eq!((arn.method.as_str(), arn.path.as_str()), ("GET", "/insights/v1/a/b"));
        assert_eq!(arn.everything(), "arn:aws:execute-api:eu-west-1:123:abc/live/*");
        let root = MethodArn::parse("arn:aws:execute-api:eu-west-1:123:abc/$default/GET/").unwrap();
        assert_eq!(root.path, "/");
        for bad in [
            "",
            "GET /x",
            "arn:aws:s3:::bucket/a/b/c",
            "arn:aws:execute-api:*:123:abc/live/GET/x",
            "arn:aws:execute-api:r:1:a/*/GET/x",
        ] {
            assert!(MethodArn::parse(bad).is_none(), "{bad}");
        }
    }
}
