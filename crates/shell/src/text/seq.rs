//! `seq`.

use crate::{eval::Flow, tool::Call};

/// Most numbers one call prints.
const MOST: usize = 1_000_000;

/// `seq [-s SEPARATOR] [-w] [FIRST [STEP]] LAST`, whole numbers.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (mut separator, mut equal, mut values) = ("\n".to_owned(), false, Vec::new());
    let mut args = call.args.iter();
    let help = "Try 'seq --help' for more information.";
    while let Some(arg) = args.next() {
        if let Ok(number) = arg.parse::<i64>() {
            values.push(number);
        } else if arg == "-w" {
            equal = true;
        } else if arg == "-s" {
            separator = args.next().cloned().unwrap_or_default();
        } else if let Some(attached) = arg.strip_prefix("-s") {
            separator = attached.to_owned();
        } else {
            call.out.err(&format!("seq: invalid floating point argument: ‘{arg}’\n{help}"));
            return Ok(1);
        }
    }
    let (first, step, last) = match values.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] => (*first, *step, *last),
        [] => {
            call.out.err(&format!("seq: missing operand\n{help}"));
            return Ok(1);
        }
        [_, _, _, extra, ..] => {
            call.out.err(&format!("seq: extra operand ‘{extra}’\n{help}"));
            return Ok(1);
        }
    };
    if step == 0 {
        call.out.err(&format!("seq: invalid Zero increment value: ‘0’\n{help}"));
        return Ok(1);
    }
    let numbers: Vec<String> = std::iter::successors(Some(first), |n| n.checked_add(step))
        .take_while(|n| if step > 0 { *n <= last } else { *n >= last })
        .take(MOST + 1)
        .map(|n| n.to_string())
        .collect();
    if numbers.len() > MOST {
        return Err(Flow::Stopped(format!("{MOST} numbers")));
    }
    if !numbers.is_empty() {
        let width = if equal { numbers.iter().map(String::len).max().unwrap_or(0) } else { 0 };
        let padded: Vec<String> = numbers.iter().map(|n| format!("{n:0>width$}")).collect();
        call.out.line(&padded.join(&separator));
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn numbers_run_from_first_to_last() {
        assert_eq!(stdout("seq 2 4"), "2\n3\n4\n");
        assert_eq!(stdout("seq -s, 3 -1 1"), "3,2,1\n");
    }
}
