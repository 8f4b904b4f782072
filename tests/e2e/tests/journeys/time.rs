//! Taking back, doing again, looking back: time belongs to the learner.

use e2e::{Page, Site, View};

use crate::{commands, digest, outline, rest};

fn scaled(site: &Site) -> (Page, String, String) {
    let page = Page::open(site, "#/lesson/ip-slots", &View::desktop());
    rest(&page);
    let before = digest(&page);
    commands(&page, &["kubectl scale deployment web --replicas=3"]);
    rest(&page);
    let after = digest(&page);
    assert_ne!(before, after);
    (page, before, after)
}

fn is(page: &Page, digest: &str) {
    page.wait_for(
        &format!("digest {digest}"),
        &format!("document.documentElement.dataset.digest === '{digest}'"),
    );
}

#[test]
fn undo_and_redo_bring_back_the_same_world_by_key_and_by_button() {
    let site = Site::built();
    let (page, before, after) = scaled(&site);
    page.press("Escape");
    page.press("Control+z");
    is(&page, &before);
    page.press("Control+Shift+z");
    is(&page, &after);
    page.click("button", "Undo");
    is(&page, &before);
    page.click("button", "Redo");
    is(&page, &after);
    // In a line that is being typed the same keys belong to the text.
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl get");
    page.press("Control+z");
    is(&page, &after);
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn the_past_is_shown_by_key_and_by_pointer_and_changes_nothing() {
    let site = Site::built();
    let (page, _, after) = scaled(&site);
    let now = outline(&page);
    let back = |how: &str| {
        page.press("End");
        page.wait_for(how, "document.querySelector('.time .now')?.innerText.includes('quiet')");
        assert_eq!(outline(&page), now, "{how}");
    };
    page.focus(&page.expect("slider", "Timeline"));
    page.press("Home");
    page.wait_for("the beginning", "document.querySelector('.time .now')?.innerText.startsWith('0:00')");
    assert_ne!(outline(&page), now);
    back("back by keys");
    page.press("ArrowLeft");
    page.wait_for("the moment before", "!document.querySelector('.time .now')?.innerText.includes('quiet')");
    page.press("ArrowRight");
    page.press("ArrowRight");
    back("back step by step");
    let slider = page.expect("slider", "Timeline");
    page.drag_across(&slider, &[0.9, 0.6, 0.3, 0.06]);
    page.wait_for(
        "the beginning, by pointer",
        "document.querySelector('.time .now')?.innerText.startsWith('2:27')",
    );
    assert_ne!(outline(&page), now);
    page.drag_across(&slider, &[0.06, 0.5, 0.995]);
    page.wait_for("the end, by pointer", "document.querySelector('.time .now')?.innerText.includes('quiet')");
    assert_eq!(outline(&page), now);
    assert_eq!(digest(&page), after);
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_tick_of_the_api_lane_opens_its_request() {
    let site = Site::built();
    let (page, _, _) = scaled(&site);
    let request = "document.querySelector('#inspector h2')?.innerText.startsWith('patch Deployment')";
    page.eval(
        "document.querySelector('#timeline .hit').dispatchEvent(new MouseEvent('click', {bubbles: true}))",
    );
    page.wait_for("the request", request);
    page.press("Escape");
    page.press("Escape");
    page.wait_for("nothing selected", &format!("!({request})"));
    page.focus(&page.expect("slider", "Timeline"));
    page.press("Enter");
    page.wait_for("the same by key", request);
    assert_eq!(page.console_errors(), [""; 0]);
}
