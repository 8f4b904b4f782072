//! The bar above everything: where we are, undo, share, language, light, keys.

use lab::words::Lang;
use yew::{Callback, Html, html};

use crate::{
    app::{Action, App, Panel, on},
    route::Route,
    screen::lab::times,
    widget::{Icon, icon},
};

/// The name in the corner.
pub fn brand(send: &Callback<Action>) -> Html {
    html! {
        <a class="brand" href="#/" onclick={on::<web_sys::MouseEvent>(send, || Action::Go(Route::First))}>
            {icon(Icon::Logo, "s20")}{"Podpath"}
        </a>
    }
}

/// Language and light, on every page.
pub fn switches(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let lang = app.settings.lang;
    let other = lang.pick(Lang::En, Lang::Ko);
    html! {
        <>
            <button class="tool" onclick={on(send, move || Action::Speak(other))} aria-label={ui.language}
                title={ui.language}>
                {lang.pick(html! { <><b lang="ko">{"한"}</b>{" / EN"}</> }, html! { <><span lang="ko">{"한"}</span>{" / "}<b>{"EN"}</b></> })}
            </button>
            <button class="tool" onclick={on(send, || Action::Light)} aria-label={ui.theme} title={ui.theme}>
                {icon(Icon::Moon, "")}
            </button>
        </>
    }
}

/// The bar of the lab.
pub fn top(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let (number, name) = app.desk.title(app.settings.lang);
    html! {
        <header class="top">
            {brand(send)}
            <span class="sep"/>
            <a class="crumb" href={Route::Lessons.hash()}>
                if let Some(number) = number { <span class="n">{number}</span> }
                {name}{icon(Icon::Down, "s12")}
            </a>
            {times(app, send)}
            if app.desk.book().is_none() { <span class="chip mono">{format!("seed {}", app.desk.session().seed())}</span> }
            <button class="tool" aria-label={ui.undo} title="Ctrl Z" onclick={on(send, || Action::Undo)} disabled={!app.desk.can_undo_redo().0}>
                {icon(Icon::Undo, "")}<span class="wide">{ui.undo}</span>
            </button>
            <button class="tool" aria-label={ui.redo} title={ui.redo} onclick={on(send, || Action::Redo)}
                disabled={!app.desk.can_undo_redo().1}>{icon(Icon::Redo, "")}</button>
            <span class="sep"/>
            <button class="tool" aria-label={ui.share} onclick={on(send, || Action::Share)}>{icon(Icon::Share, "")}<span class="wide">{ui.share}</span></button>
            {switches(app, send)}
            <button class="tool" aria-label={ui.help} title={ui.help} onclick={on(send, || Action::Open(Some(Panel::Keys)))}>{icon(Icon::Help, "")}</button>
        </header>
    }
}
