//! The hop list of a traced path: a numbered list that says everything the line over the picture says.

use lab::{
    view::path::{PathHop, PathRow, PathView, Verdict},
    words::{Lang, path as words},
};
use yew::{Callback, Html, classes, html};

use crate::widget::{Icon, icon};

/// The list. `on_select` hears of the thing that a hop is at.
pub fn hops(
    view: &PathView,
    lang: Lang,
    selected: Option<&str>,
    on_select: &Callback<Option<String>>,
) -> Html {
    html! {
        <div class="scroll">
            <p class="lead">{words::lead(lang, view)}</p>
            <ol class="hops" aria-label={lang.ui().path}>
                {for view.rows.iter().map(|row| match row {
                    PathRow::Hop(it) => hop(it, lang, selected, on_select),
                    PathRow::Blocker(code) => blocker(code, lang),
                })}
            </ol>
            if view.backends.len() > 1 { {backends(view, lang)} }
        </div>
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
                <span class="r">{words::rule(lang, hop)}</span>
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

/// The look of the verdict's chip.
pub fn chip(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => "s-run",
        Verdict::Refused | Verdict::TimedOut => "s-fail",
    }
}
