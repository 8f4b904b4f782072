//! The path tracer: both ends by hand, the hops, and what blocks.

use e2e::{Page, Site, View};

use crate::{commands, rest};

/// Chooses in a list what begins with these letters, with the arrow keys.
fn choose(page: &Page, list: &str, letters: &str) {
    page.focus(&page.expect("combobox", list));
    page.press("Home");
    for _ in 0..20 {
        let value = page.eval("document.activeElement.value");
        if value.as_str().is_some_and(|value| value.starts_with(letters)) {
            return;
        }
        page.press("ArrowDown");
    }
    panic!("{list} has nothing that begins with {letters}");
}

fn hops(page: &Page) -> String {
    page.wait_for("the hops", "document.querySelectorAll('ol.hops li').length > 0");
    page.eval("document.querySelector('#inspector').innerText").as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_path_is_followed_and_a_blocked_one_says_what_blocks_it() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    rest(&page);
    page.press("Escape");
    page.press("t");
    page.wait_for("the form", "document.activeElement?.matches('.ends select')");
    choose(&page, "From", "Node/worker-a");
    choose(&page, "To", "api");
    page.press("Tab");
    page.type_text("443\n");
    assert!(!hops(&page).contains('✕'));
    // The form has made room for the hops.
    page.press("Escape");
    page.press("t");
    choose(&page, "From", "laptop");
    choose(&page, "To", "pod/web");
    page.click("button", "Trace");
    page.wait_for("what blocks", "document.querySelector('ol.hops li.is-blocker') !== null");
    assert!(hops(&page).contains('✕'));
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_path_is_followed_between_two_things_that_are_picked() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    rest(&page);
    let pick = |name: &str| {
        page.press("f");
        page.wait_for("the field", "document.activeElement?.getAttribute('role') === 'combobox'");
        page.type_text(name);
        page.wait_for("a find", "document.querySelector('#found [role=option]') !== null");
        page.press("Enter");
    };
    page.press("Escape");
    page.press("Escape");
    page.press("t");
    page.press("Escape");
    pick("worker-a");
    pick("system-b");
    assert!(hops(&page).contains("system-b"));
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_blocked_path_is_mended_in_a_branch() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    rest(&page);
    let lines = [
        // Nothing listens in the pods of this lesson.
        "kubectl set image deployment web web=nginx",
        "kubectl expose deployment web --port=80",
        "kubectl set selector service web app=wbe",
        "lab trace Node/worker-a svc/web",
    ];
    commands(&page, &lines);
    page.wait_for("what blocks", "document.querySelector('ol.hops li.is-blocker') !== null");
    page.click("button", "Apply in a branch: Service default/web: select app=web");
    rest(&page);
    page.wait_for("the way", "document.querySelector('#inspector .s-run, #inspector .ink-run') !== null");
    assert!(!hops(&page).contains('✕'));
    page.press("Escape");
    page.press("b");
    page.wait_for("two futures", "document.querySelectorAll('.branches button').length === 2");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_cell_of_who_reaches_whom_follows_that_path() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    rest(&page);
    commands(&page, &["kubectl scale deployment web --replicas=2", "lab trace Node/worker-a api"]);
    page.eval("document.querySelector('.matrix summary').click()");
    page.wait_for("the table", "document.querySelectorAll('.matrix td button').length === 2");
    page.click(
        "button",
        page.eval("document.querySelector('.matrix td button').ariaLabel").as_str().unwrap_or_default(),
    );
    page.wait_for("the path", "document.querySelectorAll('ol.hops li').length > 0 && /pod\\/web/.test(document.querySelector('#work .log').innerText)");
    assert_eq!(page.console_errors(), [""; 0]);
}
