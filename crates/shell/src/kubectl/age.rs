//! How long ago, in kubectl's words?
//!
//! Source: apimachinery `pkg/util/duration/duration.go` (`HumanDuration`).

use jiff::Timestamp;

/// A length of time as tables show it.
#[must_use]
pub fn human(seconds: i64) -> String {
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let s = seconds.max(0);
    let (minutes, hours, days, years) = (s / 60, s / 3600, s / 86_400, s / 86_400 / 365);
    let two = |big: i64, b: &str, small: i64, l: &str| {
        if small == 0 { format!("{big}{b}") } else { format!("{big}{b}{small}{l}") }
    };
    if s < 120 {
        format!("{s}s")
    } else if minutes < 10 {
        two(minutes, "m", s % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if hours < 192 {
        two(days, "d", hours % 24, "h")
    } else if years < 2 {
        format!("{days}d")
    } else if years < 8 {
        two(years, "y", days % 365, "d")
    } else {
        format!("{years}y")
    }
}

/// The age of a moment written in RFC 3339; `<unknown>` if there is none.
#[must_use]
pub fn since(moment: &str, now: Timestamp) -> String {
    match moment.parse::<Timestamp>() {
        Ok(then) => human(now.as_second() - then.as_second()),
        Err(_) => "<unknown>".to_owned(),
    }
}

/// A moment as `describe` shows it: `Mon, 02 Mar 2026 09:00:00 +0000`.
#[must_use]
pub fn long(moment: &str) -> String {
    match moment.parse::<Timestamp>() {
        Ok(then) => {
            let then = then.to_zoned(jiff::tz::TimeZone::UTC);
            jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S +0000", &then).unwrap_or_default()
        }
        Err(_) => "<unknown>".to_owned(),
    }
}

/// A moment as Go prints it by itself: `2026-03-02 09:00:00 +0000 UTC`.
#[must_use]
pub fn plain(moment: &str) -> String {
    match moment.parse::<Timestamp>() {
        Ok(then) => {
            let then = then.to_zoned(jiff::tz::TimeZone::UTC);
            jiff::fmt::strtime::format("%Y-%m-%d %H:%M:%S +0000 UTC", &then).unwrap_or_default()
        }
        Err(_) => "0001-01-01 00:00:00 +0000 UTC".to_owned(),
    }
}

/// The same as [`long`], where a missing moment is Go's zero time.
#[must_use]
pub fn moment(moment: &str) -> String {
    if moment.is_empty() { "Mon, 01 Jan 0001 00:00:00 +0000".to_owned() } else { long(moment) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_lose_detail_as_they_grow() {
        for (seconds, wanted) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (330, "5m30s"),
            (720, "12m"),
            (10_799, "179m"),
            (11_100, "3h5m"),
            (93_600, "26h"),
            (183_600, "2d3h"),
            (8_640_000, "100d"),
            (63_072_000 + 86_400 * 20, "2y20d"),
            (-5, "<invalid>"),
        ] {
            assert_eq!(human(seconds), wanted);
        }
    }
}
