//! What is `$(( … ))`?
//!
//! 64-bit wrapping integers as in bash; unset variables are 0; a variable's text is itself an expression.

use brush_parser::{
    arithmetic,
    ast::{ArithmeticExpr, ArithmeticTarget, BinaryOperator, UnaryAssignmentOperator, UnaryOperator},
};

use crate::machine::Machine;

/// Deepest chain of variables whose text is again an expression.
const DEEPEST: u32 = 32;

/// The value of an expression; it may set variables.
/// # Errors
/// bash's words, without `bash: `.
pub fn evaluate(text: &str, machine: &mut Machine) -> Result<i64, String> {
    nested(text, machine, 0)
}

fn nested(text: &str, machine: &mut Machine, depth: u32) -> Result<i64, String> {
    if depth > DEEPEST {
        return Err(format!("{text}: expression recursion level exceeded (error token is \"{text}\")"));
    }
    let shown = text.trim_start();
    if shown.is_empty() {
        return Ok(0);
    }
    // A number that its base does not have is read as one of base 10 by the parser.
    if let Some(token) = oversized(shown) {
        return Err(format!("{shown}: value too great for base (error token is \"{token}\")"));
    }
    let expr = arithmetic::parse(text.trim()).map_err(|_| wrong(shown))?;
    value(&expr, machine, depth, shown)
}

/// The words of an expression with their places: numbers and names whole, operators by their longest.
fn tokens(text: &str) -> Vec<(usize, &str)> {
    const OPS: [&str; 20] = [
        "<<=", ">>=", "**", "++", "--", "<=", ">=", "==", "!=", "&&", "||", "<<", ">>", "+=", "-=", "*=",
        "/=", "%=", "&=", "|=",
    ];
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let is_word = |c: char| c.is_alphanumeric() || "_#@$".contains(c);
        let end = if is_word(c) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            OPS.iter().find(|op| rest.starts_with(**op)).map_or(c.len_utf8(), |op| op.len())
        };
        out.push((at, &rest[..end]));
        at += end;
    }
    out
}

/// `08`, `3#5`: a number with a digit that its base does not have.
fn oversized(text: &str) -> Option<&str> {
    tokens(text).into_iter().map(|(_, token)| token).find(|token| {
        if !token.starts_with(|c: char| c.is_ascii_digit()) {
            return false;
        }
        let (base, digits) = match token.split_once('#') {
            Some((base, digits)) => (base.parse().unwrap_or(10), digits),
            None if token.starts_with("0x") || token.starts_with("0X") => return false,
            None if token.len() > 1 && token.starts_with('0') => (8, *token),
            None => (10, *token),
        };
        (2..=36).contains(&base) && digits.chars().any(|c| c.is_alphanumeric() && !c.is_digit(base))
    })
}

/// Where and why an expression cannot be read.
/// Source: bash 5.2 `expr.c`.
fn wrong(text: &str) -> String {
    let said = |what: &str, at: usize| format!("{text}: {what} (error token is \"{}\")", &text[at..]);
    let mut wants_value = true;
    let mut last = 0;
    for (at, token) in tokens(text) {
        let is_value = token.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        match (wants_value, is_value, token) {
            (_, _, "." | "\"" | "'" | ";" | "{" | "}" | "\\" | "@") => {
                return said("syntax error: invalid arithmetic operator", at);
            }
            (false, true, _) => return said("syntax error in expression", at),
            (true, true, _) | (false, false, ")" | "]" | "++" | "--") => wants_value = false,
            (true, false, "+" | "-" | "!" | "~" | "(" | "++" | "--") | (false, false, _) => {
                wants_value = true;
            }
            (true, false, _) => {
                return said("syntax error: operand expected", if last > 0 { last } else { at });
            }
        }
        last = at;
    }
    if wants_value {
        said("syntax error: operand expected", last)
    } else {
        said("syntax error in expression", last)
    }
}

fn value(expr: &ArithmeticExpr, machine: &mut Machine, depth: u32, text: &str) -> Result<i64, String> {
    Ok(match expr {
        ArithmeticExpr::Literal(number) => *number,
        ArithmeticExpr::Reference(target) => read(target, machine, depth)?,
        ArithmeticExpr::UnaryOp(op, inner) => {
            let it = value(inner, machine, depth, text)?;
            match op {
                UnaryOperator::UnaryPlus => it,
                UnaryOperator::UnaryMinus => it.wrapping_neg(),
                UnaryOperator::BitwiseNot => !it,
                UnaryOperator::LogicalNot => i64::from(it == 0),
            }
        }
        ArithmeticExpr::BinaryOp(op, left, right) => {
            let l = value(left, machine, depth, text)?;
            match op {
                BinaryOperator::LogicalAnd if l == 0 => return Ok(0),
                BinaryOperator::LogicalOr if l != 0 => return Ok(1),
                _ => {}
            }
            let r = value(right, machine, depth, text)?;
            binary(op, l, r, text)?
        }
        ArithmeticExpr::Conditional(test, yes, no) => {
            let branch = if value(test, machine, depth, text)? != 0 { yes } else { no };
            value(branch, machine, depth, text)?
        }
        ArithmeticExpr::Assignment(target, inner) => {
            let it = value(inner, machine, depth, text)?;
            write(target, it, machine, depth)?;
            it
        }
        ArithmeticExpr::BinaryAssignment(op, target, inner) => {
            let l = read(target, machine, depth)?;
            let r = value(inner, machine, depth, text)?;
            let it = binary(op, l, r, text)?;
            write(target, it, machine, depth)?;
            it
        }
        ArithmeticExpr::UnaryAssignment(op, target) => {
            let before = read(target, machine, depth)?;
            let (after, result) = match op {
                UnaryAssignmentOperator::PrefixIncrement => (before.wrapping_add(1), before.wrapping_add(1)),
                UnaryAssignmentOperator::PrefixDecrement => (before.wrapping_sub(1), before.wrapping_sub(1)),
                UnaryAssignmentOperator::PostfixIncrement => (before.wrapping_add(1), before),
                UnaryAssignmentOperator::PostfixDecrement => (before.wrapping_sub(1), before),
            };
            write(target, after, machine, depth)?;
            result
        }
    })
}

/// The key of an element: a number, or a word where the array has words.
fn key(name: &str, index: &ArithmeticExpr, machine: &mut Machine, depth: u32) -> Result<String, String> {
    let by_name = machine.variables.get(name).and_then(|v| v.array.as_ref()).is_some_and(|a| a.by_name);
    match index {
        ArithmeticExpr::Reference(ArithmeticTarget::Variable(word)) if by_name => Ok(word.clone()),
        _ => value(index, machine, depth, name).map(|number| number.to_string()),
    }
}

fn read(target: &ArithmeticTarget, machine: &mut Machine, depth: u32) -> Result<i64, String> {
    let text = match target {
        ArithmeticTarget::Variable(name) => machine.variable(name).map(str::to_owned),
        ArithmeticTarget::ArrayElement(name, index) => {
            let key = key(name, index, machine, depth)?;
            machine.array(name).and_then(|array| array.get(&key).map(str::to_owned))
        }
    };
    match text {
        None => Ok(0),
        Some(text) if text.trim().is_empty() => Ok(0),
        Some(text) => match text.trim().parse() {
            Ok(number) => Ok(number),
            Err(_) => nested(&text, machine, depth + 1),
        },
    }
}

fn write(target: &ArithmeticTarget, value: i64, machine: &mut Machine, depth: u32) -> Result<(), String> {
    match target {
        ArithmeticTarget::Variable(name) => machine.set(name, &value.to_string()),
        ArithmeticTarget::ArrayElement(name, index) => {
            let key = key(name, index, machine, depth)?;
            let mut array = machine.array(name).unwrap_or_default();
            array.put(&key, &value.to_string());
            machine.set_array(name, array);
        }
    }
    Ok(())
}

fn binary(op: &BinaryOperator, l: i64, r: i64, text: &str) -> Result<i64, String> {
    let shift = u32::try_from(r & 63).unwrap_or_default();
    Ok(match op {
        BinaryOperator::Power => match u32::try_from(r) {
            Ok(exponent) => l.wrapping_pow(exponent),
            Err(_) => return Err(format!("{text}: exponent less than 0 (error token is \"{r}\")")),
        },
        BinaryOperator::Multiply => l.wrapping_mul(r),
        BinaryOperator::Divide | BinaryOperator::Modulo if r == 0 => {
            // The token is what follows the operator.
            let token = text.rsplit(['/', '%']).next().unwrap_or_default().trim_start();
            return Err(format!("{text}: division by 0 (error token is \"{token}\")"));
        }
        BinaryOperator::Divide => l.wrapping_div(r),
        BinaryOperator::Modulo => l.wrapping_rem(r),
        BinaryOperator::Comma => r,
        BinaryOperator::Add => l.wrapping_add(r),
        BinaryOperator::Subtract => l.wrapping_sub(r),
        BinaryOperator::ShiftLeft => l.wrapping_shl(shift),
        BinaryOperator::ShiftRight => l.wrapping_shr(shift),
        BinaryOperator::LessThan => i64::from(l < r),
        BinaryOperator::LessThanOrEqualTo => i64::from(l <= r),
        BinaryOperator::GreaterThan => i64::from(l > r),
        BinaryOperator::GreaterThanOrEqualTo => i64::from(l >= r),
        BinaryOperator::Equals => i64::from(l == r),
        BinaryOperator::NotEquals => i64::from(l != r),
        BinaryOperator::BitwiseAnd => l & r,
        BinaryOperator::BitwiseXor => l ^ r,
        BinaryOperator::BitwiseOr => l | r,
        BinaryOperator::LogicalAnd => i64::from(l != 0 && r != 0),
        BinaryOperator::LogicalOr => i64::from(l != 0 || r != 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_variables_are_reckoned_as_in_bash() {
        let mut machine = Machine::default();
        machine.set("x", "4");
        for (text, wanted) in
            [("1 + 2 * 3", 7), ("x ** 2", 16), ("x > 3 ? 10 : 20", 10), ("y", 0), ("x++ + x", 9)]
        {
            assert_eq!(evaluate(text, &mut machine), Ok(wanted), "{text}");
        }
        assert_eq!(machine.variable("x"), Some("5"));
        for (text, wanted) in [
            ("08", "08: value too great for base (error token is \"08\")"),
            (" 1 + ", "1 + : syntax error: operand expected (error token is \"+ \")"),
            ("2 3", "2 3: syntax error in expression (error token is \"3\")"),
            ("1.5+1", "1.5+1: syntax error: invalid arithmetic operator (error token is \".5+1\")"),
        ] {
            assert_eq!(evaluate(text, &mut machine), Err(wanted.to_owned()));
        }
        assert!(evaluate("1/0", &mut machine).expect_err("no").contains("division by 0"));
    }
}
