//! Days as the school counts them.

use crate::error::{Error, Result};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use std::fmt;
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

/// A day by its name, `yyyy-mm-dd`. Ordered as days are, and their names too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(Date);

impl Day {
    /// Reads a day that somebody typed. The years are those that a school's books can be of.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        let day: Option<Date> = name.parse().ok();
        day.filter(|day| (2000..=2999).contains(&day.year()) && day.to_string() == name)
            .map(Self)
            .ok_or_else(|| Error::refused_because(ProblemCode::InvalidRequest, "write the day as yyyy-mm-dd"))
    }

    /// Reads a day that was stored.
    pub(crate) fn stored(name: &str, what: &'static str) -> Result<Self> {
        name.parse().map(Self).map_err(|_| Error::StoredValue {
            what,
            value: name.to_owned(),
        })
    }

    /// The day after it.
    pub(crate) fn next(self) -> Result<Self> {
        self.0
            .checked_add(1.day())
            .map(Self)
            .map_err(|error| failed(&error))
    }

    /// How many days it is from this one to another, both included; none where that is earlier.
    pub(crate) fn days_to(self, last: Self) -> usize {
        let apart = self.0.until(last.0).map_or(0, |span| i64::from(span.get_days()));
        usize::try_from(apart + 1).unwrap_or_default()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The school's calendar, for more than one instant: its zone is looked up once.
#[derive(Clone, Debug)]
pub(crate) struct Calendar(TimeZone);

impl Calendar {
    /// The calendar of the zone of this IANA name.
    pub(crate) fn of(zone: &str) -> Result<Self> {
        TimeZone::get(zone).map(Self).map_err(|error| failed(&error))
    }

    /// The day that an instant falls on, and its hour.
    pub(crate) fn hour_of(&self, at: UnixMillis) -> Result<(Day, u8)> {
        let at = Timestamp::from_millisecond(at.0).map_err(|error| failed(&error))?;
        let local = at.to_zoned(self.0.clone());
        Ok((Day(local.date()), u8::try_from(local.hour()).unwrap_or_default()))
    }

    /// The day that an instant falls on.
    pub(crate) fn day_of(&self, at: UnixMillis) -> Result<Day> {
        self.hour_of(at).map(|(day, _)| day)
    }

    /// From the beginning of one day to the end of another.
    pub(crate) fn instants(&self, first: Day, last: Day) -> Result<Range<UnixMillis>> {
        let of = |day: Day| range(day.0, &self.0).map_err(|error| failed(&error));
        Ok(of(first)?.start..of(last)?.end)
    }
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
    fn names_that_are_no_days_of_this_time_are_refused() {
        for name in [
            "",
            "2026-1-1",
            "20261119",
            "2026-02-30",
            "2026-11-19T00:00",
            "-009999-01-01",
            "9999-12-31",
            "today",
        ] {
            assert!(Day::parse(name).is_err(), "{name}");
        }
        let day = Day::parse("2026-12-31").unwrap();
        assert_eq!(day.next().unwrap().to_string(), "2027-01-01");
    }

    #[test]
    fn a_calendar_counts_days_and_hours_of_the_school() {
        let calendar = Calendar::of("Asia/Shanghai").unwrap();
        let midnight = UnixMillis(1_795_017_600_000);
        let named = |name| Day::parse(name).unwrap();
        assert_eq!(calendar.hour_of(midnight).unwrap(), (named("2026-11-19"), 0));
        let before = midnight.plus_millis(-1);
        assert_eq!(calendar.hour_of(before).unwrap(), (named("2026-11-18"), 23));
        let days = calendar
            .instants(named("2026-11-18"), named("2026-11-19"))
            .unwrap();
        assert_eq!(
            (days.start.0 + 24 * 3_600_000, days.end.0 - 24 * 3_600_000),
            (midnight.0, midnight.0)
        );
        assert_eq!(named("2026-02-01").days_to(named("2027-02-01")), 366);
        assert_eq!(named("2026-02-02").days_to(named("2026-02-01")), 0);
    }

    #[test]
    fn a_day_on_which_clocks_change_has_another_length() {
        // 2026-03-29 in Berlin.
        let noon = UnixMillis(1_774_778_400_000);
        let day = day_of(noon, "Europe/Berlin").unwrap();
        assert_eq!(day.end.0 - day.start.0, 23 * 3_600_000);
    }
}
