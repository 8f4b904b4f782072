//! Whatever is typed, the shell answers: no line makes it panic, and none runs for ever.

use proptest::prelude::*;
use shell::{Hint, Machine, Output, run, split};

/// Pieces of which real lines are made, and some that break them.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "kubectl",
        "get",
        "pods",
        "-o",
        "yaml",
        "jsonpath='{.items[*]",
        "}'",
        "--",
        "-n",
        "apply",
        "-f",
        "-",
        "describe",
        "node/x",
        "delete",
        "--all",
        "wait",
        "--for=jsonpath={.a}=b",
        "kind",
        "create",
        "cluster",
        "--config",
        "eksctl",
        "scale",
        "nodegroup",
        "--nodes",
        "-1",
        "99999999999999999999",
        "aws",
        "ec2",
        "stop-instances",
        "--",
        "lab",
        "node",
        "set-max-pods",
        "grep",
        "-E",
        "[[:alpha:]]",
        "(",
        "[",
        "sed",
        "s/a/b/g",
        "-n",
        "awk",
        "{print $1}",
        "cut",
        "-d:",
        "-f1-",
        "sort",
        "-k2",
        "-n",
        "head",
        "-n",
        "-3",
        "tr",
        "a-z",
        "A-Z",
        "printf",
        "%s%d%5.2f",
        "seq",
        "1",
        "-2",
        "base64",
        "-d",
        "date",
        "+%Y-%Q",
        "echo",
        "$X",
        "${X:-y}",
        "${#X}",
        "${X%%*}",
        "$((1/0))",
        "$(echo a)",
        "`echo b`",
        "X=1",
        "export",
        "for i in a b; do",
        "done",
        "while read l; do",
        "if [ a = b ]; then",
        "fi",
        "case x in x) echo;; esac",
        "<<EOF\na: b\nEOF\n",
        "<<<",
        "|",
        "||",
        "&&",
        ";",
        "&",
        ">",
        ">>",
        "2>&1",
        "<",
        "\"",
        "'",
        "\\",
        "\n",
        "#",
        "{",
        "}",
        "{1..9}",
        "*",
        "?",
        "~",
        "[[ a == b* ]]",
        "f() { f; }; f",
        "alias k=kubectl;",
        "k",
        "test",
        "!",
        "timeout",
        "1",
        "xargs",
        "-I{}",
        "run",
        "--image=",
        "custom-columns=A:.a,B:..b",
        "go-template={{range}}",
        "--sort-by=.x",
        "-l",
        "a in (b",
        "explain",
        "pod.spec.",
    ]);
    prop_oneof![8 => words.prop_map(str::to_owned), 2 => "\\PC{0,6}", 1 => "[\\x00-\\x7f]{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_line_makes_the_shell_panic(pieces in prop::collection::vec(piece(), 1..14), tight in any::<bool>()) {
        let line = pieces.join(if tight { "" } else { " " });
        let (mut machine, mut world, mut out) = (Machine::default(), cluster::World::empty(1), Output::default());
        run(&line, &mut machine, &mut world, &mut out);
        let _ = split(&line);
    }
}

#[test]
fn a_loop_without_end_is_stopped_with_a_message() {
    let (mut machine, mut world, mut out) = (Machine::default(), cluster::World::empty(1), Output::default());
    let status = run("echo before > f; while true; do x=1; done", &mut machine, &mut world, &mut out);
    assert_eq!(status, 130);
    assert!(out.stderr().contains("this line reached the limit of 10000 commands"), "{}", out.stderr());
    assert!(out.hints.iter().any(|hint| matches!(hint, Hint::Stopped { .. })));
    run("cat f", &mut machine, &mut world, &mut out);
    assert!(out.stdout().ends_with("before\n"));
}

#[test]
fn a_function_that_calls_itself_is_stopped() {
    let (mut machine, mut world, mut out) = (Machine::default(), cluster::World::empty(1), Output::default());
    assert_eq!(run("f() { f; }; f", &mut machine, &mut world, &mut out), 130);
}

#[test]
fn what_is_too_much_stops_the_line_and_says_so_through_every_redirection() {
    for (line, limit) in [
        ("echo {1..100000000} | wc -c", "10000 words from one brace expression"),
        ("seq 1 100000000 | tail -1", "1000000 numbers"),
        ("while true; do :; done 2>&1 | tail -1", "10000 commands"),
        ("for i in $(seq 1 1000000); do :; done > f 2>&1", "10000 commands"),
    ] {
        let (mut machine, mut world, mut out) =
            (Machine::default(), cluster::World::empty(1), Output::default());
        assert_eq!(run(line, &mut machine, &mut world, &mut out), 130, "{line}");
        assert_eq!(out.stderr(), format!("lab: stopped: this line reached the limit of {limit}\n"), "{line}");
    }
}
