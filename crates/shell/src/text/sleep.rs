//! `sleep`: simulated time passes.

use api::SimDuration;

use crate::{eval::Flow, tool::Call};

/// `sleep NUMBER[smhd]…`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.is_empty() {
        call.out.err("sleep: missing operand\nTry 'sleep --help' for more information.");
        return Ok(1);
    }
    let mut total = SimDuration::ZERO;
    for arg in &call.args {
        match seconds(arg) {
            Some(wait) => total = SimDuration(total.0.saturating_add(wait.0)),
            None => {
                call.out.err(&format!(
                    "sleep: invalid time interval ‘{arg}’\nTry 'sleep --help' for more information."
                ));
                return Ok(1);
            }
        }
    }
    let until = call.shell.world.now() + total;
    call.shell.sleep_until(until, call.out);
    if call.shell.is_inside {
        call.shell.slept_inside(call.out)?;
    }
    Ok(0)
}

/// `10`, `0.5s`, `2m`, `1h`, `1d`; at most one day.
#[must_use]
pub fn seconds(text: &str) -> Option<SimDuration> {
    const MOST: f64 = 86_400_000.0;
    if matches!(text, "infinity" | "inf") {
        return Some(SimDuration::secs(86_400));
    }
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 's') => (&text[..at], 1_000.0),
        (at, 'm') => (&text[..at], 60_000.0),
        (at, 'h') => (&text[..at], 3_600_000.0),
        (at, 'd') => (&text[..at], 86_400_000.0),
        _ => (text, 1_000.0),
    };
    let number: f64 = number.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
    Some(SimDuration((number * unit).min(MOST).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units() {
        for (text, wanted) in
            [("1", Some(1000)), ("0.5s", Some(500)), ("2m", Some(120_000)), ("x", None), ("-1", None)]
        {
            assert_eq!(seconds(text).map(|d| d.0), wanted, "{text}");
        }
    }
}
