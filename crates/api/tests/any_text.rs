//! Whatever somebody types or pastes: nothing panics, and every place that is pointed at is there.

use api::{FieldPath, diagnose, reindent, text};
use proptest::prelude::*;
use serde_json::Value;

/// Pieces from which manifests, and texts that nearly are, can be put together.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "apiVersion: v1\n",
        "apiVersion: apps/v1\n",
        "kind: Pod\n",
        "kind: Deployment\n",
        "kind: Service\n",
        "kind: Job\n",
        "kind: Node\n",
        "metadata:\n",
        "  name: web\n",
        "name: web\n",
        "  labels: {app: web}\n",
        "spec:\n",
        "  replicas: 3\n",
        "  selector: {}\n",
        "  containers:\n",
        "containers:\n",
        "  - name: c\n",
        "- name: c\n",
        "    image: \"nginx\"\n",
        "    ports: [{containerPort: 80}]\n",
        "    resources: {requests: {cpu: 1e3, memory: -1}}\n",
        "  - &a x\n",
        "  <<: *a\n",
        "  x: *a\n",
        "---\n",
        "\t",
        "  ",
        "가나다: 라\n",
        "? [a]\n: b\n",
        "key: |\n  text\n",
        "on: 014\n",
        ": ",
        "- ",
        "{",
        "]",
        "\"",
        "\u{feff}",
        "\r\n",
    ];
    prop_oneof![6 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

/// Every path of a value, fields and items.
fn paths(value: &Value, at: &FieldPath, out: &mut Vec<(FieldPath, Value)>) {
    out.push((at.clone(), value.clone()));
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                paths(item, &at.index(index), out);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                paths(value, &at.key(name), out);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_every_remark_lies_within_it(text in texts()) {
        for found in diagnose::manifest(&text) {
            if let Some(span) = found.span {
                let (start, end) = (span.start as usize, span.end as usize);
                prop_assert!(start <= end && end <= text.len(), "{found:?}");
                prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{found:?}");
                prop_assert!(span.line >= 1 && span.column >= 1);
            }
        }
        let _ = reindent::reindent(&text);
    }

    #[test]
    fn any_letters_are_read(text in "\\PC{0,200}") {
        let _ = diagnose::manifest(&text);
    }

    #[test]
    fn a_path_of_a_plain_string_points_at_that_string(
        value in "[a-z][a-z0-9]{2,8}", before in "[a-z가-힣 ]{0,10}", deep in 0usize..6,
    ) {
        // A word that is no boolean or number.
        let value = format!("{value}-x");
        let mut text = format!("# {before}\n");
        for level in 0..deep {
            text.push_str(&format!("{}k{level}:\n", "  ".repeat(level)));
        }
        text.push_str(&format!("{}last: {value}\n", "  ".repeat(deep)));
        let document = &text::read(&text).documents[0];
        let mut all = Vec::new();
        paths(document.value(), &FieldPath::root(), &mut all);
        for (path, found) in all {
            if found == Value::String(value.clone()) {
                let span = document.span_of(&path).expect("a place");
                prop_assert_eq!(&text[span.start as usize..span.end as usize], value.as_str());
                prop_assert_eq!(span.line as usize, deep + 2);
                prop_assert_eq!(span.column as usize, deep * 2 + "last: ".len() + 1);
            }
        }
    }
}
