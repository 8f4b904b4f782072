//! `awk`, as gawk 5.2 answers where it and mawk differ.
//!
//! MODEL: awk here has no `switch`, `BEGINFILE`, `FPAT`, `FIELDWIDTHS`, `IGNORECASE`, coprocesses, `@include` nor sockets; keys of an
//! array come sorted; `rand` draws numbers of its own; a function calls itself at most 50 deep.

use crate::{eval::Flow, text::Options, tool::Call};

mod function;
mod input;
mod lex;
mod machine;
mod output;
mod parse;
mod tree;
mod value;

use machine::{Awk, Stop};

/// What gawk says where it is given no program.
const USAGE: &str = include_str!("../../data/awk-usage.txt");

/// `awk [-F C] [-v N=V] [-f FILE]… [PROGRAM] [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("field-separator", 'F'), ("assign", 'v'), ("file", 'f'), ("source", 'e'), ("version", 'V')];
    // Options end where the program begins: what follows are its files, whatever they look like.
    let mut own = Vec::new();
    let mut rest = std::mem::take(&mut call.args).into_iter();
    let mut has_program = false;
    while let Some(arg) = rest.next() {
        let is_option = arg.len() > 1 && arg.starts_with('-');
        if !is_option || arg == "--" {
            has_program |= !is_option && own.iter().all(|it: &String| !is_source(it));
            if is_option {
                own.push(arg);
            } else {
                own.extend(["--".to_owned(), arg]);
            }
            break;
        }
        let takes_next =
            matches!(arg.as_str(), "-F" | "-v" | "-f" | "-e" | "--file" | "--assign" | "--source");
        own.push(arg);
        if takes_next {
            own.extend(rest.next());
        }
    }
    own.extend(rest);
    call.args = own;
    let Some(mut options) = Options::parse(call, "VPcbnrstSO", "Fvfe", &long) else { return Ok(2) };
    if options.has('V') {
        call.out.line("GNU Awk 5.2.1, API 3.2");
        return Ok(0);
    }
    let Some((program, source)) = source(call, &mut options, has_program) else { return Ok(2) };
    if program.is_empty() && source.is_empty() {
        call.out.err(USAGE.trim_end());
        return Ok(2);
    }
    let parsed = match parse::program(&program) {
        Ok(parsed) => parsed,
        Err((at, what)) => {
            say(call, &program, &source, at, &what);
            return Ok(1);
        }
    };
    let mut awk = Awk::new(call, &parsed, &source);
    if let Some(separator) = options.value('F') {
        awk.set_text("FS", &if separator == "t" { "\t".to_owned() } else { lex::unescaped(separator) });
    }
    for pair in options.values('v') {
        match pair.split_once('=').filter(|_| input::is_assignment(pair)) {
            Some((name, value)) => awk.set_input(name, &lex::unescaped(value)),
            None => {
                awk.say(&format!("fatal: `{pair}' argument to `-v' not in `var=value' form\n"));
                return Ok(2);
            }
        }
    }
    awk.arguments(&options.operands);
    match awk.all_of_it() {
        Ok(status) => Ok(status),
        Err(Stop::Flow(flow)) => Err(flow),
        Err(_) => Ok(2),
    }
}

fn is_source(arg: &str) -> bool {
    ["-f", "-e", "--file", "--source"].iter().any(|it| arg.starts_with(it))
}

/// The program's text, and the name of the file that it is in.
fn source(call: &mut Call<'_, '_>, options: &mut Options, has_program: bool) -> Option<(String, String)> {
    let mut program: Vec<String> = options.values('e').into_iter().map(str::to_owned).collect();
    let mut last = String::new();
    for file in options.values('f') {
        let text = if file == "-" {
            call.stdin.rest()
        } else {
            let machine = &call.shell.machine;
            match machine.files.read(&machine.path(file)) {
                Ok(text) => text.to_string(),
                Err(error) => {
                    call.out
                        .err(&format!("awk: fatal: cannot open source file `{file}' for reading: {error}"));
                    return None;
                }
            }
        };
        program.push(text);
        file.clone_into(&mut last);
    }
    if program.is_empty() && (has_program || !options.operands.is_empty()) {
        program.push(options.operands.remove(0));
    }
    Some((program.join("\n"), last))
}

/// What is wrong with a program: its line, and a mark under the place.
fn say(call: &mut Call<'_, '_>, program: &str, source: &str, at: usize, what: &str) {
    let name = if source.is_empty() { "cmd. line" } else { source };
    let Some(before) = program.get(..at) else {
        call.out.err(&format!("awk: {name}:1: {what}"));
        return;
    };
    let number = before.matches('\n').count() + 1;
    let begin = before.rfind('\n').map_or(0, |at| at + 1);
    let line = program[begin..].split('\n').next().unwrap_or_default();
    let blank = " ".repeat(program[begin..at].chars().count());
    call.out.err(&format!("awk: {name}:{number}: {line}\nawk: {name}:{number}: {blank}^ {what}"));
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn one_liners_work_as_in_awk() {
        let made = "printf 'NAME N\\na 1\\nb 2\\n' | ";
        for (line, wanted) in [
            ("awk '{print $1}'", "NAME\na\nb\n"),
            ("awk 'NR>1{print $2,$1}'", "1 a\n2 b\n"),
            ("awk '{s+=$2} END {print s}'", "3\n"),
            ("awk '/^b/ {print \"found \" $1}'", "found b\n"),
            ("awk '$2==2'", "b 2\n"),
            ("awk '{print $NF}'", "N\n1\n2\n"),
            ("awk 'END{print NR}'", "3\n"),
            ("awk 'NR==2 {printf \"%s=%d\\n\", $1, $2}'", "a=1\n"),
            ("awk '{c[$1]++} END {print c[\"a\"]}'", "1\n"),
            ("awk '{if ($2 > 1) print $1; else print \"-\"}'", "NAME\n-\nb\n"),
            ("awk '$1 ~ /a/ && NR > 1 {print}'", "a 1\n"),
            ("awk '!seen[length($1)]++'", "NAME N\na 1\n"),
            ("awk 'NR>1{c[$1]+=$2} END{for (k in c) print k, c[k]}'", "a 1\nb 2\n"),
            ("awk 'END{for (i=1; i<=3; i++) printf \"%d \", i*i; print \"\"}'", "1 4 9 \n"),
            (
                "awk 'NR==1{print tolower($1), substr($1,2,2), index($1,\"M\"), $2==\"N\" ? \"y\" : \"n\"}'",
                "name AM 3 y\n",
            ),
            (
                "awk 'NR==1{n=split(\"x,y,z\",p,\",\"); gsub(/[AE]/,\"-&\",$1); print n, p[2], $1}'",
                "3 y N-AM-E\n",
            ),
            (
                "awk 'END{if (\"q\" in c) print \"in\"; else print \"out\", 10/4, 2^10, 1e3, 10%3; exit 3}'; echo $?",
                "out 2.5 1024 1000 1\n3\n",
            ),
            ("awk 'BEGIN{while (i<3) {i++; if (i==2) continue; printf \"%s,\", i}}'", "1,3,"),
        ] {
            assert_eq!(stdout(&format!("{made}{line}")), wanted, "{line}");
        }
        assert_eq!(stdout("echo a:b:c | awk -F: '{print $2 \"-\" $3}'"), "b-c\n");
        assert_eq!(stdout("echo x | awk -v n=3 '{print n*2}'"), "6\n");
    }

    #[test]
    fn programs_have_functions_loops_and_ranges() {
        for (line, wanted) in [
            ("seq 5 | awk '/2/,/4/'", "2\n3\n4\n"),
            ("awk 'BEGIN{do {i++} while (i<3); print i}'", "3\n"),
            ("awk 'function f(x){return x<2?1:x*f(x-1)} BEGIN{print f(5)}'", "120\n"),
            ("awk 'function fill(a){a[\"x\"]=1} BEGIN{fill(m); print m[\"x\"], length(m)}'", "1 1\n"),
            ("printf 'a\\n' > f; awk 'NR==FNR{s[$1];next} $1 in s' f f", "a\n"),
            ("awk 'BEGIN{print 1 \" \" -1, -2^2, !0 + 1}'", "1-1 -4 2\n"),
            ("awk 'BEGIN{print substr(\"hello\",0,2), substr(\"hello\",-1,3)}'", "he hel\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }

    #[test]
    fn programs_read_and_write_files_and_commands() {
        for (line, wanted) in [
            (
                "seq 2 | awk '{print > \"o\"} END{close(\"o\"); while ((getline l < \"o\") > 0) print \"<\" l}'",
                "<1\n<2\n",
            ),
            ("awk 'BEGIN{\"echo hi\" | getline x; print x}'", "hi\n"),
            ("seq 3 | awk '{print | \"sort -r\"}'", "3\n2\n1\n"),
            ("awk 'BEGIN{r = system(\"exit 3\"); print r}'", "3\n"),
            ("printf 'a b\\nc\\n\\nd\\n' | awk 'BEGIN{RS=\"\"} {print NR, NF}'", "1 3\n2 1\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_is() {
        assert_eq!(
            sh("awk '{print $1' f").1,
            "awk: cmd. line:1: {print $1\nawk: cmd. line:1:          ^ unexpected newline or end of string\n"
        );
        assert_eq!(sh("awk 'BEGIN{x=1/y}'").1, "awk: cmd. line:1: fatal: division by zero attempted\n");
        assert!(sh("awk 'function f(n){return f(n+1)} BEGIN{f(1)}'").1.contains("50 calls"));
        assert!(sh("awk 'BEGIN{while(1) i++}'").1.contains("200000 rounds"));
    }
}
