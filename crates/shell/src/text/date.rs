//! `date`: simulated time.

use crate::{eval::Flow, tool::Call};

/// `date [-u] [-I[s]] [+FORMAT]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let world = &call.shell.world;
    let now = world.stamp(world.now()).0.to_zoned(jiff::tz::TimeZone::UTC);
    let mut format = "%a %b %e %H:%M:%S UTC %Y".to_owned();
    for arg in &call.args {
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

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn the_clock_is_the_scenario_s() {
        assert_eq!(stdout("date +%Y-%m-%d"), "2026-03-02\n");
        assert_eq!(stdout("sleep 90; date -u"), "Mon Mar  2 09:01:30 UTC 2026\n");
    }
}
