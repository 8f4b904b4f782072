//! The first ten seconds: one pod, one key, ten beats.

use yew::{Callback, Html, html};

use crate::{
    app::{Action, App},
    pane::top,
};

/// The first screen.
pub fn first(app: &App, send: &Callback<Action>) -> Html {
    html! {
        <div class="first">
            <header class="top">{top::brand(send)}<span class="grow"/>{top::switches(app, send)}</header>
        </div>
    }
}
