//! What stands beside the table: who refused before nodes were looked at, what tied, preemption, the queue.

use lab::{
    view::decision::Table,
    words::{Lang, fill},
};
use scheduler::decision::{Candidate, Preemption};
use yew::{Html, classes, html};

use crate::{
    pane::feed,
    widget::{Icon, icon, rich},
};

/// What is to be known before the table is read.
pub(super) fn before(table: &Table, lang: Lang) -> Html {
    let mut said = Vec::new();
    if let Some(refusal) = &table.pre_filter {
        said.push(lang.before_nodes(refusal.plugin));
        said.extend(refusal.because.iter().map(|it| lang.sentence(it)));
    }
    if let Some(names) = &table.narrowed {
        said.push(lang.narrowed(names));
    }
    if let Some(node) = table.node.as_deref().filter(|_| table.nominated_only) {
        said.push(lang.nominated_only(node));
    }
    html! { <>{for said.into_iter().map(|text| html! { <p class="say">{rich::sentence(&text)}</p> })}</> }
}

/// What followed from the table.
pub(super) fn after(table: &Table, lang: Lang) -> Html {
    let decider = table.scores.iter().find_map(|it| Some(lang.decided(it.plugin, it.decided?, table.gap?)));
    let tie =
        table.node.as_deref().filter(|_| !table.ties.is_empty()).map(|node| lang.tie(&table.ties, node));
    html! {
        <>
            {for decider.into_iter().chain(tie).map(|text| html! { <p class="say">{rich::sentence(&text)}</p> })}
            if let Some(message) = &table.message { <div class="raw">{message.clone()}</div> }
            {preemption(table, lang)}
            {queue(table, lang)}
        </>
    }
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

fn queue(table: &Table, lang: Lang) -> Html {
    let ui = lang.ui();
    let waits = table.node.is_none() && !table.retries.is_empty();
    let attempt = |it: &lab::view::attempts::Attempt| {
        let end = it.node.clone().unwrap_or_else(|| lang.outcome(it.outcome).to_owned());
        html! {
            <li value={it.number.to_string()}><span class="mono">{feed::clock(it.at)}</span>{" "}
                if let Some(woken) = &it.woken { <span class="note">{lang.woken(woken)}</span>{" → "} }
                <span class={if it.node.is_some() { "mono ink-run" } else { "ink-fail" }}>{end}</span></li>
        }
    };
    html! {
        if table.attempts.len() > 1 || waits {
            <section class="aside"><h2>{ui.queue}</h2>
                <ol class="tries">{for table.attempts.iter().map(attempt)}</ol>
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
