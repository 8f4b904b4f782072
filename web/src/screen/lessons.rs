//! The map of lessons.

use lab::{
    library::{self, Book},
    view::lesson::prose,
    words::fill,
};
use yew::{Callback, Html, html};

use crate::{
    app::{Action, App},
    pane::top,
    route::Route,
    settings,
};

/// The map of lessons.
pub fn lessons(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let lang = app.settings.lang;
    html! {
        <div class="first">
            <header class="top">{top::brand(send)}<span class="grow"/>
                <a class="tool" href={Route::Sandbox.hash()}>{ui.sandbox}</a>{top::switches(app, send)}</header>
            <main class="map">
                <h1>{ui.all_lessons}</h1>
                <ul>
                    {for library::lessons().iter().map(|book| entry(app, book, &Route::Lesson(book.lesson.slug.clone())))}
                </ul>
                <h2 id="incidents">{ui.incidents}</h2>
                <ul aria-labelledby="incidents">
                    {for library::incidents().iter().map(|book| entry(app, book, &Route::Incident(book.lesson.slug.clone())))}
                </ul>
                <h2>{ui.sandbox}</h2>
                <ul>
                    <li><a href={Route::Sandbox.hash()}><b>{ui.sandbox}</b><span class="note">{lang.world("empty")}</span></a></li>
                    {for library::packed().fixtures.iter().filter(|f| f.name != "empty").map(|f| html! {
                        <li><a href={Route::World(f.name.clone()).hash()}><b class="mono">{f.name.clone()}</b>
                            <span class="note">{lang.world(&f.name)}</span></a></li>
                    })}
                </ul>
                <h2 id="puzzles">{ui.puzzles}</h2>
                <ul aria-labelledby="puzzles">
                    {for library::puzzles().iter().map(|book| entry(app, book, &Route::World(book.lesson.slug.clone())))}
                </ul>
                <h2>{ui.about}</h2>
                <ul><li><a href={Route::Coverage.hash()}><b>{ui.coverage}</b></a></li></ul>
            </main>
        </div>
    }
}

/// A lesson or a puzzle: number, title, how long it takes, and whether it was begun.
fn entry(app: &App, book: &Book, route: &Route) -> Html {
    let ui = app.ui();
    let slug = &book.lesson.slug;
    let kept = if matches!(route, Route::World(_)) { format!("world.{slug}") } else { slug.clone() };
    let begun = settings::kept(&format!("session.{kept}")).is_some();
    html! {
        <li><a href={route.hash()}>
            <span class="n mono">{book.lesson.number()}</span>
            <b>{prose(book, app.settings.lang).title.clone()}</b>
            <span class="note">{fill(ui.minutes_short, book.lesson.minutes)}if begun { {" · "}{ui.continue_lesson} }</span>
        </a></li>
    }
}
