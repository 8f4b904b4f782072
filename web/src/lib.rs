//! How does it look?
//!
//! The page: one state ([`app::App`]), one way to change it ([`app::Action`]), panes that are functions of it. It
//! computes nothing about Kubernetes or AWS: what a pane draws comes from `lab::view`, what it says from `lab::words`.
//! Time that passes on the wall exists only in [`clock`], and can never change a result.

pub mod app;
pub mod clock;
pub mod crash;
pub mod desk;
mod dom;
pub mod pane;
pub mod route;
pub mod scene;
pub mod screen;
pub mod settings;
pub mod widget;

/// Mounts the page where the document keeps room for it.
pub fn run() {
    let document = gloo::utils::document();
    if let Some(root) = document.get_element_by_id("app") {
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
