//! What the lab simulates, and what it leaves out.

use lab::{
    library::Difference,
    view::coverage::{self, Area, Group},
};
use yew::{Callback, Html, html};

use crate::{
    app::{Action, App},
    pane::top,
    route::Route,
    widget::rich,
};

/// The list, as the code itself gives it.
pub fn coverage(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    html! {
        <div class="first">
            <header class="top">{top::brand(send)}<span class="grow"/>
                <a class="tool" href={Route::Lessons.hash()}>{ui.lessons}</a>
                <a class="tool" href={Route::Sandbox.hash()}>{ui.sandbox}</a>{top::switches(app, send)}</header>
            <main class="map coverage">
                <h1>{ui.coverage}</h1>
                <p>{ui.coverage_lead}</p>
                <h2 id="kinds">{ui.coverage_kinds}</h2>
                <table aria-labelledby="kinds">
                    <thead><tr><th scope="col"/><th scope="col">{ui.simulated}</th><th scope="col">{ui.stored_only}</th></tr></thead>
                    <tbody>{for coverage::groups().iter().map(group)}</tbody>
                </table>
                <h2>{ui.coverage_simpler}</h2>
                {for coverage::areas().iter().map(|it| area(app, it))}
                <h2>{ui.coverage_differs}</h2>
                <dl>{for coverage::differences().into_iter().map(|(why, cases)| difference(app, why, &cases))}</dl>
            </main>
        </div>
    }
}

fn group(group: &Group) -> Html {
    html! {
        <tr><th scope="row" class="mono">{group.name.clone()}</th>
            <td>{kinds(&group.simulated)}</td><td>{kinds(&group.stored)}</td></tr>
    }
}

/// Names side by side, or below each other where there is no room; the style sheet writes the commas. A name breaks before a
/// capital letter.
fn kinds(names: &[&str]) -> Html {
    let humps = |name: &str| {
        let letters = name.char_indices();
        letters
            .map(|(at, letter)| html! { <>if at > 0 && letter.is_uppercase() { <wbr/> }{letter}</> })
            .collect::<Html>()
    };
    names.iter().map(|name| html! { <><span class="kind">{humps(name)}</span>{" "}</> }).collect()
}

/// A reason, and the cases that it holds for.
fn difference(app: &App, (en, ko): &(String, String), cases: &[&Difference]) -> Html {
    let names: Vec<String> = cases.iter().map(|it| format!("{} {}", it.suite, it.case)).collect();
    html! { <div><dt class="mono">{names.join(", ")}</dt><dd>{app.settings.lang.pick(ko, en).clone()}</dd></div> }
}

/// The code's own words are English in every language.
fn area(app: &App, area: &Area) -> Html {
    html! {
        <section>
            <h3>{app.settings.lang.area(area.name)}</h3>
            <dl lang="en">
                {for area.simplifications.iter().map(|it| html! {
                    <div><dt>{rich::sentence(&it.about)}</dt><dd>{rich::sentence(&it.text)}</dd></div>
                })}
            </dl>
        </section>
    }
}
