//! Keys beyond the lessons: completion, search, branches, zoom, and that letters can be switched off.

use e2e::{Page, Site, View};

use crate::{commands, digest, outline, rest};

fn line(page: &Page) -> String {
    page.expect("textbox", "Command line").value
}

#[test]
fn tab_completes_a_command_and_leads_on_where_nothing_follows() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    page.press("/");
    page.wait_for("the command line", "document.activeElement?.id === 'command'");
    page.type_text("kubectl desc");
    page.press("Tab");
    assert_eq!(line(&page), "kubectl describe ");
    page.type_text("no");
    page.press("Tab");
    page.type_text("s");
    page.type_text(" ");
    page.press("Tab");
    page.wait_for("both nodes", "document.querySelector('.offers-line')?.innerText.includes('system-b')");
    page.type_text("w");
    page.press("Tab");
    assert!(line(&page).ends_with(" worker-a "), "{}", line(&page));
    page.press("Enter");
    page.wait_for(
        "its description",
        "document.querySelector('.term .log')?.innerText.includes('Allocatable')",
    );
    page.type_text("echo ???");
    page.press("Tab");
    assert!(!page.focused().contains("Command line"), "{}", page.focused());
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn the_editor_offers_fields_where_they_belong() {
    let site = Site::built();
    let page = Page::open(&site, "#/sandbox", &View::desktop());
    page.press("g");
    page.press("e");
    page.wait_for(
        "the editor",
        "document.activeElement?.shadowRoot?.activeElement?.classList.contains('cm-content')",
    );
    page.press("Control+a");
    page.press("Delete");
    page.paste("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: app\n      image: x\n  ");
    page.type_text("sched");
    let marked = "document.querySelector('.edit .code').shadowRoot.querySelector('.cm-tooltip-autocomplete [aria-selected=true]')?.innerText";
    page.wait_for("the offer", &format!("{marked}?.includes('sched')"));
    // CodeMirror takes no key for an offer that has just appeared (interactionDelay, 75 ms).
    page.wait_for(
        "the offer to stay",
        "(window.since ??= performance.now(), performance.now() - window.since > 80)",
    );
    for _ in 0..40 {
        if page.eval(marked).as_str().is_some_and(|it| it.contains("schedulingGates")) {
            break;
        }
        page.press("ArrowDown");
    }
    page.press("Enter");
    page.wait_for(
        "the field",
        "document.querySelector('.edit .code').shadowRoot.querySelector('.cm-content').innerText.includes('schedulingGates:')",
    );
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn acting_in_the_past_opens_a_branch_and_b_leads_back() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    commands(&page, &["kubectl scale deployment web --replicas=3"]);
    let first = digest(&page);
    page.focus(&page.expect("slider", "Timeline"));
    page.press("Home");
    commands(&page, &["kubectl scale deployment web --replicas=5"]);
    assert_ne!(digest(&page), first);
    page.press("Escape");
    page.press("b");
    page.click("button", "A (was)");
    page.wait_for("the first future", &format!("document.documentElement.dataset.digest === '{first}'"));
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn letters_act_in_the_scene_only_and_can_be_switched_off() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    rest(&page);
    let zoom = || page.eval("document.querySelector('.zoomf .mono').innerText");
    let before = zoom();
    page.press("Escape");
    page.press("+");
    page.wait_for(
        "a larger picture",
        &format!("document.querySelector('.zoomf .mono').innerText !== {before}"),
    );
    page.press("0");
    page.wait_for(
        "the whole picture",
        &format!("document.querySelector('.zoomf .mono').innerText === {before}"),
    );
    // On a control outside the scene a letter means nothing.
    page.focus(&page.expect("button", "Share"));
    page.press("?");
    assert!(page.find("dialog", "Keys").is_none());
    page.press("Escape");
    page.press("?");
    page.click("checkbox", "Single-letter shortcuts");
    page.press("Escape");
    page.expect_gone("dialog", "Keys");
    page.press("+");
    page.press("?");
    assert_eq!(zoom(), before);
    page.reload();
    page.press("?");
    assert!(page.find("dialog", "Keys").is_none(), "the choice is kept");
    assert!(outline(&page).contains("worker-a"));
    assert_eq!(page.console_errors(), [""; 0]);
}
