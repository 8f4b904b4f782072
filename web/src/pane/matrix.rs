//! Who reaches whom: a row asks, a column is asked, and a cell follows that path.

use cluster::{ClusterId, World};
use lab::{
    view::path::{Matrix as Answers, Scope, Verdict, matrix, namespaces},
    words::{Lang, path as words},
};
use web_sys::{Element, HtmlInputElement, HtmlSelectElement};
use yew::{Callback, Html, Properties, classes, function_component, html, use_memo, use_state_eq};

use crate::{
    app::{Action, on, target},
    desk::Desk,
};

/// More ends than these are no table to look at.
const MOST_ENDS: usize = 24;

/// The moment that is asked about.
#[derive(Clone)]
pub struct Seen {
    world: World,
    cluster: ClusterId,
}

impl Seen {
    /// The moment that is shown.
    #[must_use]
    pub fn of(desk: &Desk) -> Self {
        Self { world: desk.seen().clone(), cluster: desk.cluster() }
    }

    fn after(&self) -> (usize, u64) {
        (self.world.facts().len(), self.world.now().0)
    }
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.after() == other.after() && self.cluster == other.cluster
    }
}

/// What the table is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The moment.
    pub asked: Seen,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The table, computed once it is opened.
#[function_component(Matrix)]
pub fn who(props: &Props) -> Html {
    let Props { asked, lang, send } = props;
    let open = use_state_eq(|| false);
    let scope = use_state_eq(|| Scope::Namespace("default".to_owned()));
    let port = use_state_eq(|| None::<u16>);
    let found = use_memo((asked.clone(), *open, (*scope).clone(), *port), |(it, open, scope, port)| {
        open.then(|| (namespaces(&it.world, it.cluster), matrix(&it.world, it.cluster, scope, *port)))
    });
    let ontoggle = {
        let open = open.clone();
        Callback::from(move |event: yew::Event| {
            if let Some(details) = target::<Element>(&event) {
                open.set(details.has_attribute("open"));
            }
        })
    };
    let choose = {
        let scope = scope.clone();
        Callback::from(move |event: yew::Event| {
            let chosen = target::<HtmlSelectElement>(&event).map(|it| it.value()).unwrap_or_default();
            scope.set(if chosen.is_empty() { Scope::Vpc } else { Scope::Namespace(chosen) });
        })
    };
    let number = {
        let port = port.clone();
        Callback::from(move |event: yew::Event| {
            port.set(target::<HtmlInputElement>(&event).and_then(|it| it.value().parse().ok()));
        })
    };
    html! {
        <details class="other-path matrix" {ontoggle}>
            <summary>{words::matrix(*lang)}</summary>
            if let Some((names, answers)) = &*found {
                <div class="ends">
                    <label>{lang.pick("네임스페이스", "Namespace")}{" "}
                        <select class="tool box" onchange={choose}>
                            {for names.iter().map(|name| html! { <option value={name.clone()} selected={*scope == Scope::Namespace(name.clone())}>{name}</option> })}
                            <option value="" selected={*scope == Scope::Vpc}>{words::whole_vpc(*lang)}</option>
                        </select></label>
                    <label>{lang.ui().port}{" "}
                        <input class="share-link" inputmode="numeric" size="5" maxlength="5" aria-label={lang.pick("표의 포트", "Port of the table")} placeholder={lang.ui().any_port} onchange={number}/></label>
                </div>
                if answers.ends.is_empty() { <p class="note">{words::nobody(*lang)}</p> } else { {table(answers, *port, *lang, send)} }
            }
        </details>
    }
}

fn table(answers: &Answers, port: Option<u16>, lang: Lang, send: &Callback<Action>) -> Html {
    let ends = || answers.ends.iter().take(MOST_ENDS);
    let to = |end: &str| port.map_or_else(|| end.to_owned(), |port| format!("{end}:{port}"));
    html! {
        <div class="matrix-scroll" tabindex="0">
            <table>
                <caption class="vh">{words::matrix(lang)}</caption>
                <thead><tr><th/>{for ends().enumerate().map(|(n, end)| html! { <th scope="col" title={end.clone()}>{n + 1}<span class="vh">{end}</span></th> })}</tr></thead>
                <tbody>{for ends().zip(&answers.cells).enumerate().map(|(n, (from, row))| html! {
                    <tr><th scope="row" title={from.clone()}><span>{n + 1}</span>{" "}{from}</th>
                        {for ends().zip(row).map(|(end, cell)| match cell {
                            None => html! { <td>{"·"}</td> },
                            Some(cell) => {
                                let line = format!("lab trace {from} {}", to(end));
                                let good = cell.verdict == Verdict::Reached;
                                let name = format!("{from} → {end}: {}", words::ended(lang, cell.verdict));
                                html! { <td><button class={classes!("plain", if good { "ink-run" } else { "ink-fail" })} title={name.clone()} aria-label={name}
                                    onclick={on(send, move || Action::Run(line.clone()))}>{sign(cell.verdict)}</button></td> }
                            }
                        })}</tr>
                })}</tbody>
            </table>
            if answers.ends.len() > MOST_ENDS { <p class="note">{words::cut(lang, MOST_ENDS, answers.ends.len())}</p> }
        </div>
    }
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => "✓",
        Verdict::Refused => "R",
        Verdict::TimedOut => "✕",
    }
}
