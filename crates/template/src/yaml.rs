//! YAML to CloudFormation's JSON form: `!Ref A` becomes `{"Ref": "A"}`, `!GetAtt A.B` becomes
//! `{"Fn::GetAtt": ["A", "B"]}`, any other `!X` becomes `{"Fn::X": …}`. After that nothing else
//! needs to know that short tags exist.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use crate::Error;
use crate::node::child;

pub(crate) fn parse(text: &str) -> Result<Value, Error> {
    let mut yaml: Yaml = serde_yaml_ng::from_str(text)?;
    yaml.apply_merge()?;
    convert(yaml, "")
}

fn convert(yaml: Yaml, path: &str) -> Result<Value, Error> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::Number(number) => {
            serde_json::to_value(&number).map_err(|_| Error::at(path, "a number that JSON cannot hold"))?
        }
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| convert(item, &child(path, &index.to_string())))
            .collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = key_text(key, path)?;
                let value = convert(value, &child(path, &key))?;
                map.insert(key, value);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let inner = convert(tagged.value, path)?;
            long_form(tag.trim_start_matches('!'), inner, path)?
        }
    })
}

/// Only strings are keys in CloudFormation, but `200:` and `true:` are written without quotes.
fn key_text(key: Yaml, path: &str) -> Result<String, Error> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(value) => Ok(value.to_string()),
        _ => Err(Error::at(path, "a key that is not a string")),
    }
}

fn long_form(tag: &str, inner: Value, path: &str) -> Result<Value, Error> {
    Ok(match (tag, inner) {
        ("Ref" | "Condition", inner) => json!({ tag: inner }),
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) =
                text.split_once('.').ok_or_else(|| Error::at(path, "!GetAtt wants Resource.Attribute"))?;
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        (other, inner) => {
            let name = format!("Fn::{other}");
            json!({ name: inner })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_long_form() {
        let text = "a: !Ref T\nb: !GetAtt F.Arn\nc: !Sub 'x-${T}'\nd: !If [C, !Ref T, 1]\ne: !Condition C";
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "a": {"Ref": "T"},
                "b": {"Fn::GetAtt": ["F", "Arn"]},
                "c": {"Fn::Sub": "x-${T}"},
                "d": {"Fn::If": ["C", {"Ref": "T"}, 1]},
                "e": {"Condition": "C"},
            })
        );
    }

    #[test]
    fn broken_yaml_names_its_line() {
        let message = parse("a: 1\nb: [").unwrap_err().to_string();
        assert!(message.contains("line"), "{message}");
    }

    #[test]
    fn a_bad_getatt_names_its_place() {
        let message = parse("Resources:\n  A: !GetAtt nothing").unwrap_err().to_string();
        assert!(message.starts_with("Resources.A: "), "{message}");
    }
}
