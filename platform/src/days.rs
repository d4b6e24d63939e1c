//! Days as the school counts them.

use crate::error::{Error, Result};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use std::ops::Range;
use yika_api::{ProblemCode, UnixMillis};

fn failed(error: &jiff::Error) -> Error {
    Error::Io(std::io::Error::other(error.to_string()))
}

fn range(day: Date, zone: &TimeZone) -> Result<Range<UnixMillis>, jiff::Error> {
    let start = |day: Date| -> Result<UnixMillis, jiff::Error> {
        let midnight = day.to_zoned(zone.clone())?.start_of_day()?;
        Ok(UnixMillis(midnight.timestamp().as_millisecond()))
    };
    Ok(start(day)?..start(day.checked_add(1.day())?)?)
}

/// The day that an instant falls on, in the zone of this IANA name.
pub(crate) fn day_of(now: UnixMillis, zone: &str) -> Result<Range<UnixMillis>> {
    let day = || {
        let zone = TimeZone::get(zone)?;
        let date = Timestamp::from_millisecond(now.0)?.to_zoned(zone.clone()).date();
        range(date, &zone)
    };
    day().map_err(|error| failed(&error))
}

/// The day of this name, `yyyy-mm-dd`.
pub(crate) fn day_named(name: &str, zone: &str) -> Result<Range<UnixMillis>> {
    let day: Date = name
        .parse()
        .map_err(|_| Error::refused_because(ProblemCode::InvalidRequest, "write the day as yyyy-mm-dd"))?;
    let day = || range(day, &TimeZone::get(zone)?);
    day().map_err(|error| failed(&error))
}

/// An instant as the school writes it, with its distance from UTC (RFC 3339), to the second.
pub(crate) fn written(at: UnixMillis, zone: &str) -> Result<String> {
    let written = || {
        let at = Timestamp::from_millisecond(at.0)?.to_zoned(TimeZone::get(zone)?);
        Ok(at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
    };
    written().map_err(|error: jiff::Error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_the_schools_midnight() {
        // 2026-11-18T16:00:00Z is midnight in Shanghai.
        let midnight = UnixMillis(1_795_017_600_000);
        let day = day_of(midnight, "Asia/Shanghai").unwrap();
        assert_eq!(day.start, midnight);
        assert_eq!(day.end, midnight.plus_millis(24 * 3_600_000));
        assert_eq!(
            day_of(midnight.plus_millis(-1), "Asia/Shanghai").unwrap().end,
            midnight
        );
        assert_eq!(day_named("2026-11-19", "Asia/Shanghai").unwrap(), day);
        assert!(day_named("19.11.2026", "Asia/Shanghai").is_err());
        assert_eq!(
            written(midnight, "Asia/Shanghai").unwrap(),
            "2026-11-19T00:00:00+08:00"
        );
        assert!(day_of(midnight, "Asia/Nowhere").is_err());
    }

    #[test]
    fn a_day_on_which_clocks_change_has_another_length() {
        // 2026-03-29 in Berlin.
        let noon = UnixMillis(1_774_778_400_000);
        let day = day_of(noon, "Europe/Berlin").unwrap();
        assert_eq!(day.end.0 - day.start.0, 23 * 3_600_000);
    }
}
