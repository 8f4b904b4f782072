//! `tr`.

use crate::{eval::Flow, text::Options, tool::Call};

/// `tr [-d] [-s] [-c] SET1 [SET2]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "dscC", "", &[("delete", 'd'), ("squeeze-repeats", 's')]) else {
        return Ok(1);
    };
    let [first, rest @ ..] = options.operands.as_slice() else {
        call.out.err("tr: missing operand\nTry 'tr --help' for more information.");
        return Ok(1);
    };
    if rest.is_empty() && !options.has('d') && !options.has('s') {
        call.out.err(&format!(
            "tr: missing operand after ‘{first}’\nTwo strings must be given when translating.\nTry 'tr --help' for more information."
        ));
        return Ok(1);
    }
    let from = set(first);
    let to = rest.first().map(|r| set(r)).unwrap_or_default();
    let complement = options.has('c') || options.has('C');
    let place = |c: char| {
        let at = from.iter().position(|f| *f == c);
        if complement { at.is_none().then_some(usize::MAX) } else { at }
    };
    let squeezed = |c: char| {
        options.has('s')
            && if rest.is_empty() || options.has('d') {
                place(c).is_some() || to.contains(&c)
            } else {
                to.contains(&c)
            }
    };
    let mut out = String::new();
    let mut last = None;
    for c in call.stdin.rest().chars() {
        let mapped = match place(c) {
            Some(_) if options.has('d') => continue,
            Some(at) => to.get(at).or(to.last()).copied().unwrap_or(c),
            None => c,
        };
        if last == Some(mapped) && squeezed(mapped) {
            continue;
        }
        last = Some(mapped);
        out.push(mapped);
    }
    call.out.out(&out);
    Ok(0)
}

fn set(text: &str) -> Vec<char> {
    let text = crate::expand::ansi_c(text);
    let class = |name: &str| -> Option<Vec<char>> {
        let wanted: fn(&char) -> bool = match name {
            "upper" => char::is_ascii_uppercase,
            "lower" => char::is_ascii_lowercase,
            "digit" => char::is_ascii_digit,
            "alpha" => char::is_ascii_alphabetic,
            "alnum" => char::is_ascii_alphanumeric,
            "space" => char::is_ascii_whitespace,
            "punct" => char::is_ascii_punctuation,
            _ => return None,
        };
        Some((0_u8..128).map(char::from).filter(wanted).collect())
    };
    let mut out = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        if chars[i] == '['
            && chars.get(i + 1) == Some(&':')
            && let Some(end) = chars[i..].iter().position(|c| *c == ']')
        {
            let name: String =
                chars.get(i + 2..(i + end).saturating_sub(1)).unwrap_or_default().iter().collect();
            if let Some(all) = class(&name) {
                out.extend(all);
                i += end + 1;
                continue;
            }
        }
        match (chars.get(i + 1), chars.get(i + 2)) {
            (Some('-'), Some(&high)) if chars[i] <= high => {
                out.extend(chars[i]..=high);
                i += 3;
            }
            _ => {
                out.push(chars[i]);
                i += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn characters_are_mapped_deleted_and_squeezed() {
        assert_eq!(stdout("echo abc | tr a-c A-C"), "ABC\n");
        assert_eq!(stdout("echo a b | tr ' ' '\\n'"), "a\nb\n");
        assert_eq!(stdout("echo abc | tr -d b"), "ac\n");
        assert_eq!(stdout("echo 'a   b' | tr -s ' '"), "a b\n");
        assert_eq!(stdout("echo aB | tr '[:lower:]' '[:upper:]'"), "AB\n");
    }
}
