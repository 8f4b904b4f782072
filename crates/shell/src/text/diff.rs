//! `diff`.

use crate::{
    eval::Flow,
    kubectl::diff::{Side, script, unified},
    text::{Options, inputs, lines},
    tool::Call,
};

/// `diff [-u] [-q] FILE FILE`: status 1 where they differ.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("unified", 'u'), ("brief", 'q'), ("color", 'c')];
    let Some(options) = Options::parse(call, "uqcrN", "U", &long) else { return Ok(2) };
    let [first, second] = options.operands.as_slice() else {
        let last = options.operands.last().cloned().unwrap_or_else(|| "diff".to_owned());
        let what = if options.operands.len() > 2 { "extra operand" } else { "missing operand after" };
        call.out.err(&format!("diff: {what} '{last}'\ndiff: Try 'diff --help' for more information."));
        return Ok(2);
    };
    let (texts, all) = inputs(call, &options.operands);
    let [(_, before), (_, after)] = texts.as_slice() else { return Ok(2) };
    if !all {
        return Ok(2);
    }
    if before == after {
        return Ok(0);
    }
    if options.has('q') {
        call.out.line(&format!("Files {first} and {second} differ"));
    } else if options.has('u') || options.has('U') {
        let world = &call.shell.world;
        let now = world.stamp(world.now()).0.strftime("%Y-%m-%d %H:%M:%S.000000000 +0000").to_string();
        call.out.out(&format!("--- {first}\t{now}\n+++ {second}\t{now}\n{}", unified(before, after)));
    } else {
        call.out.out(&normal(before, after));
    }
    Ok(1)
}

/// Changes as `2c2`, `3d2` and `1a2`.
fn normal(before: &str, after: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (lines(before).collect(), lines(after).collect());
    let script = script(&a, &b);
    let (mut out, mut at, mut i, mut j) = (String::new(), 0, 0, 0);
    while let Some((side, _)) = script.get(at) {
        if *side == Side::Both {
            (at, i, j) = (at + 1, i + 1, j + 1);
            continue;
        }
        let changed = script[at..].iter().take_while(|(side, _)| *side != Side::Both);
        let changed: Vec<&(Side, &str)> = changed.collect();
        let of =
            |wanted: Side| changed.iter().filter(move |(side, _)| *side == wanted).map(|(_, line)| *line);
        let (gone, come) = (of(Side::Before).count(), of(Side::After).count());
        let range = |from: usize, count: usize| match count {
            0 => from.to_string(),
            1 => (from + 1).to_string(),
            _ => format!("{},{}", from + 1, from + count),
        };
        let letter = match (gone, come) {
            (0, _) => 'a',
            (_, 0) => 'd',
            _ => 'c',
        };
        out.push_str(&format!("{}{letter}{}\n", range(i, gone), range(j, come)));
        of(Side::Before).for_each(|line| out.push_str(&format!("< {line}\n")));
        if letter == 'c' {
            out.push_str("---\n");
        }
        of(Side::After).for_each(|line| out.push_str(&format!("> {line}\n")));
        (at, i, j) = (at + changed.len(), i + gone, j + come);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    #[test]
    fn changes_are_told_as_diff_tells_them() {
        let (out, _, status) = sh("diff <(printf 'a\\nb\\nc\\nd\\n') <(printf 'a\\nx\\nc\\ne\\nf\\nd\\n')");
        assert_eq!((out.as_str(), status), ("2c2\n< b\n---\n> x\n3a4,5\n> e\n> f\n", 1));
        assert_eq!(sh("diff <(echo a) <(echo a)").2, 0);
        assert_eq!(
            sh("diff a").1,
            "diff: missing operand after 'a'\ndiff: Try 'diff --help' for more information.\n"
        );
    }
}
