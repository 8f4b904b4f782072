//! `date`: simulated time.

use jiff::{SignedDuration, Timestamp};

use crate::{eval::Flow, tool::Call};

/// `date [-u] [-d WHEN] [-I[s]] [+FORMAT]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let world = &call.shell.world;
    let now = world.stamp(world.now()).0.to_zoned(jiff::tz::TimeZone::UTC);
    let mut format = "%a %b %e %H:%M:%S UTC %Y".to_owned();
    let mut now = now;
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        let given = match arg.as_str() {
            "-d" | "--date" => Some(args.next().map_or("", String::as_str)),
            other => other.strip_prefix("--date=").or_else(|| other.strip_prefix("-d")),
        };
        if let Some(text) = given {
            match moment(text, now.timestamp()) {
                Some(at) => now = at.to_zoned(jiff::tz::TimeZone::UTC),
                None => {
                    call.out.err(&format!("date: invalid date ‘{text}’"));
                    return Ok(1);
                }
            }
            continue;
        }
        match arg.as_str() {
            "-u" | "--utc" => {}
            "-I" | "--iso-8601" | "-Idate" => format = "%Y-%m-%d".to_owned(),
            "-Is" | "-Iseconds" | "--iso-8601=seconds" => format = "%Y-%m-%dT%H:%M:%S+00:00".to_owned(),
            "-R" => format = "%a, %d %b %Y %H:%M:%S +0000".to_owned(),
            other => match other.strip_prefix('+') {
                Some(own) => format = own.to_owned(),
                None => {
                    call.out.err(&format!("date: invalid date ‘{other}’"));
                    return Ok(1);
                }
            },
        }
    }
    match jiff::fmt::strtime::format(&format, &now) {
        Ok(text) => call.out.line(&text),
        Err(_) => call.out.line(&format),
    }
    Ok(0)
}

/// `@1700000000`, `2026-03-02`, `2026-03-02T09:00:00Z`, `now`, `yesterday`, `2 hours ago`, `+1 day`.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return Timestamp::from_second(seconds.parse().ok()?).ok();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.replace(' ', "T").parse::<jiff::civil::DateTime>() {
        return at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp());
    }
    let day = SignedDuration::from_hours(24);
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["now" | "today"] => Some(now),
        ["yesterday"] => now.checked_sub(day).ok(),
        ["tomorrow"] => now.checked_add(day).ok(),
        [number, unit, ago @ ..] => {
            let number: i64 = number.parse().ok()?;
            let seconds = match unit.trim_end_matches('s') {
                "sec" | "second" => 1,
                "min" | "minute" => 60,
                "hour" => 3600,
                "day" => 86_400,
                "week" => 604_800,
                _ => return None,
            };
            let sign = match ago {
                [] => 1,
                ["ago"] => -1,
                _ => return None,
            };
            let seconds = number.checked_mul(seconds)?.checked_mul(sign)?;
            now.checked_add(SignedDuration::from_secs(seconds)).ok()
        }
        _ => None,
    }
}

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
}
