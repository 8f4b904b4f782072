//! The path tracer: which ends, and the hops between them as a numbered list that says everything the line over the picture says.

use std::rc::Rc;

use lab::{
    view::path::{PathFix, PathHop, PathRow, PathView, Verdict},
    words::{Lang, fill, path as words},
};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{Callback, Html, Properties, classes, function_component, html, use_node_ref, use_state_eq};

use crate::{
    app::{Action, on, target},
    widget::{Icon, icon},
};

/// Fixes that show without being asked for.
const FIRST_FIXES: usize = 3;

/// What the form of the two ends is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct EndsProps {
    /// Everything that can be an end, as `lab trace` calls it.
    pub known: Vec<String>,
    /// Which ones are chosen: from, to.
    pub chosen: (String, String),
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The form of the two ends and the port.
#[function_component(Ends)]
pub fn ends(props: &EndsProps) -> Html {
    let EndsProps { known, chosen, lang, send } = props;
    let ui = lang.ui();
    let port = use_node_ref();
    let list = |first: bool, name: &'static str, chosen: &String| {
        let send = send.clone();
        let onchange = Callback::from(move |event: web_sys::Event| {
            if let Some(select) = target::<HtmlSelectElement>(&event) {
                send.emit(Action::End(first, select.value()));
            }
        });
        html! {
            <label>{name}{" "}
                <select class="tool box" aria-label={name} {onchange}>
                    <option value="" selected={chosen.is_empty()}>{format!("— {} —", ui.choose)}</option>
                    {for known.iter().map(|end| html! {
                        <option value={end.clone()} selected={end == chosen}>{end.clone()}</option>
                    })}
                </select></label>
        }
    };
    let onsubmit = {
        let (send, port) = (send.clone(), port.clone());
        Callback::from(move |event: yew::SubmitEvent| {
            event.prevent_default();
            let port = port.cast::<HtmlInputElement>().map(|it| it.value()).unwrap_or_default();
            send.emit(Action::Trace(port.chars().filter(char::is_ascii_digit).collect()));
        })
    };
    html! {
        <form class="ends" aria-label={ui.path} {onsubmit}>
            <p class="note">{ui.choose_ends}</p>
            {list(true, ui.from, &chosen.0)}{list(false, ui.to, &chosen.1)}
            <label>{ui.port}{" "}
                <input ref={port} class="share-link" inputmode="numeric" size="5" maxlength="5" aria-label={ui.port} placeholder={ui.any_port}/></label>
            <button class="btn ghost" disabled={chosen.0.is_empty() || chosen.1.is_empty()}>{ui.trace}</button>
        </form>
    }
}

/// The list. `on_select` hears of the thing that a hop is at.
pub fn hops(
    view: &PathView,
    lang: Lang,
    selected: Option<&str>,
    on_select: &Callback<Option<String>>,
) -> Html {
    html! {
        <>
            <p class="lead" role="status">{words::lead(lang, view)}</p>
            <ol class="hops" aria-label={lang.ui().path}>
                {for view.rows.iter().map(|row| match row {
                    PathRow::Hop(it) => hop(it, lang, selected, on_select),
                    PathRow::Blocker(code) => blocker(code, lang),
                })}
            </ol>
            if view.backends.len() > 1 { {backends(view, lang)} }
        </>
    }
}

fn hop(hop: &PathHop, lang: Lang, selected: Option<&str>, on_select: &Callback<Option<String>>) -> Html {
    let onclick = hop.at.clone().map(|at| {
        let on_select = on_select.clone();
        Callback::from(move |_| on_select.emit(Some(at.clone())))
    });
    let on = hop.at.is_some() && hop.at.as_deref() == selected;
    let ghost = hop.number.is_none();
    html! {
        <li class={classes!(on.then_some("is-on"), ghost.then_some("is-ghost"))}>
            <span class="dot">{hop.number.map_or_else(|| "·".to_owned(), |n| n.to_string())}</span>
            <div>
                if let Some(onclick) = onclick {
                    <button class="plain" {onclick}>{words::title(lang, hop)}</button>
                } else {
                    <b>{words::title(lang, hop)}</b>
                }
                <span class="r">
                    if let Some((before, after)) = words::rewriting(hop) { <s>{before}</s>{" → "}<b>{after}</b> }
                    else { {words::rule(lang, hop)} }
                </span>
                if !hop.rules.is_empty() {
                    <details class="rules"><summary>{words::rules(lang, hop.rules.len())}</summary>
                        <ol>{for hop.rules.iter().map(|it| html! {
                            <li class={classes!(it.taken.then_some("is-taken"))}>{&it.rule}
                                <span class="vh">{format!(" ({})", words::step(lang, it.taken))}</span></li>
                        })}</ol>
                    </details>
                }
            </div>
            if !ghost { {icon(Icon::Check, "")} }
        </li>
    }
}

fn blocker(code: &str, lang: Lang) -> Html {
    html! {
        <li class="is-blocker">
            <span class="dot is-bad">{"✕"}</span>
            <div><b>{words::blocker(lang, code)}</b><span class="r">{code.to_owned()}</span></div>
        </li>
    }
}

fn backends(view: &PathView, lang: Lang) -> Html {
    html! {
        <table class="backends">
            <caption>{lang.pick("이번 연결이 고를 수 있던 곳", "Where this connection could have gone")}</caption>
            <tbody>{for view.backends.iter().map(|it| html! {
                <tr class={classes!(it.picked.then_some("is-on"))}>
                    <th scope="row">{&it.name}</th>
                    <td>{format!("1/{}", it.one_in)}</td>
                    <td>{if it.picked { lang.pick("이번에 뽑힘", "picked") } else { "" }}</td>
                </tr>
            })}</tbody>
        </table>
    }
}

/// What the list of fixes is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct FixesProps {
    /// The path.
    pub view: Rc<PathView>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The smallest changes that would let a blocked path through.
#[function_component(Fixes)]
pub fn fixes(props: &FixesProps) -> Html {
    let FixesProps { view, lang, send } = props;
    let texts = lang.what_if();
    let all = use_state_eq(|| false);
    let shown = if *all { usize::MAX } else { FIRST_FIXES };
    let more = view.fixes.len().saturating_sub(shown);
    let show_all = Callback::from(move |_| all.set(true));
    if view.verdict == Verdict::Reached {
        return html! {};
    }
    html! {
        <section class="fixes" aria-label={words::fixes(*lang)}>
            <h2>{words::fixes(*lang)}</h2>
            if view.fixes.is_empty() { <p class="note">{words::no_fix(*lang)}</p> }
            <ol>{for view.fixes.iter().take(shown).map(|it| fix(it, view, *lang, send))}</ol>
            if more > 0 { <button class="link" onclick={show_all}>{fill(texts.show_more, more)}</button> }
        </section>
    }
}

fn fix(fix: &PathFix, view: &PathView, lang: Lang, send: &Callback<Action>) -> Html {
    let texts = lang.what_if();
    let edits: Vec<String> = fix.edits.iter().map(|it| words::edit(lang, it)).collect();
    let edits = edits.join(" + ");
    let typed = fix.lines.join("\n");
    let lines = format!("{typed}\nlab wait idle\n{}", view.again);
    html! {
        <li>
            <div class="fix-head"><span class="fix-edits">{edits.clone()}</span>
                <span class="grow"/>
                if fix.is_whole() {
                    <button class="btn ghost small" aria-label={format!("{}: {edits}", texts.apply)}
                        onclick={on(send, move || Action::InBranch(lines.clone()))}>{icon(Icon::Branch, "s12")}{texts.apply}</button>
                }</div>
            if !fix.is_whole() { <p class="note">{words::elsewhere(lang)}</p> }
            if !fix.lines.is_empty() { <details><summary>{texts.commands}</summary><pre class="mono">{typed}</pre></details> }
        </li>
    }
}

/// The look of the verdict's chip.
pub fn chip(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => "s-run",
        Verdict::Refused | Verdict::TimedOut => "s-fail",
    }
}
