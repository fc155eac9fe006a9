//! The sample events of `events/`, filled in.

use std::path::Path;

/// The event `events/<name>.json` with each placeholder of `values` replaced.
///
/// A placeholder that the event does not have is an error of the test: it would not test what it says.
#[must_use]
pub fn event(name: &str, values: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(format!("{name}.json"));
    let mut text = std::fs::read_to_string(path).unwrap();
    for (placeholder, value) in values {
        assert!(text.contains(placeholder), "{name} has no {placeholder}");
        text = text.replace(placeholder, value);
    }
    text
}
