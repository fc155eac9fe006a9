//! What the fuzzers' targets say, by any toolchain: the seeds, and bytes made out of them that are the same in every run.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use std::path::Path;

/// How many inputs are made for each target.
const MADE: u64 = 6_000;

/// Numbers that are the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % count as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A seed, or the beginning of one and the end of another, changed in a few places; or bytes that are like nothing.
fn made(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const PIECES: &[&str] = &[
        "\n",
        "/",
        "//",
        "..",
        "%2f",
        "%",
        "*",
        ":",
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        "null",
        "0",
        "-1",
        "1e9",
        "a",
        "=",
        "&",
        ".",
        "\u{0}",
        "é",
        "admin",
        "http://127.0.0.1:1",
        "#",
        "@",
        " ",
        ",",
    ];
    if dice.below(8) == 0 {
        return (0..dice.below(80)).map(|_| dice.byte()).collect();
    }
    let (one, other) = (&seeds[dice.below(seeds.len())], &seeds[dice.below(seeds.len())]);
    let mut bytes = one.clone();
    if dice.below(4) == 0 {
        bytes.truncate(dice.below(bytes.len() + 1));
        bytes.extend_from_slice(&other[dice.below(other.len() + 1)..]);
    }
    for _ in 0..dice.below(6) {
        let place = dice.below(bytes.len() + 1);
        match dice.below(4) {
            0 if place < bytes.len() => bytes[place] = dice.byte(),
            1 if place < bytes.len() => drop(bytes.remove(place)),
            2 if place < bytes.len() => bytes[place] ^= 1 << dice.below(8),
            _ => drop(bytes.splice(place..place, PIECES[dice.below(PIECES.len())].bytes())),
        }
    }
    bytes
}

#[test]
fn what_must_hold_holds_for_the_seeds_and_for_what_is_made_of_them() {
    for (number, (name, target)) in (0..).zip(fuzzed::TARGETS) {
        let seeds = seeds(name);
        let mut dice = Dice(number);
        let inputs = seeds.iter().cloned().chain((0..MADE).map(|_| made(&seeds, &mut dice)));
        for input in inputs.collect::<Vec<_>>() {
            let outcome = std::panic::catch_unwind(|| target(&input));
            assert!(outcome.is_ok(), "{name}: {:?} ({input:?})", String::from_utf8_lossy(&input));
        }
    }
}

#[test]
fn every_target_has_its_program_and_its_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let listed = |name: &str| {
        let entries = std::fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let names = fuzzed::TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(listed("fuzz_targets"), names);
    assert_eq!(listed("seeds"), names);
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    assert!(names.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}
