//! The lab: lesson, scene, inspector, work, time. Every pane has a place in one grid.

use yew::{Callback, Html, html};

use crate::{
    app::{Action, App},
    pane,
    scene::Stage,
};

/// The lab.
pub fn lab(app: &App, send: &Callback<Action>) -> Html {
    let on_select = send.reform(Action::Select);
    html! {
        <main class="lab">
            {pane::top::top(app, send)}
            <Stage scene={app.scene()} lang={app.settings.lang} selected={app.selected.clone()} {on_select}/>
        </main>
    }
}
