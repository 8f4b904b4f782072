//! `cat`.

use crate::{eval::Flow, text::Options, tool::Call};

/// `cat [-n] [-A] [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "nbsAETvetu", "", &[("number", 'n')]) else { return Ok(1) };
    let (texts, all) = super::inputs(call, &options.operands);
    let number = options.has('n') || options.has('b');
    let mut count = 0;
    for (_, text) in texts {
        if !number && !options.has('A') && !options.has('E') {
            call.out.out(&text);
            continue;
        }
        for line in text.split_inclusive('\n') {
            if number && !(options.has('b') && line == "\n") {
                count += 1;
                call.out.out(&format!("{count:6}\t"));
            }
            if options.has('A') || options.has('E') {
                let tab = if options.has('A') { "^I" } else { "\t" };
                call.out.out(&line.replace('\t', tab).replace('\n', "$\n"));
            } else {
                call.out.out(line);
            }
        }
    }
    Ok(i32::from(!all))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    #[test]
    fn a_missing_file_is_named_and_the_others_are_printed() {
        let (out, err, status) = sh("echo a > x; cat x nope x");
        assert_eq!(
            (out.as_str(), err.as_str(), status),
            ("a\na\n", "cat: nope: No such file or directory\n", 1)
        );
    }
}
