//! What does a plain scalar mean to kubectl?
//!
//! kubectl reads YAML 1.1 by way of Go: `on` is true, `014` is twelve, `1_000` a thousand, dates and `12:30` stay
//! strings. [`resolve`] gives the JSON value. Source: sigs.k8s.io/yaml's goyaml.v2 `resolve.go`; the table of cases in
//! the tests was checked with the real kubectl.

use serde_json::{Number, Value};

/// What a scalar turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// A JSON value.
    Value(Value),
    /// `.inf` or `.nan`, which JSON cannot say: `+Inf`, `-Inf` or `NaN`.
    Unsupported(&'static str),
    /// `<<`.
    Merge,
}

/// The value of a plain scalar.
#[must_use]
pub fn resolve(text: &str) -> Resolved {
    if let Some(word) = word(text) {
        return word;
    }
    match text.as_bytes().first() {
        Some(b'.') => float(text).map_or_else(|| string(text), Resolved::Value),
        Some(b'0'..=b'9' | b'+' | b'-') => number(text).map_or_else(|| string(text), Resolved::Value),
        _ => string(text),
    }
}

fn string(text: &str) -> Resolved {
    Resolved::Value(Value::String(text.to_owned()))
}

fn word(text: &str) -> Option<Resolved> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Value(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Value(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Value(Value::Bool(false))
        }
        ".nan" | ".NaN" | ".NAN" => Resolved::Unsupported("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Resolved::Unsupported("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => Resolved::Unsupported("-Inf"),
        "<<" => Resolved::Merge,
        _ => return None,
    })
}

fn number(text: &str) -> Option<Value> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    integer(&plain).or_else(|| looks_like_float(&plain).then(|| float(&plain)).flatten())
}

/// `strconv.ParseInt(text, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        let signed = i64::try_from(-i128::from(magnitude)).ok()?;
        Some(Value::from(signed))
    } else if text.starts_with('+') && i64::try_from(magnitude).is_err() {
        None
    } else {
        Some(Value::from(magnitude))
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn looks_like_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)))
}

/// A float as Go's `encoding/json` writes it: whole numbers without a fraction.
fn float(text: &str) -> Option<Value> {
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    // A whole number prints as an integer, and the API server then reads an integer.
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^53")]
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_mean_what_the_real_kubectl_makes_of_them() {
        for (text, value) in [
            ("on", json!(true)),
            ("yes", json!(true)),
            ("y", json!(true)),
            ("True", json!(true)),
            ("NO", json!(false)),
            ("off", json!(false)),
            ("n", json!(false)),
            ("0o14", json!(12)),
            ("014", json!(12)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("1e3", json!(1000)),
            ("08", json!(8)),
            ("1.0", json!(1)),
            ("1.10", json!(1.1)),
            ("-5", json!(-5)),
            ("12:30", json!("12:30")),
            ("2001-01-01", json!("2001-01-01")),
            ("~", json!(null)),
            ("", json!(null)),
            ("500m", json!("500m")),
            ("1Gi", json!("1Gi")),
            ("1.2.3", json!("1.2.3")),
            ("0", json!(0)),
            ("-", json!("-")),
        ] {
            assert_eq!(resolve(text), Resolved::Value(value), "{text}");
        }
        assert_eq!(resolve(".inf"), Resolved::Unsupported("+Inf"));
    }
}
