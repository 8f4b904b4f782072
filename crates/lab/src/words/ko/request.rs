//! What each stage of a request did, in Korean.

use cluster::request::Stage;

use crate::view::request::{Grant, RequestView, Said, StageView, Verdict};

/// The name of a stage.
#[must_use]
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Authentication => "인증",
        Stage::Impersonation => "사용자 가장",
        Stage::Authorization => "인가",
        Stage::Decoding => "디코딩과 기본값",
        Stage::MutatingAdmission => "어드미션: 변경",
        Stage::Validation => "유효성 검사",
        Stage::ValidatingAdmission => "어드미션: 검증",
        Stage::Storage => "etcd",
    }
}

/// What came of the whole request; `code` is written as in Markdown.
#[must_use]
pub fn request(view: &RequestView) -> String {
    match view.stopped_at() {
        None if matches!(view.verb, "get" | "list") => {
            "API 서버가 누구인지, 권한이 있는지 확인하고 읽은 값을 돌려주었습니다.".to_owned()
        }
        None => "요청이 모든 단계를 통과했습니다.".to_owned(),
        Some(Stage::Storage) if matches!(view.verb, "get" | "list") => {
            "권한은 있지만, 찾는 객체가 etcd에 없습니다.".to_owned()
        }
        Some(Stage::Storage) => "마지막 단계인 저장에서 거절되었습니다.".to_owned(),
        Some(at) => format!("**{}** 단계에서 거절되어 etcd에 닿지 못했습니다.", stage(at)),
    }
}

/// What a stage says; empty where its parts say it all.
#[must_use]
pub fn said(view: &StageView) -> String {
    match &view.said {
        Said::Nothing if view.verdict == Verdict::Refused => match view.stage {
            Stage::Authentication => {
                "자격 증명을 아는 인증기가 없습니다. 누구인지 모르므로 권한도 묻지 않습니다.".to_owned()
            }
            Stage::Decoding => "본문을 이 종류의 객체로 읽을 수 없습니다.".to_owned(),
            Stage::Validation => "필드 값이 규칙에 어긋납니다.".to_owned(),
            Stage::Impersonation
            | Stage::Authorization
            | Stage::MutatingAdmission
            | Stage::ValidatingAdmission
            | Stage::Storage => String::new(),
        },
        Said::Nothing if view.verdict == Verdict::NotAsked => match view.stage {
            Stage::MutatingAdmission | Stage::ValidatingAdmission => {
                "이 요청을 보는 플러그인이 없습니다.".to_owned()
            }
            _ => String::new(),
        },
        Said::Nothing if view.stage == Stage::Validation && view.verdict == Verdict::Passed => {
            "서버만 정하는 값을 채우고 모든 필드를 검사했습니다.".to_owned()
        }
        Said::Nothing => String::new(),
        Said::Known(user, groups, by) => {
            let groups = if groups.is_empty() { String::new() } else { format!(", 그룹은 `{groups}`") };
            format!("{} 확인한 사용자는 `{user}`{groups}입니다.", proof(by))
        }
        Said::ActsAs(user, groups, grant) => {
            let groups = if groups.is_empty() { String::new() } else { format!(", 그룹 `{groups}`") };
            format!("이제부터 `{user}`{groups}의 요청으로 다룹니다.{}", by_rule(grant.as_ref()))
        }
        Said::Allowed("system:masters", _) => {
            "`system:masters` 그룹은 RBAC을 거치지 않고 모두 허용됩니다.".to_owned()
        }
        Said::Allowed(by, None) => format!("`{by}` 인가기가 허용했습니다."),
        Said::Allowed(by, grant) => format!("`{by}` 인가기가 허용했습니다.{}", by_rule(grant.as_ref())),
        Said::Held(all) if all.is_empty() => {
            "이 사용자나 그룹을 가리키는 바인딩이 하나도 없습니다.".to_owned()
        }
        Said::Held(all) => format!("가진 역할 {}개 중에 이 요청을 허용하는 규칙이 없습니다.", all.len()),
        Said::Defaulted(0) => "본문을 읽었습니다. 채울 기본값은 없었습니다.".to_owned(),
        Said::Defaulted(count) => format!("본문을 읽고 비어 있던 필드 {count}개를 기본값으로 채웠습니다."),
        Said::Changes(0) => "저장된 객체와 다른 필드가 없습니다.".to_owned(),
        Said::Changes(count) => format!("저장된 객체에서 필드 {count}개를 바꾸려 합니다."),
        Said::Asked(_) if view.verdict == Verdict::Refused => {
            let by = view.parts.iter().find(|part| part.refused).map_or("", |part| part.by);
            format!("`{by}` 플러그인이 거절했습니다.")
        }
        Said::Asked(count) => {
            let changed: usize = view.parts.iter().map(|part| part.changed.len()).sum();
            match (view.stage, changed) {
                (Stage::MutatingAdmission, 0) => {
                    format!("플러그인 {count}개가 보았고, 고친 필드는 없습니다.")
                }
                (Stage::MutatingAdmission, changed) => {
                    format!("플러그인 {count}개가 보고 필드 {changed}개를 고쳤습니다.")
                }
                _ => format!("플러그인 {count}개가 반대하지 않았습니다."),
            }
        }
        Said::Stored(revision) => format!("저장했습니다. `resourceVersion`은 `{revision}`입니다."),
        Said::Unchanged => "달라진 것이 없어 쓰지 않았습니다. `resourceVersion`도 그대로입니다.".to_owned(),
        Said::Removed => "객체를 지웠습니다.".to_owned(),
        Said::Read => "읽기만 했습니다.".to_owned(),
        Said::DryRun => "`dryRun` 요청이라 저장만 빼고 모두 했습니다.".to_owned(),
    }
}

/// How the server came to know who asks.
fn proof(by: &str) -> &'static str {
    match by {
        "x509" => "클라이언트 인증서로",
        "tokenfile" => "등록된 토큰으로",
        "serviceaccount" => "서버가 서명한 ServiceAccount 토큰으로",
        "aws-iam-authenticator" => "IAM 토큰으로",
        _ => "자격 증명 없이",
    }
}

fn by_rule(grant: Option<&Grant>) -> String {
    match grant {
        Some(grant) if grant.binding.is_empty() => format!(" 역할 `{}`의 규칙입니다.", grant.role_name()),
        Some(grant) => format!(
            " `{}` 바인딩이 {}에 준 역할 `{}`의 규칙입니다.",
            grant.binding_name(),
            grant.subject(),
            grant.role_name()
        ),
        None => String::new(),
    }
}
