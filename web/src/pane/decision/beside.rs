//! What stands beside the table: who refused before nodes were looked at, what tied, preemption, the queue.

use std::cmp::Reverse;

use lab::{
    view::{attempts::Attempt, decision::Table},
    words::{Lang, fill},
};
use scheduler::decision::{Candidate, Preemption};
use yew::{Callback, Html, classes, html};

use crate::{
    app::{Action, on},
    pane::feed,
    widget::{Icon, icon, rich},
};

/// What is to be known before the table is read.
pub(super) fn before(table: &Table, lang: Lang) -> Html {
    let mut said = Vec::new();
    if let Some(refusal) = &table.pre_filter {
        if table.gates().is_empty() {
            said.push(lang.before_nodes(refusal.plugin));
        }
        said.extend(refusal.because.iter().map(|it| lang.sentence(it)));
    }
    if let Some(names) = &table.narrowed {
        said.push(lang.narrowed(names));
    }
    if let Some(node) = table.node.as_deref().filter(|_| table.nominated_only) {
        said.push(lang.nominated_only(node));
    }
    if let Some(sampled) = table.sampled {
        said.push(lang.sampled(sampled));
    }
    html! { <>{for said.iter().map(|text| say(text))}</> }
}

fn say(text: &str) -> Html {
    html! { <div class="say">{icon(Icon::Bulb, "")}<p>{rich::sentence(text)}</p></div> }
}

/// What decided: the plugins that made the difference, or the draw among equal totals.
pub(super) fn verdict(table: &Table, lang: Lang) -> Html {
    let tie =
        table.node.as_deref().filter(|_| !table.ties.is_empty()).map(|node| lang.tie(&table.ties, node));
    html! {
        <>
            {difference(table, lang)}
            {for tie.iter().map(|text| say(text))}
        </>
    }
}

/// What followed from the table.
pub(super) fn after(table: &Table, lang: Lang, send: &Callback<Action>) -> Html {
    html! {
        <>
            if let Some(message) = &table.message { <div class="raw">{message.clone()}</div> }
            {preemption(table, lang)}
            {queue(table, lang, send)}
        </>
    }
}

/// What made the difference between the winner and the second: every plugin's part, the largest first.
fn difference(table: &Table, lang: Lang) -> Html {
    let Some((first, gap)) = table.scores.iter().find(|it| it.decided).zip(table.gap) else {
        return Html::default();
    };
    let mut parts: Vec<(i64, &str)> =
        table.scores.iter().filter_map(|it| Some((it.lead.filter(|lead| *lead != 0)?, it.plugin))).collect();
    parts.sort_by_key(|(lead, _)| Reverse(*lead));
    let part = |(lead, plugin): &(i64, &str)| html! { <span><b>{signed(*lead)}</b>{" "}{(*plugin).to_owned()}</span> };
    let sentence = lang.decided(first.plugin, first.lead.unwrap_or_default(), gap);
    html! {
        <div class="say">{icon(Icon::Star, "")}<div><p>{rich::sentence(&sentence)}</p>
            if parts.len() > 1 { <p class="leads mono">{for parts.iter().map(part)}<span>{"= "}<b>{signed(gap)}</b></span></p> }</div></div>
    }
}

fn signed(n: i64) -> String {
    if n < 0 { format!("−{}", n.unsigned_abs()) } else { format!("+{n}") }
}

fn preemption(table: &Table, lang: Lang) -> Html {
    let ui = lang.ui();
    if table.preemption.is_none() && table.not_preempted.is_empty() {
        return Html::default();
    }
    html! {
        <section class="aside"><h2>{ui.preemption}</h2>
            {for table.not_preempted.iter().map(|it| html! { <p>{rich::sentence(&lang.sentence(it))}</p> })}
            if let Some(found) = &table.preemption { {candidates(found, lang)} }
        </section>
    }
}

fn candidates(found: &Preemption, lang: Lang) -> Html {
    let ui = lang.ui();
    let row = |it: &Candidate| {
        let chosen = it.node == found.nominated_node;
        html! {
            <tr class={classes!(chosen.then_some("col-win"))}>
                <th scope="row" class="mono">{it.node.clone()}if chosen { {" "}{icon(Icon::Star, "s12")} }</th>
                <td>{it.pdb_violations}</td><td>{it.highest_priority}</td><td>{it.victims.len()}</td>
                <td class="mono">{it.victims.join(", ")}</td></tr>
        }
    };
    let why = lang.chosen_by(found.decided_by, found.candidates.len(), found.ties.len());
    html! {
        <>
            <p>{rich::sentence(&lang.evicts(&found.nominated_node, &found.victims))}</p><p>{why}</p>
            <div class="wide-table"><table class="plain"><thead><tr><th scope="col">{"Node"}</th><th scope="col">{ui.protected}</th><th scope="col">{ui.highest}</th>
                <th scope="col" colspan="2">{ui.victims}</th></tr></thead>
                <tbody>{for found.candidates.iter().map(row)}</tbody></table></div>
        </>
    }
}

fn queue(table: &Table, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let waits = table.node.is_none() && !table.retries.is_empty();
    let attempt = |(at, it): (usize, &Attempt)| {
        let end = it.node.clone().unwrap_or_else(|| lang.outcome(it.outcome).to_owned());
        let here = (table.attempt == Some(at)).then_some("true");
        let fact = it.fact;
        html! {
            <li value={it.number.to_string()}><button class="link" aria-current={here} onclick={on(send, move || Action::Look(fact))}><span class="mono">{feed::clock(it.at)}</span>{" "}
                <span class="note">{lang.woken(&it.woken)}</span>{" → "}
                <span class={if it.node.is_some() { "mono ink-run" } else { "ink-fail" }}>{end}</span></button></li>
        }
    };
    html! {
        if table.attempts.len() > 1 || waits {
            <section class="aside"><h2>{ui.queue}</h2>
                <ol class="tries">{for table.attempts.iter().enumerate().map(attempt)}</ol>
                if let Some(waiting) = table.waiting.as_ref().filter(|it| it.rests) {
                    <p class="note">{fill(ui.resting, feed::clock(waiting.back_off_until))}</p>
                }
                if waits {
                    <h3>{ui.waits_for}</h3>
                    <ul class="events">{for table.retries.iter().map(|it| html! { <li>{lang.event(*it)}</li> })}</ul>
                }
            </section>
        }
    }
}
