//! Parts of the control plane and of a node: switched off and on by pointing, and what follows.

use e2e::{Page, Site, View};

use crate::{commands, met, outline, rest};

/// Picks something in the picture.
fn pick(page: &Page, id: &str) {
    page.eval(&format!(
        "document.querySelector('.scene [data-id=\"{id}\"]').dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
    ));
}

/// Answers the question that is open by its option's text.
fn answer(page: &Page, option: &str) {
    page.click("radio", option);
    page.click("button", "Lock in");
}

fn outline_says(page: &Page, what: &str) {
    page.wait_for(what, &format!("document.querySelector('[role=tree]')?.textContent.includes('{what}')"));
}

#[test]
fn lesson_two_switches_a_part_off_by_pointing_and_on_again() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/control-plane-parts", &View::desktop());
    rest(&page);
    answer(&page, "it stays Pending");
    pick(&page, "ControlPlane/scheduler");
    page.click("switch", "scheduler");
    outline_says(&page, "scheduler, stopped");
    commands(&page, &["kubectl scale deployment web --replicas=4", "lab wait 31s"]);
    met(&page, "unplaced");
    page.click("switch", "scheduler");
    outline_says(&page, "scheduler, running");
    rest(&page);
    assert!(!outline(&page).contains("1 pending"), "{}", outline(&page));

    answer(&page, "one pod stays missing");
    pick(&page, "ControlPlane/controller-manager");
    page.click("switch", "controller-manager");
    let one = "kubectl delete $(kubectl get pods --selector app=web --output name | head -n 1)";
    commands(&page, &[one, "lab wait 15s"]);
    met(&page, "unreplaced");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_node_says_what_of_it_does_not_run() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    pick(&page, "Node/worker-a");
    page.click("switch", "kube-proxy");
    outline_says(&page, "kube-proxy, stopped");
    page.wait_for(
        "the mark on the card",
        "document.querySelector('.k-off .ot')?.textContent === 'kube-proxy'",
    );
    page.click("switch", "kube-proxy");
    page.wait_for("no mark", "document.querySelector('.k-off .ot') === null");
    assert_eq!(page.console_errors(), [""; 0]);
}
