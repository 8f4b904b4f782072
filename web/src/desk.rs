//! The session as the page holds it: what is asked of it, and the moment of it that is shown.

use cluster::{ClusterId, World};
use lab::{
    view::{
        Moment,
        scene::{Form, Scene, scene},
    },
    words::Lang,
};

use crate::route::Route;

/// The session of the page.
pub struct Desk {
    world: World,
}

impl Desk {
    /// The session that a page begins with.
    #[must_use]
    pub fn open(_: &Route) -> Self {
        Self { world: World::empty(0) }
    }

    /// The picture of the moment that is shown.
    #[must_use]
    pub fn scene(&self, form: Form, focus: Option<&str>) -> Scene {
        scene(Moment::of(&self.world), ClusterId(1), form, focus)
    }

    /// Runs one or many lines.
    pub fn run(&mut self, _: &str) {}

    /// Takes the last command back.
    pub fn undo(&mut self) {}

    /// Does it again.
    pub fn redo(&mut self) {}

    /// Whether there is something to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        false
    }

    /// Whether something was taken back.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        false
    }

    /// A frame passed; whether the picture changed.
    pub fn frame(&mut self, _: f64) -> bool {
        false
    }

    /// Whether time passes on the page.
    #[must_use]
    pub fn playing(&self) -> bool {
        false
    }

    /// Number and name of what is open.
    #[must_use]
    pub fn title(&self, lang: Lang) -> (Option<String>, String) {
        (None, lang.ui().sandbox.to_owned())
    }
}
