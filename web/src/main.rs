//! How does it look?

use yew::{Html, component, html};

#[component]
fn App() -> Html {
    yew::use_effect_with((), |()| {
        let root = gloo::utils::document_element();
        // The sign that the page can be used: tests and pictures wait for it.
        drop(root.set_attribute("data-ready", ""));
    });
    html! { <main><h1>{ "Podpath" }</h1></main> }
}

fn main() {
    if let Some(app) = gloo::utils::document().get_element_by_id("app") {
        yew::Renderer::<App>::with_root(app).render();
    }
}
