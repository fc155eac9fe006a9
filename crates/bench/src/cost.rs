//! What a million exchanges and a million authorizations cost on AWS: the list prices of us-east-1 on demand, the CPU time that
//! was measured, and a traffic mix that is said.
//!
//! 1. A function of so many MB has so many 1769ths of a processor, so that CPU time takes as many times longer; reads of the
//!    store add their wait. Lambda rounds each call up to a whole millisecond.
//! 2. CPU time is taken as it was measured on this machine, also where that is not arm64.
//! 3. An authorizer's API, and what the gateway costs, are paid with any authorizer, so they are not in here. An exchange comes
//!    through a function URL, which costs nothing.

use std::fmt::{Display, Formatter};
use std::path::Path;

use serde::Serialize;

use crate::compare::Figures;
use crate::program::ROOT;
use crate::table;

/// A request of a function, per million.
const REQUEST: f64 = 0.20;
/// A GB for a second on arm64.
const GB_SECOND: f64 = 0.000_013_333_4;
/// A strong read of 4 KB or less, per million; an eventual one costs half.
const STRONG_READ: f64 = 0.125;
/// A write of 1 KB or less, per million.
const WRITE: f64 = 0.625;
/// A GB of logs.
const LOG_GB: f64 = 0.50;
/// How many MB come with a whole processor.
const MB_PER_PROCESSOR: f64 = 1769.0;

/// What Lambda itself logs of a call in JSON (`platform.start`, `platform.report`), in GB per million calls, unless the template
/// asks it for warnings alone.
const PLATFORM_LOG: f64 = 0.7;
/// How long a read of the store takes, in milliseconds.
const READ_MS: f64 = 4.0;

/// The traffic: so many calls in a second come to an instance, of so many keys that are used in each interval between two writes
/// of counts. (An instance that is hot could take hundreds of calls a second; what is shared is shared among fewer here.)
const CALLS_PER_SECOND: f64 = 10.0;
const KEYS_PER_FLUSH: f64 = 5.0;
/// The interval of those writes, and that of the reads of the feed, in seconds.
const FLUSH_SECONDS: f64 = 5.0;
const FEED_SECONDS: f64 = 4.0;

/// What a million cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The function's memory in MB, as in the template.
    pub memory_mb: u32,
    /// Whether Lambda's own lines are in it.
    pub platform_log: bool,
    /// Key to token.
    pub exchange: Dollars,
    /// By a token.
    pub authorization: Dollars,
    /// The same with half of the memory.
    pub at_half_the_memory: [Dollars; 2],
}

/// In dollars per million.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Dollars {
    /// The instance is warm and its feed fresh, and the key was seen before.
    pub hot: f64,
    /// The same for a key that the instance has not seen: its record, its workspace and its client are read.
    pub cold_key: f64,
    /// The call starts an instance, which then reads all that it needs.
    pub cold_start: f64,
}

/// How many records a key that was not seen yet costs beside what every call reads.
const AT_FIRST_SIGHT: f64 = 3.0;
/// How many reads a start costs beside that: the feed's head and the signing keys.
const AT_START: f64 = 2.0;

/// What was measured of a function.
struct Measured {
    /// CPU time of a warm call, and of a start with its first call, in milliseconds.
    warm: f64,
    cold: f64,
    /// Reads that every call makes.
    reads: f64,
}

/// From the figures of the functions; `None` where they are missing.
pub(crate) fn of(figures: &[Figures]) -> Option<Cost> {
    let find = |name: &str| figures.iter().find(|figures| figures.name == name);
    let measured = |warm: &str, cold: &str, reads| {
        Some(Measured { warm: find(warm)?.cpu_us? / 1e3, cold: find(cold)?.cold_cpu_ms?, reads })
    };
    let exchange = measured("token-exchange", "token-exchange, TLS", 1.0)?;
    let authorization = measured("authorizer, JWT ES256", "authorizer, JWT ES256, TLS", 0.0)?;
    let platform_log =
        !std::fs::read_to_string(Path::new(ROOT).join("template.yaml")).ok()?.contains("SystemLogLevel: WARN");
    let at = |memory| [&exchange, &authorization].map(|measured| measured.dollars(memory, platform_log));
    let [exchange, authorization] = at(256.0);
    Some(Cost { memory_mb: 256, platform_log, exchange, authorization, at_half_the_memory: at(128.0) })
}

impl Measured {
    fn dollars(&self, memory: f64, platform_log: bool) -> Dollars {
        let compute = |cpu: f64, reads: f64| {
            let milliseconds = (cpu * MB_PER_PROCESSOR / memory + reads * READ_MS).ceil();
            milliseconds / 1e3 * memory / 1024.0 * GB_SECOND * 1e6
        };
        let log = if platform_log { PLATFORM_LOG * LOG_GB } else { 0.0 };
        let counts = KEYS_PER_FLUSH / (CALLS_PER_SECOND * FLUSH_SECONDS) * WRITE;
        let feed = STRONG_READ / (CALLS_PER_SECOND * FEED_SECONDS);
        let call = |cpu: f64, reads: f64| REQUEST + compute(cpu, reads) + reads * STRONG_READ + log + counts + feed;
        Dollars {
            hot: call(self.warm, self.reads),
            cold_key: call(self.warm, self.reads + AT_FIRST_SIGHT),
            cold_start: call(self.cold, self.reads + AT_FIRST_SIGHT + AT_START),
        }
    }
}

impl Cost {
    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Strings and numbers alone: it can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Display for Cost {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { memory_mb, platform_log, exchange, authorization, at_half_the_memory: [exchange_half, half] } = self;
        let logged = if *platform_log { "with" } else { "without" };
        writeln!(
            f,
            "Dollars per million, arm64, {logged} Lambda's own log lines; {CALLS_PER_SECOND} calls a second and instance, of \
             {KEYS_PER_FLUSH} keys in {FLUSH_SECONDS} s\n"
        )?;
        let mut rows = vec![["", "MB", "hot", "key not seen yet", "start of an instance"].map(str::to_owned)];
        for (name, memory, dollars) in [
            ("exchange", *memory_mb, exchange),
            ("exchange", *memory_mb / 2, exchange_half),
            ("authorization", *memory_mb, authorization),
            ("authorization", *memory_mb / 2, half),
        ] {
            let [hot, key, start] =
                [dollars.hot, dollars.cold_key, dollars.cold_start].map(|value| format!("{value:.3}"));
            rows.push([name.to_owned(), memory.to_string(), hot, key, start]);
        }
        table::write(f, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 0.0005
    }

    #[test]
    fn a_million_costs_what_the_price_list_says() {
        // 0.1 ms of CPU is 0.7 ms at 256 MB, a whole one on the bill: 0.0033. Counts are 0.0625, the feed 0.0031.
        let authorization = Measured { warm: 0.1, cold: 5.0, reads: 0.0 };
        let dollars = authorization.dollars(256.0, false);
        assert!(near(dollars.hot, 0.20 + 0.0033 + 0.0625 + 0.0031), "{dollars:?}");
        let logged = authorization.dollars(256.0, true);
        assert!(near(logged.hot - dollars.hot, 0.35), "{logged:?}");
        // A read is 0.125 and 4 ms, of 0.0033 each.
        let exchange = Measured { warm: 0.1, cold: 5.0, reads: 1.0 }.dollars(256.0, false);
        assert!(near(exchange.hot - dollars.hot, 0.125 + 4.0 * 0.003_333), "{exchange:?}");
        assert!(near(dollars.cold_key - dollars.hot, 3.0 * (0.125 + 4.0 * 0.003_333)), "{dollars:?}");
        assert!(dollars.cold_start > dollars.cold_key + 2.0 * 0.125);
    }

    #[test]
    fn without_figures_there_is_no_price() {
        assert_eq!(of(&[]), None);
    }
}
