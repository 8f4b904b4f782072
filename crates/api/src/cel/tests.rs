use serde_json::{Value, json};

use super::{BUDGET, Program, Scope};

fn ask(text: &str) -> Result<Value, String> {
    let object = json!({"spec": {"replicas": 3, "list": ["a", "b"], "containers": [{"name": "a", "image": "x:1"}, {"name": "b"}]},
        "metadata": {"labels": {"app": "web"}}});
    let mut scope = Scope::default();
    scope.names.insert("object", &object);
    Program::compile(text, &["object"])?.run(&scope, &mut { BUDGET })
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
        assert_eq!(ask(text), Ok(json!(true)), "{text}");
    }
}

#[test]
fn errors_speak_as_cel_go_speaks() {
    for (text, words) in [
        ("object.spec.none > 1", "no such key: none"),
        ("1 / 0 == 1", "division by zero"),
        ("object.spec.list[5] == 'a'", "index out of bounds: 5"),
        ("object.spec.replicas == 'a' + 1", "no such overload"),
    ] {
        assert_eq!(ask(text), Err(words.to_owned()), "{text}");
    }
    assert_eq!(
        ask("foo.bar == 1"),
        Err("compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo.bar == 1\n | ^".to_owned())
    );
    assert!(
        ask("object.spec <= ").is_err_and(|error| error.starts_with("compilation failed: ERROR: <input>:1:"))
    );
}

#[test]
fn nothing_that_is_typed_takes_longer_than_its_budget() {
    let list = format!("[{}]", vec!["1"; 100].join(","));
    let mut text = "x".to_owned();
    for _ in 0..6 {
        text = format!("{list}.map(x, {text})");
    }
    assert!(ask(&text).is_err_and(|error| error.contains("cost budget")));
    for text in
        ["((((", "\"\\", "1e999999", "99999999999999999999999", "a.b.c.", "'\u{0}'", "[[[[[[[[", "{1:", "r'"]
    {
        let _ = ask(text);
    }
    assert!(ask(&"(".repeat(100_000)).is_err());
    let _ = ask(&format!("{}1", "-".repeat(10_000)));
}
