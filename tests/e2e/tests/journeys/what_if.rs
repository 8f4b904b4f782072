//! What if, and the smallest fix: tried beside the decision table, applied in a branch.

use e2e::{Page, Site, View};

use crate::{commands, digest, rest};

/// The row's answer.
fn ghost(page: &Page) -> String {
    page.wait_for("an answer", "document.querySelector('.wi-ghost')?.innerText.trim().length > 0");
    page.eval("document.querySelector('.wi-ghost').innerText").as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_pod_that_fits_nowhere_is_asked_about_and_fixed_in_a_branch() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/duo", &View::desktop());
    rest(&page);
    commands(&page, &["kubectl cordon worker-a worker-b", "kubectl run web --image=nginx"]);
    let before = digest(&page);
    page.press("Escape");
    page.press("w");
    page.expect("group", "What if");
    page.click("button", "+1 node like worker-a");
    assert!(ghost(&page).starts_with("Then the new node"), "{}", ghost(&page));
    // The same with the keyboard: the button is pressed again, and another is reached with Tab.
    page.press("Space");
    page.press("Tab");
    page.press("Enter");
    assert!(ghost(&page).starts_with("Then worker-a"), "{}", ghost(&page));
    assert_eq!(digest(&page), before, "nothing is committed");
    page.click("button", "Apply in a branch: uncordon worker-a");
    page.wait_for(
        "the command",
        "document.querySelector('#work .log')?.innerText.includes('node/worker-a uncordoned')",
    );
    page.wait_for(
        "the pod's place",
        "document.querySelector('#decision h1')?.innerText.includes('worker-a')",
    );
    rest(&page);
    page.press("Escape");
    page.wait_for("two futures", "document.querySelectorAll('.branches button').length === 2");
    assert_eq!(page.console_errors(), [""; 0]);
}
