//! An event's headers.

use crate::members::{Members, Text};

/// An event's headers, each name with each value: the multi-value map knows them all, the plain one the last of each name and all
/// names.
pub fn header_values<'e, 'a, W>(
    single: &'e Members<'a, Option<Text<'a>>, W>,
    multi: &'e Members<'a, Option<Vec<Text<'a>>>, W>,
) -> impl Iterator<Item = (&'e str, &'e str)> {
    let is_in_multi = |name: &str| {
        let alike = multi.0.iter().filter(|(known, _)| known.as_str().eq_ignore_ascii_case(name));
        alike.flat_map(|(_, values)| values).any(|values| !values.is_empty())
    };
    let all = multi.0.iter().flat_map(|(name, values)| values.iter().flatten().map(move |value| (name, value)));
    let alone = single.0.iter().filter(move |(name, _)| !is_in_multi(name.as_str()));
    let alone = alone.filter_map(|(name, value)| Some((name, value.as_ref()?)));
    all.chain(alone).map(|(name, value)| (name.as_str(), value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::read_in_place;

    #[test]
    fn a_value_that_is_in_both_maps_is_there_once_however_its_name_is_written() {
        let single = r#"{"authorization":"two","X-One":"1","X-Empty":"e","X-Null":null,"X-Gone":"g"}"#;
        let multi = r#"{"Authorization":["one","two"],"x-empty":[],"X-Many":["a","b"],"x-gone":null}"#;
        let (single, multi): (Members<'_, _>, Members<'_, _>) =
            (read_in_place(single.as_bytes()).unwrap(), read_in_place(multi.as_bytes()).unwrap());
        let values: Vec<_> = header_values(&single, &multi).collect();
        assert_eq!(
            values,
            [
                ("Authorization", "one"),
                ("Authorization", "two"),
                ("X-Many", "a"),
                ("X-Many", "b"),
                ("X-One", "1"),
                ("X-Empty", "e"),
                ("X-Gone", "g"),
            ]
        );
    }
}
