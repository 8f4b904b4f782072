//! Lessons on a phone, with thumbs alone: nothing is typed, and whatever is tapped is as large as a thumb needs.

use e2e::{Page, Site, View};
use serde_json::json;

use crate::met;

/// A phone that speaks English.
fn phone() -> View {
    View { language: "en".into(), ..View::phone() }
}

/// Least width and height of what is tapped, in CSS pixels, less what rounding takes.
const THUMB: f64 = 43.0;

/// Taps the first that a selector finds and that has these words.
#[track_caller]
pub(crate) fn tap(page: &Page, selector: &str, words: &str) {
    let find = format!(
        "[...document.querySelectorAll({selector:?})].find(it => it.textContent.includes({words:?}))"
    );
    page.wait_for(&format!("{selector} {words:?}"), &format!("{find} && !{find}.disabled"));
    let place = page.eval(&format!(
        "(() => {{ const it = {find}; it.scrollIntoView({{ block: 'nearest', inline: 'nearest' }});
            const box = it.getBoundingClientRect(), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
            return [x, y, box.width, box.height, it.contains(document.elementFromPoint(x, y))] }})()"
    ));
    let number = |at: usize| place[at].as_f64().unwrap_or_default();
    assert!(number(2) >= THUMB && number(3) >= THUMB, "{selector} {words:?} is too small: {place}");
    assert_eq!(place[4], true, "something lies over {selector} {words:?}");
    for kind in ["mousePressed", "mouseReleased"] {
        let event =
            json!({ "type": kind, "x": number(0), "y": number(1), "button": "left", "clickCount": 1 });
        page.devtools("Input.dispatchMouseEvent", event);
    }
}

fn sheet(page: &Page, name: &str) {
    tap(page, ".ptabs button", name);
}

fn goal_is_met(page: &Page, id: &str) {
    sheet(page, "Goals");
    met(page, id);
}

fn answer(page: &Page, option: &str) {
    sheet(page, "Goals");
    tap(page, ".predict [role=radio]", option);
    tap(page, ".predict .lock", "");
    page.wait_for("the answer", "document.querySelector('.predict .lock') === null");
}

/// Switches a part of what is picked in the picture off or on.
fn switch(page: &Page, id: &str, part: &str) {
    tap(page, &format!(".scene [data-id='{id}']"), "");
    let state = format!(
        "[...document.querySelectorAll('.switch')].find(it => it.textContent.includes('{part}'))?.ariaChecked"
    );
    page.wait_for(part, &format!("{state} !== undefined"));
    let before = page.eval(&state);
    tap(page, ".switch", part);
    page.wait_for("the other state", &format!("{state} !== {before}"));
}

/// Takes the next command of the solution and runs it.
fn next_command(page: &Page) {
    sheet(page, "Act");
    let empty = "document.querySelector('#command')?.value === ''";
    page.wait_for("an empty command line", empty);
    tap(page, ".cards button", "Solution");
    page.wait_for(
        "a command",
        "!!document.querySelector('#command')?.value || document.querySelector('.phone .edit') !== null",
    );
    if page.eval("document.querySelector('.phone .edit') !== null") == true {
        tap(page, ".edit-foot .btn", "Apply");
        sheet(page, "Act");
        tap(page, ".cards button", "Terminal");
    } else {
        tap(page, ".prompt .run", "");
    }
}

#[test]
fn lesson_two_is_done_with_thumbs() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/control-plane-parts", &phone());
    answer(&page, "it stays Pending");
    switch(&page, "ControlPlane/scheduler", "scheduler");
    page.wait_for(
        "the crossed out scheduler",
        "document.querySelector('.k-part.is-off[data-id=\"ControlPlane/scheduler\"]') !== null",
    );
    next_command(&page);
    goal_is_met(&page, "unplaced");
    switch(&page, "ControlPlane/scheduler", "scheduler");

    answer(&page, "one pod stays missing");
    switch(&page, "ControlPlane/controller-manager", "controller-manager");
    next_command(&page);
    goal_is_met(&page, "unreplaced");
    switch(&page, "ControlPlane/controller-manager", "controller-manager");

    answer(&page, "writes are refused");
    switch(&page, "ControlPlane/etcd", "etcd-a");
    switch(&page, "ControlPlane/etcd", "etcd-b");
    next_command(&page);
    goal_is_met(&page, "unwritten");
    switch(&page, "ControlPlane/etcd", "etcd-a");
    switch(&page, "ControlPlane/etcd", "etcd-b");

    answer(&page, "the node becomes NotReady");
    switch(&page, "Node/worker-a", "kubelet");
    sheet(&page, "Act");
    tap(&page, ".cards button", "lab wait 1m");
    tap(&page, ".prompt .run", "");
    goal_is_met(&page, "silent");
    assert_eq!(page.console_errors(), [""; 0]);
}

/// Puts the cards into an order: a tap picks one up, a tap on its place puts it down.
fn sort(page: &Page, order: &[&str]) {
    for (place, card) in order.iter().enumerate() {
        let at = format!(
            "[...document.querySelectorAll('.sort .card')].findIndex(it => it.dataset.card === '{card}')"
        );
        if page.eval(&at) == json!(place) {
            continue;
        }
        tap(page, &format!(".sort [data-card={card}]"), "");
        page.wait_for("a card in the hand", "document.querySelector('.sort .is-held') !== null");
        tap(page, &format!(".sort li:nth-child({}) .card", place + 1), "");
        page.wait_for("its place", &format!("{at} === {place}"));
    }
    tap(page, ".predict .lock", "");
    page.wait_for("the answer", "document.querySelector('.predict .lock') === null");
}

/// Runs the next command of the solution, and has its story told step by step, if it has one.
fn next_story(page: &Page, steps: bool) {
    let line = "document.querySelector('.stepper .mono')?.innerText";
    next_command(page);
    if !steps {
        return page.wait_for("an empty command line", "document.querySelector('#command')?.value === ''");
    }
    page.wait_for("the story", &format!("{line}?.startsWith('0/')"));
    let steps = page.eval(&format!("Number({line}.split('/')[1])")).as_u64().expect("a number of steps");
    for step in 1..=steps {
        tap(page, ".stepper .btn", "");
        page.wait_for("the next step", &format!("{line}?.startsWith('{step}/')"));
    }
    tap(page, ".stepper .btn", "end");
    page.wait_for("the story's end", "document.querySelector('.stepper') === null");
}

/// Answers a question after the goals, rightly.
fn quiz(page: &Page, id: &str, option: &str) {
    sheet(page, "Goals");
    tap(page, &format!("#question-{id} [role=radio]"), option);
    tap(page, &format!("#question-{id} .lock"), "");
    page.wait_for(
        "the verdict",
        &format!("document.querySelector('#question-{id} .after')?.innerText.includes('right')"),
    );
}

#[test]
fn lesson_four_is_done_with_thumbs() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/pod-birth", &phone());
    sheet(&page, "Goals");
    sort(&page, &["authn", "authz", "admission", "etcd", "scheduler", "bind", "kubelet", "cni", "running"]);
    next_story(&page, true);
    goal_is_met(&page, "born");
    next_story(&page, false);
    next_story(&page, true);
    goal_is_met(&page, "unknown");
    next_story(&page, true);
    goal_is_met(&page, "powerless");
    // The next story takes no time: what is met stays met while it is told.
    next_command(&page);
    page.wait_for("the story", "document.querySelector('.stepper .mono')?.innerText.startsWith('0/')");
    goal_is_met(&page, "powerless");
    tap(&page, ".scrub button", "");
    goal_is_met(&page, "unwelcome");
    quiz(&page, "q1", "empty");
    quiz(&page, "q2", "authorization");
    assert_eq!(page.console_errors(), [""; 0]);
}
