//! The head of the table: which decision, how it ended, and the ways to the others.
//!
//! Two pairs of arrows: to the decisions before and after, about whatever pod, and to this pod's other attempts.

use lab::{
    view::decision::Table,
    words::{Lang, fill},
};
use yew::{Callback, Html, classes, html};

use super::detail;
use crate::{
    app::{Action, on},
    pane::feed,
    widget::{Icon, icon},
};

/// The head.
pub(super) fn head(table: &Table, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let pod = table.pod.rsplit('/').next().unwrap_or_default().to_owned();
    let gates = table.gates();
    let (end, ink) = match &table.node {
        Some(node) => (node.clone(), None),
        None if !gates.is_empty() => (fill(ui.gates_left, gates.len()), Some("ink-gate")),
        None => (format!("{} / {}", table.fit, table.looked), Some("ink-fail")),
    };
    html! {
        <header class="dh"><div><h1><span class="mono">{pod}</span>{" → "}<span class={classes!(gates.is_empty().then_some("mono"), ink)}>{end}</span></h1>
            <p class="note">
                <span class="mono">{detail::requests(table, ui)}</span>
                if let Some(turn) = table.turn { <span class="mono">{fill(ui.decision_number, turn.number)}</span> }
                <span class="mono">{feed::clock(table.at)}</span>
                if table.attempts.len() > 1 { {attempts(table, lang, send)} }
                if gates.is_empty() { <span class="ink-run">{ui.no_gates}{" "}{icon(Icon::Check, "s12")}</span> }</p></div>
            <span class="grow"/>
            {turns(table, lang, send)}
            <button class="tool" aria-label={ui.close} onclick={on(send, || Action::Decision(false))}>{icon(Icon::X, "")}</button></header>
    }
}

/// A button that turns to another decision. Without one it stays where it is, so that it keeps the focus.
fn to(fact: Option<u64>, name: &str, keys: &'static str, inner: Html, send: &Callback<Action>) -> Html {
    let send = send.clone();
    let onclick = Callback::from(move |_| fact.into_iter().for_each(|fact| send.emit(Action::Look(fact))));
    html! {
        <button class="tool box" aria-label={name.to_owned()} title={format!("{name} ({keys})")} aria-keyshortcuts={keys}
            aria-disabled={fact.is_none().to_string()} {onclick}>{inner}</button>
    }
}

/// To the decisions before and after, by their numbers.
fn turns(table: &Table, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let Some(turn) = table.turn.filter(|it| it.before.is_some() || it.after.is_some()) else {
        return Html::default();
    };
    let (before, after) = (turn.number.saturating_sub(1), turn.number + 1);
    let number = |there: bool, number: usize| if there { number.to_string() } else { "–".to_owned() };
    let earlier = html! { <>{icon(Icon::Left, "s12")}{number(turn.before.is_some(), before)}</> };
    let later = html! { <>{number(turn.after.is_some(), after)}{icon(Icon::Right, "s12")}</> };
    html! {
        <span class="turns mono">{to(turn.before, &fill(ui.earlier_decision, before), ",", earlier, send)}
            {to(turn.after, &fill(ui.later_decision, after), ".", later, send)}</span>
    }
}

/// To this pod's other attempts.
fn attempts(table: &Table, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let (before, after) = table.other_attempts();
    let number = table.attempt.map_or(0, |at| at + 1);
    let words = fill(&fill(ui.attempt_number, number), table.attempts.len());
    html! {
        <span class="tries-nav">{to(before, ui.earlier_attempt, "<", icon(Icon::Left, "s12"), send)}
            <span>{words}</span>{to(after, ui.later_attempt, ">", icon(Icon::Right, "s12"), send)}</span>
    }
}
