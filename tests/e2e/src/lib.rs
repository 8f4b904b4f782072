//! Can a person do it, in a real browser?
//!
//! A journey opens the built page in headless Chromium and does what a person does: finds things by role and name, clicks,
//! types, reads. [`Site`] serves the folder that `cargo xtask dist` makes, [`Page`] is one browser with its own new profile.
//! Failures are panics with what was there instead; a journey that fails leaves a picture in `target/journeys`.
//!
//! ```no_run
//! let site = e2e::Site::built();
//! let page = e2e::Page::open(&site, "#/sandbox", &e2e::View::desktop());
//! page.click("button", "Deploy");
//! page.expect("heading", "Podpath");
//! assert_eq!(page.console_errors(), [""; 0]);
//! ```

mod devtools;
mod driver;
mod element;
mod page;
mod view;

pub use element::Element;
pub use page::Page;
pub use view::{Size, Storage, Theme, View};

use std::path::{Path, PathBuf};
use xtask::serve::Server;

/// The built page, served below `/podpath/` on a free port.
#[derive(Debug)]
pub struct Site {
    server: Server,
}

impl Site {
    /// The folder that `cargo xtask journeys` has built (`PODPATH_PAGE`, else `target/page/dist`).
    ///
    /// # Panics
    /// The page is not built.
    pub fn built() -> Site {
        let folder =
            std::env::var_os("PODPATH_PAGE").map_or_else(|| target().join("page/dist"), PathBuf::from);
        Site::of(&folder)
    }

    /// Another folder.
    ///
    /// # Panics
    /// There is no such folder.
    pub fn of(folder: &Path) -> Site {
        match Server::start(folder, "/podpath/", 0) {
            Ok(server) => Site { server },
            Err(failure) => panic!("{}: {failure}: `cargo xtask journeys` builds it", folder.display()),
        }
    }

    /// The address of a route: `""`, `"#/sandbox"`, …
    pub fn address(&self, route: &str) -> String {
        self.server.url() + route
    }
}

/// Where Cargo builds: the pictures of failed journeys go below it.
pub(crate) fn target() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from)
}
