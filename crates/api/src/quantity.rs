//! How much is `1500m`, and how does the API server write it back?
//!
//! [`Quantity`] is exact: a whole number times a power of ten, never finer than one billionth. Numbers of more than 38
//! significant digits are rounded up, as everything finer than one billionth is.
//! Source: `resource.Quantity` of apimachinery 1.34 (behaviour and error texts).
//!
//! ```
//! use api::quantity::Quantity;
//! let cpu = Quantity::parse("1500m").expect("a quantity");
//! assert_eq!((cpu.milli_value(), cpu.value(), cpu.canonical()), (1500, 2, "1500m".to_owned()));
//! ```

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// The finest step: 10⁻⁹.
const NANO: i32 = -9;
/// As many digits as upstream keeps in an `int64` without looking.
const INT64_DIGITS: usize = 18;
/// As many digits as an `i128` holds for certain.
const I128_DIGITS: usize = 38;

/// Why a text is no quantity, in the API server's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Characters that no quantity has.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// A number that cannot be read.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// A suffix that does not exist.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// The family of suffixes that a quantity is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `12e6`.
    DecimalExponent,
    /// `12Mi`: powers of 1,024.
    BinarySi,
    /// `12M`: powers of 1,000.
    DecimalSi,
}

/// An amount of a resource. Equality and order are those of the number; format and spelling do not count.
#[derive(Clone, Debug)]
pub struct Quantity {
    mantissa: i128,
    /// Power of ten. INVARIANT: never below [`NANO`].
    scale: i32,
    format: Format,
    /// The spelling, where upstream hands it back untouched.
    written: Option<String>,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity { mantissa: 0, scale: 0, format: Format::DecimalSi, written: None };

    /// `value` whole units.
    #[must_use]
    pub fn new(value: i64, format: Format) -> Self {
        Quantity { mantissa: i128::from(value), scale: 0, format, written: None }
    }

    /// `value` thousandths.
    #[must_use]
    pub fn from_milli(value: i64, format: Format) -> Self {
        Quantity { mantissa: i128::from(value), scale: -3, format, written: None }
    }

    /// Reads a quantity as the API server does: a decimal number with an optional suffix.
    /// # Errors
    /// The API server's own words, see [`QuantityError`].
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let parts = Parts::of(text)?;
        let (base, exponent, format) = suffix(parts.suffix).ok_or(QuantityError::Suffix)?;
        Ok(parts.small(base, exponent, format, text).unwrap_or_else(|| parts.large(base, exponent, format)))
    }

    /// Thousandths, rounded away from zero.
    #[must_use]
    pub fn milli_value(&self) -> i64 {
        self.scaled(-3)
    }

    /// Whole units, rounded away from zero.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.scaled(0)
    }

    /// −1, 0 or 1.
    #[must_use]
    pub fn sign(&self) -> i32 {
        match self.mantissa.cmp(&0) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// The family of suffixes it prints with.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The text that the API server stores and prints.
    #[must_use]
    pub fn canonical(&self) -> String {
        if let Some(written) = &self.written {
            return written.clone();
        }
        if self.mantissa == 0 {
            return "0".to_owned();
        }
        let whole = self.whole();
        if self.format == Format::BinarySi
            && let Some(whole) = whole.filter(|whole| !(-1023..=1023).contains(whole))
        {
            return binary(whole);
        }
        // Upstream: a binary quantity below 1,024, or with a fraction, is shown in decimal so that nothing is lost.
        let format = if self.format == Format::BinarySi { Format::DecimalSi } else { self.format };
        self.decimal(format)
    }

    /// The number, if it has no fraction.
    fn whole(&self) -> Option<i128> {
        match u32::try_from(self.scale) {
            Ok(up) => self.mantissa.checked_mul(10_i128.checked_pow(up)?),
            Err(_) => {
                let unit = 10_i128.pow(self.scale.unsigned_abs());
                (self.mantissa % unit == 0).then(|| self.mantissa / unit)
            }
        }
    }

    fn decimal(&self, format: Format) -> String {
        let (mut number, mut exponent) = (self.mantissa, i64::from(self.scale));
        while number % 10 == 0 {
            number /= 10;
            exponent += 1;
        }
        let mut zeros = String::new();
        while exponent % 3 != 0 {
            zeros.push('0');
            exponent -= 1;
        }
        let suffix = match (format, exponent) {
            (_, 0) => String::new(),
            (Format::DecimalExponent, exponent) => format!("e{exponent}"),
            (_, -9) => "n".to_owned(),
            (_, -6) => "u".to_owned(),
            (_, -3) => "m".to_owned(),
            (_, 3) => "k".to_owned(),
            (_, 6) => "M".to_owned(),
            (_, 9) => "G".to_owned(),
            (_, 12) => "T".to_owned(),
            (_, 15) => "P".to_owned(),
            (_, 18) => "E".to_owned(),
            // UPSTREAM: up to 1.34 there is no suffix beyond E, and the exponent is dropped: 1000E prints as 1.
            (_, _) => String::new(),
        };
        format!("{number}{zeros}{suffix}")
    }

    fn scaled(&self, scale: i32) -> i64 {
        let steps = self.scale.saturating_sub(scale);
        if self.mantissa == 0 {
            return 0;
        }
        let bound = if self.mantissa > 0 { i128::MAX } else { i128::MIN };
        let wide = match u32::try_from(steps) {
            Ok(up) => {
                10_i128.checked_pow(up).and_then(|unit| self.mantissa.checked_mul(unit)).unwrap_or(bound)
            }
            Err(_) => {
                let unit = 10_i128.checked_pow(steps.unsigned_abs()).unwrap_or(i128::MAX);
                away_from_zero(self.mantissa, unit)
            }
        };
        i64::try_from(wide).unwrap_or(if wide > 0 { i64::MAX } else { i64::MIN })
    }

    /// Both numbers at one scale, the finer of the two; the coarser saturates.
    fn aligned(&self, other: &Quantity) -> (i128, i128, i32) {
        let scale = match (self.mantissa, other.mantissa) {
            (0, _) => other.scale,
            (_, 0) => self.scale,
            (_, _) => self.scale.min(other.scale),
        };
        (self.at(scale), other.at(scale), scale)
    }

    /// The mantissa at a finer scale.
    fn at(&self, scale: i32) -> i128 {
        if self.mantissa == 0 {
            return 0;
        }
        let up = u32::try_from(self.scale.saturating_sub(scale)).unwrap_or(0);
        let bound = if self.mantissa > 0 { i128::MAX } else { i128::MIN };
        10_i128.checked_pow(up).and_then(|unit| self.mantissa.checked_mul(unit)).unwrap_or(bound)
    }

    fn combined(&self, other: &Quantity, mantissa: i128, scale: i32) -> Quantity {
        let format = if self.mantissa == 0 { other.format } else { self.format };
        Quantity { mantissa, scale, format, written: None }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }
}

impl std::ops::Add<&Quantity> for Quantity {
    type Output = Quantity;
    fn add(self, other: &Quantity) -> Quantity {
        let (left, right, scale) = self.aligned(other);
        self.combined(other, left.saturating_add(right), scale)
    }
}

impl std::ops::Sub<&Quantity> for Quantity {
    type Output = Quantity;
    fn sub(self, other: &Quantity) -> Quantity {
        let (left, right, scale) = self.aligned(other);
        self.combined(other, left.saturating_sub(right), scale)
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Quantity::parse(text)
    }
}

/// A text taken apart, leading zeros removed.
struct Parts<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    suffix: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Result<Parts<'t>, QuantityError> {
        let negative = text.starts_with('-');
        let rest = text.strip_prefix(['-', '+']).unwrap_or(text).trim_start_matches('0');
        let (whole, rest) = digits(rest);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
        let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let exponent = letters.strip_prefix(['-', '+']).unwrap_or(letters);
        if !exponent.bytes().all(|b| b.is_ascii_digit()) {
            return Err(QuantityError::Format);
        }
        Ok(Parts { negative, whole: if whole.is_empty() { "0" } else { whole }, fraction, suffix })
    }

    /// Numbers that fit upstream's `int64`: kept with their scale, and often with their spelling.
    fn small(&self, base: u32, exponent: i32, format: Format, text: &str) -> Option<Quantity> {
        let shifted = format!("{}{}", self.whole, self.fraction);
        let (room, factor, scale) = if base == 2 {
            let bits = usize::try_from(exponent).ok().filter(|_| self.fraction.is_empty())?;
            (14_usize.checked_sub(bits * 3 / 10)?, 1_i128 << bits, 0)
        } else {
            (INT64_DIGITS, 1, exponent.checked_sub(i32::try_from(self.fraction.len()).ok()?)?)
        };
        if shifted.len() > room || scale < NANO {
            return None;
        }
        let value = shifted.parse::<i128>().ok()?;
        let mantissa = i128::from(i64::try_from(value * factor).ok()?);
        let kept = if base == 2 {
            value & 7 != 0
        } else {
            scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0')
        };
        let written = (text == "0" || kept).then(|| text.to_owned());
        Some(Quantity { mantissa: if self.negative { -mantissa } else { mantissa }, scale, format, written })
    }

    /// Everything else: rounded up to one billionth; binary ones are capped at the largest `int64`.
    fn large(&self, base: u32, exponent: i32, format: Format) -> Quantity {
        let all = format!("{}{}", self.whole, self.fraction);
        let all = all.trim_start_matches('0');
        let room = if base == 2 { I128_DIGITS - 19 } else { I128_DIGITS - 1 };
        let (head, tail) = all.split_at(all.len().min(room));
        let mut mantissa = head.parse::<i128>().unwrap_or(0) + i128::from(tail.bytes().any(|b| b != b'0'));
        let dropped = i64::try_from(tail.len()).unwrap_or(i64::MAX);
        let places = i64::try_from(self.fraction.len()).unwrap_or(i64::MAX);
        let mut scale = dropped - places;
        if base == 2 {
            mantissa <<= exponent;
        } else {
            scale += i64::from(exponent);
        }
        let nano = i64::from(NANO);
        if mantissa != 0 && scale < nano {
            let unit = u32::try_from(nano - scale).ok().and_then(|n| 10_i128.checked_pow(n));
            mantissa = away_from_zero(mantissa, unit.unwrap_or(i128::MAX));
        }
        let scale = i32::try_from(scale.max(nano)).unwrap_or(i32::MAX);
        let mut it = Quantity { mantissa, scale, format, written: None };
        let most = Quantity::new(i64::MAX, format);
        if format == Format::BinarySi && it > most {
            it = most;
        }
        if format == Format::BinarySi && mantissa != 0 && it < Quantity::new(1, format) {
            it.format = Format::DecimalSi;
        }
        it.mantissa = if self.negative { -it.mantissa } else { it.mantissa };
        it
    }
}

/// What Go's struct of this text prints, field by field; nothing is 0.
///
/// Small numbers are kept as an `int64` with a scale, often with their spelling; others as billionths in machine words.
/// Source: go-spew; `resource.Quantity`, `inf.Dec` and `big.Int` field by field.
pub(crate) fn dump(text: &str) -> String {
    let text = if text.is_empty() { "0" } else { text };
    let read = Parts::of(text).ok().and_then(|parts| suffix(parts.suffix).map(|of| (parts, of)));
    let Some((parts, (base, exponent, format))) = read else { return String::new() };
    let small = parts.small(base, exponent, format, text);
    let number = small.as_ref().map_or((0, 0), |it| (it.mantissa, it.scale));
    let it = small.clone().unwrap_or_else(|| parts.large(base, exponent, format));
    let large = if small.is_some() {
        "<nil>".to_owned()
    } else {
        let number = it.at(NANO);
        let words = [number.unsigned_abs() & u128::from(u64::MAX), number.unsigned_abs() >> 64];
        let used = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        let words: Vec<String> = words[..used].iter().map(ToString::to_string).collect();
        let (below, words) = (number < 0, words.join(" "));
        format!(
            "{{unscaled:(big.Int){{neg:(bool){below} abs:(big.nat)[{words}]}} scale:(inf.Scale){}}}",
            -NANO
        )
    };
    format!(
        "{{i:(resource.int64Amount){{value:(int64){} scale:(resource.Scale){}}} d:(resource.infDecAmount){{Dec:(*inf.Dec){large}}} \
         s:(string){} Format:(resource.Format){}}}",
        number.0,
        number.1,
        it.written.as_deref().unwrap_or_default(),
        match it.format {
            Format::DecimalExponent => "DecimalExponent",
            Format::BinarySi => "BinarySI",
            Format::DecimalSi => "DecimalSI",
        },
    )
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// Base, exponent and family of a suffix.
fn suffix(text: &str) -> Option<(u32, i32, Format)> {
    let decimal = |exponent| Some((10, exponent, Format::DecimalSi));
    let binary = |exponent| Some((2, exponent, Format::BinarySi));
    match text {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        other => {
            let exponent = other.strip_prefix(['e', 'E'])?.parse::<i64>().ok()?;
            Some((10, i32::try_from(exponent).ok()?, Format::DecimalExponent))
        }
    }
}

fn binary(mut number: i128) -> String {
    let mut step = 0;
    while number % 1024 == 0 && step < 6 {
        number /= 1024;
        step += 1;
    }
    format!("{number}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][step])
}

fn away_from_zero(number: i128, unit: i128) -> i128 {
    number / unit + if number % unit == 0 { 0 } else { number.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Quantity {
        Quantity::parse(text).expect(text)
    }

    /// Upstream's own tables: `TestQuantityParse`, `TestQuantityCanonicalizeZero`, `TestQuantityString` and the like.
    #[test]
    fn quantities_are_written_back_in_canonical_form() {
        for (text, canonical) in [
            ("0", "0"),
            ("0n", "0"),
            ("0Ki", "0"),
            ("100m", "100m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1.5", "1500m"),
            ("0.5", "500m"),
            ("0.1", "100m"),
            ("1e3", "1e3"),
            ("1000", "1k"),
            ("1e1", "10"),
            ("12345678", "12345678"),
            ("1Ki", "1Ki"),
            ("1024Ki", "1Mi"),
            ("1024", "1024"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1.1Mi", "1153433600m"),
            ("8Ki", "8Ki"),
            ("1024Gi", "1Ti"),
            ("100000n", "100u"),
            ("0.0001", "100u"),
            ("1.01E", "1010P"),
            ("-1500m", "-1500m"),
            ("-1.5", "-1500m"),
            ("1000000000000000000000", "1"),
            ("9Ei", "9223372036854775807"),
            ("0.00000000000001", "1n"),
            ("3.001m", "3.001m"),
            ("10e2147483647", "100e2147483646"),
        ] {
            assert_eq!(read(text).canonical(), canonical, "{text}");
        }
    }

    #[test]
    fn values_round_away_from_zero() {
        for (text, value, milli) in [
            ("1500m", 2, 1500),
            ("-1500m", -2, -1500),
            ("1n", 1, 1),
            ("1Gi", 1 << 30, 1000 << 30),
            ("0.1", 1, 100),
            ("2", 2, 2000),
        ] {
            assert_eq!((read(text).value(), read(text).milli_value()), (value, milli), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_in_the_servers_words() {
        for (text, error) in [
            ("", QuantityError::Format),
            ("1.1.M", QuantityError::Format),
            ("1+1.0M", QuantityError::Format),
            ("aoeu", QuantityError::Format),
            ("0.1mi", QuantityError::Suffix),
            ("1i", QuantityError::Suffix),
            ("-3.01i", QuantityError::Suffix),
            ("-3.01e-", QuantityError::Suffix),
            ("100 m", QuantityError::Format),
            ("1K", QuantityError::Suffix),
        ] {
            assert_eq!(Quantity::parse(text).map(|q| q.canonical()), Err(error), "{text}");
        }
    }

    #[test]
    fn order_sum_and_difference_are_those_of_the_numbers() {
        assert_eq!(read("1000m"), read("1"));
        assert!(read("1Gi") > read("1G"));
        assert!(read("1e40") > read("9E"));
        assert_eq!((read("1") + &read("500m")).canonical(), "1500m");
        assert_eq!((read("1Gi") - &read("512Mi")).canonical(), "512Mi");
        assert_eq!((Quantity::ZERO + &read("1Mi")).canonical(), "1Mi");
    }
}
