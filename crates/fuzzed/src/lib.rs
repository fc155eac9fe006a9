//! What fuzzers call: each function takes any bytes, gives them to a reader of strangers' input, and panics where something
//! does not hold that must hold for all of them.
//!
//! Two callers: `fuzz/` at the root, by libFuzzer, guided by coverage; and this crate's own test, which any toolchain
//! runs, over the corpus and bytes that are the same in every run. What must hold is written here anew, not taken from the code
//! under test.
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "they panic where something does not hold")]

mod addresses;
mod bodies;
mod bytes;
mod cursors;
mod events;
mod keys;
mod policies;
mod scopes;
mod tokens;

pub use addresses::addresses;
pub use bodies::bodies;
pub use cursors::cursors;
pub use events::events;
pub use keys::keys;
pub use policies::policies;
pub use scopes::scopes;
pub use tokens::tokens;

/// Something that takes any bytes.
pub type Target = fn(&[u8]);

/// All of them, by name: the name of the target in `fuzz/`, and of its folder of the corpus.
pub const TARGETS: [(&str, Target); 8] = [
    ("addresses", addresses),
    ("bodies", bodies),
    ("cursors", cursors),
    ("events", events),
    ("keys", keys),
    ("policies", policies),
    ("scopes", scopes),
    ("tokens", tokens),
];
