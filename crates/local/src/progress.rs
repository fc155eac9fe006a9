//! What the terminal says while things are being prepared: every step, and how long it took where that was noticed.

use std::io::Write;
use std::time::Duration;

use crate::clock;
use crate::failure::Result;

/// After this long a step says that it is still at it.
const PATIENCE: Duration = Duration::from_secs(15);

/// Prints a line. A reader that has gone away is no reason to stop.
pub fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush());
}

/// Does `work`, having said what it is.
///
/// # Errors
/// Whatever `work` fails with.
pub async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    say(format!("{what} ..."));
    let started = clock::stopwatch();
    let mut work = std::pin::pin!(work);
    let outcome = loop {
        match tokio::time::timeout(PATIENCE, &mut work).await {
            Ok(outcome) => break outcome?,
            Err(_) => say(format!("  still {}, {} s so far", lower_first(what), started.elapsed().as_secs())),
        }
    };
    let taken = started.elapsed();
    if taken > Duration::from_secs(1) {
        say(format!("  done in {:.1} s", taken.as_secs_f64()));
    }
    Ok(outcome)
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// Prints a line of something that went wrong, for whoever looks after this run; never for a caller.
pub fn warn(line: impl AsRef<str>) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "! {}", line.as_ref());
}
