//! `paste`, `comm` and `column -t`: lines side by side. Source: coreutils, util-linux.

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

/// `paste [-s] [-d LIST] FILE…`; `-` takes lines of standard input by turns.
pub fn paste(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("serial", 's'), ("delimiters", 'd')];
    let Some(options) = Options::parse(call, "s", "d", &long) else { return Ok(1) };
    let marks: Vec<char> = crate::escape::ansi_c(options.value('d').unwrap_or("\t")).chars().collect();
    let mark = |i: usize| marks.get(i % marks.len().max(1)).map(char::to_string).unwrap_or_default();
    let dashes = options.operands.iter().filter(|it| *it == "-").count();
    let mut named: Vec<String> = options.operands.iter().filter(|it| *it != "-").cloned().collect();
    if dashes > 0 || options.operands.is_empty() {
        named.push("-".to_owned());
    }
    let (texts, all) = inputs(call, &named);
    let find = |name: &str| texts.iter().find(|(it, _)| it == name || (name == "-" && it.is_empty()));
    let stdin: Vec<&str> = texts
        .iter()
        .find(|(name, _)| !options.operands.contains(name) || name == "-")
        .map(|(_, text)| lines(text).collect())
        .unwrap_or_default();
    let names = if options.operands.is_empty() { vec!["-".to_owned()] } else { options.operands.clone() };
    let mut turn = 0;
    let columns: Vec<Vec<&str>> = names
        .iter()
        .map(|name| {
            if name == "-" {
                turn += 1;
                stdin.iter().skip(turn - 1).step_by(dashes.max(1)).copied().collect()
            } else {
                find(name).map(|(_, text)| lines(text).collect()).unwrap_or_default()
            }
        })
        .collect();
    let joined = |words: &[&str]| {
        let mut out = String::new();
        for (i, word) in words.iter().enumerate() {
            if i > 0 {
                out.push_str(&mark(i - 1));
            }
            out.push_str(word);
        }
        out
    };
    if options.has('s') {
        columns.iter().for_each(|column| call.out.line(&joined(column)));
    } else {
        for row in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
            let words: Vec<&str> =
                columns.iter().map(|column| column.get(row).copied().unwrap_or_default()).collect();
            call.out.line(&joined(&words));
        }
    }
    Ok(i32::from(!all))
}

/// `comm [-123] FILE FILE`: lines of two sorted files.
pub fn comm(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "123", "", &[]) else { return Ok(1) };
    let [_, _] = options.operands.as_slice() else {
        call.out.err("comm: missing operand\nTry 'comm --help' for more information.");
        return Ok(1);
    };
    let (texts, all) = inputs(call, &options.operands);
    let [(_, left), (_, right)] = texts.as_slice() else { return Ok(1) };
    let mut left = lines(left).peekable();
    let mut right = lines(right).peekable();
    let indent = |column: char| {
        let before = ['1', '2', '3'].into_iter().take_while(|it| *it != column);
        "\t".repeat(before.filter(|it| !options.has(*it)).count())
    };
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return Ok(i32::from(!all)),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(l), Some(r)) => l.cmp(r),
        };
        let (column, line) = match order {
            std::cmp::Ordering::Less => ('1', left.next()),
            std::cmp::Ordering::Greater => ('2', right.next()),
            std::cmp::Ordering::Equal => {
                right.next();
                ('3', left.next())
            }
        };
        if !options.has(column) {
            call.out.line(&format!("{}{}", indent(column), line.unwrap_or_default()));
        }
    }
}

/// `column -t [-s C]`.
///
/// MODEL: without `-t` lines stay as they are.
pub fn column(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "t", "so", &[("table", 't'), ("separator", 's')]) else {
        return Ok(1);
    };
    let (texts, all) = inputs(call, &options.operands);
    let rows: Vec<Vec<String>> = texts
        .iter()
        .flat_map(|(_, text)| lines(text))
        .filter(|line| !line.trim().is_empty())
        .map(|line| match (options.has('t'), options.value('s')) {
            (false, _) => vec![line.to_owned()],
            (true, None) => line.split_whitespace().map(str::to_owned).collect(),
            (true, Some(marks)) => line.split(|c| marks.contains(c)).map(str::to_owned).collect(),
        })
        .collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        for (i, cell) in row.iter().enumerate() {
            widths.resize(widths.len().max(i + 1), 0);
            widths[i] = widths[i].max(cell.chars().count());
        }
    }
    let gap = options.value('o').unwrap_or("  ").to_owned();
    for row in &rows {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            if i > 0 {
                line.push_str(&gap);
            }
            let width = if i + 1 == row.len() { 0 } else { widths[i] };
            line.push_str(&format!("{cell:<width$}"));
        }
        call.out.line(&line);
    }
    Ok(i32::from(!all))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn lines_stand_side_by_side() {
        for (line, wanted) in [
            ("seq 3 | paste -sd,", "1,2,3\n"),
            ("seq 4 | paste - -", "1\t2\n3\t4\n"),
            ("seq 2 > a; printf 'x\\ny\\n' > b; paste -d: a b", "1:x\n2:y\n"),
            ("printf 'a\\nb\\n' > x; printf 'b\\nc\\n' > y; comm x y", "a\n\t\tb\n\tc\n"),
            ("printf 'a\\nb\\n' > x; printf 'b\\nc\\n' > y; comm -12 x y", "b\n"),
            ("printf 'a b\\nccc d\\n' | column -t", "a    b\nccc  d\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }
}
