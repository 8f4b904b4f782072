//! The formula of the cell that is looked at, with this pod's numbers.

use lab::{
    view::decision::{FilterCell, FilterRow, Table},
    words::{Lang, Ui},
};
use scheduler::{Refusal, formula};
use yew::{Html, html};

use super::{Grid, Row};
use crate::widget::rich;

/// `300`, or `120–300` where nodes of one column differ.
pub(super) fn range((least, most): (i64, i64)) -> String {
    if least == most { least.to_string() } else { format!("{least}–{most}") }
}

/// What the pod asks for, in a line.
pub(super) fn requests(table: &Table, ui: &'static Ui) -> String {
    let asks = &table.requests;
    let mut parts = Vec::new();
    let mut put = |name: &str, amount: i64| {
        if amount > 0 {
            let [text] = formula::amounts(name, [amount]);
            parts.push(format!("{name} {text}"));
        }
    };
    put("cpu", asks.milli_cpu);
    put("memory", asks.memory);
    put("ephemeral-storage", asks.ephemeral_storage);
    asks.scalars.iter().for_each(|(name, amount)| put(name, *amount));
    if parts.is_empty() { ui.no_requests.to_owned() } else { parts.join(" · ") }
}

/// The place where formulas appear; it speaks to readers when it changes.
pub(super) fn panel(grid: &Grid<'_>) -> Html {
    let ui = grid.lang.ui();
    let inner = match grid.shown {
        None => html! { <p class="note">{ui.point_at_cell}</p> },
        Some((row, column)) => {
            let name = grid.name(column);
            let (title, lines, text) = about(grid, grid.rows[row], column);
            html! {
                <>
                    <h2><span class="mono">{title}</span>{" · "}<span class="mono">{name}</span></h2>
                    if !lines.is_empty() {
                        <dl class="lines">{for lines.into_iter().map(|(about, line)| html! { <><dt>{about}</dt><dd class="mono">{line}</dd></> })}</dl>
                    }
                    {for text.into_iter().map(|text| html! { <p>{rich::sentence(&text)}</p> })}
                </>
            }
        }
    };
    html! { <div class="eq" id="decision-formula" role="status" aria-label={ui.formula}>{inner}</div> }
}

type Lines = Vec<(String, String)>;

/// Title, arithmetic and sentences of a cell.
fn about(grid: &Grid<'_>, row: Row, column: usize) -> (String, Lines, Vec<String>) {
    let (table, lang) = (grid.table, grid.lang);
    let ui = lang.ui();
    match row {
        Row::Filter(index) => {
            let filter = &table.filters[index];
            let (lines, text) = match &filter.cells[column] {
                FilterCell::Passed(sums) => {
                    let name = |it: &str| if it == "pods" { ui.pods.to_owned() } else { it.to_owned() };
                    let lines = sums.iter().map(|(about, sum)| (name(about), sum.clone())).collect();
                    (lines, vec![format!("{} — {}", lang.question(filter.plugin), ui.passed)])
                }
                FilterCell::Refused(refusal) => refused(lang, refusal),
                FilterCell::NotReached => (Vec::new(), vec![ui.not_reached.to_owned()]),
            };
            (filter.plugin.to_owned(), lines, text)
        }
        Row::RestPassed => {
            let names = |reached: bool| -> Vec<&str> {
                let folded = table.filters.iter().filter(|it| it.passed_everywhere);
                let here = |it: &&FilterRow| (it.cells[column] != FilterCell::NotReached) == reached;
                folded.filter(here).map(|it| it.plugin).collect()
            };
            let said = [(names(true), ui.passed), (names(false), ui.not_reached)];
            let text = said.into_iter().filter(|(names, _)| !names.is_empty());
            let text = text.map(|(names, words)| format!("{} — {words}", names.join(", "))).collect();
            (ui.filters.to_owned(), Vec::new(), text)
        }
        Row::Score(index) => {
            let score = &table.scores[index];
            let Some(cell) = &score.cells[column] else {
                return (score.plugin.to_owned(), Vec::new(), vec![ui.not_reached.to_owned()]);
            };
            (score.plugin.to_owned(), lang.formula(&cell.score), vec![lang.meaning(score.plugin).to_owned()])
        }
        Row::SameScores => {
            let same = table.scores.iter().filter(|it| it.same);
            let lines = same.filter_map(|it| {
                let cell = it.cells[column].as_ref()?;
                Some((
                    it.plugin.to_owned(),
                    format!("{} × {} = {}", cell.score.normalized, it.weight, cell.weighted.0),
                ))
            });
            (ui.scores.to_owned(), lines.collect(), vec![ui.same_for_all.to_owned()])
        }
        Row::Total => {
            let Some(total) = table.columns[column].total else {
                return (ui.total.to_owned(), Vec::new(), vec![ui.not_reached.to_owned()]);
            };
            let parts: Vec<String> = table
                .scores
                .iter()
                .filter_map(|it| Some(it.cells[column].as_ref()?.score.weighted.to_string()))
                .collect();
            let names: Vec<&str> = table.scores.iter().map(|it| it.plugin).collect();
            let line = if total.0 == total.1 {
                format!("{} = {}", parts.join(" + "), total.0)
            } else {
                range(total)
            };
            (ui.total.to_owned(), vec![(String::new(), line)], vec![names.join(" + ")])
        }
    }
}

fn refused(lang: Lang, refusal: &Refusal) -> (Lines, Vec<String>) {
    let lines = refusal.because.iter().filter_map(|it| Some((lang.short(it), formula::comparison(it)?)));
    let text = refusal.because.iter().map(|it| lang.sentence(it));
    (lines.collect(), text.chain([format!("`{}`", refusal.reasons.join(", "))]).collect())
}
