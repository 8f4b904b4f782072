//! `tr`.

use crate::{
    escape::{Style, escaped},
    eval::Flow,
    text::Options,
    tool::Call,
};

const HELP: &str = "Try 'tr --help' for more information.";

/// `tr [-c] [-d] [-s] [-t] SET1 [SET2]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c'), ("truncate-set1", 't')];
    let Some(options) = Options::parse(call, "dscCt", "", &long) else { return Ok(1) };
    let (deletes, squeezes) = (options.has('d'), options.has('s'));
    let most = if deletes && !squeezes { 1 } else { 2 };
    let least = if deletes == squeezes { 2 } else { 1 };
    let said = match options.operands.as_slice() {
        [] => Some("missing operand".to_owned()),
        [only] if least > 1 => Some(format!(
            "missing operand after ‘{only}’\nTwo strings must be given when {}.",
            if deletes { "both deleting and squeezing repeats" } else { "translating" }
        )),
        [_, extra] if most == 1 => Some(format!(
            "extra operand ‘{extra}’\nOnly one string may be given when deleting without squeezing repeats."
        )),
        [_, _, extra, ..] => Some(format!("extra operand ‘{extra}’")),
        _ => None,
    };
    if let Some(said) = said {
        call.out.err(&format!("tr: {said}\n{HELP}"));
        return Ok(1);
    }
    let mut sets = Vec::new();
    for operand in &options.operands {
        if operand.ends_with('\\') && !operand.ends_with("\\\\") {
            call.out.err("tr: warning: an unescaped backslash at end of string is not portable");
        }
        match set(operand) {
            Ok(set) => sets.push(set),
            Err(what) => {
                call.out.err(&format!("tr: {what}"));
                return Ok(1);
            }
        }
    }
    let translates = !deletes && sets.len() == 2;
    let to = if sets.len() == 2 { sets.pop().unwrap_or_default() } else { Vec::new() };
    let mut from = sets.pop().unwrap_or_default();
    if translates && to.is_empty() {
        call.out.err("tr: when not truncating set1, string2 must be non-empty");
        return Ok(1);
    }
    if options.has('t') {
        from.truncate(to.len());
    }
    let complement = options.has('c') || options.has('C');
    let place = |c: char| {
        // The last of those that are given twice counts.
        let at = from.iter().rposition(|f| *f == c);
        if complement { at.is_none().then_some(usize::MAX) } else { at }
    };
    let squeezed =
        |c: char| squeezes && if options.operands.len() == 2 { to.contains(&c) } else { place(c).is_some() };
    let mut out = String::new();
    let mut last = None;
    for c in call.stdin.rest().chars() {
        let mapped = match place(c) {
            Some(_) if deletes => continue,
            Some(at) if translates => to.get(at).or(to.last()).copied().unwrap_or(c),
            _ => c,
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

/// The characters of a set: classes, ranges, repeats, and what backslashes stand for.
fn set(text: &str) -> Result<Vec<char>, String> {
    let class = |name: &str| -> Option<Vec<char>> {
        let wanted: fn(&char) -> bool = match name {
            "upper" => char::is_ascii_uppercase,
            "lower" => char::is_ascii_lowercase,
            "digit" => char::is_ascii_digit,
            "alpha" => char::is_ascii_alphabetic,
            "alnum" => char::is_ascii_alphanumeric,
            "space" => |c| c.is_ascii_whitespace() || *c == '\u{b}',
            "blank" => |c| matches!(c, ' ' | '\t'),
            "punct" => char::is_ascii_punctuation,
            "cntrl" => char::is_ascii_control,
            "graph" => char::is_ascii_graphic,
            "print" => |c| c.is_ascii_graphic() || *c == ' ',
            "xdigit" => char::is_ascii_hexdigit,
            _ => return None,
        };
        Some((0_u8..128).map(char::from).filter(wanted).collect())
    };
    // Characters with whether a backslash stood before them: those are no marks.
    let mut chars: Vec<(char, bool)> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c != '\\' {
            chars.push((c, false));
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let digits = rest[1..].chars().take(3).take_while(|c| c.is_digit(8)).count();
        let next = rest[1..].chars().next().map_or(0, char::len_utf8);
        let (piece, after) = rest.split_at(1 + digits.max(next));
        chars.extend(escaped(piece, Style::Set).0.chars().map(|c| (c, true)));
        rest = after;
    }
    let is = |at: usize, c: char| chars.get(at) == Some(&(c, false));
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if is(i, '[')
            && is(i + 1, ':')
            && let Some(end) = (i + 2..chars.len()).find(|at| is(*at, ':') && is(*at + 1, ']'))
        {
            let name: String = chars[i + 2..end].iter().map(|(c, _)| *c).collect();
            out.extend(class(&name).ok_or_else(|| format!("invalid character class ‘{name}’"))?);
            i = end + 2;
            continue;
        }
        if is(i, '[')
            && is(i + 2, '*')
            && let Some(end) = (i + 3..chars.len()).find(|at| is(*at, ']'))
        {
            let count: String = chars[i + 3..end].iter().map(|(c, _)| *c).collect();
            let count = if count.is_empty() { 256 } else { count.parse().unwrap_or(1_usize).min(100_000) };
            out.extend(std::iter::repeat_n(chars[i + 1].0, count));
            i = end + 1;
            continue;
        }
        let low = chars[i].0;
        match chars.get(i + 2) {
            Some(&(high, _)) if is(i + 1, '-') => {
                if low > high {
                    return Err(format!(
                        "range-endpoints of '{low}-{high}' are in reverse collating sequence order"
                    ));
                }
                out.extend(low..=high);
                i += 3;
            }
            _ => {
                out.push(low);
                i += 1;
            }
        }
    }
    Ok(out)
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
