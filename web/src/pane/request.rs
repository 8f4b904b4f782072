//! One request at the API server: its stages, what each saw and changed, and where it stopped.

use cluster::request::{Edit, Stage};
use lab::{
    view::request::{Part, RequestView, Said, StageView, Verdict},
    words::{Lang, Ui, fill},
};
use yew::{Callback, Html, classes, html};

use crate::{
    app::{Action, on},
    widget::{Icon, icon, rich},
};

/// Fields that are shown before the rest is folded.
const FIRST: usize = 3;
/// Longest value that is shown whole, in characters.
const LONGEST: usize = 48;

/// The beat of a story in which a stage is told.
fn beat(stage: Stage) -> u8 {
    match stage {
        Stage::Authentication | Stage::Impersonation => 1,
        Stage::Authorization => 2,
        Stage::Decoding | Stage::MutatingAdmission | Stage::Validation | Stage::ValidatingAdmission => 3,
        Stage::Storage => 4,
    }
}

/// A request, as far as it is told.
pub fn request(view: &RequestView, told: u8, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let lead = if told < beat(Stage::Storage) { ui.request_arrives.to_owned() } else { lang.request(view) };
    let turn = |seq: Option<u64>, glyph: Icon, name: &'static str| {
        let go = on(send, move || Action::Select(seq.map(|seq| format!("Request/{seq}"))));
        html! { <button class="tool" aria-label={name} title={name} disabled={seq.is_none()} onclick={go}>{icon(glyph, "")}</button> }
    };
    html! {
        <div class="scroll req" tabindex="0">
            <div class="r-line">
                <span class="mono r-path" title={view.path.clone()}><b>{view.method}</b>{" "}{view.path.clone()}</span>
                <span class="r-turn">{turn(view.turn.0, Icon::Left, ui.request_before)}
                    <span class="mono">{format!("{}/{}", view.place.0, view.place.1)}</span>
                    {turn(view.turn.1, Icon::Right, ui.request_after)}</span>
            </div>
            <p class="lead">{rich::sentence(&lead)}</p>
            <ol class="chain">
                {for view.stages.iter().enumerate().map(|(index, it)| stage(index + 1, it, beat(it.stage) <= told, view, lang))}
            </ol>
            {for view.warnings.iter().map(|warning| html! { <div class="raw">{format!("Warning: {warning}")}</div> })}
        </div>
    }
}

fn stage(number: usize, it: &StageView, told: bool, view: &RequestView, lang: Lang) -> Html {
    let ui = lang.ui();
    let name = lang.stage(it.stage);
    let ghost = |words: &'static str| {
        html! {
            <li class="is-ghost" data-verdict={format!("{:?}", it.verdict)}><span class="dot s-ghost">{number}</span>
                <div><b>{name}</b>if !words.is_empty() { <span class="r-said">{words}</span> }</div></li>
        }
    };
    if !told {
        return ghost(ui.not_yet);
    }
    let dot = match it.verdict {
        Verdict::Passed => html! { <span class="dot s-run">{icon(Icon::Check, "")}</span> },
        Verdict::Refused => html! { <span class="dot s-fail">{icon(Icon::X, "")}</span> },
        Verdict::NotAsked => html! { <span class="dot s-ghost">{"–"}</span> },
        Verdict::NotReached => return ghost(ui.not_come),
    };
    let no = view.refused.as_ref().filter(|_| it.verdict == Verdict::Refused);
    html! {
        <li data-verdict={format!("{:?}", it.verdict)}>{dot}<div>
            <b>{name}</b>
            <span class="r-said">{rich::sentence(&lang.said(it))}</span>
            {details(&it.said)}
            {parts(&it.parts, ui)}
            if let Some(no) = no {
                <div class="raw is-no"><b>{format!("{} {}", no.code, no.reason)}</b>{" "}{no.message.clone()}</div>
            }
        </div></li>
    }
}

/// The rule that allowed it, or the roles that did not.
fn details(said: &Said) -> Html {
    let rule = |grant: &Option<lab::view::request::Grant>| grant.as_ref().and_then(|it| it.rule.clone());
    match said {
        Said::Allowed(_, grant) | Said::ActsAs(_, _, grant) => match rule(grant) {
            Some(rule) => {
                let groups =
                    rule.groups.iter().map(|it| if it.is_empty() { "\"\"" } else { it }).collect::<Vec<_>>();
                let rows = [
                    ("verbs", rule.verbs.join(" ")),
                    ("resources", rule.resources.join(" ")),
                    ("apiGroups", groups.join(" ")),
                    ("resourceNames", rule.names.join(" ")),
                ];
                let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
                html! { <dl class="r-rule">{for rows.map(|(name, value)| html! { <><dt>{name}</dt><dd>{value}</dd></> })}</dl> }
            }
            None => Html::default(),
        },
        Said::Held(roles) => html! {
            <ul class="r-held">{for roles.iter().map(|(binding, role)| html! {
                <li title={format!("{binding} → {role}")}>{role.clone()}</li> })}</ul>
        },
        Said::Nothing
        | Said::Known(..)
        | Said::Defaulted(_)
        | Said::Changes(_)
        | Said::Asked(_)
        | Said::Stored(_)
        | Said::Unchanged
        | Said::Removed
        | Said::Read
        | Said::DryRun => Html::default(),
    }
}

/// Each plugin with what it changed, then those that changed nothing.
fn parts(parts: &[Part], ui: &Ui) -> Html {
    let busy = |part: &&Part| !part.changed.is_empty() || !part.warnings.is_empty() || part.refused;
    let quiet: Vec<&str> =
        parts.iter().filter(|part| !busy(part) && !part.by.is_empty()).map(|it| it.by).collect();
    let count = |part: &Part| match part.changed.len() {
        0 => String::new(),
        1 => ui.one_field.to_owned(),
        many => fill(ui.fields, many),
    };
    html! {
        <>
            {for parts.iter().filter(busy).map(|part| html! {
                <div class={classes!("r-part", part.refused.then_some("is-no"))}>
                    if !part.by.is_empty() { <div class="r-by"><code>{part.by}</code><span>{count(part)}</span></div> }
                    {edits(&part.changed, ui)}
                    {for part.warnings.iter().map(|it| html! { <p class="note">{it.clone()}</p> })}
                </div>
            })}
            if !quiet.is_empty() { <p class="r-quiet"><span>{ui.unchanged_by}</span>{" "}{quiet.join(" · ")}</p> }
        </>
    }
}

fn edits(all: &[Edit], ui: &Ui) -> Html {
    // What a reader looks for comes first: a whole manifest in an annotation last.
    let mut all: Vec<&Edit> = all.iter().collect();
    all.sort_by_key(|it| it.field.contains("last-applied-configuration"));
    let (first, rest) = all.split_at(if all.len() > FIRST + 1 { FIRST } else { all.len() });
    html! {
        <>
            if !first.is_empty() { <ul class="r-edits">{for first.iter().map(|it| edit(it))}</ul> }
            if !rest.is_empty() {
                <details class="r-rest"><summary>{fill(ui.more_fields, rest.len())}</summary>
                    <ul class="r-edits">{for rest.iter().map(|it| edit(it))}</ul></details>
            }
        </>
    }
}

fn edit(it: &Edit) -> Html {
    let value = |text: &String, class: &'static str| html! { <span class={class} title={text.clone()}>{shown(text)}</span> };
    html! {
        <li><span class="r-field" title={it.field.clone()}>{shown_field(&it.field)}</span>
            if let Some(before) = &it.before { {value(before, "was")} }
            if let Some(after) = &it.after { {value(after, "is")} } else { <span class="is">{"–"}</span> }</li>
    }
}

/// A value that fits a line: words without their quotes, long ones cut.
fn shown(text: &str) -> String {
    let text = match text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inner) if !inner.is_empty() && !inner.contains('\\') => inner,
        _ => text,
    };
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A path without what every reader knows: an annotation's own prefix.
fn shown_field(field: &str) -> String {
    field.replace("metadata.annotations.kubectl.kubernetes.io/", "metadata.annotations.…/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_on_one_line() {
        assert_eq!(shown("\"Always\""), "Always");
        assert_eq!(shown("\"\""), "\"\"");
        assert_eq!(shown(&"x".repeat(60)).chars().count(), LONGEST);
    }
}
