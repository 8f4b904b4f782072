//! What a mistake in a manifest means, in Korean.

/// A plain sentence and a suggestion for a remark's hint; `word` is what was probably meant.
#[must_use]
pub fn advice(hint: &str, word: Option<&str>) -> String {
    if let Some(word) = word {
        return format!("여기에는 그런 필드가 없습니다. `{word}`인가요?");
    }
    match hint {
        "unknown-field" => "여기에는 그런 필드가 없습니다. 철자와 들여쓰기를 확인하세요.",
        "wrong-type" => {
            "이 필드의 타입과 값이 다릅니다. 숫자, 따옴표로 묶은 글자, 목록, 맵 가운데 무엇인지 보세요."
        }
        "kind-unknown" => {
            "`kind`와 `apiVersion`은 짝이 맞아야 합니다. `kubectl api-resources`에 둘 다 나옵니다."
        }
        "duplicate-key" => "같은 키가 두 번 있고 마지막 것만 남습니다. 하나를 지우세요.",
        "not-simulated" => "그대로 저장하고 보여 줄 뿐, 아무 일도 일어나지 않습니다.",
        "required" => "이 필드는 비어 있으면 안 됩니다. 값을 넣으세요.",
        "invalid" => "타입은 맞지만 이 필드의 규칙에 어긋납니다. 어떤 규칙인지는 메시지에 있습니다.",
        "notsupported" => "나열된 값만 대소문자까지 그대로 쓸 수 있습니다.",
        "duplicate" => "이 목록에 이름이나 키가 같은 항목이 또 있습니다. 서로 다르게 지으세요.",
        "forbidden" => "여기서는 쓸 수 없거나 다른 값과 함께 쓸 수 없습니다.",
        "toolong" => "값이 너무 깁니다. 줄이세요.",
        "toomany" => "목록에 항목이 너무 많습니다.",
        "text-too-large" => "파일 여러 개로 나누세요.",
        _ => "",
    }
    .to_owned()
}
