//! Worlds of the fixtures, as their tools would make them.

use crate::{Scenario, World};

/// A fixture's world.
pub(crate) fn fixture(name: &str) -> World {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons/fixtures").join(name);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("a fixture")
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).expect("text")))
        .collect();
    files.sort();
    World::new(&Scenario::read(&files).expect("a scenario"), 7).expect("a world")
}

#[test]
fn every_fixture_is_a_world() {
    for name in ["empty", "kind1", "tiny", "duo", "tri"] {
        assert_eq!(fixture(name).digest(), fixture(name).digest(), "{name} is the same world each time");
    }
}
