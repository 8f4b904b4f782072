//! `jq`, on top of jaq.
//!
//! jaq runs the filter; reading, writing, options and words are jq's own. A filter has a budget of calls, so that an endless
//! one stops. Source of the words, of numbers and of layout: jq 1.6.
//! MODEL: jq without colours, modules and `$__loc__`; an object may be indexed with a number, which gives null.

mod library;
mod native;
mod options;
mod program;
mod read;
mod said;
mod write;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use jaq_core::{Ctx, Vars};
use jaq_json::Val;

use crate::{eval::Flow, output::Stream, tool::Call};
use native::Running;
use options::{Options, options};
use read::{ParseError, Read};

/// `jq [OPTIONS] FILTER [FILES…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let options = match options(call) {
        Ok(options) => options,
        Err(status) => return Ok(status),
    };
    let mut files = options.files.clone();
    let mut code = options.program.clone().unwrap_or_default();
    if options.from_file {
        match call.shell.machine.files.read(&call.shell.machine.path(&code)) {
            Ok(text) => code = text.to_string(),
            Err(error) => {
                call.out.err(&format!("jq: error: Could not open {code}: {error}"));
                return Ok(2);
            }
        }
    }
    let named = options.names.iter().map(|(name, value)| (Val::from(name.clone()), value.clone()));
    let named = write::object(named);
    let given = write::object(
        [("positional", options.positional.iter().cloned().collect()), ("named", named)]
            .map(|(name, value): (&str, Val)| (Val::from(name.to_owned()), value)),
    );
    let exported = call.shell.machine.variables.iter().filter(|(_, v)| v.exported);
    let environment = exported
        .map(|(name, v)| (Val::from(name.clone()), Val::from(v.value.to_string())))
        .collect::<Vec<_>>();
    let mut globals: Vec<(String, Val)> =
        options.names.iter().map(|(name, value)| (format!("${name}"), value.clone())).collect();
    globals.push(("$ENV".to_owned(), write::object(environment)));
    globals.push(("$ARGS".to_owned(), given));

    let names: Vec<&str> = globals.iter().map(|(name, _)| name.as_str()).collect();
    let filter = match program::compile(&code, &names) {
        Ok(filter) => filter,
        Err(errors) => {
            for error in &errors {
                call.out.err(error);
            }
            let s = if errors.len() == 1 { "" } else { "s" };
            call.out.err(&format!("jq: {} compile error{s}", errors.len()));
            return Ok(3);
        }
    };

    let mut status = 0;
    let mut inputs = VecDeque::new();
    if files.is_empty() {
        files.push("-".to_owned());
        inputs = texts(&options, &[("<stdin>".to_owned(), call.stdin.rest())]);
    } else {
        let mut found = Vec::new();
        for name in &files {
            match call.shell.machine.files.read(&call.shell.machine.path(name)) {
                Ok(text) => found.push((name.clone(), text.to_string())),
                Err(error) => {
                    call.out.err(&format!("jq: error: Could not open file {name}: {error}"));
                    status = 2;
                }
            }
        }
        if !found.is_empty() {
            inputs = texts(&options, &found);
        }
    }

    let now = call.shell.world.stamp(call.shell.world.now()).0.as_second();
    let here = 0_u8;
    let running = Running {
        lut: &filter.lut,
        inputs: RefCell::new(inputs),
        calls: Cell::new(0),
        stopped: Cell::new(false),
        base: (&raw const here).addr(),
        now,
        position: RefCell::new("<unknown>".to_owned()),
        said: RefCell::new(String::new()),
    };
    let mut last: Option<bool> = None;
    let mut printed = 0;
    if options.null_input {
        let result = each(&running, &filter.id, Val::Null, &globals, &options, call, &mut last, &mut printed);
        return ended(&running, result, status, &options, last);
    }
    loop {
        let next = running.inputs.borrow_mut().pop_front();
        let result = match next {
            None => return ended(&running, Ok(()), status, &options, last),
            Some(Read { value: Ok(value), at }) => {
                running.position.replace(at);
                each(&running, &filter.id, value, &globals, &options, call, &mut last, &mut printed)
            }
            Some(Read { value: Err(ParseError(words)), .. }) => {
                call.out.err(&format!("parse error: {words}"));
                // What jq 1.6 as Debian builds it ends with.
                return Ok(4);
            }
        };
        match result {
            Ok(()) => {}
            Err(Ended::Error) => status = 5,
            Err(Ended::Halt(_)) => return ended(&running, result, status, &options, last),
        }
    }
}

/// Why a filter gave no more.
#[derive(Clone, Copy, Debug)]
enum Ended {
    Error,
    Halt(i32),
}

fn ended(
    running: &Running<'_>,
    result: Result<(), Ended>,
    status: i32,
    options: &Options,
    last: Option<bool>,
) -> Result<i32, Flow> {
    if running.stopped.get() {
        return Err(Flow::Stopped(format!("{} calls in one filter of jq", native::MOST_CALLS)));
    }
    Ok(match result {
        Err(Ended::Halt(status)) => status,
        Err(Ended::Error) => 5,
        Ok(()) if status != 0 => status,
        Ok(()) if options.exit_status => match last {
            Some(true) => 0,
            Some(false) => 1,
            None => 4,
        },
        Ok(()) => 0,
    })
}

/// Runs the filter on one input and prints what it gives.
#[expect(clippy::too_many_arguments, reason = "one place, all of them needed")]
fn each<'a>(
    running: &'a Running<'a>,
    id: &'a jaq_core::compile::TermId,
    input: Val,
    globals: &[(String, Val)],
    options: &Options,
    call: &mut Call<'_, '_>,
    last: &mut Option<bool>,
    printed: &mut usize,
) -> Result<(), Ended> {
    let vars = Vars::new(globals.iter().map(|(_, value)| value.clone()));
    let ctx = Ctx::<native::Jq>::new(running, vars);
    for result in id.run((ctx, input)) {
        let said = running.said.take();
        call.out.write(Stream::Err, &said);
        match result {
            Ok(value) => {
                let text = match (&value, options.raw) {
                    (Val::TStr(text), true) => String::from_utf8_lossy(text).into_owned(),
                    _ => write::text(&value, &options.style),
                };
                *printed = printed.saturating_add(text.len());
                if *printed > crate::eval::MOST_OUTPUT {
                    running.stopped.set(true);
                    return Err(Ended::Halt(130));
                }
                call.out.out(&text);
                if !options.join {
                    call.out.out("\n");
                }
                *last = Some(!matches!(value, Val::Null | Val::Bool(false)));
            }
            Err(exception) => match exception.get_err() {
                Ok(error) => {
                    let position = running.position.borrow();
                    call.out.err(&format!("jq: error (at {position}){}", said::error(error)));
                    return Err(Ended::Error);
                }
                Err(other) => return Err(Ended::Halt(other.get_halt().unwrap_or(5))),
            },
        }
    }
    let said = running.said.take();
    call.out.write(Stream::Err, &said);
    Ok(())
}

/// The inputs in the texts, as the options ask.
fn texts(options: &Options, found: &[(String, String)]) -> VecDeque<Read> {
    if options.raw_input {
        let whole: String = found.iter().map(|(_, text)| text.as_str()).collect();
        let ok = |text: &str| Read { value: Ok(Val::from(text.to_owned())), at: "<stdin>:0".to_owned() };
        return if options.slurp { [ok(&whole)].into() } else { super::lines(&whole).map(ok).collect() };
    }
    let mut all: VecDeque<Read> = VecDeque::new();
    for (name, text) in found {
        all.extend(read::values(name, text));
    }
    if !options.slurp {
        return all;
    }
    let at = all.back().map_or_else(|| "<stdin>:0".to_owned(), |read| read.at.clone());
    let values: Result<Val, ParseError> = all.into_iter().map(|read| read.value).collect();
    [Read { value: values, at }].into()
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    /// A program, its input and what jq 1.6 printed.
    const PRINTED: &[(&str, &str, &str)] = &[
        ("-c .", r#"{"b":[1,2.50,"x"],"a":{}}"#, "{\"b\":[1,2.5,\"x\"],\"a\":{}}\n"),
        ("-S .", r#"{"b":1,"a":[]}"#, "{\n  \"a\": [],\n  \"b\": 1\n}\n"),
        (
            "-r '.items[].metadata.name'",
            r#"{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#,
            "a\nb\n",
        ),
        (
            "-c '[.[] | select(.a > 1) | {b: .a, c}]'",
            r#"[{"a":1},{"a":2,"c":"x"}]"#,
            "[{\"b\":2,\"c\":\"x\"}]\n",
        ),
        ("'length, (.|add/2), (map(.*2)|add)'", "[1,2]", "2\n1.5\n6\n"),
        ("-r '.[] | \"\\(.a)-\\(.b/2)\"'", r#"[{"a":"x","b":4},{"a":null,"b":1}]"#, "x-2\nnull-0.5\n"),
        ("-r '.[] | @csv'", r#"[[1,"a\"b",null]]"#, "1,\"a\"\"b\",\n"),
        ("-r '.[] | @tsv'", r#"[["a\tb",true]]"#, "a\\tb\ttrue\n"),
        ("-c 'to_entries'", r#"{"a":1}"#, "[{\"key\":\"a\",\"value\":1}]\n"),
        ("-c 'with_entries(.value += 1)'", r#"{"a":1}"#, "{\"a\":2}\n"),
        (
            "-c 'group_by(.n) | map({n: .[0].n, c: length})'",
            r#"[{"n":"b"},{"n":"a"},{"n":"b"}]"#,
            "[{\"n\":\"a\",\"c\":1},{\"n\":\"b\",\"c\":2}]\n",
        ),
        ("-c 'keys, has(\"a\"), (.a // \"none\")'", r#"{"b":1,"a":null}"#, "[\"a\",\"b\"]\ntrue\n\"none\"\n"),
        (
            "-c 'del(.a), (.b |= . + 1), [paths]'",
            r#"{"a":1,"b":2}"#,
            "{\"b\":2}\n{\"a\":1,\"b\":3}\n[[\"a\"],[\"b\"]]\n",
        ),
        (
            "-c 'del(.a), del(.c[0,2]), del(.x.y), del(.c[] | select(. > 1)), delpaths([[\"b\"],[\"a\"]])'",
            r#"{"a":1,"b":2,"c":[1,2,3]}"#,
            "{\"b\":2,\"c\":[1,2,3]}\n{\"a\":1,\"b\":2,\"c\":[2]}\n{\"a\":1,\"b\":2,\"c\":[1,2,3]}\n{\"a\":1,\"b\":2,\"c\":[1]}\n{\"c\":[1,2,3]}\n",
        ),
        ("-j '.[]'", r#"["a",1]"#, "a1"),
        ("-c '[.[] | tostring]'", "[1,\"1\",[1]]", "[\"1\",\"1\",\"[1]\"]\n"),
        ("-c '[limit(3;range(10))], [.[]|ascii_downcase]'", "[\"A\"]", "[0,1,2]\n[\"a\"]\n"),
        (
            "-r '.[0:5] | test(\"b.d\"), ascii_upcase, (split(\"c\")|join(\"-\"))'",
            "\"abcdefg\"",
            "true\nABCDE\nab-de\n",
        ),
        ("-c '.. | numbers'", "[1,[2,{\"a\":3}]]", "1\n2\n3\n"),
        ("-r '.a | @base64, @sh, (@base64 | @base64d)'", "{\"a\":\"it's\"}", "aXQncw==\n'it'\\''s'\nit's\n"),
        ("-c 'reduce .[] as $x (0; . + $x), [foreach .[] as $x (0; . + $x)]'", "[1,2,3]", "6\n[1,3,6]\n"),
        ("-c 'def f(x): x * 2; map(f(.))'", "[1,2]", "[2,4]\n"),
        ("-c 'walk(if type == \"number\" then . + 1 else . end)'", "[1,{\"a\":2}]", "[2,{\"a\":3}]\n"),
        (
            "-c 'min_by(.a), max_by(.a), (map(.a) | unique | reverse)'",
            "[{\"a\":2},{\"a\":1},{\"a\":2}]",
            "{\"a\":1}\n{\"a\":2}\n[2,1]\n",
        ),
        (
            "-c '[splits(\", *\")], sub(\"a\"; \"b\"), gsub(\"[ac]\"; \"-\")'",
            "\"a,c\"",
            "[\"a\",\"c\"]\n\"b,c\"\n\"-,-\"\n",
        ),
        (
            ".",
            "1e17 1e-5 100000000000000000000 3.0 0.1 12345678901234567890",
            "1e+17\n1e-05\n1e+20\n3\n0.1\n12345678901234567000\n",
        ),
        (
            "-n --arg a 1 --argjson b '{\"c\":2}' -c '[$a, $b.c, $ARGS.named.a, env.HOME, $ENV.USER]'",
            "",
            "[\"1\",2,\"1\",\"/home/user\",\"user\"]\n",
        ),
        ("-s -c .", "1 2\n3", "[1,2,3]\n"),
        ("-R -c .", "a\nb", "\"a\"\n\"b\"\n"),
        ("-n -c '[inputs]'", "1 2", "[1,2]\n"),
    ];

    /// The same for what `library` brings.
    const RECKONED: &[(&str, &str, &str)] = &[
        (
            "-c 'match(\"(a)(x)?\"), [match(\"b\"; \"g\").offset], capture(\"(?<n>[a-z])\")'",
            "\"éabb\"",
            "{\"offset\":1,\"length\":1,\"string\":\"a\",\"captures\":[{\"offset\":1,\"length\":1,\"string\":\"a\",\"name\":null},{\"offset\":-1,\"length\":0,\"string\":null,\"name\":null}]}\n[2,3]\n{\"n\":\"a\"}\n",
        ),
        (
            "-c 'fromdate, (fromdate | todate, gmtime, strftime(\"%Y/%m\"))'",
            "\"2026-03-02T09:00:00Z\"",
            "1772442000\n\"2026-03-02T09:00:00Z\"\n[2026,2,2,9,0,0,1,60]\n\"2026/03\"\n",
        ),
        ("-r '.[] | @uri, @html'", "[\"a b&<é\"]", "a%20b%26%3C%C3%A9\na b&amp;&lt;é\n"),
        ("'pow(2; 10), (16 | sqrt), (10.5 | floor)'", "null", "1024\n4\n10\n"),
    ];

    #[test]
    fn filters_print_what_jq_prints() {
        for (program, input, wanted) in PRINTED.iter().chain(RECKONED) {
            let (out, err, _) = sh(&format!("jq {program} <<'JSON'\n{input}\nJSON\n"));
            assert_eq!((out.as_str(), err.as_str()), (*wanted, ""), "{program}");
        }
    }

    #[test]
    fn errors_are_jq_s_words() {
        for (line, wanted, status) in [
            ("echo '[1]' | jq .a", "jq: error (at <stdin>:1): Cannot index array with string \"a\"\n", 5),
            ("jq -n 'null | .[]'", "jq: error (at <unknown>): Cannot iterate over null (null)\n", 5),
            (
                "jq -n '\"abcdefghijklmnop\" | .[]'",
                "jq: error (at <unknown>): Cannot iterate over string (\"abcdefghij...)\n",
                5,
            ),
            (
                "jq -n '{a: 1} - 1'",
                "jq: error (at <unknown>): object ({\"a\":1}) and number (1) cannot be subtracted\n",
                5,
            ),
            ("jq -n '1 | keys'", "jq: error (at <unknown>): number (1) has no keys\n", 5),
            ("jq -n 'error(\"x\")'", "jq: error (at <unknown>): x\n", 5),
            ("jq -n 'error({a: 1})'", "jq: error (at <unknown>) (not a string): {\"a\":1}\n", 5),
            (
                "jq -n 'foo(1)'",
                "jq: error: foo/1 is not defined at <top-level>, line 1:\nfoo(1)\njq: 1 compile error\n",
                3,
            ),
            (
                "jq -n '1 as $x | $y'",
                "jq: error: $y is not defined at <top-level>, line 1:\n1 as $x | $y          \njq: 1 compile error\n",
                3,
            ),
            (
                "jq -n '.a |'",
                "jq: error: syntax error, unexpected $end (Unix shell quoting issues?) at <top-level>, line 1:\n.a |   \njq: 1 compile error\n",
                3,
            ),
            ("echo NAME READY | jq .", "parse error: Invalid numeric literal at line 1, column 5\n", 4),
            ("printf '[1,2' | jq .", "parse error: Unfinished JSON term at EOF at line 1, column 4\n", 4),
            ("jq . /none", "jq: error: Could not open file /none: No such file or directory\n", 2),
        ] {
            let (_, err, code) = sh(line);
            assert_eq!((err.as_str(), code), (wanted, status), "{line}");
        }
        assert_eq!(sh("echo null | jq -e .").2, 1);
        assert_eq!(sh("jq -n -e empty").2, 4);
    }

    #[test]
    fn an_endless_filter_is_stopped() {
        for program in ["def f: f; f", "[repeat(1)]", "[range(1e12)]", "def f: 1 + f; f", "until(false; .)"] {
            let (_, err, status) = sh(&format!("jq -n '{program}'"));
            assert!(err.starts_with("lab: stopped") && status == 130, "{program}: {err}");
        }
    }

    #[test]
    fn time_is_the_world_s() {
        assert_eq!(stdout("[ $(jq -n 'now | floor') = $(date +%s) ] && echo same"), "same\n");
        assert_eq!(stdout("jq -n '0 | todate'"), "\"1970-01-01T00:00:00Z\"\n");
    }
}
