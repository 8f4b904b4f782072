//! Regular expressions, dates, encodings and reckoning for filters.
//!
//! jaq has its own, but with a database of time zones, a second library of regular expressions and the host's clock and time zone:
//! more than the page should carry, and not the same everywhere. These do what jq 1.6's manual says. Local time is UTC.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jaq_core::{
    Error, RunPtr, ValR, ValT as _,
    native::{Filter, bome, unary, v},
};
use jaq_json::Val;
use jiff::{Timestamp, civil, fmt::strtime, tz::TimeZone};
use regex::{Captures, RegexBuilder};

use super::{native::Jq, write};

/// Definitions of jaq's library that nobody misses, and that call what is not here.
pub(super) const LEFT_OUT: &[&str] =
    &["logb", "significand", "drem", "nexttoward", "scalb", "gamma", "@htmld", "@urid"];

type Run = RunPtr<Jq>;

fn text(value: &Val) -> Result<String, Error<Val>> {
    match value {
        Val::TStr(text) => Ok(String::from_utf8_lossy(text).into_owned()),
        other => Err(Error::typ(other.clone(), "string")),
    }
}

fn float(value: &Val) -> Result<f64, Error<Val>> {
    match value {
        Val::Num(number) => Ok(number.to_string().parse().unwrap_or(f64::NAN)),
        other => Err(Error::typ(other.clone(), "number")),
    }
}

macro_rules! reckon {
    ($($name:literal: $f:expr),* $(,)?) => {
        vec![$(($name, v(0), (|cv| bome(float(&cv.1).map($f).map(write::number))) as Run)),*]
    };
}

/// The functions, by name.
pub(super) fn all() -> Vec<Filter<Run>> {
    let mut all: Vec<Filter<Run>> = reckon![
        "sqrt": f64::sqrt, "exp": f64::exp, "exp2": f64::exp2, "exp10": |x| 10_f64.powf(x), "log": f64::ln,
        "log2": f64::log2, "log10": f64::log10, "sin": f64::sin, "cos": f64::cos, "tan": f64::tan,
        "asin": f64::asin, "acos": f64::acos, "atan": f64::atan, "cbrt": f64::cbrt, "fabs": f64::abs,
        "trunc": f64::trunc, "rint": f64::round_ties_even, "nearbyint": f64::round_ties_even,
    ];
    all.extend::<[Filter<Run>; 14]>([
        ("pow", v(2), |mut cv| {
            let (power, base) = (cv.0.pop_var(), cv.0.pop_var());
            bome(float(&base).and_then(|base| Ok(write::number(base.powf(float(&power)?)))))
        }),
        ("matches", v(2), |mut cv| {
            let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
            bome(matched(&cv.1, &pattern, &flags, Wanted::Matches))
        }),
        ("split_matches", v(2), |mut cv| {
            let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
            bome(matched(&cv.1, &pattern, &flags, Wanted::Both))
        }),
        ("split_", v(2), |mut cv| {
            let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
            bome(matched(&cv.1, &pattern, &flags, Wanted::Between))
        }),
        ("escape_html", v(0), |cv| {
            let escaped = |text: String| {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                text.replace('\'', "&#39;").replace('"', "&quot;")
            };
            bome(text(&cv.1).map(|text| Val::from(escaped(text))))
        }),
        ("encode_uri", v(0), |cv| {
            let byte = |b: u8| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(b).to_string()
                }
                _ => format!("%{b:02X}"),
            };
            bome(text(&cv.1).map(|text| Val::from(text.bytes().map(byte).collect::<String>())))
        }),
        ("encode_base64", v(0), |cv| bome(text(&cv.1).map(|text| Val::from(STANDARD.encode(text))))),
        ("decode_base64", v(0), |cv| {
            bome(text(&cv.1).and_then(|text| match STANDARD.decode(text.trim()) {
                Ok(bytes) => Ok(Val::from(String::from_utf8_lossy(&bytes).into_owned())),
                Err(_) => {
                    let shown = write::shortened(&Val::from(text));
                    Err(Error::str(format!("string ({shown}) is not valid base64 data")))
                }
            }))
        }),
        ("gmtime", v(0), |cv| {
            bome(moment(&cv.1).map(|at| broken_down(at.to_zoned(TimeZone::UTC).datetime())))
        }),
        ("mktime", v(0), |cv| bome(moment(&cv.1).map(|at| write::number(at.as_second() as f64)))),
        ("strftime", v(1), |cv| {
            unary(cv, |value, format| {
                let at = moment(&value)?.to_zoned(TimeZone::UTC);
                strtime::format(text(&format)?, &at).map(Val::from).map_err(Error::str)
            })
        }),
        ("strptime", v(1), |cv| {
            unary(cv, |value, format| {
                let (value, format) = (text(&value)?, text(&format)?);
                let time = strtime::parse(&format, &value).and_then(|parts| parts.to_datetime());
                time.map(broken_down)
                    .map_err(|_| Error::str(format!("date \"{value}\" does not match format \"{format}\"")))
            })
        }),
        ("todateiso8601", v(0), |cv| {
            bome(moment(&cv.1).map(|at| Val::from(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())))
        }),
        ("fromdateiso8601", v(0), |cv| {
            bome(text(&cv.1).and_then(|text| {
                let at: Timestamp = text.parse().map_err(|_| {
                    Error::str(format!("date \"{text}\" does not match format \"%Y-%m-%dT%H:%M:%SZ\""))
                })?;
                Ok(write::number(at.as_second() as f64))
            }))
        }),
    ]);
    all
}

/// Seconds since 1970, or jq's list of year, month from 0, day, hour, minute, second.
fn moment(value: &Val) -> Result<Timestamp, Error<Val>> {
    let wrong = || Error::str("mktime requires array of 6 numbers".to_owned());
    if let Val::Arr(parts) = value {
        let parts: Vec<f64> =
            parts.iter().take(6).map(float).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let [year, month, day, hour, minute, second] = parts[..] else { return Err(wrong()) };
        let time = civil::DateTime::new(
            year as i16,
            month as i8 + 1,
            day as i8,
            hour as i8,
            minute as i8,
            second as i8,
            0,
        );
        let zoned = time.and_then(|time| time.to_zoned(TimeZone::UTC));
        return zoned.map(|zoned| zoned.timestamp()).map_err(Error::str);
    }
    Timestamp::from_second(float(value)?.floor() as i64).map_err(Error::str)
}

fn broken_down(time: civil::DateTime) -> Val {
    [
        i32::from(time.year()),
        i32::from(time.month()) - 1,
        i32::from(time.day()),
        i32::from(time.hour()),
        i32::from(time.minute()),
        i32::from(time.second()),
        i32::from(time.weekday().to_sunday_zero_offset()),
        i32::from(time.day_of_year()) - 1,
    ]
    .into_iter()
    .map(|part| write::number(f64::from(part)))
    .collect()
}

/// What of a text an expression is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Matches,
    Between,
    Both,
}

fn matched(value: &Val, pattern: &Val, flags: &Val, wanted: Wanted) -> ValR<Val> {
    let (text, pattern) = (text(value)?, text(pattern)?);
    let flags = if matches!(flags, Val::Null) { String::new() } else { self::text(flags)? };
    if flags.chars().any(|flag| !"gnimslxp".contains(flag)) {
        return Err(Error::str(format!("{flags} is not a valid modifier string")));
    }
    let has = |flag: char| flags.contains(flag);
    let regex = RegexBuilder::new(&pattern)
        .case_insensitive(has('i'))
        .dot_matches_new_line(has('s') || has('p'))
        .ignore_whitespace(has('x'))
        .size_limit(4 << 20)
        .build()
        .map_err(|_| Error::str(format!("{pattern} (at offset 0) is not a valid regex")))?;
    let mut parts: Vec<Val> = Vec::new();
    let mut last = 0;
    for captures in regex.captures_iter(&text) {
        let Some(whole) = captures.get(0).filter(|whole| !(has('n') && whole.is_empty())) else { continue };
        if wanted != Wanted::Matches {
            parts.push(Val::from(text[last..whole.start()].to_owned()));
        }
        if wanted != Wanted::Between {
            let names = regex.capture_names().enumerate();
            parts.push(names.map(|(i, name)| group(&text, &captures, i, name)).collect());
        }
        last = whole.end();
        if !has('g') {
            break;
        }
    }
    if wanted != Wanted::Matches {
        parts.push(Val::from(text[last..].to_owned()));
    }
    Ok(parts.into_iter().collect())
}

/// `{"offset": …, "length": …, "string": …, "name": …}`, in characters.
fn group(text: &str, captures: &Captures<'_>, i: usize, name: Option<&str>) -> Val {
    let count = |text: &str| write::number(text.chars().count() as f64);
    let (offset, length, string) = match captures.get(i) {
        Some(found) => {
            (count(&text[..found.start()]), count(found.as_str()), Val::from(found.as_str().to_owned()))
        }
        None => (write::number(-1.0), write::number(0.0), Val::Null),
    };
    let mut fields = vec![("offset", offset), ("length", length), ("string", string)];
    if i > 0 {
        fields.push(("name", name.map_or(Val::Null, |name| Val::from(name.to_owned()))));
    }
    Val::from_map(fields.into_iter().map(|(key, value)| (Val::from(key.to_owned()), value)))
        .unwrap_or_default()
}
