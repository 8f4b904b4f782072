//! `sort`, in the C locale.

use std::cmp::Ordering;

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

/// One `-k`, or the whole line.
struct Key {
    from: usize,
    to: usize,
    flags: String,
}

/// `sort [-n] [-h] [-r] [-u] [-f] [-V] [-t C] [-k POS[,POS]] [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long =
        [("numeric-sort", 'n'), ("reverse", 'r'), ("unique", 'u'), ("key", 'k'), ("field-separator", 't')];
    let Some(options) = Options::parse(call, "nhrufbVsgdi", "ktoS", &long) else { return Ok(2) };
    let (texts, all) = inputs(call, &options.operands);
    if !all {
        return Ok(2);
    }
    let global: String = "nhrfbVg".chars().filter(|c| options.has(*c)).collect();
    let mut keys: Vec<Key> = options.values('k').iter().map(|k| key(k, &global)).collect();
    if keys.is_empty() {
        keys.push(Key { from: 1, to: usize::MAX, flags: global.clone() });
    }
    let separator = options.value('t').and_then(|t| t.chars().next());
    let whole: Vec<&str> = texts.iter().flat_map(|(_, text)| lines(text)).collect();
    let by_keys = |a: &&str, b: &&str| {
        keys.iter().map(|key| compare(a, b, key, separator)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    let mut sorted = whole;
    sorted.sort_by(|a, b| {
        let last = if options.has('s') || options.has('u') { Ordering::Equal } else { a.cmp(b) };
        by_keys(a, b).then(if options.has('r') { last.reverse() } else { last })
    });
    if options.has('u') {
        sorted.dedup_by(|a, b| by_keys(a, b).is_eq());
    }
    let mut text = sorted.join("\n");
    if !sorted.is_empty() {
        text.push('\n');
    }
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

fn key(text: &str, global: &str) -> Key {
    let (from, to) = text.split_once(',').map_or((text, None), |(f, t)| (f, Some(t)));
    let number =
        |t: &str| t.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(1);
    let own: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    Key {
        from: number(from),
        to: to.map_or(usize::MAX, number),
        flags: if own.is_empty() { global.to_owned() } else { own },
    }
}

fn compare(a: &str, b: &str, key: &Key, separator: Option<char>) -> Ordering {
    let (a, b) = (field(a, key, separator), field(b, key, separator));
    let has = |c| key.flags.contains(c);
    let order = if has('n') || has('g') {
        number(&a).total_cmp(&number(&b))
    } else if has('h') {
        human(&a).total_cmp(&human(&b))
    } else if has('V') {
        version(&a).cmp(&version(&b))
    } else if has('f') {
        a.to_uppercase().cmp(&b.to_uppercase())
    } else {
        a.cmp(&b)
    };
    if has('r') { order.reverse() } else { order }
}

fn field(line: &str, key: &Key, separator: Option<char>) -> String {
    if key.from == 1 && key.to == usize::MAX {
        return line.to_owned();
    }
    let count = key.to.saturating_sub(key.from.saturating_sub(1));
    let skip = key.from.saturating_sub(1);
    match separator {
        Some(c) => line.split(c).skip(skip).take(count).collect::<Vec<_>>().join(&c.to_string()),
        None => {
            let mut fields: Vec<String> = Vec::new();
            let mut in_blank = true;
            for c in line.chars() {
                let blank = c == ' ' || c == '\t';
                if fields.is_empty() || (blank && !in_blank) {
                    fields.push(String::new());
                }
                if let Some(last) = fields.last_mut() {
                    last.push(c);
                }
                in_blank = blank;
            }
            let text: String = fields.into_iter().skip(skip).take(count).collect();
            if key.flags.contains('b') { text.trim_start().to_owned() } else { text }
        }
    }
}

fn number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && *c == '-')))
        .map_or(text.len(), |(i, _)| i);
    text[..end].parse().unwrap_or(0.0)
}

fn human(text: &str) -> f64 {
    let unit = text.trim().chars().find(char::is_ascii_alphabetic);
    let power = unit.and_then(|u| "KMGTPE".find(u.to_ascii_uppercase())).map_or(0, |at| at + 1);
    number(text) * 1024_f64.powi(i32::try_from(power).unwrap_or(0))
}

/// Runs of digits compare as numbers.
fn version(text: &str) -> Vec<(u64, String)> {
    let mut parts = vec![(0_u64, String::new())];
    for c in text.chars() {
        if let Some(last) = parts.last_mut() {
            match (c.to_digit(10), last.1.is_empty()) {
                (Some(digit), true) => last.0 = last.0.saturating_mul(10).saturating_add(u64::from(digit)),
                (Some(digit), false) => parts.push((u64::from(digit), String::new())),
                (None, _) => last.1.push(c),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn keys_and_numbers_order_lines() {
        for (line, wanted) in [
            ("printf 'b\\na\\n' | sort", "a\nb\n"),
            ("printf '10\\n9\\n' | sort -n", "9\n10\n"),
            ("printf 'x 2\\ny 1\\n' | sort -k2 -n", "y 1\nx 2\n"),
            ("printf 'a\\nb\\na\\n' | sort -ru", "b\na\n"),
            ("printf 'a:3\\nb:1\\n' | sort -t: -k2,2n", "b:1\na:3\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }
}
