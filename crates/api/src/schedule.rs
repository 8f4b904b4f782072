//! When does a cron schedule come round next?
//!
//! [`Schedule::parse`] reads the five fields, `@daily` and the like, and `@every 1h30m`, and refuses in the words of the
//! library that Kubernetes uses; [`Schedule::next`] looks for the next moment in a time zone; [`zone`] knows the zones.
//! Source: robfig/cron v3 `parser.go`, `spec.go`, `constantdelay.go`; IANA time zone database 2025b, of which the rules
//! of today are kept (`data/time-zones.txt`: a POSIX rule, then the zones that follow it).
//!
//! ```
//! let daily = api::schedule::Schedule::parse("0 3 * * *")?;
//! let seoul = api::schedule::zone("Asia/Seoul").ok_or("a zone")?;
//! let now = jiff::Timestamp::from_second(1_772_442_000).map_err(|why| why.to_string())?; // 2 March 2026, 09:00 UTC
//! assert_eq!(daily.next(now, &seoul).ok_or("a time")?.to_string(), "2026-03-02T18:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use jiff::{
    Span, Timestamp, Zoned,
    civil::{Date, time},
    tz::TimeZone,
};

/// A field that was written as a star: it asks for nothing.
const STAR: u64 = 1 << 63;
/// How far ahead is looked for a day that comes.
const YEARS: i16 = 5;

static ZONES: &str = include_str!("../data/time-zones.txt");

/// When something is to be done again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At the moments that all the fields allow.
    At {
        /// Minutes of an hour, a bit each.
        minutes: u64,
        /// Hours of a day.
        hours: u64,
        /// Days of a month.
        days: u64,
        /// Months of a year.
        months: u64,
        /// Days of a week, Sunday first.
        weekdays: u64,
    },
    /// Every so many seconds.
    Every(i64),
}

/// A field's smallest and largest number, and names for them.
type Bounds = (u32, u32, &'static [&'static str]);

const BOUNDS: [Bounds; 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

impl Schedule {
    /// Reads a schedule. A time zone before it (`TZ=Asia/Seoul …`) is passed over.
    /// # Errors
    /// What the library says of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut text = text;
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        if let Some(rest) = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            if zone(name).is_none() {
                return Err(format!("provided bad location {name}: unknown time zone {name}"));
            }
            text = rest.trim();
        }
        if text.starts_with('@') {
            return named(text);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 5 {
            let all = fields.join(" ");
            return Err(format!("expected exactly 5 fields, found {}: [{all}]", fields.len()));
        }
        let mut bits = [0; 5];
        for ((bits, text), bounds) in bits.iter_mut().zip(fields).zip(BOUNDS) {
            for part in text.split(',').filter(|part| !part.is_empty()) {
                *bits |= range(part, bounds)?;
            }
        }
        let [minutes, hours, days, months, weekdays] = bits;
        Ok(Self::At { minutes, hours, days, months, weekdays })
    }

    /// The first moment after `after`, as a clock in `zone` shows it; nothing if none comes within five years.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(seconds) => Timestamp::from_second(after.as_second().checked_add(*seconds)?).ok(),
            Self::At { .. } => self.next_match(after, zone),
        }
    }

    fn next_match(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let Self::At { minutes, hours, months, .. } = self else { return None };
        let has = |bits: u64, number: i8| u32::try_from(number).is_ok_and(|it| bits & (1 << it) != 0);
        let second = Timestamp::from_second(after.as_second() + 1).ok()?;
        let mut at = second.to_zoned(zone.clone());
        let last = at.year() + YEARS;
        while at.year() <= last {
            if !has(*months, at.month()) {
                let first = at.date().first_of_month().checked_add(Span::new().months(1)).ok()?;
                at = midnight(first, zone)?;
            } else if !self.has_day(at.date()) {
                at = midnight(at.date().tomorrow().ok()?, zone)?;
            } else if !has(*hours, at.hour()) {
                // By the hours of the clock: one that is left out in spring is passed over, one that comes twice in
                // autumn comes twice.
                at = full(&at, time(at.hour(), 0, 0, 0))?.checked_add(Span::new().hours(1)).ok()?;
            } else if !has(*minutes, at.minute()) || at.second() != 0 {
                let minute = full(&at, time(at.hour(), at.minute(), 0, 0))?;
                at = minute.checked_add(Span::new().minutes(1)).ok()?;
            } else {
                return Some(at.timestamp());
            }
        }
        None
    }

    /// UPSTREAM: where both the day of the month and the day of the week are given, either will do.
    fn has_day(&self, date: Date) -> bool {
        let Self::At { days, weekdays, .. } = self else { return false };
        let has = |bits: u64, number: i8| u32::try_from(number).is_ok_and(|it| bits & (1 << it) != 0);
        let (day, weekday) = (has(*days, date.day()), has(*weekdays, date.weekday().to_sunday_zero_offset()));
        if (days | weekdays) & STAR != 0 { day && weekday } else { day || weekday }
    }
}

/// The day's first moment: later than midnight where the clock leaves midnight out.
fn midnight(date: Date, zone: &TimeZone) -> Option<Zoned> {
    date.to_zoned(zone.clone()).ok()
}

/// The same moment with a rounder clock.
fn full(at: &Zoned, clock: jiff::civil::Time) -> Option<Zoned> {
    let passed = at.time().duration_since(clock);
    at.checked_sub(passed).ok()
}

/// Reads `@daily` and the like.
fn named(text: &str) -> Result<Schedule, String> {
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        other => {
            let Some(duration) = other.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {other}"));
            };
            let millis =
                duration_millis(duration).map_err(|why| format!("failed to parse duration {text}: {why}"))?;
            return Ok(Schedule::Every((millis / 1000).max(1)));
        }
    };
    Schedule::parse(fields)
}

/// A length of time as Go reads it.
fn duration_millis(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut millis = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| invalid())?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            "ns" => 1e-6,
            "us" | "µs" | "μs" => 1e-3,
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 6e4,
            "h" => 3.6e6,
            other => return Err(format!("time: unknown unit {other:?} in duration {text:?}")),
        };
        millis += number * unit;
        rest = &rest[end..];
    }
    Ok((sign * millis) as i64)
}

fn number(text: &str) -> Result<u32, String> {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        Ok(number) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        Err(_) => {
            Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"))
        }
    }
}

/// The numbers that one part of a field names: `*`, `5`, `1-5`, `*/15`, `10-40/5`.
fn range(part: &str, (low, high, names): Bounds) -> Result<u64, String> {
    let of = |text: &str| {
        let named = names.iter().position(|name| *name == text.to_lowercase());
        named.and_then(|at| u32::try_from(at).ok()).map_or_else(|| number(text), |at| Ok(at + low))
    };
    let steps: Vec<&str> = part.split('/').collect();
    let ends: Vec<&str> = steps[0].split('-').collect();
    let mut star = 0;
    let (start, mut end) = if matches!(ends[0], "*" | "?") {
        star = STAR;
        (low, high)
    } else {
        let start = of(ends[0])?;
        match ends.as_slice() {
            [_] => (start, start),
            [_, end] => (start, of(end)?),
            _ => return Err(format!("too many hyphens: {part}")),
        }
    };
    let mut step = 1;
    match steps.as_slice() {
        [_] => {}
        [_, text] => {
            step = number(text)?;
            if ends.len() == 1 {
                end = high;
            }
            if step > 1 {
                star = 0;
            }
        }
        _ => return Err(format!("too many slashes: {part}")),
    }
    if start < low {
        return Err(format!("beginning of range ({start}) below minimum ({low}): {part}"));
    }
    if end > high {
        return Err(format!("end of range ({end}) above maximum ({high}): {part}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {part}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {part}"));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    Ok((start..=end).step_by(step).fold(star, |bits, number| bits | 1 << number))
}

/// The time zone with this name.
///
/// MODEL: a CronJob's time zone has the rules of today; what they were before is not known.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    let line = ZONES.lines().find(|line| line.split(' ').skip(1).any(|zone| zone == name))?;
    TimeZone::posix(line.split(' ').next()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests say what must hold")]

    use super::*;

    fn next(schedule: &str, after: &str, name: &str) -> String {
        let schedule = Schedule::parse(schedule).expect("a schedule");
        let found = schedule.next(after.parse().expect("a time"), &zone(name).expect("a zone"));
        found.map(|time| time.to_string()).unwrap_or_default()
    }

    fn error(schedule: &str) -> String {
        Schedule::parse(schedule).err().unwrap_or_default()
    }

    #[test]
    fn schedules_are_refused_in_the_words_of_the_cron_library() {
        for right in ["*/5 * * * *", "0 9-17 * jan-mar mon,fri", "@daily", "@every 1h30m", "0 0 ? * 0"] {
            assert_eq!(error(right), "");
        }
        for (wrong, why) in [
            ("every 5 minutes", "expected exactly 5 fields, found 3: [every 5 minutes]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("@midday", "unrecognized descriptor: @midday"),
            ("@every 5", "failed to parse duration @every 5: time: missing unit in duration \"5\""),
            ("@every 1d", "failed to parse duration @every 1d: time: unknown unit \"d\" in duration \"1d\""),
        ] {
            assert_eq!(error(wrong), why);
        }
    }

    // Expected values: robfig/cron v3 `spec_test.go` (TestNext).
    #[test]
    fn the_next_moment_is_the_librarys() {
        for (after, schedule, then) in [
            ("2012-07-09T14:45:00Z", "0/15 * * * *", "2012-07-09T15:00:00Z"),
            ("2012-07-09T14:59:59Z", "0/15 * * * *", "2012-07-09T15:00:00Z"),
            ("2012-07-09T15:45:00Z", "20-35/15 * * * *", "2012-07-09T16:20:00Z"),
            ("2012-07-09T23:46:00Z", "*/15 * * * *", "2012-07-10T00:00:00Z"),
            ("2012-07-09T23:35:00Z", "0 0 9 apr-oct ?", "2012-08-09T00:00:00Z"),
            ("2012-07-09T23:35:00Z", "0 0 */5 apr,aug,oct mon", "2012-08-01T00:00:00Z"),
            ("2012-07-09T23:35:00Z", "0 0 */5 oct mon", "2012-10-01T00:00:00Z"),
            ("2012-07-09T23:35:00Z", "0 0 * feb mon/2", "2013-02-01T00:00:00Z"),
            ("2012-07-09T23:35:00Z", "0 0 29 feb ?", "2016-02-29T00:00:00Z"),
            ("2012-07-09T23:35:00Z", "0 0 30 feb ?", ""),
            ("2012-07-09T23:35:00Z", "@every 10s", "2012-07-09T23:35:10Z"),
        ] {
            assert_eq!(next(schedule, after, "UTC"), then, "{schedule}");
        }
    }

    #[test]
    fn a_clock_that_jumps_leaves_an_hour_out_or_has_it_twice() {
        let at = |schedule, after| next(schedule, after, "America/New_York");
        // 2012-03-11: two o'clock does not come.
        assert_eq!(at("0 0 * * *", "2012-03-11T04:00:00Z"), "2012-03-11T05:00:00Z");
        assert_eq!(at("0 * * * *", "2012-03-11T06:00:00Z"), "2012-03-11T07:00:00Z");
        assert_eq!(at("0 2 * * *", "2012-03-11T05:00:00Z"), "2012-03-12T06:00:00Z");
        // 2012-11-04: one o'clock comes twice.
        assert_eq!(at("0 1 * * *", "2012-11-04T04:00:00Z"), "2012-11-04T05:00:00Z");
        assert_eq!(at("0 1 * * *", "2012-11-04T05:00:00Z"), "2012-11-04T06:00:00Z");
        assert_eq!(next("0 3 * * *", "2026-03-02T09:00:00Z", "Asia/Seoul"), "2026-03-02T18:00:00Z");
    }

    #[test]
    fn every_zone_of_the_table_has_a_rule_that_can_be_read() {
        let names = || ZONES.lines().flat_map(|line| line.split(' ').skip(1));
        assert!(names().count() > 590);
        assert!(names().all(|name| zone(name).is_some()));
        assert!(zone("Asia/Seul").is_none() && zone("").is_none());
    }
}
