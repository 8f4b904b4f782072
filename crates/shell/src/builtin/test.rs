//! Is it so? `test`, `[ … ]` and `[[ … ]]`.

use brush_parser::ast::{BinaryPredicate, ExtendedTestExpr, UnaryPredicate};

use crate::{
    array::Array,
    eval::{Flow, Shell},
    files::Entry,
    machine::Machine,
    output::Output,
    tool::Call,
};

/// `[ … ]`.
pub fn bracket(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.pop().as_deref() != Some("]") {
        call.out.err("bash: [: missing `]'");
        return Ok(2);
    }
    run(call)
}

/// `test`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args: Vec<&str> = call.args.iter().map(String::as_str).collect();
    match either(&args, call.shell.machine) {
        Ok(found) => Ok(i32::from(!found)),
        Err(message) => {
            call.out.err(&format!("bash: {}: {message}", call.name));
            Ok(2)
        }
    }
}

fn either(args: &[&str], machine: &Machine) -> Result<bool, String> {
    if args.len() > 3
        && let Some(at) = args.iter().position(|a| *a == "-o")
    {
        return Ok(either(&args[..at], machine)? || either(&args[at + 1..], machine)?);
    }
    if args.len() > 3
        && let Some(at) = args.iter().position(|a| *a == "-a")
    {
        return Ok(either(&args[..at], machine)? && either(&args[at + 1..], machine)?);
    }
    match args {
        [] => Ok(false),
        [one] => Ok(!one.is_empty()),
        ["!", rest @ ..] => Ok(!either(rest, machine)?),
        [op, operand] => unary(op, operand, machine).ok_or_else(|| format!("{op}: unary operator expected")),
        [left, op, right] => binary(left, op, right),
        _ => Err("too many arguments".to_owned()),
    }
}

fn unary(op: &str, operand: &str, machine: &Machine) -> Option<bool> {
    let entry = || machine.files.get(&machine.path(operand));
    Some(match op {
        "-z" => operand.is_empty(),
        "-n" => !operand.is_empty(),
        "-e" | "-r" | "-w" => entry().is_some(),
        "-f" => matches!(entry(), Some(Entry::File(_))),
        "-d" | "-x" => matches!(entry(), Some(Entry::Directory)),
        "-s" => matches!(entry(), Some(Entry::File(text)) if !text.is_empty()),
        "-h" | "-L" | "-p" | "-b" | "-c" | "-S" | "-t" => false,
        "-v" => machine.variable(operand).is_some(),
        _ => return None,
    })
}

fn binary(left: &str, op: &str, right: &str) -> Result<bool, String> {
    let number =
        |text: &str| text.trim().parse::<i64>().map_err(|_| format!("{text}: integer expression expected"));
    Ok(match op {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-eq" => number(left)? == number(right)?,
        "-ne" => number(left)? != number(right)?,
        "-lt" => number(left)? < number(right)?,
        "-le" => number(left)? <= number(right)?,
        "-gt" => number(left)? > number(right)?,
        "-ge" => number(left)? >= number(right)?,
        _ => return Err(format!("{op}: binary operator expected")),
    })
}

/// `[[ … ]]`.
pub(crate) fn extended(
    shell: &mut Shell<'_>,
    expr: &ExtendedTestExpr,
    out: &mut Output,
) -> Result<bool, Flow> {
    Ok(match expr {
        ExtendedTestExpr::And(l, r) => extended(shell, l, out)? && extended(shell, r, out)?,
        ExtendedTestExpr::Or(l, r) => extended(shell, l, out)? || extended(shell, r, out)?,
        ExtendedTestExpr::Not(inner) => !extended(shell, inner, out)?,
        ExtendedTestExpr::Parenthesized(inner) => extended(shell, inner, out)?,
        ExtendedTestExpr::UnaryTest(predicate, word) => {
            let operand = shell.text(&word.value, out)?;
            let op = match predicate {
                UnaryPredicate::FileExists => "-e",
                UnaryPredicate::FileExistsAndIsDir => "-d",
                UnaryPredicate::FileExistsAndIsRegularFile => "-f",
                UnaryPredicate::FileExistsAndIsNotZeroLength => "-s",
                UnaryPredicate::ShellVariableIsSetAndAssigned => "-v",
                UnaryPredicate::StringHasZeroLength => "-z",
                UnaryPredicate::StringHasNonZeroLength => "-n",
                UnaryPredicate::FileExistsAndIsReadable | UnaryPredicate::FileExistsAndIsWritable => "-r",
                _ => "-L",
            };
            unary(op, &operand, shell.machine).unwrap_or(false)
        }
        ExtendedTestExpr::BinaryTest(predicate, left, right) => {
            let left = shell.text(&left.value, out)?;
            if let BinaryPredicate::StringExactlyMatchesPattern
            | BinaryPredicate::StringDoesNotExactlyMatchPattern = predicate
            {
                let pattern = shell.pattern(&right.value, out)?;
                let wanted = matches!(predicate, BinaryPredicate::StringExactlyMatchesPattern);
                return Ok(crate::glob::matches(&pattern, &left) == wanted);
            }
            if matches!(predicate, BinaryPredicate::StringMatchesRegex) {
                return regex(shell, &left, &right.value, out);
            }
            let right = shell.text(&right.value, out)?;
            let l = crate::arithmetic::evaluate(&left, shell.machine).unwrap_or(0);
            let r = crate::arithmetic::evaluate(&right, shell.machine).unwrap_or(0);
            match predicate {
                BinaryPredicate::StringExactlyMatchesString => left == right,
                BinaryPredicate::StringDoesNotExactlyMatchString => left != right,
                BinaryPredicate::StringContainsSubstring => left.contains(&right),
                BinaryPredicate::LeftSortsBeforeRight => left < right,
                BinaryPredicate::LeftSortsAfterRight => left > right,
                BinaryPredicate::ArithmeticEqualTo => l == r,
                BinaryPredicate::ArithmeticNotEqualTo => l != r,
                BinaryPredicate::ArithmeticLessThan => l < r,
                BinaryPredicate::ArithmeticLessThanOrEqualTo => l <= r,
                BinaryPredicate::ArithmeticGreaterThan => l > r,
                BinaryPredicate::ArithmeticGreaterThanOrEqualTo => l >= r,
                _ => false,
            }
        }
    })
}

/// `[[ left =~ right ]]`: what the brackets of the expression match goes to `BASH_REMATCH`.
fn regex(shell: &mut Shell<'_>, left: &str, right: &str, out: &mut Output) -> Result<bool, Flow> {
    // Backslashes are the expression's own where nothing is quoted or replaced.
    let is_raw = !right.contains(['\'', '"', '`']) && !right.trim_end_matches(['$', ')']).contains('$');
    let pattern = if is_raw { right.to_owned() } else { shell.text(right, out)? };
    let Ok(regex) = crate::text::regex(&crate::text::extended(&pattern)) else { return Ok(false) };
    let mut found = Array::default();
    let captures = regex.captures(left);
    for group in captures.iter().flat_map(|captures| captures.iter()) {
        found.push(group.map_or("", |group| group.as_str()));
    }
    shell.machine.set_array("BASH_REMATCH", found);
    Ok(captures.is_some())
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn conditions_are_bash_s() {
        assert_eq!(stdout("if [ 1 -lt 2 ]; then echo y; else echo n; fi"), "y\n");
        assert_eq!(stdout("[[ abc == a* ]] && echo y"), "y\n");
        assert_eq!(
            stdout("[[ web-12 =~ ^([a-z]+)-([0-9]+)$ ]] && echo ${BASH_REMATCH[2]} ${BASH_REMATCH[1]}"),
            "12 web\n"
        );
        assert_eq!(stdout("[[ a.b =~ a\\.b ]] && ! [[ axb =~ a\\.b ]] && echo y"), "y\n");
        assert_eq!(
            sh("[ a -eq 1 ]"),
            (String::new(), "bash: [: a: integer expression expected\n".to_owned(), 2)
        );
    }
}
