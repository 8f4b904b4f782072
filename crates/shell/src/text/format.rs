//! What does `%-8.3f` make of a value? One reading of C's conversions for `printf`, awk and `seq`.
//!
//! Source: C17 7.21.6.1 `fprintf`, as glibc prints it.

/// Widest field that is made: no conversion fills the page's memory.
const WIDEST: usize = 100_000;

/// What stands between `%` and the letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spec {
    pub left: bool,
    pub plus: bool,
    pub space: bool,
    pub alternate: bool,
    pub zero: bool,
    pub width: usize,
    pub precision: Option<usize>,
}

impl Spec {
    /// Reads flags, width and precision; `star` gives what stands for a `*`.
    pub(crate) fn read(
        chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
        mut star: impl FnMut() -> i64,
    ) -> Self {
        let mut spec = Self::default();
        while let Some(c) = chars.next_if(|c| "-+ #0'".contains(*c)) {
            match c {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                '#' => spec.alternate = true,
                '0' => spec.zero = true,
                // Digits are grouped in no C locale.
                _ => {}
            }
        }
        let width = count(chars, &mut star).unwrap_or(0);
        spec.left |= width < 0;
        spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(WIDEST).min(WIDEST);
        if chars.next_if_eq(&'.').is_some() {
            // UPSTREAM: a precision below zero is as none.
            spec.precision = match count(chars, &mut star) {
                Some(below) if below < 0 => None,
                Some(digits) => Some(usize::try_from(digits).unwrap_or(WIDEST).min(WIDEST)),
                None => Some(0),
            };
        }
        // Sizes of C's types say nothing here.
        while chars.next_if(|c| "hlLjzt".contains(*c)).is_some() {}
        spec
    }

    /// `%s`.
    pub(crate) fn text(self, text: &str) -> String {
        let cut: String = match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_owned(),
        };
        self.pad("", &cut, false)
    }

    /// `%d %i %u %o %x %X`.
    pub(crate) fn integer(self, number: i128, letter: char) -> String {
        let is_signed = matches!(letter, 'd' | 'i');
        // A negative number without a sign is what its 64 bits say.
        let bits = if is_signed || number >= 0 {
            number.unsigned_abs()
        } else {
            u128::from(i64::try_from(number).unwrap_or(i64::MIN) as u64)
        };
        let mut digits = match letter {
            'o' => format!("{bits:o}"),
            'x' => format!("{bits:x}"),
            'X' => format!("{bits:X}"),
            _ => bits.to_string(),
        };
        if let Some(least) = self.precision {
            digits = format!("{digits:0>least$}");
        }
        let before = match letter {
            'd' | 'i' => self.sign(number < 0),
            'x' if self.alternate && bits != 0 => "0x",
            'X' if self.alternate && bits != 0 => "0X",
            'o' if self.alternate && !digits.starts_with('0') => "0",
            _ => "",
        };
        self.pad(before, &digits, self.zero && self.precision.is_none())
    }

    /// `%e %f %g` and their capitals.
    pub(crate) fn float(self, number: f64, letter: char) -> String {
        let sign = self.sign(number.is_sign_negative() && !number.is_nan());
        let size = number.abs();
        let digits = if size.is_nan() {
            "nan".to_owned()
        } else if size.is_infinite() {
            "inf".to_owned()
        } else {
            let precision = self.precision.unwrap_or(6).min(1000);
            match letter.to_ascii_lowercase() {
                'e' => exponential(size, precision),
                'g' => general(size, precision, self.alternate),
                _ => format!("{size:.precision$}"),
            }
        };
        let digits = if letter.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
        self.pad(sign, &digits, self.zero && number.is_finite())
    }

    fn sign(self, is_negative: bool) -> &'static str {
        match (is_negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn pad(self, before: &str, body: &str, zeros: bool) -> String {
        let missing = self.width.saturating_sub(before.chars().count() + body.chars().count());
        match (self.left, zeros) {
            (true, _) => format!("{before}{body}{}", " ".repeat(missing)),
            (false, true) => format!("{before}{}{body}", "0".repeat(missing)),
            (false, false) => format!("{}{before}{body}", " ".repeat(missing)),
        }
    }
}

fn count(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    star: &mut impl FnMut() -> i64,
) -> Option<i64> {
    if chars.next_if_eq(&'*').is_some() {
        return Some(star());
    }
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        number = Some(number.unwrap_or(0_i64).saturating_mul(10).saturating_add(i64::from(digit)));
    }
    number
}

fn exponential(size: f64, precision: usize) -> String {
    let text = format!("{size:.precision$e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
}

fn general(size: f64, precision: usize, keeps: bool) -> String {
    let precision = precision.max(1);
    let text = exponential(size, precision - 1);
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i64 = power.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if keeps || !text.contains('.') {
            text.to_owned()
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    let most = i64::try_from(precision).unwrap_or(i64::MAX);
    if power < -4 || power >= most {
        return format!("{}{}", trimmed(digits), &text[digits.len()..]);
    }
    let places = usize::try_from(most - 1 - power).unwrap_or(0);
    trimmed(&format!("{size:.places$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spec: &str) -> Spec {
        Spec::read(&mut spec.chars().peekable(), || 5)
    }

    #[test]
    fn conversions_are_c_s() {
        for (spec, number, wanted) in [
            ("5", 42, "   42"),
            ("-5", 42, "42   "),
            ("05", -42, "-0042"),
            (".3", 7, "007"),
            ("+", 7, "+7"),
            ("*", 1, "    1"),
        ] {
            assert_eq!(of(spec).integer(number, 'd'), wanted, "{spec}");
        }
        assert_eq!(of("#").integer(255, 'x'), "0xff");
        assert_eq!(of("").integer(-1, 'x'), "ffffffffffffffff");
        for (spec, letter, number, wanted) in [
            ("", 'e', 12345.678, "1.234568e+04"),
            ("", 'g', 12345.678, "12345.7"),
            ("", 'g', 0.0001, "0.0001"),
            ("", 'g', 0.00001, "1e-05"),
            ("", 'g', 1e6, "1e+06"),
            ("06.2", 'f', -1.5, "-01.50"),
        ] {
            assert_eq!(of(spec).float(number, letter), wanted, "{spec}{letter}");
        }
        assert_eq!(of("5.2").text("abc"), "   ab");
    }
}
