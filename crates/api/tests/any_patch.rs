//! Whatever is patched with whatever, and whatever template is printed: nothing panics, and patches keep their laws.

#![allow(clippy::expect_used, reason = "tests say what must hold")]

use api::{
    Kind,
    jsonpath::JsonPath,
    patch::{json_merge, json_patch, restore, strategic_merge, three_way},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const KINDS: [Kind; 5] = [Kind::Pod, Kind::Deployment, Kind::Service, Kind::ConfigMap, Kind::Node];

/// Fields of real objects, directives, and words that are neither.
const NAMES: [&str; 26] = [
    "metadata",
    "name",
    "labels",
    "finalizers",
    "ownerReferences",
    "uid",
    "spec",
    "template",
    "containers",
    "env",
    "ports",
    "containerPort",
    "protocol",
    "volumes",
    "tolerations",
    "taints",
    "status",
    "conditions",
    "type",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$setElementOrder/finalizers",
    "$deleteFromPrimitiveList/finalizers",
    "",
    "가",
];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned)
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["merge", "replace", "delete", "a", "b", "TCP", "80", ""])
            .prop_map(Value::from),
    ]
}

/// JSON that looks somewhat like an object or like a patch of one.
fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Operations of RFC 6902, right and wrong.
fn operations() -> impl Strategy<Value = Value> {
    let verb = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test", "nothing"]);
    let path = prop_oneof![
        prop::collection::vec(
            prop_oneof![name(), Just("0".to_owned()), Just("-".to_owned()), Just("~1~0~".to_owned())],
            0..4
        )
        .prop_map(|parts| parts.iter().map(|part| format!("/{part}")).collect::<String>()),
        ".{0,6}",
    ];
    let one = (verb, path.clone(), path, value())
        .prop_map(|(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}));
    prop_oneof![8 => prop::collection::vec(one, 0..5).prop_map(Value::from), 1 => value()]
}

fn template() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        ".items",
        "[*]",
        "[0]",
        "[-1]",
        "[1:3]",
        "[::2]",
        "[::0]",
        "[9:]",
        "..",
        "..name",
        ".metadata.name",
        "['name','uid']",
        "[?(@.name==\"a\")]",
        "[?(@.type)]",
        "[?(@.a>1)]",
        "{range .items[*]}",
        "{end}",
        "{\"\\n\"}",
        "'",
        "\"",
        "\\",
        "(",
        "]",
        ".",
        "@",
        "$",
        "99999999999999999999",
        "1e400",
        "가",
    ];
    let piece = prop_oneof![6 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_template_is_refused_or_printed(template in template(), value in value()) {
        for path in [JsonPath::parse(&template), JsonPath::relaxed(&template)].into_iter().flatten() {
            let _ = path.try_print(&value);
            let _ = path.as_json(&value);
            let _ = path.values(&value);
            let _ = path.needing_keys().try_print(&value);
        }
    }

    #[test]
    fn any_strategic_patch_is_refused_or_applied(kind in 0..KINDS.len(), before in value(), patch in value()) {
        let mut after = before;
        let _ = strategic_merge(KINDS[kind], &mut after, &patch);
        let _ = restore(KINDS[kind], &after);
    }

    #[test]
    fn any_json_patch_is_refused_or_applied(before in value(), patch in operations()) {
        let mut after = before;
        let _ = json_patch(&mut after, &patch);
    }

    #[test]
    fn a_merge_patch_changes_nothing_the_second_time(before in value(), patch in value()) {
        let mut once = before;
        json_merge(&mut once, &patch);
        let mut twice = once.clone();
        json_merge(&mut twice, &patch);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn apply_finds_a_patch_between_any_objects(kind in 0..KINDS.len(), last in value(), new in value(), live in value()) {
        let patch = three_way(KINDS[kind], &last, &new, &live);
        let _ = strategic_merge(KINDS[kind], &mut live.clone(), &patch);
    }

    #[test]
    fn a_manifest_that_is_there_already_needs_no_patch(kind in 0..KINDS.len(), object in value()) {
        if object.is_object() && !object.to_string().contains('$') {
            prop_assert_eq!(three_way(KINDS[kind], &object, &object, &object), json!({}));
        }
    }
}
