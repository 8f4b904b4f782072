use serde_json::json;

use super::{BUDGET, Program, Scope, Sizes, Type, Val};

fn ask(text: &str) -> Result<Val, String> {
    let object = json!({"spec": {"replicas": 3, "list": ["a", "b"], "containers": [{"name": "a", "image": "x:1"}, {"name": "b"}]},
        "metadata": {"labels": {"app": "web"}}});
    let mut scope = Scope::default();
    scope.names.insert("object", Val::of(&object));
    Program::compile(text, &[("object", Type::Dyn)])?.run(&scope, &mut { BUDGET })
}

#[test]
fn expressions_answer_as_the_specification_says() {
    for text in [
        "object.spec.replicas <= 3",
        "object.spec.replicas + 1 == 4 && 7 % 4 == 3",
        "has(object.spec.replicas) && !has(object.spec.none)",
        "object.spec.containers.all(c, size(c.name) == 1)",
        "object.spec.containers.exists(c, c.image == 'x:1')",
        "object.spec.containers.exists_one(c, c.name == 'b')",
        "object.spec.list.map(x, x + '!') == ['a!', 'b!']",
        "object.spec.list.filter(x, x != 'a').size() == 1",
        "'app' in object.metadata.labels && object.metadata.labels['app'].startsWith('w')",
        "object.spec.none == 1 || true",
        "'v1.2'.matches('^v[0-9]+') && 'a,b'.split(',').join('-') == 'a-b'",
        "object.spec.replicas > 5 ? false : true",
        "type(1) == int && int('12') == 12",
        "[1, 2, 3].sum() == 6 && [3, 1].min() == 1",
    ] {
        assert!(matches!(ask(text), Ok(Val::Bool(true))), "{text}: {:?}", ask(text));
    }
}

#[test]
fn errors_speak_as_cel_go_speaks() {
    for (text, words) in [
        ("object.spec.none > 1", "no such key: none"),
        ("1 / 0 == 1", "division by zero"),
        ("object.spec.list[5] == 'a'", "index out of bounds: 5"),
        ("object.spec.list > 1", "no such overload"),
    ] {
        assert_eq!(ask(text).err().as_deref(), Some(words), "{text}");
    }
    assert_eq!(
        ask("foo.bar == 1").err().as_deref(),
        Some("ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo.bar == 1\n | ^")
    );
    assert!(ask("object.spec <= ").is_err_and(|error| error.starts_with("ERROR: <input>:1:")));
}

#[test]
fn nothing_that_is_typed_takes_longer_than_its_budget() {
    let list = format!("[{}]", vec!["1"; 100].join(","));
    let mut text = "x".to_owned();
    for _ in 0..6 {
        text = format!("{list}.map(x, {text})");
    }
    assert!(ask(&text).is_err_and(|error| error.contains("cost limit")));
    for text in
        ["((((", "\"\\", "1e999999", "99999999999999999999999", "a.b.c.", "'\u{0}'", "[[[[[[[[", "{1:", "r'"]
    {
        let _ = ask(text);
    }
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(ask(&nested(40)).is_ok());
    for text in [nested(260), "(".repeat(90_000)] {
        assert_eq!(
            ask(&text).err().as_deref(),
            Some("ERROR: <input>:-1:0: expression recursion limit exceeded: 250")
        );
    }
    assert_eq!(
        ask(&format!("1{}", "+1".repeat(60_000))).err().as_deref(),
        Some("ERROR: <input>:-1:0: expression code point size exceeds limit: size: 120001, limit 100000")
    );
    for chain in ["+1", ".a", "[0]", ".f()", "<1"] {
        let _ = ask(&format!("1{}", chain.repeat(190)));
        assert_eq!(
            ask(&format!("object{}", chain.repeat(300))).err().as_deref(),
            Some("ERROR: <input>:-1:0: max recursion depth exceeded")
        );
    }
    let any = vec!["object.spec.replicas == 3"; 300].join(" || ");
    assert!(matches!(ask(&any), Ok(Val::Bool(true))));
    let _ = ask(&format!("{}1", "-".repeat(10_000)));
}

/// Expressions and what the API server 1.34 says of a rule that is made of them, where `object` is a map of anything.
#[test]
fn types_that_do_not_go_together_are_named_where_they_stand() {
    for (text, place, words) in [
        (
            "1 >",
            "1:4",
            "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
        ),
        ("1 > 1 1", "1:7", "Syntax error: extraneous input '1' expecting <EOF>"),
        ("1 = 1", "1:3", "Syntax error: token recognition error at: '= '"),
        ("(1 > 1", "1:7", "Syntax error: missing ')' at '<EOF>'"),
        ("[1, 2", "1:6", "Syntax error: mismatched input '<EOF>' expecting {']', ','}"),
        ("object..n", "1:8", "Syntax error: no viable alternative at input '..'"),
        ("1 > 1 and true", "1:7", "Syntax error: mismatched input 'and' expecting <EOF>"),
        ("1 > 'a'", "1:3", "found no matching overload for '_>_' applied to '(int, string)'"),
        ("1 + 1.0 > 2.0", "1:3", "found no matching overload for '_+_' applied to '(int, double)'"),
        ("foo(1)", "1:4", "undeclared reference to 'foo' (in container '')"),
        (
            "'a'.startsWith(1)",
            "1:15",
            "found no matching overload for 'startsWith' applied to 'string.(int)'",
        ),
        ("[1, 'a'].size() > 1", "1:5", "expected type 'int' but found 'string'"),
        ("true && 'a'", "1:9", "expected type 'bool' but found 'string'"),
        (
            "'a'.all(x, x == 'a')",
            "1:1",
            "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        ("has(object)", "1:5", "invalid argument to has() macro"),
        ("if == 1", "1:1", "reserved identifier: if"),
        (
            "quantity('1') > quantity('2')",
            "1:15",
            "found no matching overload for '_>_' applied to '(kubernetes.Quantity, kubernetes.Quantity)'",
        ),
        ("duration('abc') > duration('1s')", "1:10", "invalid duration argument"),
        (
            "'%d'.format(['a']) == 'a'",
            "1:14",
            "error during formatting: decimal clause can only be used on integers, was given string",
        ),
        (
            "duration('1h') duration('1m')",
            "1:16",
            "Syntax error: mismatched input 'duration' expecting <EOF>",
        ),
        ("[1 'a'].size() > 1 1", "1:4", "Syntax error: extraneous input ''a'' expecting {']', ','}"),
        ("object ? 1 = 2", "1:14", "Syntax error: missing ':' at '2'"),
        ("{'a': 1 2}", "1:9", "Syntax error: extraneous input '2' expecting {'}', ','}"),
        ("(object.spec and 1)", "1:14", "Syntax error: mismatched input 'and' expecting ')'"),
        ("[1].map(x.y, 1)", "1:10", "argument is not an identifier"),
        ("[1].exists(x, x, true)", "1:15", "duplicate variable name: x"),
        ("[3, 1].sort() == [1, 3]", "1:12", "undeclared reference to 'sort' (in container '')"),
    ] {
        let said = ask(text).err().unwrap_or_default();
        assert!(said.contains(&format!("ERROR: <input>:{place}: {words}\n | {text}\n")), "{text}: {said}");
    }
}

/// Answers of the API server 1.34.
#[test]
fn libraries_of_kubernetes_answer() {
    for text in [
        "quantity('1Gi').isGreaterThan(quantity('500Mi')) && quantity('50k').add(quantity('20k')).compareTo(quantity('70k')) == 0",
        "!quantity('500m').isInteger() && sign(quantity('-1')) == -1",
        "duration('1h30m') > duration('90s') && string(duration('90m')) == '5400s'",
        "timestamp('2023-01-02T03:04:05Z').getHours('+09:00') == 12",
        "timestamp('2023-01-02T03:04:05Z').getHours('Asia/Seoul') == 12",
        "timestamp('2023-07-02T03:04:05Z').getHours('America/New_York') == 23",
        "timestamp('2023-01-02T03:04:05Z') - timestamp('2023-01-01T03:04:05Z') == duration('24h')",
        "url('https://example.com:80/path?k=a&k=b').getQuery() == {'k': ['a', 'b']}",
        "isURL('https://a.b') && !isURL('../relative') && url('https://e.com/a b').getEscapedPath() == '/a%20b'",
        "ip('127.0.0.1').isLoopback() && ip('::1').family() == 6 && !ip.isCanonical('2001:DB8::1')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
        "'1a2b3'.findAll('[0-9]', 2) == ['1', '2'] && sets.equivalent([1, 1], [1])",
        "format.dns1123Label().validate('My_Name').hasValue() && format.named('dns1123Label').hasValue()",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2",
        "object.?none.orValue('d') == 'd' && object.spec.?replicas.optMap(x, x + 1).value() == 4",
        "object.spec.list.transformList(i, v, v + string(i)) == ['a0', 'b1']",
        "'%s is %d and %.2f'.format(['a', 3, 1.5]) == 'a is 3 and 1.50'",
        "1 < 1.5 && 1u < 2 && {1: 'a'}[1] == 'a' && r'a\\b' == 'a\\\\b'",
    ] {
        assert!(matches!(ask(text), Ok(Val::Bool(true))), "{text}: {:?}", ask(text));
    }
    for (text, words) in [
        ("quantity('500m').asInteger() == 1", "cannot convert value to integer"),
        (
            "cidr('10.0.0.0').prefixLength() == 8",
            "network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix(\"10.0.0.0\"): no '/'",
        ),
        ("'hello'.substring(3, 1) == 'el'", "invalid substring range. start: 3, end: 1"),
        ("optional.none().value() == 1", "optional.none() dereference"),
        ("[1, 2].filter(x, x > 5).max() == 1", "max called on empty list"),
    ] {
        assert_eq!(ask(text).err().as_deref(), Some(words), "{text}");
    }
}

#[test]
fn a_finger_points_past_wide_letters() {
    let said = ask("'é' == 'ö' 1").err().unwrap_or_default();
    assert!(said.ends_with(" | 'é' == 'ö' 1\n | .．......．..^"), "{said}");
}

#[test]
fn what_an_expression_may_cost_is_known_before_it_is_asked() {
    let letters = |most| Sizes { most, ..Sizes::default() };
    let list = Sizes { most: 10, items: Some(Box::new(letters(50))), ..Sizes::default() };
    let fields = [("name".to_owned(), letters(100)), ("list".to_owned(), list)].into();
    let sizes = Sizes { fields, ..Sizes::default() };
    let type_ =
        Type::object("self", [("name".to_owned(), Type::Text), ("list".to_owned(), Type::list(Type::Text))]);
    let cost = |text: &str| {
        Program::compile(text, &[("self", type_.clone())]).map(|program| program.most_cost(&sizes))
    };
    // A name, a field, and a tenth of the shorter text.
    assert_eq!(cost("self.name == 'abc'"), Ok(3));
    assert_eq!(cost("self.name == self.name"), Ok(14));
    // Ten times: whether to go on (2), what is so far (1), the item (1), a tenth of 50; then the list (2) and the result (1).
    assert_eq!(cost("self.list.all(x, x == self.list[0])"), Ok(2 + 1 + 10 * (2 + 1 + 1 + 3 + 5)));
    assert_eq!(cost("self.list.all(x, self.list.exists(y, x == y))").map(|it| it > 1_000), Ok(true));
}
