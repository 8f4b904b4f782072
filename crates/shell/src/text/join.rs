//! `join`: lines of two sorted files that share a field. Source: coreutils 9 `join.c`.

use std::cmp::Ordering;

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

/// `join [-t C] [-1 N] [-2 N] [-j N] [-a N] [-v N] FILE FILE`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "i", "t12jav", &[]) else { return Ok(1) };
    let missing = match options.operands.as_slice() {
        [] => Some("join: missing operand".to_owned()),
        [only] => Some(format!("join: missing operand after '{only}'")),
        [_, _] => None,
        [_, _, extra, ..] => Some(format!("join: extra operand '{extra}'")),
    };
    if let Some(missing) = missing {
        call.out.err(&format!("{missing}\nTry 'join --help' for more information."));
        return Ok(1);
    }
    let mut at = [0, 0];
    for (side, letter) in ['1', '2'].into_iter().enumerate() {
        let typed = options.value(letter).or(options.value('j')).unwrap_or("1");
        match typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1)) {
            Some(index) => at[side] = index,
            None => {
                call.out.err(&format!("join: invalid field number: '{typed}'"));
                return Ok(1);
            }
        }
    }
    let mark = options.value('t');
    let split = |line: &str| -> Vec<String> {
        match mark {
            Some(mark) => line.split(mark).map(str::to_owned).collect(),
            None => line.split_whitespace().map(str::to_owned).collect(),
        }
    };
    let (texts, all) = inputs(call, &options.operands);
    let [(_, left), (_, right)] = texts.as_slice() else { return Ok(1) };
    let rows = |text: &str| lines(text).map(split).collect::<Vec<_>>();
    let (left, right) = (rows(left), rows(right));
    let key = |row: &[String], side: usize| row.get(at[side]).cloned().unwrap_or_default();
    let rest = |row: &[String], side: usize| {
        let others = row.iter().enumerate().filter(|(i, _)| *i != at[side]);
        others.map(|(_, word)| word.clone()).collect::<Vec<_>>()
    };
    let alone = |side: &str| options.values('a').contains(&side) || options.values('v').contains(&side);
    let pairs = options.values('v').is_empty();
    let mut out: Vec<Vec<String>> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let single = |row: &[String], side: usize| [vec![key(row, side)], rest(row, side)].concat();
    loop {
        let order = match (left.get(i), right.get(j)) {
            (Some(one), Some(other)) => key(one, 0).cmp(&key(other, 1)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        match order {
            Ordering::Less => {
                out.extend(alone("1").then(|| single(&left[i], 0)));
                i += 1;
            }
            Ordering::Greater => {
                out.extend(alone("2").then(|| single(&right[j], 1)));
                j += 1;
            }
            Ordering::Equal => {
                let own = key(&left[i], 0);
                let ones = left[i..].iter().take_while(|row| key(row, 0) == own).count();
                let others = right[j..].iter().take_while(|row| key(row, 1) == own).count();
                for one in left[i..i + ones].iter().filter(|_| pairs) {
                    for other in &right[j..j + others] {
                        out.push([vec![own.clone()], rest(one, 0), rest(other, 1)].concat());
                    }
                }
                (i, j) = (i + ones, j + others);
            }
        }
    }
    for row in out {
        call.out.line(&row.join(mark.unwrap_or(" ")));
    }
    Ok(i32::from(!all))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn lines_with_the_same_field_are_joined() {
        let made = "printf 'a 1\\nb 2\\nd 4\\n' > x; printf 'a,x\\nb,y\\nc,z\\n' > y; tr , ' ' < y > z; ";
        for (line, wanted) in [
            ("join x z", "a 1 x\nb 2 y\n"),
            ("join -a 1 x z", "a 1 x\nb 2 y\nd 4\n"),
            ("join -v 2 x z", "c z\n"),
            ("join -t, y y", "a,x,x\nb,y,y\nc,z,z\n"),
            ("awk '{print $2,$1}' z | join -1 1 -2 2 x -", "a 1 x\nb 2 y\n"),
        ] {
            assert_eq!(stdout(&format!("{made}{line}")), wanted, "{line}");
        }
    }
}
