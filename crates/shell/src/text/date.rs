//! `date`: simulated time, in UTC.
//!
//! MODEL: of the words that GNU `date -d` reads, those here are dates, times, zones by number, `now`, `today`, `yesterday`, `tomorrow`,
//! weekdays, and `[next|last|N] UNIT [ago]`.

use jiff::{Span, Zoned, civil::Weekday, tz::TimeZone};

use crate::{
    eval::Flow,
    text::{Options, inputs},
    tool::Call,
};

/// `date [-u] [-d WHEN] [-r FILE] [-I[s]] [-R] [+FORMAT]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    // What `-I` and `--rfc-3339` stand for may be attached only.
    let mut format = None;
    let mut args = Vec::new();
    for arg in std::mem::take(&mut call.args) {
        let unit = arg.strip_prefix("-I").or(arg.strip_prefix("--iso-8601"));
        let own = if let Some(unit) = unit {
            iso(unit.trim_start_matches('='), 'T')
        } else if let Some(unit) = arg.strip_prefix("--rfc-3339=") {
            iso(unit, ' ').map(|it| it.replace("%:z", "+00:00"))
        } else {
            args.push(arg);
            continue;
        };
        let Some(own) = own else {
            let unit = arg.split_once('=').map_or(arg.get(2..).unwrap_or_default(), |(_, unit)| unit);
            let option = if arg.contains("rfc") { "--rfc-3339" } else { "--iso-8601" };
            call.out.err(&format!("date: invalid argument ‘{unit}’ for ‘{option}’\nValid arguments are:\n  - ‘hours’\n  - ‘minutes’\n  - ‘date’\n  - ‘seconds’\n  - ‘ns’\nTry 'date --help' for more information."));
            return Ok(1);
        };
        format = Some(own);
    }
    call.args = args;
    let long = [
        ("date", 'd'),
        ("utc", 'u'),
        ("universal", 'u'),
        ("rfc-email", 'R'),
        ("reference", 'r'),
        ("file", 'f'),
    ];
    let Some(options) = Options::parse(call, "uR", "drfs", &long) else { return Ok(1) };
    let world = &call.shell.world;
    let mut now = world.stamp(world.now()).0.to_zoned(TimeZone::UTC);
    if let Some(text) = options.value('d') {
        match moment(text, &now) {
            Some(at) => now = at,
            None => {
                call.out.err(&format!("date: invalid date ‘{text}’"));
                return Ok(1);
            }
        }
    }
    if let Some(file) = options.value('r') {
        // Files keep no times of change here; what is not there is said.
        if !inputs(call, &[file.to_owned()]).1 {
            return Ok(1);
        }
    }
    if options.has('R') {
        format = Some("%a, %d %b %Y %H:%M:%S +0000".to_owned());
    }
    match options.operands.as_slice() {
        [] => {}
        [own] if own.starts_with('+') => format = Some(own[1..].to_owned()),
        [own] => {
            call.out.err(&format!("date: invalid date ‘{own}’"));
            return Ok(1);
        }
        [_, extra, ..] => {
            call.out.err(&format!("date: extra operand ‘{extra}’\nTry 'date --help' for more information."));
            return Ok(1);
        }
    }
    call.out.line(&shown(&format.unwrap_or_else(|| "%a %b %e %H:%M:%S UTC %Y".to_owned()), &now));
    Ok(0)
}

fn iso(unit: &str, between: char) -> Option<String> {
    let time = match unit {
        "" | "date" => return Some("%Y-%m-%d".to_owned()),
        "hours" => "%H",
        "minutes" => "%H:%M",
        "seconds" | "s" => "%H:%M:%S",
        "ns" => "%H:%M:%S,%N",
        _ => return None,
    };
    let time = if between == ' ' { time.replace(',', ".") } else { time.to_owned() };
    Some(format!("%Y-%m-%d{between}{time}+00:00"))
}

/// A moment by a format of `strftime`, with GNU's flags: `%-d`, `%_H`, `%03N`, `%^a`.
pub(crate) fn shown(format: &str, at: &Zoned) -> String {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut typed = String::from("%");
        let (mut flag, mut width) = (None, String::new());
        while let Some(c) = chars.next_if(|c| "-_0^#+:".contains(*c)) {
            typed.push(c);
            flag = Some(c);
        }
        while let Some(c) = chars.next_if(char::is_ascii_digit) {
            typed.push(c);
            width.push(c);
        }
        let Some(letter) = chars.next() else {
            out.push_str(&typed);
            break;
        };
        typed.push(letter);
        let text = match (letter, flag) {
            ('%', _) => "%".to_owned(),
            ('n', _) => "\n".to_owned(),
            ('t', _) => "\t".to_owned(),
            ('Z', _) => "UTC".to_owned(),
            ('z', Some(':')) => "+00:00".to_owned(),
            ('z', _) => "+0000".to_owned(),
            ('s', _) => at.timestamp().as_second().to_string(),
            ('N', _) => {
                let digits = format!("{:09}", at.subsec_nanosecond());
                let most = width.parse().unwrap_or(9_usize).clamp(1, 9);
                width.clear();
                digits[..most].to_owned()
            }
            ('q', _) => ((at.month() - 1) / 3 + 1).to_string(),
            ('P', _) => if at.hour() < 12 { "am" } else { "pm" }.to_owned(),
            ('c', _) => shown("%a %b %e %H:%M:%S %Y", at),
            ('x', _) => shown("%m/%d/%y", at),
            ('X', _) => shown("%H:%M:%S", at),
            ('r', _) => shown("%I:%M:%S %p", at),
            _ => match jiff::fmt::strtime::format(format!("%{letter}"), at) {
                Ok(text) => text,
                Err(_) => typed.clone(),
            },
        };
        let text = match flag {
            Some('-') => text.trim_start_matches(['0', ' ']).to_owned(),
            Some('_') if text.starts_with('0') => {
                let bare = text.trim_start_matches('0');
                let bare = if bare.is_empty() { "0" } else { bare };
                format!("{bare:>width$}", width = text.len())
            }
            Some('0') => text.replace(' ', "0"),
            Some('^' | '#') => text.to_uppercase(),
            _ => text,
        };
        let text = if text.is_empty() { "0".to_owned() } else { text };
        let least = width.parse().unwrap_or(0_usize).min(1000);
        let is_number = text.chars().all(|c| c.is_ascii_digit());
        out.push_str(&if is_number && flag != Some('_') {
            format!("{text:0>least$}")
        } else {
            format!("{text:>least$}")
        });
    }
    out
}

/// What `-d` says: dates, times and words in any order, as `parse-datetime` of gnulib reads them.
fn moment(text: &str, now: &Zoned) -> Option<Zoned> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        let at = match seconds.split_once('.') {
            Some((whole, _)) => whole,
            None => seconds,
        };
        return Some(jiff::Timestamp::from_second(at.parse().ok()?).ok()?.to_zoned(TimeZone::UTC));
    }
    let mut at = now.datetime();
    let (mut has_day, mut has_time, mut offset) = (false, false, 0_i64);
    let mut weekday = None;
    let mut moves: Vec<Span> = Vec::new();
    let spaced = spaced(text);
    let mut words = spaced.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        if let Some(date) = date(word) {
            at = at.with().year(date.0).month(date.1).day(date.2).build().ok()?;
            has_day = true;
            continue;
        }
        if let Some((hour, minute, second)) = clock(word) {
            let half = words.next_if(|it| matches!(*it, "am" | "pm"));
            let hour = match half {
                Some("pm") if hour < 12 => hour + 12,
                Some("am") if hour == 12 => 0,
                _ => hour,
            };
            at = at.with().hour(hour).minute(minute).second(second).subsec_nanosecond(0).build().ok()?;
            has_time = true;
            continue;
        }
        // A number with a sign behind a time is a zone, unless a unit follows.
        let is_count = words.peek().is_some_and(|unit| span(1, unit).is_some());
        if let Some(zone) = (has_time && !is_count).then(|| zone(word)).flatten() {
            offset = zone;
            continue;
        }
        if let Some(month) = MONTHS.iter().position(|it| word.len() >= 3 && it.starts_with(word)) {
            let month = i8::try_from(month).unwrap_or(0) + 1;
            let day: i8 = words.next()?.parse().ok()?;
            at = at.with().month(month).day(day).build().ok()?;
            if let Some(year) = words.next_if(|it| it.len() == 4 && it.chars().all(|c| c.is_ascii_digit())) {
                at = at.with().year(year.parse().ok()?).build().ok()?;
            }
            has_day = true;
            continue;
        }
        if let Some(day) = DAYS.iter().position(|it| word.len() >= 3 && it.starts_with(word)) {
            weekday = Some((i8::try_from(day).unwrap_or(0), 0));
            continue;
        }
        match word {
            "now" | "today" | "z" | "utc" | "gmt" => {}
            "midnight" => (at, has_time) = (at.date().at(0, 0, 0, 0), true),
            "noon" => (at, has_time) = (at.date().at(12, 0, 0, 0), true),
            "yesterday" => moves.push(Span::new().days(-1)),
            "tomorrow" => moves.push(Span::new().days(1)),
            _ => {
                let (count, unit) = match word {
                    "next" => (1, words.next()?),
                    "last" => (-1, words.next()?),
                    "this" => (0, words.next()?),
                    number => match number.parse::<i64>() {
                        Ok(number) => (number, words.next()?),
                        Err(_) => (1, number),
                    },
                };
                if let Some(day) = DAYS.iter().position(|it| unit.len() >= 3 && it.starts_with(unit)) {
                    weekday = Some((i8::try_from(day).unwrap_or(0), count));
                    continue;
                }
                let count = if words.next_if_eq(&"ago").is_some() { -count } else { count };
                moves.push(span(count, unit)?);
            }
        }
    }
    // UPSTREAM: a date without a time is its midnight; so is a weekday.
    if (has_day || weekday.is_some()) && !has_time {
        at = at.date().at(0, 0, 0, 0);
    }
    if let Some((day, count)) = weekday {
        let wanted = Weekday::from_sunday_zero_offset(day).ok()?;
        let ahead = i64::from(at.weekday().until(wanted)).rem_euclid(7);
        let weeks = if count > 0 && ahead > 0 { count - 1 } else { count };
        at = at.checked_add(Span::new().days(ahead + 7 * weeks)).ok()?;
    }
    for by in moves {
        at = over(at, by)?;
    }
    at.to_zoned(TimeZone::UTC).ok()?.checked_sub(Span::new().try_seconds(offset).ok()?).ok()
}

/// Adds a span; a day that its month does not have runs on into the next one.
fn over(at: jiff::civil::DateTime, by: Span) -> Option<jiff::civil::DateTime> {
    let months = i64::from(by.get_years()) * 12 + i64::from(by.get_months());
    if months == 0 {
        return at.checked_add(by).ok();
    }
    let first = at.with().day(1).build().ok()?.checked_add(Span::new().try_months(months).ok()?).ok()?;
    first.checked_add(Span::new().days(i64::from(at.day()) - 1)).ok()
}

/// The words of a text: numbers apart from letters, signs with their numbers.
fn spaced(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let lower = text.to_lowercase().replace(',', " ");
    let mut sign = None;
    for word in lower.split_whitespace() {
        if word == "+" || word == "-" {
            sign = Some(word);
            continue;
        }
        let joined = format!("{}{word}", sign.take().unwrap_or_default());
        // `2hours`, `+3days`: a number with its unit; `2026-01-02t03:04:05z`: a date with its time.
        let bare = joined.trim_start_matches(['+', '-']);
        let digits = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
        let begins_letters = bare[digits..].starts_with(|c: char| c.is_ascii_lowercase());
        if digits > 0 && begins_letters && !bare[digits..].starts_with("th") {
            let at = joined.len() - bare.len() + digits;
            words.push(joined[..at].to_owned());
            words.push(joined[at..].to_owned());
        } else if let Some((day, time)) = joined.split_once('t').filter(|(day, _)| date(day).is_some()) {
            words.push(day.to_owned());
            let end = time.find(['z', '+']).or_else(|| time.find('-')).unwrap_or(time.len());
            words.push(time[..end].to_owned());
            words.push(time[end..].to_owned());
        } else {
            words.push(joined);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn date(word: &str) -> Option<(i16, i8, i8)> {
    let parts: Vec<&str> = word.split(['-', '/']).collect();
    match parts.as_slice() {
        [year, month, day] if word.contains('-') && year.len() == 4 => {
            Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
        }
        [year, month, day] if word.contains('/') && year.len() == 4 => {
            Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
        }
        [month, day, year] if word.contains('/') && year.len() == 4 => {
            Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
        }
        [all] if all.len() == 8 && all.chars().all(|c| c.is_ascii_digit()) => {
            Some((all[..4].parse().ok()?, all[4..6].parse().ok()?, all[6..].parse().ok()?))
        }
        _ => None,
    }
}

fn clock(word: &str) -> Option<(i8, i8, i8)> {
    let parts: Vec<&str> = word.split(':').collect();
    match parts.as_slice() {
        [hour, minute] => Some((hour.parse().ok()?, minute.parse().ok()?, 0)),
        [hour, minute, second] => {
            Some((hour.parse().ok()?, minute.parse().ok()?, second.split('.').next()?.parse().ok()?))
        }
        _ => None,
    }
}

/// Seconds east of Greenwich.
fn zone(word: &str) -> Option<i64> {
    let sign = match word.chars().next() {
        Some('-') => -1,
        Some('+') => 1,
        _ => return None,
    };
    let digits: String = word.trim_start_matches(['+', '-']).replace(':', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    match digits.len() {
        1 | 2 => Some(sign * number * 3600),
        4 => Some(sign * (number / 100 * 3600 + number % 100 * 60)),
        _ => None,
    }
}

fn span(count: i64, unit: &str) -> Option<Span> {
    let span = Span::new();
    match unit.strip_suffix('s').unwrap_or(unit) {
        "sec" | "second" => span.try_seconds(count),
        "min" | "minute" => span.try_minutes(count),
        "hour" => span.try_hours(count),
        "day" => span.try_days(count),
        "week" => span.try_weeks(count),
        "fortnight" => span.try_weeks(count.checked_mul(2)?),
        "month" => span.try_months(count),
        "year" => span.try_years(count),
        _ => return None,
    }
    .ok()
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn the_clock_is_the_scenario_s() {
        assert_eq!(stdout("date +%Y-%m-%d"), "2026-03-02\n");
        assert_eq!(
            stdout("date -d '2 hours ago' +%T; date -d @0 +%F; date -d 2026-01-31 +%j"),
            "07:00:00\n1970-01-01\n031\n"
        );
        assert_eq!(stdout("sleep 90; date -u"), "Mon Mar  2 09:01:30 UTC 2026\n");
    }

    #[test]
    fn words_move_a_date() {
        for (line, wanted) in [
            ("date -d '2026-01-31 +1 month' +%F", "2026-03-03\n"),
            ("date -d '2026-03-01 yesterday' +%F", "2026-02-28\n"),
            ("date -d '2026-03-01T00:00:00Z + 2 hours' +%FT%T", "2026-03-01T02:00:00\n"),
            ("date -d '2026-01-02 03:04:05 +0900' +%FT%T", "2026-01-01T18:04:05\n"),
            ("date -d 'Jan 5 2026 10:30 pm' +'%F %R'", "2026-01-05 22:30\n"),
            ("date -d 'next monday' +%F; date -d 'last week' +%F", "2026-03-09\n2026-02-23\n"),
            ("date -d @5 +'%-S %3N %s %^a'", "5 000 5 THU\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }
}
