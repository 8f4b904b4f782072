//! Does every lesson keep its rules?
//!
//! The same as `podpath lesson test lessons`, one line for each lesson and rule when something fails.

use std::{path::Path, process::Command};

#[test]
fn every_lesson_keeps_every_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tested = Command::new(env!("CARGO_BIN_EXE_podpath"))
        .args(["lesson", "test", "lessons"])
        .current_dir(root)
        .output()
        .expect("the binary was built for this test");
    let said = String::from_utf8_lossy(&tested.stdout);
    assert!(tested.status.success(), "{said}\n{}", String::from_utf8_lossy(&tested.stderr));
}

#[test]
fn a_typo_in_a_lesson_is_named_with_its_file_line_and_nearest_word() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("99-typo");
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    let text = "apiVersion: podpath/v1\nkind: Lesson\nslug: typo\norder: 99\npart: A\nminutes: 1\n\
        world: {fixture: kind1, seed: 1}\ngoals:\n  - id: g\n    check:\n      exists: {kind: Pood}\n";
    std::fs::write(folder.join("lesson.yaml"), text).expect("a file for the test");
    let tested = Command::new(env!("CARGO_BIN_EXE_podpath"))
        .args(["lesson", "test"])
        .arg(&folder)
        .output()
        .expect("the binary was built for this test");
    let said = String::from_utf8_lossy(&tested.stdout);
    assert!(said.contains("lesson.yaml:11: V1:"), "{said}");
    assert!(said.contains("did you mean \"Pod\"?"), "{said}");
    assert_eq!(tested.status.code(), Some(1));
}
