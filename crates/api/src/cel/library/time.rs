//! Times and spans of time.
//!
//! Source: cel-go `common/types/{timestamp,duration}.go`; Go's `time.ParseDuration`.

use jiff::{
    Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};

use super::{super::eval::no_overload, super::value::Val, Answer};
use crate::schedule;

const SECOND: i128 = 1_000_000_000;

/// From year 1 to 9999.
pub(super) fn is_in_range(nanos: i128) -> bool {
    (-62_135_596_800 * SECOND..253_402_300_800 * SECOND).contains(&nanos)
}

/// A time in RFC 3339, in nanoseconds since 1970.
pub(in super::super) fn timestamp(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let is_plain = bytes.len() >= 20 && bytes[10] == b'T' && !text.contains('[');
    let at: Timestamp = text.parse().ok().filter(|_| is_plain)?;
    Some(at.as_nanosecond())
}

/// A day, as a time.
pub(in super::super) fn date(text: &str) -> Option<i128> {
    let date: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let at = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(at.as_nanosecond())
}

/// `1h30m`, `-1.5s`, in nanoseconds.
pub(in super::super) fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, left) = after.split_at(unit_end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || number.len() > 25 {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        sum = sum.checked_add(whole.checked_mul(unit)?)?;
        let mut part = unit;
        for digit in fraction.bytes() {
            part /= 10;
            sum += i128::from(digit - b'0') * part;
        }
        rest = left;
    }
    i64::try_from(if negative { -sum } else { sum }).ok()
}

pub(super) fn to_duration(value: &Val) -> Answer {
    match value {
        Val::Duration(_) => Ok(value.clone()),
        Val::Int(it) => Ok(Val::Duration(*it)),
        Val::Text(text) => duration(text)
            .map(Val::Duration)
            .ok_or_else(|| "type conversion error from 'string' to 'google.protobuf.Duration'".to_owned()),
        _ => Err(no_overload()),
    }
}

pub(super) fn to_timestamp(value: &Val) -> Answer {
    match value {
        Val::Timestamp(_) => Ok(value.clone()),
        Val::Int(it) => Ok(Val::Timestamp(i128::from(*it) * SECOND)),
        Val::Text(text) => timestamp(text)
            .map(Val::Timestamp)
            .ok_or_else(|| "type conversion error from 'string' to 'google.protobuf.Timestamp'".to_owned()),
        _ => Err(no_overload()),
    }
}

pub(super) fn of_duration(name: &str, nanos: i64) -> Answer {
    Ok(Val::Int(match name {
        "getHours" => nanos / 3_600_000_000_000,
        "getMinutes" => nanos / 60_000_000_000,
        "getSeconds" => nanos / 1_000_000_000,
        "getMilliseconds" => nanos / 1_000_000,
        _ => return Err(no_overload()),
    }))
}

pub(super) fn of_timestamp(name: &str, nanos: i128, rest: &[Val]) -> Answer {
    let zone = match rest {
        [] => TimeZone::UTC,
        [Val::Text(zone)] => zone_of(zone)?,
        _ => return Err(no_overload()),
    };
    let at = Timestamp::from_nanosecond(nanos).map_err(|_| "timestamp overflow".to_owned())?;
    let at = at.to_zoned(zone);
    Ok(Val::Int(match name {
        "getFullYear" => i64::from(at.year()),
        "getMonth" => i64::from(at.month()) - 1,
        "getDayOfYear" => i64::from(at.day_of_year()) - 1,
        "getDayOfMonth" => i64::from(at.day()) - 1,
        "getDate" => i64::from(at.day()),
        "getDayOfWeek" => i64::from(at.weekday().to_sunday_zero_offset()),
        "getHours" => i64::from(at.hour()),
        "getMinutes" => i64::from(at.minute()),
        "getSeconds" => i64::from(at.second()),
        "getMilliseconds" => i64::from(at.subsec_nanosecond() / 1_000_000),
        _ => return Err(no_overload()),
    }))
}

/// A zone by its name, or an offset such as `+09:00`.
fn zone_of(name: &str) -> Result<TimeZone, String> {
    let unknown = || format!("unknown time zone {name}");
    let Some((hours, minutes)) = name.split_once(':') else {
        // A server's own time is UTC.
        return match name {
            "" | "UTC" | "Local" => Ok(TimeZone::UTC),
            name => schedule::zone(name).ok_or_else(unknown),
        };
    };
    let (sign, hours) = match hours.strip_prefix('-') {
        Some(hours) => (-1, hours),
        None => (1, hours.strip_prefix('+').unwrap_or(hours)),
    };
    let (hours, minutes): (i32, i32) =
        (hours.parse().map_err(|_| unknown())?, minutes.parse().map_err(|_| unknown())?);
    let seconds = sign * (hours.clamp(0, 24) * 3600 + minutes.clamp(0, 59) * 60);
    Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|_| unknown())
}

pub(super) fn shown_timestamp(nanos: i128) -> String {
    Timestamp::from_nanosecond(nanos).map_or_else(|_| nanos.to_string(), |at| at.to_string())
}

/// UPSTREAM: a span is shown in seconds.
pub(super) fn shown_duration(nanos: i64) -> String {
    let seconds = nanos as f64 / 1e9;
    format!("{seconds}s")
}
