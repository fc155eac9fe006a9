//! Time as a value: nothing in Keygate but the outermost layer reads a clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time in whole seconds since the Unix epoch, UTC.
///
/// Written as RFC 3339 (`2026-04-11T12:00:00Z`); a fraction of a second in an input is cut off, so that an
/// expiry is never later than what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last second that RFC 3339 can write: 9999-12-30T22:00:00Z (what every offset can still write).
    const LAST: i64 = 253_402_207_200;

    /// Seconds since the Unix epoch, held within the years that RFC 3339 can write.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(0, Self::LAST))
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0
    }

    /// This time and `seconds` more (or less, where negative).
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// Parses an RFC 3339 date-time with any offset; `None` where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // jiff takes more than RFC 3339 does.
        let seconds = has_rfc_3339_shape(text).then(|| text.parse::<jiff::Timestamp>().ok())??.as_second();
        (0..=Self::LAST).contains(&seconds).then_some(Self(seconds))
    }
}

/// `2026-04-11T12:00:00[.fraction](Z|±hh:mm)`, digit by digit (RFC 3339, section 5.6).
fn has_rfc_3339_shape(text: &str) -> bool {
    let fits = |text: &[u8], pattern: &[u8]| {
        text.len() == pattern.len()
            && text.iter().zip(pattern).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                letter => byte.eq_ignore_ascii_case(letter),
            })
    };
    let bytes = text.as_bytes();
    let Some((date_time, rest)) = bytes.split_at_checked(19) else { return false };
    let fraction = match rest {
        [b'.', digits @ ..] => match digits.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => return false,
            count => count + 1,
        },
        _ => 0,
    };
    let zone = &rest[fraction..];
    fits(date_time, b"0000-00-00T00:00:00")
        && &date_time[17..] != b"60"
        && (fits(zone, b"Z") || fits(zone, b"+00:00") || fits(zone, b"-00:00"))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("expected an RFC 3339 time such as 2026-04-11T12:00:00Z"))
    }
}

/// Both clocks, read at the same moment.
///
/// The wall clock may be set back; the monotonic one may stand still while a function is frozen. Whoever
/// measures an age takes the larger of the two ([`Moment::since`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock, milliseconds since the Unix epoch.
    pub wall_ms: i64,
    /// Monotonic clock, from an origin that is fixed within the process.
    pub monotonic: Duration,
}

impl Moment {
    /// The wall clock's time in whole seconds.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_unix(self.wall_ms.div_euclid(1000))
    }

    /// The time that has passed since `earlier`, by the clock that says more; `None` where the wall clock went
    /// back, since then nothing is known.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let wall = u64::try_from(self.wall_ms - earlier.wall_ms).ok()?;
        let monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        Some(monotonic.max(Duration::from_millis(wall)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_is_read_and_written() {
        let time = Timestamp::parse("2026-04-11T14:00:00.999+02:00").unwrap();
        assert_eq!(time.to_string(), "2026-04-11T12:00:00Z");
        assert_eq!(time.plus(3600).to_string(), "2026-04-11T13:00:00Z");
        for bad in [
            "",
            "1",
            "2026-04-11",
            "2026-04-11 12:00:00Z",
            "2026-04-11T12:00:00",
            "2026-04-11T12:00:00Z[UTC]",
            "2026-04-11T12:00:00,5Z",
            "2026-04-11T12:00:00.Z",
            "2026-04-11T12:00:60Z",
            "2026-04-11T12:00:00+02",
            "2026-04-11T12:00Z",
            "2026-13-11T12:00:00Z",
            "+002026-04-11T12:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn age_is_the_larger_of_both_clocks_and_unknown_when_the_wall_clock_went_back() {
        let at = |wall_ms, mono| Moment { wall_ms, monotonic: Duration::from_millis(mono) };
        assert_eq!(at(2000, 500).since(at(1000, 0)), Some(Duration::from_secs(1)), "monotonic stood still");
        assert_eq!(at(1000, 700).since(at(1000, 0)), Some(Duration::from_millis(700)), "wall stood still");
        assert_eq!(at(999, 700).since(at(1000, 0)), None);
    }
}
