//! `echo`, as bash's own.

use crate::{
    escape::{Style, escaped},
    eval::Flow,
    tool::Call,
};

/// `echo [-neE] [WORD…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut newline = true;
    let mut escapes = false;
    let mut words = call.args.as_slice();
    while let Some((first, rest)) = words.split_first() {
        let letters = first.strip_prefix('-').unwrap_or_default();
        if letters.is_empty() || !letters.chars().all(|c| "neE".contains(c)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        words = rest;
    }
    let mut text = words.join(" ");
    if escapes {
        let (changed, ends) = escaped(&text, Style::Echo);
        text = changed;
        newline &= !ends;
    }
    call.out.out(&text);
    if newline {
        call.out.out("\n");
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn options_are_only_what_stands_first() {
        assert_eq!(stdout("echo -n a -n"), "a -n");
        assert_eq!(stdout(r"echo -e 'a\tb'"), "a\tb\n");
        assert_eq!(stdout(r"echo 'a\tb' -x"), "a\\tb -x\n");
    }
}
