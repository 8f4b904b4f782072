//! What does a backslash stand for: in `$'…'`, `echo -e`, `printf` and `tr`?
//!
//! Source: bash 5.2 `lib/sh/strtrans.c` (`ansicstr`), `builtins/printf.def`; coreutils 9 `tr.c`.
//! MODEL: texts are UTF-8; a byte that is none becomes the character of its number.

/// Who reads the backslashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `$'…'`: octal as `\101`, control characters as `\cx`.
    Quote,
    /// `echo -e`: octal as `\0101` only, `\c` ends the output.
    Echo,
    /// The format of `printf`.
    Printf,
    /// `%b`: both kinds of octal, `\c` ends the output.
    Argument,
    /// The sets of `tr`: a backslash before any other character goes.
    Set,
}

/// `\n`, `\t`, `\\` and their kind, as in `$'…'`.
#[must_use]
pub fn ansi_c(text: &str) -> String {
    escaped(text, Style::Quote).0
}

/// The text, and whether `\c` ends all output.
#[must_use]
pub fn escaped(text: &str, style: Style) -> (String, bool) {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(letter) = chars.next() else {
            out.push('\\');
            break;
        };
        match letter {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            '\\' => out.push('\\'),
            'e' | 'E' if style != Style::Set => out.push('\u{1b}'),
            'c' if matches!(style, Style::Echo | Style::Argument) => return (out, true),
            'c' if style == Style::Quote => {
                let control =
                    chars.next().and_then(|c| char::from_u32(u32::from(c.to_ascii_uppercase()) & 0x1f));
                out.extend(control);
            }
            '0' if matches!(style, Style::Echo | Style::Argument) => {
                out.push(number(&mut chars, 8, 3, 0).unwrap_or('\0'));
            }
            digit @ '0'..='7' if style != Style::Echo => {
                let first = digit.to_digit(8).unwrap_or(0);
                out.extend(number(&mut chars, 8, 2, first).or(char::from_u32(first)));
            }
            'x' | 'u' | 'U' if style != Style::Set => {
                let most = match letter {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                match number(&mut chars, 16, most, 0) {
                    Some(c) => out.push(c),
                    None => out.extend(['\\', letter]),
                }
            }
            '\'' | '"' | '?' if matches!(style, Style::Quote | Style::Printf) => out.push(letter),
            other if style == Style::Set => out.push(other),
            other => out.extend(['\\', other]),
        }
    }
    (out, false)
}

fn number(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    radix: u32,
    most: usize,
    first: u32,
) -> Option<char> {
    let mut value = None;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
        chars.next();
        value = Some(value.unwrap_or(first).saturating_mul(radix).saturating_add(digit));
    }
    value.and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_has_its_own_octals() {
        for (text, style, wanted) in [
            (r"\101\x41", Style::Quote, "AA"),
            (r"\101\0101\u00e9", Style::Echo, r"\101Aé"),
            (r"\101\'", Style::Printf, "A'"),
            (r"\101\0101", Style::Argument, "AA"),
            (r"\-\e\012", Style::Set, "-e\n"),
        ] {
            assert_eq!(escaped(text, style).0, wanted, "{text}");
        }
        assert_eq!(escaped(r"a\cb", Style::Echo), ("a".to_owned(), true));
    }
}
