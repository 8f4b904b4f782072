//! What if: single changes to try beside a decision, what would follow, and the smallest sets after which the pod fits.
//!
//! Nothing here is committed. Only a fix's *apply* runs its commands, and does so in a branch.

use cluster::{ClusterId, World};
use lab::{
    view::{
        decision::Table,
        what_if::{FixView, Ghost, ghost, what_if},
    },
    words::{Lang, fill},
};
use scheduler::what_if::Edit;
use yew::{Callback, Html, Properties, classes, function_component, html, use_memo, use_state};

use crate::{
    app::{Action, on},
    desk::Desk,
    widget::{Icon, icon},
};

/// Fixes that show without being asked for.
const FIRST_FIXES: usize = 3;

/// The pod and the moment that are asked about.
#[derive(Clone)]
pub struct Asked {
    world: World,
    cluster: ClusterId,
    /// `namespace/name`.
    pod: String,
    after: (usize, u64),
}

impl Asked {
    /// The pod of a decision.
    #[must_use]
    pub fn of(desk: &Desk, table: &Table) -> Self {
        let world = desk.asked_in(table);
        Self {
            after: (world.facts().len(), world.now().0),
            cluster: desk.cluster(),
            pod: table.pod.clone(),
            world,
        }
    }
}

impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        self.pod == other.pod && self.after == other.after && self.cluster == other.cluster
    }
}

/// What the row is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is asked about.
    pub asked: Asked,
    /// Edits that are imagined.
    pub tried: Vec<Edit>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The row of what-ifs, and the fixes of a pod that fits nowhere.
#[function_component(WhatIf)]
pub fn row(props: &Props) -> Html {
    let Props { asked, tried, lang, send } = props;
    let texts = lang.what_if();
    let all = use_state(|| false);
    let view = use_memo(asked.clone(), |it| what_if(&it.world, it.cluster, &it.pod));
    let then = use_memo((asked.clone(), tried.clone()), |(it, tried)| {
        (!tried.is_empty()).then(|| ghost(&it.world, it.cluster, &it.pod, tried)).flatten()
    });
    let Some(view) = &*view else { return html! {} };
    let offer = |edit: &Edit| {
        let is_on = tried.contains(edit);
        let mut edits = tried.clone();
        match edits.iter().position(|it| it == edit) {
            Some(at) => drop(edits.remove(at)),
            None => edits.push(edit.clone()),
        }
        let onclick = on(send, move || Action::Try(edits.clone()));
        html! {
            <button class={classes!("wi-chip", is_on.then_some("is-on"))} aria-pressed={is_on.to_string()} {onclick}>{lang.edit(edit)}</button>
        }
    };
    let shown = if *all { view.fixes.len() } else { FIRST_FIXES };
    let more = view.fixes.len().saturating_sub(shown);
    let show_all = {
        let all = all.clone();
        Callback::from(move |_| all.set(true))
    };
    html! {
        <div class="what-if">
            <div class="wi" role="group" aria-label={texts.what_if}>
                <b>{texts.what_if}</b>
                {for view.offers.iter().map(offer)}
                <div class="wi-ghost" role="status">{for then.as_ref().iter().map(|it| ghosted(it, *lang, send))}</div>
            </div>
            if !view.fixes.is_empty() {
                <section class="fixes" aria-label={texts.fixes}>
                    <h2>{texts.fixes}</h2>
                    <ol>{for view.fixes.iter().take(shown).map(|it| fix(it, tried, *lang, send))}</ol>
                    if more > 0 { <button class="link" onclick={show_all}>{fill(texts.show_more, more)}</button> }
                    else if view.cut_short { <p class="note">{texts.cut_short}</p> }
                </section>
            }
        </div>
    }
}

/// What would follow.
fn ghosted(it: &Ghost, lang: Lang, send: &Callback<Action>) -> Html {
    let texts = lang.what_if();
    let (words, node) = lang.ghost(it);
    html! {
        <>
            <span class={classes!("wi-then", node.is_none().then_some("is-none"))}>{words}{" "}
                if let Some(node) = node { <b class={classes!((it.then.node.as_ref() != Some(&it.fresh)).then_some("mono"))}>{node}</b> }
                if let Some(total) = it.then.total { <b class="mono">{format!(" {total}")}</b> }</span>
            if !it.then.others.is_empty() {
                <span class="mono wi-others">{": "}{it.then.others.iter().map(|(node, total)| format!("{} {total}", lang.node(node, it))).collect::<Vec<_>>().join(", ")}</span>
            }
            <span class="note">{lang.outlook(&it.then)}{" · "}{texts.not_applied}</span>
            <button class="link" onclick={on(send, || Action::Try(Vec::new()))}>{texts.clear}</button>
        </>
    }
}

fn fix(it: &FixView, tried: &[Edit], lang: Lang, send: &Callback<Action>) -> Html {
    let texts = lang.what_if();
    let is_on = tried == it.edits;
    let edits = if is_on { Vec::new() } else { it.edits.clone() };
    let lines = it.commands.join("\n");
    let words: Vec<String> = it.edits.iter().map(|it| lang.edit(it)).collect();
    let words = words.join(", ");
    html! {
        <li>
            <div class="fix-head"><span class="fix-edits">{words.clone()}</span>
                <span class="fix-node">{icon(Icon::Right, "s12")}<span class={classes!(it.node.is_some().then_some("mono"))}>{it.node.clone().unwrap_or_else(|| texts.fresh.to_owned())}</span></span>
                <span class="grow"/>
                <button class={classes!("btn", "ghost", "small", is_on.then_some("is-on"))} aria-pressed={is_on.to_string()} aria-label={format!("{}: {words}", texts.try_it)}
                    onclick={on(send, move || Action::Try(edits.clone()))}>{texts.try_it}</button>
                <button class="btn ghost small" aria-label={format!("{}: {words}", texts.apply)}
                    onclick={on(send, move || Action::InBranch(lines.clone()))}>{icon(Icon::Branch, "s12")}{texts.apply}</button></div>
            if let Some(caution) = &it.caution { <p class="note ink-pend">{lang.caution(caution)}</p> }
            <details><summary>{texts.commands}</summary><pre class="mono">{it.commands.join("\n")}</pre></details>
        </li>
    }
}
