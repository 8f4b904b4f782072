//! What a mistake in a manifest means, in English.

/// A plain sentence and a suggestion for a remark's hint; `word` is what was probably meant.
#[must_use]
pub fn advice(hint: &str, word: Option<&str>) -> String {
    if let Some(word) = word {
        return format!("There is no such field here. Did you mean `{word}`?");
    }
    match hint {
        "unknown-field" => "There is no such field here: check its spelling, and how far it is indented.",
        "wrong-type" => {
            "The value has another type than this field: a number, a text in quotes, a list or a map."
        }
        "kind-unknown" => "`kind` and `apiVersion` belong together: `kubectl api-resources` lists both.",
        "duplicate-key" => "The same key stands here twice, and the last one wins. Remove one.",
        "not-simulated" => "It is kept and shown back, and nothing follows from it.",
        "required" => "This field must be there, and not be empty. Add it.",
        "invalid" => "The value has the right type and breaks a rule of this field: the message says which.",
        "notsupported" => "Only the listed values are taken, with exactly these letters.",
        "duplicate" => "Another item of this list has the same name or key. Give each its own.",
        "forbidden" => "This may not be set here, or not together with the rest.",
        "toolong" => "The value is too long. Shorten it.",
        "toomany" => "The list has too many items.",
        "text-too-large" => "Split the text into several files.",
        _ => "",
    }
    .to_owned()
}
