//! Can a person do it, in a real browser? Run by `cargo xtask journeys [NAME…]`.

use e2e::{Page, Site, View};

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
fn a_goal_of_lesson_seven_is_met_from_the_terminal() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl scale deployment web --replicas=9\n");
    page.wait_for(
        "nine pods on three ENIs",
        "document.querySelector('[data-goal=full]')?.dataset.standing === 'Met'",
    );
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
