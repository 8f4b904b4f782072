//! Can a person do it, in a real browser? Run by `cargo xtask journeys [NAME…]`.

mod addresses;
mod decision;
mod edit;
mod first;
mod keys;
mod lessons;
mod measure;
mod parts;
mod path;
mod post;
mod robust;
mod thumbs;
mod time;
mod what_if;
mod worlds;

use e2e::{Page, Site, View};

/// Types lines into the terminal, each when the page rests again.
fn commands(page: &Page, lines: &[&str]) {
    for line in lines {
        page.focus(&page.expect("textbox", "Command line"));
        page.type_text(&format!("{line}\n"));
        rest(page);
    }
}

/// Waits until nothing is told and nothing more will happen by itself.
fn rest(page: &Page) {
    page.wait_for("rest", "document.querySelector('#timeline .now')?.innerText.includes('quiet')");
}

/// How a goal stands, if it is on the page.
fn goal(page: &Page, id: &str) -> Option<String> {
    let standing = page.eval(&format!("document.querySelector('[data-goal={id}]')?.dataset.standing"));
    standing.as_str().map(str::to_owned)
}

/// Waits until a goal is met.
fn met(page: &Page, id: &str) {
    page.wait_for(
        &format!("goal {id}"),
        &format!("document.querySelector('[data-goal={id}]')?.dataset.standing === 'Met'"),
    );
}

/// The digest of the world at the head of time.
fn digest(page: &Page) -> String {
    page.eval("document.documentElement.dataset.digest").as_str().unwrap_or_default().to_owned()
}

/// The scene as its text twin says it.
fn outline(page: &Page) -> String {
    page.text(&page.expect("tree", "Outline of the scene"))
}

#[test]
fn page_opens_below_a_sub_path_without_a_word_from_the_console() {
    let site = Site::built();
    for view in [View::desktop(), View::phone()] {
        let page = Page::open(&site, "", &view);
        assert!(page.title().contains("Podpath"), "{:?}", page.title());
        assert_eq!(page.console_errors(), [""; 0], "{view:?}");
    }
}

#[test]
fn one_key_takes_a_pod_from_the_command_to_its_address() {
    let site = Site::built();
    let page = Page::open(&site, "", &View::desktop());
    assert!(page.focused().starts_with("button"), "{}", page.focused());
    page.press("Enter");
    page.wait_for("all ten beats", "document.querySelectorAll('.beats .is-lit').length === 10");
    page.wait_for("its address", "document.querySelector('.hi b')?.textContent.startsWith('10.0.64.')");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_shared_link_gives_the_same_world_to_somebody_else() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl scale deployment web --replicas=3\n");
    page.wait_for("rest", "document.querySelector('#timeline')?.innerText.includes('quiet')");
    page.click("button", "Share");
    page.wait_for("the link", "document.querySelector('.share-link')?.value.includes('#/w/')");
    let link = page.eval("document.querySelector('.share-link').value");
    let link = link.as_str().unwrap_or_default().to_owned();
    let digest = page.eval("document.documentElement.dataset.digest");
    let other = Page::open(&site, &link[link.find('#').unwrap_or(0)..], &View::desktop());
    other.wait_for("the same world", &format!("document.documentElement.dataset.digest === {digest}"));
}

#[test]
fn a_phone_types_a_command_and_sees_the_goal_count() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::phone());
    page.focus(&page.expect("textbox", "명령 입력"));
    page.type_text("kubectl scale deployment web --replicas=9\n");
    page.wait_for("nine of nine", "document.querySelector('main.phone').innerText.includes('9/9')");
    assert_eq!(page.console_errors(), [""; 0]);
}
