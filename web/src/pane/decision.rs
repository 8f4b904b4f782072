//! The decision table over the scene: columns are the nodes, rows are the plugins.

use lab::{
    view::decision::{Column, FilterCell, FilterRow, ScoreRow, Table},
    words::Lang,
};
use yew::{Callback, Html, Properties, classes, function_component, html, use_state};

use super::feed;
use crate::{
    app::{Action, on},
    scene::share,
    widget::{Icon, icon},
};

/// What the table is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The table.
    pub table: Table,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The table.
#[function_component(Decision)]
pub fn decision(props: &Props) -> Html {
    let Props { table, lang, send } = props;
    let ui = lang.ui();
    let picked = use_state(|| None::<(usize, usize)>);
    let folded: Vec<&ScoreRow> = table.scores.iter().filter(|row| row.same).collect();
    let open: Vec<&ScoreRow> = table.scores.iter().filter(|row| !row.same).collect();
    let pod = table.pod.rsplit('/').next().unwrap_or_default().to_owned();
    let chosen = table.columns.iter().find(|c| c.chosen);
    let last = table.filters.last().map_or(table.columns.len(), |f| f.left);
    html! {
        <section class="main" aria-label={ui.open_decision} id="decision">
            <div class="dh"><h1><span class="mono">{pod}</span>{" → "}
                <span class="mono">{chosen.map_or_else(|| format!("{} / {}", table.fit, table.columns.len()), |c| c.node.clone())}</span></h1>
                <span class="note mono">{feed::clock(table.at)}</span>
                <span class="grow"/>
                <button class="tool" aria-label={ui.close} onclick={on(send, || Action::Decision(false))}>{icon(Icon::X, "")}</button></div>
            <div class="wide-table" tabindex="0">
            <table class="decision">
                <thead><tr><th scope="col" class="lead-cell">{ui.decision_lead}</th>
                    {for table.columns.iter().map(|c| column(c, *lang))}
                    <th scope="col" class="left-cell">{ui.left_over}<div>{survivors(table.columns.len(), table.columns.len())}</div></th></tr></thead>
                <tbody>
                    {group(Icon::Funnel, ui.filters, "", table)}
                    {for table.filters.iter().map(|row| filter(row, table, *lang))}
                    <tr class="fold"><th scope="row"><span>{ui.all_passed}</span></th>
                        {for table.columns.iter().map(|c| html! { <td class={classes!(c.chosen.then_some("col-win"), c.refused.is_some().then_some("stop"))}></td> })}
                        <td class="left">{survivors(last, table.columns.len())}</td></tr>
                    {group(Icon::Star, ui.scores, ui.score_note, table)}
                    if table.scores.is_empty() {
                        <tr class="fold"><th scope="row"><span>{if table.fit == 1 { ui.one_left } else { "–" }}</span></th>
                            {for table.columns.iter().map(|c| html! { <td class={classes!(c.chosen.then_some("col-win"), c.refused.is_some().then_some("stop"))}>{"–"}</td> })}
                            <td class="left"></td></tr>
                    }
                    {for open.iter().enumerate().map(|(index, row)| score(index, row, table, *lang, &picked))}
                    {for folded.iter().map(|row| html! {
                        <tr class="fold"><th scope="row"><span>{row.plugin}</span><small>{format!("× {} · {}", row.weight, ui.same_for_all)}</small></th>
                            {for row.cells.iter().zip(&table.columns).map(|(cell, c)| html! {
                                <td class={classes!(c.chosen.then_some("col-win"), cell.is_none().then_some("stop"))}>
                                    <span class="z mono">{cell.map_or("–".to_owned(), |n| n.to_string())}</span></td> })}
                            <td class="left"></td></tr>
                    })}
                    if !table.scores.is_empty() {
                        <tr class="tot"><th scope="row">{ui.total}</th>
                            {for table.columns.iter().map(|c| html! {
                                <td class={classes!(c.chosen.then_some("col-win"), c.total.is_none().then_some("stop"))}>
                                    if let Some(total) = c.total { <span class={c.chosen.then_some("star")}><b>{total}</b>if c.chosen { {icon(Icon::Star, "")} }</span> } else { <span class="z">{"–"}</span> }</td>
                            })}
                            <td class="left">if let Some(gap) = table.gap { <span class="note">{ui.gap}</span>{" "}<b>{gap}</b> }</td></tr>
                    }
                </tbody>
            </table></div>
            if let Some((row, column)) = *picked {
                if let Some(numbers) = open.get(row).and_then(|r| r.arithmetic.get(column)).and_then(Option::as_ref) {
                    <div class="eq" role="status">{for lang.arithmetic(numbers).into_iter().map(|line| html! { <div>{line}</div> })}</div>
                }
            }
            if !table.ties.is_empty() {
                <p class="note">{lang.pick(format!("같은 점수: {}. 시드로 정한 추첨이 골랐습니다.", table.ties.join(", ")),
                    format!("Equal totals: {}. A seeded draw chose.", table.ties.join(", ")))}</p>
            }
            if let Some(message) = &table.message { <div class="raw">{message.clone()}</div> }
        </section>
    }
}

fn column(column: &Column, lang: Lang) -> Html {
    let ui = lang.ui();
    let (pods, most) = column.pods;
    let meter = |name: &'static str, part: u32, words: String, class: &'static str| {
        html! { <div class={classes!("m", class)}><span>{name}</span>{share(part)}<span>{words}</span></div> }
    };
    html! {
        <th scope="col" class={classes!(column.chosen.then_some("col-win"))}>
            <div class={classes!("nc", (pods >= most).then_some("full"))}>
                <b title={column.node.clone()}>{icon(Icon::Node, "")}{lab::view::pod::short_name(&column.node, 18)}</b>
                if !column.about.is_empty() { <span class="note">{column.about.clone()}</span> }
                {meter("cpu", column.load.0, format!("{}%", column.load.0 / 10), "")}
                {meter("mem", column.load.1, format!("{}%", column.load.1 / 10), "")}
                {meter(ui.pods, (pods * 1000).checked_div(most).unwrap_or(0), format!("{pods}/{most}"), "p")}
            </div>
        </th>
    }
}

fn survivors(left: usize, all: usize) -> Html {
    html! { <span class="sv">{for (0..all.min(8)).map(|n| html! { <i class={if n < left { "on" } else { "" }}/> })}<b>{left}</b></span> }
}

fn group(glyph: Icon, name: &'static str, note: &'static str, table: &Table) -> Html {
    html! {
        <tr class="grp"><th scope="rowgroup">{icon(glyph, "")}{" "}{name}{" "}<span class="note">{note}</span></th>
            {for table.columns.iter().map(|c| html! { <td class={classes!(c.chosen.then_some("col-win"))}></td> })}<td></td></tr>
    }
}

fn filter(row: &FilterRow, table: &Table, lang: Lang) -> Html {
    html! {
        <tr><th scope="row"><span>{row.plugin}</span><small>{lang.question(row.plugin)}</small></th>
            {for row.cells.iter().zip(&table.columns).map(|(cell, c)| {
                let win = c.chosen.then_some("col-win");
                match cell {
                    FilterCell::Passed => html! { <td class={classes!(win)}><span class="v s-run">{icon(Icon::Check, "")}<span class="vh">{"✓"}</span></span></td> },
                    FilterCell::Refused(reasons) => html! { <td class={classes!(win)}><span class="v s-fail">{icon(Icon::X, "")}{reasons.join(", ")}</span></td> },
                    FilterCell::NotReached => html! { <td class={classes!(win, "stop")}><span class="z">{"–"}</span></td> },
                }
            })}
            <td class="left">{survivors(row.left, table.columns.len())}</td></tr>
    }
}

fn score(
    index: usize,
    row: &ScoreRow,
    table: &Table,
    lang: Lang,
    picked: &yew::UseStateHandle<Option<(usize, usize)>>,
) -> Html {
    let ui = lang.ui();
    html! {
        <tr><th scope="row"><span>{row.plugin}</span><small>{format!("× {} · {}", row.weight, lang.question(row.plugin))}</small></th>
            {for row.cells.iter().zip(&table.columns).enumerate().map(|(at, (cell, c))| {
                let win = c.chosen.then_some("col-win");
                let Some(n) = cell else { return html! { <td class={classes!(win, "stop")}><span class="z">{"–"}</span></td> } };
                let width = (n * 100 / table.scale.max(1)).clamp(2, 100);
                let here = picked.as_ref() == Some(&(index, at));
                let onclick = { let picked = picked.clone(); Callback::from(move |_| picked.set(Some((index, at)))) };
                html! {
                    <td class={classes!(win, here.then_some("is-cell"))}><button class={classes!("sc", (row.decided.is_some() && c.chosen).then_some("is-win"))} {onclick}
                        aria-label={format!("{} {} {n}", row.plugin, c.node)}>
                        <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true"><rect width={width.to_string()} height="12" rx="3"/></svg><b>{*n}</b></button></td>
                }
            })}
            <td class="left">if let Some(lead) = row.decided { <span class="chip s-run">{format!("{} +{lead}", ui.decider)}</span> }</td></tr>
    }
}
