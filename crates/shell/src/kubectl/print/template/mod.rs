//! What does `-o go-template` print?
//!
//! Go's template language as kubectl uses it: actions, pipelines, variables, `if`/`with`/`range`, the built-in functions and
//! kubectl's own.
//! Source: Go `text/template` (lex.go, parse.go, exec.go, funcs.go), cli-runtime `pkg/printers/template.go`.

mod call;
mod escape;
mod parse;
mod printf;
mod read;
mod run;

use serde_json::Value;

use crate::kubectl::{Done, Fail, print::columns_text};

/// A template, ready to print.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    text: String,
    tree: parse::Tree,
    needs_keys: bool,
}

impl Template {
    /// Reads a template; `needs_keys` where a missing key is a mistake.
    pub(crate) fn parse(text: &str, needs_keys: bool) -> Done<Self> {
        let tree = parse::template(text)
            .map_err(|what| Fail::Error(format!("error parsing template {text}, template: output:{what}")))?;
        Ok(Self { text: text.to_owned(), tree, needs_keys })
    }

    /// What it prints, and why it stopped if it did.
    pub(crate) fn print(&self, value: &Value) -> (String, Option<Fail>) {
        let mut out = String::new();
        let done = run::template(&self.text, &self.tree, self.needs_keys, value, &mut out);
        let Err(error) = done else { return (out, None) };
        // UPSTREAM: what helps to find the mistake goes to standard output.
        out.push_str(&format!(
            "Error executing template: {error}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{}\n\traw data was:\n\t\t{}\n\tobject given to template engine was:\n\t\t{}\n\n",
            self.text,
            api::emit::compact(value),
            columns_text(value),
        ));
        let fail = Fail::Error(format!("error executing template {:?}: {error}", self.text));
        (out, Some(fail))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn print(text: &str) -> String {
        let value = json!({"kind": "Pod", "metadata": {"name": "web", "labels": {"app.io/x": "1", "b": "2"}},
            "n": 3, "c": [{"name": "a", "p": [80, 443]}, {"name": "b"}]});
        match Template::parse(text, text.contains("needed")) {
            Ok(template) => match template.print(&value) {
                (out, None) => out,
                (_, Some(fail)) => fail.text(),
            },
            Err(fail) => fail.text(),
        }
    }

    #[test]
    fn templates_print_as_in_go() {
        for (text, wanted) in [
            ("{{.metadata.name}}{{\"\\n\"}}", "web\n"),
            ("{{.nope.at.all}}", "<no value>"),
            ("{{range $i, $c := .c}}{{if $i}},{{end}}{{$c.name}}{{end}}", "a,b"),
            ("{{range .c}}{{range .p}}{{.}} {{end}}{{end}}", "80 443 "),
            ("{{range $k, $v := .metadata.labels}}{{$k}}={{$v}};{{end}}", "app.io/x=1;b=2;"),
            ("{{index .metadata.labels \"app.io/x\"}}", "1"),
            ("{{(index .c 1).name}} {{index .c 0 \"name\"}}", "b a"),
            ("{{if eq .kind \"Pod\"}}x{{else}}y{{end}}", "x"),
            ("{{if ne .kind \"Pod\"}}a{{else if gt .n 2}}b{{end}}", "b"),
            ("{{if and (eq .kind \"Pod\") .foo}}a{{else}}b{{end}}", "b"),
            ("{{with .metadata}}{{.name}}{{end}}{{with .nope}}x{{else}}none{{end}}", "webnone"),
            (
                "{{printf \"%s-%d|%5s|%-4s|%q %v\" .kind .n \"x\" \"y\" .kind .c}}",
                "Pod-3|    x|y   |\"Pod\" [map[name:a p:[80 443]] map[name:b]]",
            ),
            ("{{.kind | len}} {{.kind | printf \"%s!\"}} {{\"aGk=\" | base64decode}}", "3 Pod! hi"),
            ("{{$x := .kind}}{{$x}}{{$x = \"n\"}}{{$x}}", "Podn"),
            ("a  {{- .kind -}}  b {{/* c */}}d", "aPodb d"),
            ("{{slice .kind 0 2}} {{slice .c 1}}", "Po [map[name:b]]"),
            ("{{print 1 2 \"a\" \"b\"}}{{println .n}}", "1 2ab3\n"),
            ("{{017}} {{0x1f}} {{1_000}} {{1e3}} {{-5}} {{'a'}} {{.kind|}}", "15 31 1000 1000 -5 97 Pod"),
            ("{{range .c}}{{if eq .name \"b\"}}{{break}}{{end}}{{.name}}{{end}}", "a"),
            ("{{range .none}}x{{else}}empty{{end}}{{not .foo}}{{or .foo .kind}}", "emptytruePod"),
            ("{{define \"r\"}}[{{.}}{{$}}]{{end}}{{template \"r\" .kind}}", "[PodPod]"),
            ("{{block \"b\" .metadata}}({{.name}}){{end}}{{template \"b\"}}", "(web)(<no value>)"),
            (
                "{{html \"<a b='c'>&\"}} {{js \"<\\\"\"}} {{urlquery \"a b&c\" 1}}",
                "&lt;a b=&#39;c&#39;&gt;&amp; \\u003C\\\" a+b%26c1",
            ),
            (
                "{{printf \"%T %T %#v %c %U %b %o\" .n 1 .metadata.labels 65 65 5 8}}",
                "int64 int map[string]interface {}{\"app.io/x\":\"1\", \"b\":\"2\"} A U+0041 101 10",
            ),
            ("{{index .kind 0}} {{exists . \"nope\"}}", "80 false"),
            (
                "{{exists . \"kind\"}} {{exists . \"a\" \"b\"}} {{`raw`}} {{true}} {{1.5}}",
                "true false raw true 1.5",
            ),
        ] {
            assert_eq!(print(text), wanted, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_in_go_s_words() {
        for (text, wanted) in [
            ("{{.kind", "error parsing template {{.kind, template: output:1: unclosed action"),
            (
                "{{nope .kind}}",
                "error parsing template {{nope .kind}}, template: output:1: function \"nope\" not defined",
            ),
            ("{{.kind}", "error parsing template {{.kind}, template: output:1: bad character U+007D '}'"),
            ("{{.kind.", "error parsing template {{.kind., template: output:1: unexpected \".\" in operand"),
            (
                "{{.kind 12345678x}} {{",
                "error parsing template {{.kind 12345678x}} {{, template: output:1: bad number syntax: \"12345678x\"",
            ),
            (
                "{{nope x {{",
                "error parsing template {{nope x {{, template: output:1: function \"nope\" not defined",
            ),
            (
                "{{. .kind.}}",
                "error parsing template {{. .kind.}}, template: output:1: unexpected <.> in operand",
            ),
            ("{{|len}}", "error parsing template {{|len}}, template: output:1: unexpected \"|\" in command"),
            (
                "{{print end}}",
                "error parsing template {{print end}}, template: output:1: unexpected <end> in operand",
            ),
            (
                "{{.kind\n.n\n\"abc",
                "error parsing template {{.kind\n.n\n\"abc, template: output:3: unterminated quoted string in action started at output:1",
            ),
            (
                "{{if .n\n}}{{.kind",
                "error parsing template {{if .n\n}}{{.kind, template: output:2: unclosed action",
            ),
            ("{{08}}", "error parsing template {{08}}, template: output:1: integer overflow: \"08\""),
            ("{{\"\\z\"}}", "error parsing template {{\"\\z\"}}, template: output:1: invalid syntax"),
            (
                "{{range $a, .c}}{{end}}",
                "error parsing template {{range $a, .c}}{{end}}, template: output:1: range can only initialize variables",
            ),
            (
                "{{with .c}}{{else if .n}}{{end}}",
                "error parsing template {{with .c}}{{else if .n}}{{end}}, template: output:1: unexpected <if> in input",
            ),
            (
                "{{$x = .n}}",
                "error: error executing template \"{{$x = .n}}\": template: output:1:7: executing \"output\" at <.n>: undefined variable: $x",
            ),
            ("{{end}}", "error parsing template {{end}}, template: output:1: unexpected {{end}}"),
            (
                "{{if}}x{{end}}",
                "error parsing template {{if}}x{{end}}, template: output:1: missing value for if",
            ),
            ("{{range .c}}", "error parsing template {{range .c}}, template: output:1: unexpected EOF"),
            ("{{$y}}", "error parsing template {{$y}}, template: output:1: undefined variable \"$y\""),
            (
                "{{.kind.x}}",
                "error: error executing template \"{{.kind.x}}\": template: output:1:7: executing \"output\" at <.kind.x>: can't evaluate field x in type interface {}",
            ),
            (
                "{{.metadata.needed}}",
                "error: error executing template \"{{.metadata.needed}}\": template: output:1:11: executing \"output\" at <.metadata.needed>: map has no entry for key \"needed\"",
            ),
            (
                "{{index .c 9}}",
                "error: error executing template \"{{index .c 9}}\": template: output:1:2: executing \"output\" at <index .c 9>: error calling index: index out of range: 9",
            ),
            (
                "{{slice .kind 9}}",
                "error: error executing template \"{{slice .kind 9}}\": template: output:1:2: executing \"output\" at <slice .kind 9>: error calling slice: index out of range: 9",
            ),
            (
                "{{template \"a\"}}",
                "error: error executing template \"{{template \\\"a\\\"}}\": template: output:1:11: executing \"output\" at <{{template \"a\"}}>: template \"a\" not defined",
            ),
            (
                "{{define \"a\"}}A{{end}}{{define \"a\"}}B{{end}}",
                "error parsing template {{define \"a\"}}A{{end}}{{define \"a\"}}B{{end}}, template: output:1: template: multiple definition of template \"a\"",
            ),
            (
                "{{define a}}A{{end}}",
                "error parsing template {{define a}}A{{end}}, template: output:1: unexpected \"a\" in define clause",
            ),
            (
                "{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}",
                "error: error executing template \"{{define \\\"a\\\"}}{{template \\\"a\\\"}}{{end}}{{template \\\"a\\\"}}\": template: output:1:25: executing \"a\" at <{{template \"a\"}}>: exceeded maximum template depth (100000)",
            ),
            (
                "{{call .kind}}",
                "error: error executing template \"{{call .kind}}\": template: output:1:2: executing \"output\" at <call .kind>: error calling call: non-function .kind of type string",
            ),
            (
                "{{gt .c 1}}",
                "error: error executing template \"{{gt .c 1}}\": template: output:1:2: executing \"output\" at <gt .c 1>: error calling gt: invalid type for comparison",
            ),
        ] {
            let wanted =
                if wanted.starts_with("error: ") { wanted.to_owned() } else { format!("error: {wanted}") };
            assert_eq!(print(text), wanted, "{text}");
        }
    }
}
