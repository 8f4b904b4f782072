//! `sort`, in the C.UTF-8 locale.
//!
//! Source: GNU coreutils 9.1 `sort.c`.

use std::{cmp::Ordering, ops::Range};

use crate::{
    eval::Flow,
    text::{Options, inputs},
    tool::Call,
};

/// One `-k`, or the whole line.
#[derive(Clone, Default)]
struct Key {
    /// Field and character it begins with, from 0.
    from: (usize, usize),
    /// Field it ends with, from 1, and how many characters of it: none for all.
    to: Option<(usize, usize)>,
    /// Blanks before the two places are skipped.
    skips: (bool, bool),
    flags: String,
}

const LONG: &[(&str, char)] = &[
    ("numeric-sort", 'n'),
    ("reverse", 'r'),
    ("unique", 'u'),
    ("key", 'k'),
    ("field-separator", 't'),
    ("check", 'c'),
    ("human-numeric-sort", 'h'),
    ("version-sort", 'V'),
    ("general-numeric-sort", 'g'),
    ("month-sort", 'M'),
    ("random-sort", 'R'),
    ("ignore-case", 'f'),
    ("dictionary-order", 'd'),
    ("ignore-leading-blanks", 'b'),
    ("ignore-nonprinting", 'i'),
    ("stable", 's'),
    ("merge", 'm'),
    ("output", 'o'),
    ("zero-terminated", 'z'),
    ("sort", 'W'),
];

/// `sort [-bdfgiMhnRrVcCmosuz] [-t C] [-k POS[,POS]] [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    for arg in &mut call.args {
        match arg.as_str() {
            "--check=quiet" | "--check=silent" => "-C".clone_into(arg),
            "--check=diagnose-first" => "-c".clone_into(arg),
            _ => {}
        }
    }
    let Some(options) = Options::parse(call, "nhrufbVsgdiMRmcCz", "ktoSTW", LONG) else { return Ok(2) };
    let (keys, separator) = match keys(&options) {
        Ok(read) => read,
        Err(message) => {
            call.out.err(&format!("sort: {message}"));
            return Ok(2);
        }
    };
    let checks = options.has('c') || options.has('C');
    if checks && options.operands.len() > 1 {
        call.out.err(&format!("sort: extra operand ‘{}’ not allowed with -c", options.operands[1]));
        return Ok(2);
    }
    let (texts, all) = inputs(call, &options.operands);
    if !all {
        return Ok(2);
    }
    let end = if options.has('z') { '\0' } else { '\n' };
    let parts = |text| -> Vec<&str> { cut(text, end) };
    let by_keys = |a: &str, b: &str| {
        keys.iter().map(|key| compare(a, b, key, separator)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    let order = |a: &str, b: &str| {
        let last = if options.has('s') || options.has('u') { Ordering::Equal } else { a.cmp(b) };
        by_keys(a, b).then(if options.has('r') { last.reverse() } else { last })
    };
    if checks {
        let Some((name, text)) = texts.first() else { return Ok(0) };
        let lines = parts(text);
        let wrong = lines.windows(2).position(|pair| match order(pair[0], pair[1]) {
            Ordering::Greater => true,
            Ordering::Equal => options.has('u'),
            Ordering::Less => false,
        });
        if let (Some(at), true) = (wrong, options.has('c')) {
            call.out.err(&format!("sort: {name}:{}: disorder: {}", at + 2, lines[at + 1]));
        }
        return Ok(i32::from(wrong.is_some()));
    }
    let mut sorted: Vec<&str> = texts.iter().flat_map(|(_, text)| parts(text)).collect();
    if options.has('m') {
        sorted = merged(texts.iter().map(|(_, text)| parts(text)).collect(), order);
    } else {
        sorted.sort_by(|a, b| order(a, b));
    }
    if options.has('u') {
        sorted.dedup_by(|b, a| by_keys(a, b).is_eq());
    }
    let text: String =
        sorted.iter().flat_map(|line| [*line, if end == '\0' { "\0" } else { "\n" }]).collect();
    match options.value('o') {
        Some(file) => {
            let path = call.shell.machine.path(file);
            if let Err(error) = call.shell.machine.files.write(&path, &text) {
                call.out.err(&format!("sort: open failed: {file}: {error}"));
                return Ok(2);
            }
        }
        None => call.out.out(&text),
    }
    Ok(0)
}

/// Lines of texts that are sorted each: always the least of those that are next.
fn merged(texts: Vec<Vec<&str>>, order: impl Fn(&str, &str) -> Ordering) -> Vec<&str> {
    let mut left: Vec<_> = texts.into_iter().map(|lines| lines.into_iter().peekable()).collect();
    let mut out = Vec::new();
    loop {
        let heads = left.iter_mut().enumerate().filter_map(|(i, lines)| lines.peek().map(|line| (i, *line)));
        let Some((i, line)) = heads.reduce(|a, b| if order(a.1, b.1).is_le() { a } else { b }) else {
            return out;
        };
        out.push(line);
        left[i].next();
    }
}

fn cut(text: &str, end: char) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    text.strip_suffix(end).unwrap_or(text).split(end).collect()
}

/// The keys and the separator of fields.
fn keys(options: &Options) -> Result<(Vec<Key>, Option<char>), String> {
    let mut global: String = "nhrfbVgdiMR".chars().filter(|c| options.has(*c)).collect();
    match options.value('W') {
        None => {}
        Some("numeric") => global.push('n'),
        Some("general-numeric") => global.push('g'),
        Some("human-numeric") => global.push('h'),
        Some("month") => global.push('M'),
        Some("version") => global.push('V'),
        Some("random") => global.push('R'),
        Some(other) => return Err(format!("invalid argument ‘{other}’ for ‘--sort’")),
    }
    let kinds: String = "ghMnRV".chars().filter(|c| global.contains(*c)).collect();
    if kinds.len() > 1 {
        return Err(format!("options '-{kinds}' are incompatible"));
    }
    let mut keys = Vec::new();
    for typed in options.values('k') {
        let mut key = key(typed)?;
        if key.flags.is_empty() && key.skips == (false, false) {
            key.flags.clone_from(&global);
            key.skips = (global.contains('b'), global.contains('b'));
        }
        keys.push(key);
    }
    if keys.is_empty() {
        let skips = global.contains('b');
        keys.push(Key { flags: global, skips: (skips, false), ..Key::default() });
    }
    let separator = match options.value('t') {
        None => None,
        Some("") => return Err("empty tab".to_owned()),
        Some("\\0") => Some('\0'),
        Some(one) if one.chars().count() == 1 => one.chars().next(),
        Some(many) => return Err(format!("multi-character tab ‘{many}’")),
    };
    Ok((keys, separator))
}

/// `F[.C][FLAGS][,F[.C][FLAGS]]`.
fn key(typed: &str) -> Result<Key, String> {
    let count = |text: &str, what: &str| -> Result<(usize, usize), String> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        if end == 0 {
            return Err(format!("{what}: invalid count at start of ‘{text}’"));
        }
        Ok((text[..end].parse().unwrap_or(usize::MAX), end))
    };
    let spec = |why: &str| format!("{why}: invalid field specification ‘{typed}’");
    let mut key = Key::default();
    let mut rest = typed;
    let (field, end) = count(rest, "invalid number at field start")?;
    rest = &rest[end..];
    let mut character = 1;
    if let Some(after) = rest.strip_prefix('.') {
        let (number, end) = count(after, "invalid number after ‘.’")?;
        character = number;
        rest = &after[end..];
        if character == 0 {
            return Err(spec("character offset is zero"));
        }
    }
    if field == 0 {
        return Err(spec("field number is zero"));
    }
    key.from = (field - 1, character - 1);
    let flags = |text: &mut &str, all: &mut String| {
        let end = text.find(|c| !"bdfghiMnRrV".contains(c)).unwrap_or(text.len());
        all.extend(text[..end].chars().filter(|c| *c != 'b'));
        let skips = text[..end].contains('b');
        *text = &text[end..];
        skips
    };
    key.skips.0 = flags(&mut rest, &mut key.flags);
    if let Some(after) = rest.strip_prefix(',') {
        let (field, end) = count(after, "invalid number after ‘,’")?;
        if field == 0 {
            return Err(spec("field number is zero"));
        }
        rest = &after[end..];
        let mut characters = 0;
        if let Some(after) = rest.strip_prefix('.') {
            let (number, end) = count(after, "invalid number after ‘.’")?;
            characters = number;
            rest = &after[end..];
        }
        key.to = Some((field, characters));
        key.skips.1 = flags(&mut rest, &mut key.flags);
    }
    if rest.is_empty() { Ok(key) } else { Err(spec("stray character in field spec")) }
}

/// The places at which the fields of a line begin and end.
fn fields(line: &str, separator: Option<char>) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    match separator {
        Some(mark) => {
            let mut begin = 0;
            for part in line.split(mark) {
                all.push(begin..begin + part.len());
                begin += part.len() + mark.len_utf8();
            }
        }
        None => {
            // Blanks before a field are part of it.
            let (mut begin, mut seen) = (0, false);
            for (at, c) in line.char_indices() {
                let is_blank = c == ' ' || c == '\t';
                if is_blank && seen {
                    all.push(begin..at);
                    (begin, seen) = (at, false);
                }
                seen |= !is_blank;
            }
            all.push(begin..line.len());
        }
    }
    all
}

fn part<'l>(line: &'l str, key: &Key, separator: Option<char>) -> &'l str {
    if key.from == (0, 0) && key.to.is_none() {
        return if key.skips.0 { line.trim_start_matches([' ', '\t']) } else { line };
    }
    let fields = fields(line, separator);
    let blanks = |text: &str, skips: bool| {
        if skips { text.len() - text.trim_start_matches([' ', '\t']).len() } else { 0 }
    };
    let ahead = |begin: usize, end: usize, count: usize| {
        line[begin..end].char_indices().nth(count).map_or(end, |(at, _)| begin + at)
    };
    let from = fields.get(key.from.0).map_or(line.len(), |field| {
        let begin = field.start + blanks(&line[field.start..], key.skips.0);
        ahead(begin, line.len(), key.from.1)
    });
    let to = match key.to {
        None => line.len(),
        Some((field, 0)) => fields.get(field - 1).map_or(line.len(), |field| field.end),
        Some((field, count)) => fields.get(field - 1).map_or(line.len(), |field| {
            let begin = field.start + blanks(&line[field.start..], key.skips.1);
            ahead(begin, line.len(), count)
        }),
    };
    line.get(from..to.max(from)).unwrap_or_default()
}

fn compare(a: &str, b: &str, key: &Key, separator: Option<char>) -> Ordering {
    let (a, b) = (part(a, key, separator), part(b, key, separator));
    let has = |c| key.flags.contains(c);
    let order = if has('n') {
        number(a).total_cmp(&number(b))
    } else if has('g') {
        general(a).partial_cmp(&general(b)).unwrap_or(Ordering::Equal)
    } else if has('h') {
        let (a, b) = (human(a), human(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    } else if has('M') {
        month(a).cmp(&month(b))
    } else if has('V') {
        version(a, b)
    } else if has('R') {
        // MODEL: the order of `-R` is always the same one.
        let place = |text: &str| cluster::draw::draw(0, "sort", text, 0);
        place(a).cmp(&place(b))
    } else if has('f') || has('d') || has('i') {
        let looked_at = |text: &str| -> String {
            let kept = text.chars().filter(|c| !has('d') || c.is_alphanumeric() || matches!(c, ' ' | '\t'));
            if has('f') { kept.flat_map(char::to_uppercase).collect() } else { kept.collect() }
        };
        looked_at(a).cmp(&looked_at(b))
    } else {
        a.cmp(b)
    };
    if has('r') { order.reverse() } else { order }
}

fn number(text: &str) -> f64 {
    let text = text.trim_start_matches([' ', '\t']);
    let begin = usize::from(text.starts_with('-'));
    let mut point = false;
    let end = text[begin..]
        .find(|c: char| !(c.is_ascii_digit() || (c == '.' && !std::mem::replace(&mut point, true))))
        .map_or(text.len(), |at| begin + at);
    text[..end].parse().unwrap_or(0.0)
}

/// The longest number at the front, as `strtod` reads it; what is none comes first.
fn general(text: &str) -> f64 {
    let text = text.trim_start();
    let ends = (1..=text.len()).rev().filter(|end| text.is_char_boundary(*end) && *end < 64);
    ends.map(|end| &text[..end]).find_map(|part| part.parse().ok()).unwrap_or(f64::NEG_INFINITY)
}

/// Sign with unit, then the number.
fn human(text: &str) -> (i32, f64) {
    let value = number(text);
    let digits = text
        .trim_start_matches([' ', '\t', '-'])
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let unit = digits.chars().next().and_then(|c| "KMGTPEZY".find(if c == 'k' { 'K' } else { c }));
    let power = unit.map_or(0, |at| i32::try_from(at).unwrap_or(0) + 1);
    let sign = if value < 0.0 { -1 } else { i32::from(value > 0.0) };
    (sign * (power + 1), value)
}

fn month(text: &str) -> usize {
    let name: String = text.trim_start().chars().take(3).collect::<String>().to_uppercase();
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    MONTHS.iter().position(|it| *it == name).map_or(0, |at| at + 1)
}

/// Runs of digits compare as numbers, `~` stands before all else, letters before other characters.
/// Source: gnulib `filevercmp.c`, after Debian's order of versions.
fn version(a: &str, b: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_digit() => 0,
        Some(c) if c.is_ascii_alphabetic() => i64::from(u32::from(c)),
        Some(c) => i64::from(u32::from(c)) + 0x20_0000,
    };
    let (mut a, mut b) = (a.chars().peekable(), b.chars().peekable());
    loop {
        loop {
            let digits = |c: Option<&char>| c.is_none_or(char::is_ascii_digit);
            if digits(a.peek()) && digits(b.peek()) {
                break;
            }
            let order = weight(a.peek().copied()).cmp(&weight(b.peek().copied()));
            if order.is_ne() {
                return order;
            }
            a.next();
            b.next();
        }
        let run = |it: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(c) = it.next_if(char::is_ascii_digit) {
                digits.push(c);
            }
            digits.trim_start_matches('0').to_owned()
        };
        let (x, y) = (run(&mut a), run(&mut b));
        let order = x.len().cmp(&y.len()).then(x.cmp(&y));
        if order.is_ne() || (a.peek().is_none() && b.peek().is_none()) {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn keys_and_numbers_order_lines() {
        for (line, wanted) in [
            ("printf 'b\\na\\n' | sort", "a\nb\n"),
            ("printf '10\\n9\\n' | sort -n", "9\n10\n"),
            ("printf 'x 2\\ny 1\\n' | sort -k2 -n", "y 1\nx 2\n"),
            ("printf 'a\\nb\\na\\n' | sort -ru", "b\na\n"),
            ("printf 'a:3\\nb:1\\n' | sort -t: -k2,2n", "b:1\na:3\n"),
            ("printf 'x10\\nx2\\n' | sort -k1.2n", "x2\nx10\n"),
            ("printf 'Mar\\nJan\\nfeb\\n' | sort -M", "Jan\nfeb\nMar\n"),
            ("printf '1G\\n2K\\n30\\n' | sort -h", "30\n2K\n1G\n"),
            ("printf 'v1.10\\nv1.9\\nv1.9~rc\\n' | sort -V", "v1.9~rc\nv1.9\nv1.10\n"),
            ("printf '1e3\\n20\\nx\\n' | sort -g", "x\n20\n1e3\n"),
            ("printf 'b\\0a\\0' | sort -z | tr '\\0' ,", "a,b,"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }

    #[test]
    fn disorder_and_wrong_keys_are_said() {
        assert_eq!(
            sh("printf 'b\\na\\n' | sort -c"),
            (String::new(), "sort: -:2: disorder: a\n".to_owned(), 1)
        );
        assert_eq!(sh("sort -C < /dev/null").2, 0);
        assert_eq!(sh("sort -k f").1, "sort: invalid number at field start: invalid count at start of ‘f’\n");
    }
}
