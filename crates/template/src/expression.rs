//! Intrinsic functions: from `{"Fn::Sub": "https://${Domain}"}` to text, given what the names
//! stand for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Error;
use crate::node::{Node, child};

/// A value of the template that may hold intrinsic functions, not yet resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub(crate) value: Value,
    pub(crate) path: String,
}

/// What names stand for: parameters and pseudo parameters (`AWS::Region`), resources (for `Ref`),
/// and `Resource.Attribute` (for `Fn::GetAtt`).
#[derive(Clone, Debug, Default)]
pub struct Values {
    names: BTreeMap<String, String>,
    conditions: BTreeMap<String, Value>,
}

impl Values {
    pub(crate) fn new(conditions: BTreeMap<String, Value>) -> Self {
        Self { names: BTreeMap::new(), conditions }
    }

    /// Says what `name` stands for, replacing what it stood for before.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.names.insert(name.into(), value.into());
        self
    }

    /// What `name` stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    /// The text that `expression` stands for; `None` for `AWS::NoValue`.
    ///
    /// # Errors
    ///
    /// A name that these values don't know, or an intrinsic function that this crate doesn't.
    pub fn resolve(&self, expression: &Expression) -> Result<Option<String>, Error> {
        self.text(&expression.value, &expression.path)
    }

    fn text(&self, value: &Value, path: &str) -> Result<Option<String>, Error> {
        match value {
            Value::String(text) => Ok(Some(text.clone())),
            Value::Number(number) => Ok(Some(number.to_string())),
            Value::Bool(flag) => Ok(Some(flag.to_string())),
            Value::Object(map) if map.len() == 1 => map
                .iter()
                .map(|(name, argument)| self.call(name, argument, &child(path, name)))
                .next_back()
                .transpose()
                .map(Option::flatten),
            _ => Err(Error::at(path, "a text or an intrinsic function is expected")),
        }
    }

    fn call(&self, name: &str, argument: &Value, path: &str) -> Result<Option<String>, Error> {
        match (name, argument) {
            ("Ref", Value::String(target)) if target == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(target)) => self.lookup(target, path).map(Some),
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    self.lookup(&format!("{resource}.{attribute}"), path).map(Some)
                }
                _ => Err(Error::at(path, "two strings are expected")),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Value::Null, path).map(Some),
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(text), locals @ Value::Object(_)] => self.substitute(text, locals, path).map(Some),
                _ => Err(Error::at(path, "a text and a mapping are expected")),
            },
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(separator), Value::Array(items)] => {
                    let mut texts = Vec::with_capacity(items.len());
                    for item in items {
                        texts.extend(self.text(item, path)?);
                    }
                    Ok(Some(texts.join(separator)))
                }
                _ => Err(Error::at(path, "a separator and a list are expected")),
            },
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(condition), yes, no] => {
                    let branch = if self.condition(condition, path)? { yes } else { no };
                    self.text(branch, path)
                }
                _ => Err(Error::at(path, "a condition and two values are expected")),
            },
            _ => Err(Error::at(path, "not an intrinsic function that can be resolved here")),
        }
    }

    fn lookup(&self, name: &str, path: &str) -> Result<String, Error> {
        self.names.get(name).cloned().ok_or_else(|| Error::at(path, format!("nothing is known of `{name}`")))
    }

    fn substitute(&self, text: &str, locals: &Value, path: &str) -> Result<String, Error> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            out.push_str(&rest[..start]);
            let inner = &rest[start + 2..];
            let end = inner.find('}').ok_or_else(|| Error::at(path, "`${` without `}`"))?;
            let name = inner[..end].trim();
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
            } else if let Some(local) = locals.get(name) {
                out.push_str(&self.text(local, path)?.unwrap_or_default());
            } else {
                out.push_str(&self.lookup(name, path)?);
            }
            rest = &inner[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn condition(&self, name: &str, path: &str) -> Result<bool, Error> {
        let test =
            self.conditions.get(name).ok_or_else(|| Error::at(path, format!("there is no condition `{name}`")))?;
        self.test(test, &child("Conditions", name))
    }

    fn test(&self, test: &Value, path: &str) -> Result<bool, Error> {
        let wrong = || Error::at(path, "not a condition that can be decided here");
        let map = test.as_object().filter(|map| map.len() == 1).ok_or_else(wrong)?;
        let (name, argument) = map.iter().next().ok_or_else(wrong)?;
        if let ("Condition", Value::String(other)) = (name.as_str(), argument) {
            return self.condition(other, path);
        }
        let parts = argument.as_array().ok_or_else(wrong)?;
        match (name.as_str(), parts.as_slice()) {
            ("Fn::Equals", [left, right]) => Ok(self.text(left, path)? == self.text(right, path)?),
            ("Fn::Not", [inner]) => Ok(!self.test(inner, path)?),
            ("Fn::And", _) => parts.iter().try_fold(true, |all, part| Ok(self.test(part, path)? && all)),
            ("Fn::Or", _) => parts.iter().try_fold(false, |any, part| Ok(self.test(part, path)? || any)),
            _ => Err(wrong()),
        }
    }
}

impl Expression {
    pub(crate) fn of(node: &Node<'_>) -> Self {
        Self { value: node.value.clone(), path: node.path.clone() }
    }

    /// The text, where it holds no intrinsic function.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        self.value.as_str()
    }

    /// CloudFormation's JSON form of the value.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values() -> Values {
        let conditions = [
            ("HasDomain", json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "Domain"}, ""]}]})),
            ("Both", json!({"Fn::And": [{"Condition": "HasDomain"}, {"Fn::Equals": ["a", "a"]}]})),
        ];
        let mut values = Values::new(conditions.map(|(name, test)| (name.to_owned(), test)).into());
        values.set("Domain", "example.com").set("F.Arn", "arn:f").set("AWS::Region", "eu-1");
        values
    }

    fn resolve(value: Value) -> Result<Option<String>, Error> {
        values().resolve(&Expression { value, path: "P".to_owned() })
    }

    #[test]
    fn every_function_resolves() {
        for (value, expected) in [
            (json!("plain"), "plain"),
            (json!(401), "401"),
            (json!({"Ref": "Domain"}), "example.com"),
            (json!({"Fn::GetAtt": ["F", "Arn"]}), "arn:f"),
            (
                json!({"Fn::Sub": "https://${Domain}/${!raw}/${AWS::Region}/${F.Arn}"}),
                "https://example.com/${raw}/eu-1/arn:f",
            ),
            (json!({"Fn::Sub": ["${A}-${Domain}", {"A": {"Ref": "AWS::Region"}}]}), "eu-1-example.com"),
            (json!({"Fn::Join": ["-", ["a", {"Ref": "Domain"}]]}), "a-example.com"),
            (json!({"Fn::If": ["HasDomain", "yes", "no"]}), "yes"),
            (json!({"Fn::If": ["Both", "yes", "no"]}), "yes"),
        ] {
            assert_eq!(resolve(value.clone()).unwrap().as_deref(), Some(expected), "{value}");
        }
        assert_eq!(resolve(json!({"Ref": "AWS::NoValue"})).unwrap(), None);
    }

    #[test]
    fn unknown_names_and_functions_say_where() {
        for value in [
            json!({"Ref": "Nobody"}),
            json!({"Fn::Sub": "${Nobody}"}),
            json!({"Fn::Sub": "${Domain"}),
            json!({"Fn::ImportValue": "x"}),
            json!({"Fn::If": ["Nobody", 1, 2]}),
            json!(["a"]),
        ] {
            let message = resolve(value.clone()).unwrap_err().to_string();
            assert!(message.starts_with('P'), "{value}: {message}");
        }
    }
}
