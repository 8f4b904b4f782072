//! The decision table over the scene: columns are the nodes, rows are the plugins. Every cell tells its formula: under
//! the pointer, when it has the focus (arrow keys walk), and when it is tapped.

mod beside;
mod detail;
mod gated;
mod head;

use lab::{
    view::{
        decision::{Column, FilterCell, FilterRow, ScoreRow, Table},
        pod::short_name,
    },
    words::{Lang, Ui, fill},
};
use yew::{
    Callback, Html, KeyboardEvent, Properties, UseStateHandle, classes, function_component, html,
    use_effect_with, use_state,
};

use crate::{
    app::Action,
    dom::{centre, focus_first},
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
    /// What stands below the table.
    #[prop_or_default]
    pub children: Html,
}

/// A row that is walked through.
#[derive(Clone, Copy, PartialEq)]
enum Row {
    Filter(usize),
    /// The filters that passed everywhere, as one.
    RestPassed,
    Score(usize),
    /// The scores that are the same for all, as one.
    SameScores,
    Total,
}

/// Row and column of a cell.
type Place = (usize, usize);
/// A cell of a decision, which is a fact.
type Kept = (Option<u64>, Place);

/// What drawing a cell needs beside the cell.
struct Grid<'a> {
    table: &'a Table,
    lang: Lang,
    rows: Vec<Row>,
    /// The fact that the decision is.
    of: Option<u64>,
    /// The cell whose formula shows.
    shown: Option<Place>,
    /// The one cell that Tab reaches.
    reached: Place,
    focused: UseStateHandle<Option<Kept>>,
    pointed: UseStateHandle<Option<Kept>>,
}

/// The table.
#[function_component(Decision)]
pub fn decision(props: &Props) -> Html {
    let Props { table, lang, send, children } = props;
    let (ui, lang) = (lang.ui(), *lang);
    // Cells are remembered with their decision: another one begins anew.
    let of = table.attempt.and_then(|at| table.attempts.get(at)).map(|it| it.fact);
    let (focused, pointed) = (use_state(|| None::<Kept>), use_state(|| None::<Kept>));
    let (passed_open, same_open) = (use_state(|| false), use_state(|| false));
    let rows = rows(table, *passed_open, *same_open);
    let size = (rows.len(), table.columns.len());
    let inside = |kept: Option<Kept>| {
        kept.filter(|it| it.0 == of).map(|it| it.1).filter(|at| at.0 < size.0 && at.1 < size.1)
    };
    let reached = inside(*focused).unwrap_or_else(|| first_place(table, &rows));
    let shown = inside(*pointed).or_else(|| inside(*focused));
    let grid =
        Grid { table, lang, rows, of, shown, reached, focused: focused.clone(), pointed: pointed.clone() };
    let open = |state: &UseStateHandle<bool>| {
        let (state, focused, pointed) = (state.clone(), focused.clone(), pointed.clone());
        Callback::from(move |_| {
            focused.set(None);
            pointed.set(None);
            state.set(!*state);
        })
    };
    let filters =
        grid.rows.iter().enumerate().filter(|(_, row)| matches!(row, Row::Filter(_) | Row::RestPassed));
    let scores =
        grid.rows.iter().enumerate().filter(|(_, row)| matches!(row, Row::Score(_) | Row::SameScores));
    // On a phone the node that was chosen may be beside the screen.
    use_effect_with(of, |_| centre("#decision .wide-table", "#decision thead .col-win"));
    html! {
        <section class="main" aria-label={ui.open_decision} id="decision">
            {head::head(table, lang, send)}
            {gated::phases(table, lang)}
            {beside::before(table, lang)}
            if !table.columns.is_empty() {
                <div class="wide-table" tabindex="-1">
                <table class="decision" onkeydown={walk(&focused, of, reached, size)} onmouseleave={ let pointed = pointed.clone(); move |_| pointed.set(None) }>
                    <thead><tr><th scope="col" class="lead-cell">{ui.decision_lead}</th>
                        {for table.columns.iter().map(|c| column(c, table, lang))}
                        <th scope="col" class="left-cell">{ui.left_over}<div>{survivors(table.looked, table.looked)}</div></th></tr></thead>
                    <tbody>
                        {group(Icon::Funnel, ui.filters, "", table)}
                        {for filters.map(|(at, row)| match row {
                            Row::Filter(index) => grid.filter(at, &table.filters[*index]),
                            _ => grid.rest_passed(at, &open(&passed_open)),
                        })}
                        if *passed_open { {folding(ui, table, &fill(ui.idle, table.idle.join(", ")), &open(&passed_open))} }
                    </tbody>
                    <tbody>
                        {group(Icon::Star, ui.scores, ui.score_note, table)}
                        if table.scores.is_empty() { {unscored(ui, table)} }
                        {for scores.map(|(at, row)| match row {
                            Row::Score(index) => grid.score(at, &table.scores[*index]),
                            _ => grid.same_scores(at, &open(&same_open)),
                        })}
                        if *same_open { {folding(ui, table, &if table.silent.is_empty() { String::new() } else { fill(ui.silent, table.silent.join(", ")) }, &open(&same_open))} }
                        {for grid.rows.iter().position(|row| *row == Row::Total).map(|at| grid.totals(at))}
                    </tbody>
                </table></div>
                {detail::panel(&grid)}
                {beside::verdict(table, lang)}
            }
            {children.clone()}
            {beside::after(table, lang, send)}
        </section>
    }
}

/// The rows as they stand; what is folded is one row.
fn rows(table: &Table, passed_open: bool, same_open: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let all = table.filters.iter().enumerate();
    rows.extend(all.filter(|(_, it)| passed_open || !it.passed_everywhere).map(|(at, _)| Row::Filter(at)));
    if !passed_open && table.filters.iter().any(|it| it.passed_everywhere) {
        rows.push(Row::RestPassed);
    }
    let (same, differ): (Vec<_>, Vec<_>) = table.scores.iter().enumerate().partition(|(_, it)| it.same);
    rows.extend(differ.into_iter().map(|(at, _)| Row::Score(at)));
    if same_open || same.len() == 1 {
        rows.extend(same.into_iter().map(|(at, _)| Row::Score(at)));
    } else if !same.is_empty() {
        rows.push(Row::SameScores);
    }
    if !table.scores.is_empty() {
        rows.push(Row::Total);
    }
    rows
}

/// Where walking begins: at what decided, or at the first refusal.
fn first_place(table: &Table, rows: &[Row]) -> Place {
    let chosen = table.columns.iter().position(|it| it.chosen);
    let decided = |row: &Row| matches!(row, Row::Score(at) if table.scores[*at].decided);
    let row = rows.iter().position(decided).or_else(|| rows.iter().position(|it| *it == Row::Total));
    let refused = || {
        rows.iter().enumerate().find_map(|(at, row)| match row {
            Row::Filter(index) => {
                let cells = &table.filters[*index].cells;
                Some((at, cells.iter().position(|it| matches!(it, FilterCell::Refused(_)))?))
            }
            Row::RestPassed | Row::Score(_) | Row::SameScores | Row::Total => None,
        })
    };
    row.zip(chosen).or_else(refused).unwrap_or((0, 0))
}

/// A plugin's name that may break before each of its words.
fn humps(name: &str) -> Html {
    let starts = name.char_indices().filter(|(_, c)| c.is_ascii_uppercase()).map(|(at, _)| at);
    let starts: Vec<usize> = starts.chain([name.len()]).collect();
    html! { <>{for starts.windows(2).map(|word| html! { <>{name[word[0]..word[1]].to_owned()}<wbr/></> })}</> }
}

fn cell_id((row, column): Place) -> String {
    format!("cell-{row}-{column}")
}

/// Arrow keys, Home and End move the focus from cell to cell.
fn walk(
    focused: &UseStateHandle<Option<Kept>>,
    of: Option<u64>,
    (row, column): Place,
    (rows, columns): (usize, usize),
) -> Callback<KeyboardEvent> {
    let focused = focused.clone();
    Callback::from(move |event: KeyboardEvent| {
        let to = match event.key().as_str() {
            "ArrowLeft" => (row, column.saturating_sub(1)),
            "ArrowRight" => (row, (column + 1).min(columns - 1)),
            "ArrowUp" => (row.saturating_sub(1), column),
            "ArrowDown" => ((row + 1).min(rows - 1), column),
            "Home" => (row, 0),
            "End" => (row, columns - 1),
            _ => return,
        };
        event.prevent_default();
        focused.set(Some((of, to)));
        focus_first(&format!("#{}", cell_id(to)));
    })
}

fn column(column: &Column, table: &Table, lang: Lang) -> Html {
    let ui = lang.ui();
    let (pods, most) = column.pods;
    let meter = |name: &'static str, part: u32, words: String, class: &'static str| {
        html! { <div class={classes!("m", class)}><span>{name}</span>{share(part)}<span>{words}</span></div> }
    };
    let first = column.nodes.first().cloned().unwrap_or_default();
    let crowded = table.columns.len() > 4;
    html! {
        <th scope="col" class={classes!(column.chosen.then_some("col-win"))}>
            <div class={classes!("nc", (pods >= most).then_some("full"))}>
                <b title={column.nodes.join(", ")}>{icon(Icon::Node, "")}<span>{short_name(&first, 18)}</span></b>
                if column.nodes.len() > 1 {
                    <span class="note">{fill(ui.same_verdict, column.nodes.len() - 1)}</span>
                } else {
                    if !column.about.is_empty() { <span class="note">{column.about.clone()}</span> }
                    if !crowded || column.chosen || column.refused.is_some() || table.looked <= 8 {
                        {meter("cpu", column.load.0, format!("{}%", column.load.0 / 10), "")}
                        {meter("mem", column.load.1, format!("{}%", column.load.1 / 10), "")}
                        {meter(ui.pods, (pods * 1000).checked_div(most).unwrap_or(0), format!("{pods}/{most}"), "p")}
                    }
                }
            </div>
        </th>
    }
}

/// How many of all nodes are left, as at most eight marks.
fn survivors(left: usize, all: usize) -> Html {
    let marks = all.min(8);
    html! { <span class="sv"><span aria-hidden="true">{for (0..marks).map(|n| html! { <i class={if n * all < left * marks { "on" } else { "" }}/> })}</span><b>{left}</b></span> }
}

fn empty(c: &Column, text: &'static str) -> Html {
    html! { <td class={classes!(c.chosen.then_some("col-win"), c.refused.is_some().then_some("stop"))}>if !text.is_empty() { <span class="z">{text}</span> }</td> }
}

fn group(glyph: Icon, name: &'static str, note: &'static str, table: &Table) -> Html {
    html! {
        <tr class="grp"><th scope="rowgroup" colspan={(table.columns.len() + 2).to_string()}><div class="stay">{icon(glyph, "")}{" "}{name}{" "}<span class="note">{note}</span></div></th></tr>
    }
}

/// Below rows that were unfolded: what else there is to say, and the way back.
fn folding(ui: &'static Ui, table: &Table, note: &str, fold: &Callback<yew::MouseEvent>) -> Html {
    html! {
        <tr class="fold"><th scope="row"><button class="link" aria-expanded="true" onclick={fold.clone()}>{ui.fold}</button></th>
            <td colspan={(table.columns.len() + 1).to_string()}><span class="note">{note.to_owned()}</span></td></tr>
    }
}

/// One node is left, or none: the scheduler has not scored, and no numbers are invented.
fn unscored(ui: &'static Ui, table: &Table) -> Html {
    html! {
        <tr class="fold"><th scope="row"><small>{if table.fit == 1 { ui.one_left } else { ui.no_scores }}</small></th>
            {for table.columns.iter().map(|c| empty(c, "–"))}<td class="left"></td></tr>
    }
}

impl Grid<'_> {
    /// A cell that tells its formula.
    fn cell(&self, at: Place, class: yew::Classes, label: String, inner: Html) -> Html {
        let column = &self.table.columns[at.1];
        let kept = (self.of, at);
        let (focused, pointed) = (self.focused.clone(), self.pointed.clone());
        let point = {
            let pointed = pointed.clone();
            move |_| pointed.set(Some(kept))
        };
        let press = {
            let focused = focused.clone();
            move |_| focused.set(Some(kept))
        };
        let focus = move |_| {
            focused.set(Some(kept));
            pointed.set(None);
        };
        html! {
            <td class={classes!(column.chosen.then_some("col-win"), class, (self.shown == Some(at)).then_some("is-cell"))} onmouseenter={point}>
                <button class="cell" id={cell_id(at)} tabindex={if self.reached == at { "0" } else { "-1" }} aria-label={label}
                    aria-describedby="decision-formula" onfocus={focus} onclick={press}>{inner}</button></td>
        }
    }

    fn name(&self, column: usize) -> String {
        let nodes = &self.table.columns[column].nodes;
        let first = nodes.first().cloned().unwrap_or_default();
        if nodes.len() > 1 { format!("{first} +{}", nodes.len() - 1) } else { first }
    }

    fn filter(&self, at: usize, row: &FilterRow) -> Html {
        let ui = self.lang.ui();
        let cell = |(column, cell): (usize, &FilterCell)| {
            let name = self.name(column);
            let (class, label, inner) = match cell {
                FilterCell::Passed(_) => {
                    ("", ui.passed.to_owned(), html! { <span class="v s-run">{icon(Icon::Check, "")}</span> })
                }
                FilterCell::Refused(refusal) => {
                    let words = self.lang.refusal(&refusal.because);
                    let text = words.clone();
                    (
                        "",
                        words,
                        html! { <span class="v s-fail">{icon(Icon::X, "")}<span>{text}</span></span> },
                    )
                }
                FilterCell::NotReached => {
                    ("stop", ui.not_reached.to_owned(), html! { <span class="z">{"–"}</span> })
                }
            };
            self.cell((at, column), classes!(class), format!("{} {name}: {label}", row.plugin), inner)
        };
        html! {
            <tr><th scope="row" aria-label={row.plugin}><span>{humps(row.plugin)}</span><small>{self.lang.question(row.plugin)}</small></th>
                {for row.cells.iter().enumerate().map(cell)}
                <td class="left">{survivors(row.left, self.table.looked)}</td></tr>
        }
    }

    fn rest_passed(&self, at: usize, open: &Callback<yew::MouseEvent>) -> Html {
        let ui = self.lang.ui();
        let rest = self.table.filters.iter().filter(|it| it.passed_everywhere).count();
        let words = fill(if rest == self.table.filters.len() { ui.all_passed } else { ui.rest_passed }, rest);
        let cell = |column: usize| {
            let out = self.table.columns[column].refused.is_some();
            let inner = if out {
                html! { <span class="z">{"–"}</span> }
            } else {
                html! { <span class="v s-run">{icon(Icon::Check, "")}</span> }
            };
            let label = format!("{words} {}", self.name(column));
            self.cell((at, column), classes!(out.then_some("stop")), label, inner)
        };
        html! {
            <tr class="fold"><th scope="row"><small>{words.clone()}</small><button class="link" aria-expanded="false" onclick={open.clone()}>{ui.unfold}</button></th>
                {for (0..self.table.columns.len()).map(cell)}
                <td class="left">{survivors(self.table.fit, self.table.looked)}</td></tr>
        }
    }

    fn score(&self, at: usize, row: &ScoreRow) -> Html {
        let ui = self.lang.ui();
        let cell = |(column, cell): (usize, &Option<lab::view::decision::ScoreCell>)| {
            let name = self.name(column);
            let Some(cell) = cell else {
                let label = format!("{} {name}: {}", row.plugin, ui.not_reached);
                return self.cell(
                    (at, column),
                    classes!("stop"),
                    label,
                    html! { <span class="z">{"–"}</span> },
                );
            };
            let text = detail::range(cell.weighted);
            let label = format!("{} {name}: {text}", row.plugin);
            let width = (cell.weighted.1 * 100 / self.table.scale.max(1)).clamp(2, 100);
            let wins = row.decided && self.table.columns[column].chosen;
            let inner = if row.same {
                html! { <span class="z mono">{text}</span> }
            } else {
                html! { <span class={classes!("sc", wins.then_some("is-win"))}>
                <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true"><rect width={width.to_string()} height="12" rx="3"/></svg><b>{text}</b></span> }
            };
            self.cell((at, column), classes!(), label, inner)
        };
        let note = if row.same {
            format!("× {} · {}", row.weight, ui.same_for_all)
        } else {
            format!("× {}", row.weight)
        };
        html! {
            <tr class={classes!(row.same.then_some("fold"))}><th scope="row" aria-label={row.plugin}><span>{humps(row.plugin)}</span><small>{note}</small></th>
                {for row.cells.iter().enumerate().map(cell)}
                <td class="left">if let Some(lead) = row.lead.filter(|_| row.decided) { <span class="chip s-run">{format!("{} +{lead}", ui.decider)}</span> }</td></tr>
        }
    }

    fn same_scores(&self, at: usize, open: &Callback<yew::MouseEvent>) -> Html {
        let ui = self.lang.ui();
        let same: Vec<&ScoreRow> = self.table.scores.iter().filter(|it| it.same).collect();
        let words = fill(ui.same_scores, same.len());
        let cell = |column: usize| {
            let scores = same.iter().filter_map(|row| row.cells[column].as_ref());
            let out = self.table.columns[column].total.is_none();
            let sum: i64 = scores.map(|it| it.weighted.0).sum();
            let text = if out { "–".to_owned() } else { sum.to_string() };
            let label = format!("{words} {}: {text}", self.name(column));
            self.cell(
                (at, column),
                classes!(out.then_some("stop")),
                label,
                html! { <span class="z mono">{text.clone()}</span> },
            )
        };
        html! {
            <tr class="fold"><th scope="row"><small>{words.clone()}</small><button class="link" aria-expanded="false" onclick={open.clone()}>{ui.unfold}</button></th>
                {for (0..self.table.columns.len()).map(cell)}<td class="left"></td></tr>
        }
    }

    fn totals(&self, at: usize) -> Html {
        let ui = self.lang.ui();
        let cell = |(column, c): (usize, &Column)| {
            let name = self.name(column);
            let Some(total) = c.total else {
                let label = format!("{} {name}: {}", ui.total, ui.not_reached);
                return self.cell(
                    (at, column),
                    classes!("stop"),
                    label,
                    html! { <span class="z">{"–"}</span> },
                );
            };
            let text = detail::range(total);
            let label = format!("{} {name}: {text}", ui.total);
            let inner = html! {
                <span class={classes!("sum", c.chosen.then_some("star"))}><b>{text}</b>
                    if c.chosen { {icon(Icon::Star, "")} }
                    if c.tied { <span class="chip">{ui.tie}</span> }</span>
            };
            self.cell((at, column), classes!(), label, inner)
        };
        html! {
            <tr class="tot"><th scope="row">{ui.total}</th>
                {for self.table.columns.iter().enumerate().map(cell)}
                <td class="left">if let Some(gap) = self.table.gap { <span class="note">{ui.gap}</span>{" "}<b>{gap}</b> }</td></tr>
        }
    }
}
