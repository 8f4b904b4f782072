//! The map of lessons.

use yew::{Callback, Html, html};

use crate::{
    app::{Action, App},
    pane::top,
};

/// The map of lessons.
pub fn lessons(app: &App, send: &Callback<Action>) -> Html {
    html! {
        <div class="first">
            <header class="top">{top::brand(send)}<span class="grow"/>{top::switches(app, send)}</header>
        </div>
    }
}
