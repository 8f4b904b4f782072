//! When does this text say, and if it does not, in Go's words?
//!
//! [`parse`] walks a text along the layout as `time.Parse` does and is as lenient: an hour may have one digit, seconds a
//! fraction. Source: Go 1.24 `time/format.go`; apimachinery `meta/v1/time.go`, `micro_time.go`.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
};

/// Which of the two kinds of time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `metav1.Time`: whole seconds.
    Seconds,
    /// `metav1.MicroTime`: six digits of a second.
    Micros,
}

impl Layout {
    const fn text(self) -> &'static str {
        match self {
            Layout::Seconds => "2006-01-02T15:04:05Z07:00",
            Layout::Micros => "2006-01-02T15:04:05.000000Z07:00",
        }
    }

    /// What stands in front of each element, and the element.
    const fn elements(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Layout::Seconds => &[
                ("", "2006"),
                ("-", "01"),
                ("-", "02"),
                ("T", "15"),
                (":", "04"),
                (":", "05"),
                ("", "Z07:00"),
            ],
            Layout::Micros => &[
                ("", "2006"),
                ("-", "01"),
                ("-", "02"),
                ("T", "15"),
                (":", "04"),
                (":", "05"),
                ("", ".000000"),
                ("", "Z07:00"),
            ],
        }
    }
}

/// A text as Go's `time` quotes it: byte by byte where it is not ASCII.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=0x7f => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// The time as the API writes it: in UTC, in the layout's precision.
/// # Errors
/// `parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`.
pub(super) fn parse(text: &str, layout: Layout) -> Result<String, String> {
    let cannot = |rest: &str, element: &str| {
        let (text, rest) = (quoted(text), quoted(rest));
        format!("parsing time {text} as {:?}: cannot parse {rest} as {element:?}", layout.text())
    };
    let out_of_range = |what: &str| format!("parsing time {}: {what} out of range", quoted(text));
    let mut rest = text;
    let mut read = Read::default();
    for (before, element) in layout.elements() {
        rest = rest.strip_prefix(before).ok_or_else(|| cannot(rest, before))?;
        match read.element(element, rest) {
            Ok(after) => rest = after,
            Err(Bad::Text) => return Err(cannot(rest, element)),
            Err(Bad::Range(what)) => return Err(out_of_range(what)),
        }
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {rest:?}"));
    }
    let date = Date::new(read.year, read.month, read.day).map_err(|_| out_of_range("day"))?;
    let local: DateTime = date.at(read.hour, read.minute, read.second, read.nanos);
    let utc = local
        .checked_sub(read.offset_minutes.minutes())
        .ok()
        .and_then(|utc| utc.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|it| it.timestamp());
    Ok(utc.map_or_else(
        || text.to_owned(),
        |utc: Timestamp| match layout {
            Layout::Seconds => utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Layout::Micros => utc.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        },
    ))
}

enum Bad {
    Text,
    Range(&'static str),
}

#[derive(Default)]
struct Read {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    offset_minutes: i64,
}

impl Read {
    /// Reads one element; gives what stands behind it.
    fn element<'t>(&mut self, element: &str, text: &'t str) -> Result<&'t str, Bad> {
        match element {
            "2006" => {
                let (year, rest) = text.split_at_checked(4).ok_or(Bad::Text)?;
                if !year.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(Bad::Text);
                }
                self.year = year.parse().map_err(|_| Bad::Text)?;
                Ok(rest)
            }
            "01" => {
                let (month, rest) = number(text, true)?;
                self.month = within(month, 1, 12, "month")?;
                Ok(rest)
            }
            "02" => {
                let (day, rest) = number(text, true)?;
                self.day = day;
                Ok(rest)
            }
            "15" => {
                let (hour, rest) = number(text, false)?;
                self.hour = within(hour, 0, 23, "hour")?;
                Ok(rest)
            }
            "04" => {
                let (minute, rest) = number(text, true)?;
                self.minute = within(minute, 0, 59, "minute")?;
                Ok(rest)
            }
            "05" => {
                let (second, rest) = number(text, true)?;
                self.second = within(second, 0, 59, "second")?;
                Ok(rest)
            }
            ".000000" => self.fraction(text, Some(6)),
            _ => {
                let rest = if self.nanos == 0 { self.fraction(text, None)? } else { text };
                self.zone(rest)
            }
        }
    }

    /// A fraction of a second: of this many digits, or as many as there are, if any.
    fn fraction<'t>(&mut self, text: &'t str, exactly: Option<usize>) -> Result<&'t str, Bad> {
        let digits = text.strip_prefix(['.', ',']).map_or("", |rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            &rest[..end.min(exactly.unwrap_or(end))]
        });
        if digits.len() < exactly.unwrap_or(0) {
            return Err(Bad::Text);
        }
        if digits.is_empty() {
            return Ok(text);
        }
        self.nanos = format!("{digits:0<9}")[..9].parse().map_err(|_| Bad::Text)?;
        Ok(&text[digits.len() + 1..])
    }

    /// `Z`, or a sign, hours and minutes.
    fn zone<'t>(&mut self, text: &'t str) -> Result<&'t str, Bad> {
        if let Some(rest) = text.strip_prefix('Z') {
            return Ok(rest);
        }
        let (zone, rest) = text.split_at_checked(6).ok_or(Bad::Text)?;
        let (sign, time) = zone.split_at_checked(1).ok_or(Bad::Text)?;
        let (hours, minutes) = time.split_once(':').ok_or(Bad::Text)?;
        if hours.len() != 2 {
            return Err(Bad::Text);
        }
        let hours = within(number(hours, true)?.0, 0, 24, "time zone offset hour")?;
        let minutes = within(number(minutes, true)?.0, 0, 60, "time zone offset minute")?;
        let offset = i64::from(hours) * 60 + i64::from(minutes);
        self.offset_minutes = match sign {
            "+" => offset,
            "-" => -offset,
            _ => return Err(Bad::Text),
        };
        Ok(rest)
    }
}

/// One or two digits; always two if `fixed`.
fn number(text: &str, fixed: bool) -> Result<(i8, &str), Bad> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if digits == 0 || (fixed && digits < 2) {
        return Err(Bad::Text);
    }
    Ok((text[..digits].parse().map_err(|_| Bad::Text)?, &text[digits..]))
}

fn within(number: i8, least: i8, most: i8, what: &'static str) -> Result<i8, Bad> {
    if (least..=most).contains(&number) { Ok(number) } else { Err(Bad::Range(what)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_refused_in_the_words_of_go() {
        let said = |text| parse(text, Layout::Seconds).expect_err("a refusal");
        let layout = "2006-01-02T15:04:05Z07:00";
        for (text, why) in [
            ("x", format!("parsing time \"x\" as {layout:?}: cannot parse \"x\" as \"2006\"")),
            ("2025-01-01", format!("parsing time \"2025-01-01\" as {layout:?}: cannot parse \"\" as \"T\"")),
            (
                "2025-1-01",
                format!("parsing time \"2025-1-01\" as {layout:?}: cannot parse \"1-01\" as \"01\""),
            ),
            ("2025-13-01T00:00:00Z", "parsing time \"2025-13-01T00:00:00Z\": month out of range".to_owned()),
            ("2025-02-30T00:00:00Z", "parsing time \"2025-02-30T00:00:00Z\": day out of range".to_owned()),
            ("2025-02-01T00:00:00Zx", "parsing time \"2025-02-01T00:00:00Zx\": extra text: \"x\"".to_owned()),
        ] {
            assert_eq!(said(text), why);
        }
    }

    #[test]
    fn times_are_kept_in_utc() {
        let kept = |text| parse(text, Layout::Seconds).expect("a time");
        assert_eq!(kept("2025-01-01T00:00:00+09:00"), "2024-12-31T15:00:00Z");
        assert_eq!(kept("2025-01-01T5:00:00.25Z"), "2025-01-01T05:00:00Z");
        assert_eq!(
            parse("2025-01-01T00:00:00.123456Z", Layout::Micros).expect("a time"),
            "2025-01-01T00:00:00.123456Z"
        );
    }
}
