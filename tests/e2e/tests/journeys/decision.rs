//! The decision table: real headers, a formula in every cell, the way from one decision to another, gates, many nodes.

use e2e::{Page, Site, View};

use crate::{commands, digest, rest};

/// What the place of formulas says.
fn formula(page: &Page) -> String {
    page.text(&page.expect("status", "Formula"))
}

#[test]
fn a_cell_of_the_decision_table_tells_its_formula_by_keyboard() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    commands(
        &page,
        &["kubectl run web --image=nginx --overrides='{\"spec\":{\"nodeSelector\":{\"disk\":\"ssd\"}}}'"],
    );
    page.press("Escape");
    page.press("w");
    page.wait_for("the table", "document.activeElement?.matches('#decision .cell')");
    page.expect("columnheader", "worker-a");
    page.expect("rowheader", "NodeAffinity");
    assert!(page.focused().contains("NodeAffinity worker-a: not disk=ssd"), "{}", page.focused());
    assert!(formula(&page).contains("demands disk=ssd"), "{}", formula(&page));
    page.press("ArrowRight");
    assert!(page.focused().contains("NodeAffinity worker-b"), "{}", page.focused());
    page.press("Escape");
    page.expect_gone("columnheader", "worker-a");

    commands(&page, &["kubectl run api --image=nginx"]);
    page.press("Escape");
    page.press("w");
    page.wait_for("the table", "document.activeElement?.matches('#decision .cell')");
    page.press("End");
    (0..8).for_each(|_| page.press("ArrowUp"));
    (0..8).find(|_| {
        page.press("ArrowDown");
        page.focused().contains("NodeResourcesFit")
    });
    page.expect("rowheader", "NodeResourcesFit");
    let text = formula(&page);
    assert!(text.contains("× 100 ÷") && text.contains("mean"), "{text}");
    assert_eq!(page.console_errors(), [""; 0]);
}

/// The table's heading, once it says this.
fn heading(page: &Page, says: &str) {
    page.wait_for(
        &format!("the heading {says}"),
        &format!(
            "document.querySelector('#decision .dh')?.innerText.replace(/\\s+/g, ' ').includes('{says}')"
        ),
    );
}

#[test]
fn decisions_are_turned_like_pages_and_a_pods_attempts_too() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/duo", &View::desktop());
    rest(&page);
    commands(
        &page,
        &[
            "kubectl cordon worker-a worker-b",
            "kubectl run web --image=nginx",
            "lab wait 5s",
            "kubectl run api --image=nginx",
            "lab wait 5s",
            "kubectl uncordon worker-a",
        ],
    );
    let before = digest(&page);
    page.press("Escape");
    page.press("w");
    heading(&page, "attempt 2 of 2");
    let newest = page.text(&page.expect("heading", "worker-a"));
    page.press("<");
    heading(&page, "0 / 2");
    heading(&page, "attempt 1 of 2");
    assert!(page.focused().contains("cordoned"), "{}", page.focused());
    page.press(">");
    heading(&page, &newest);
    // The button keeps the focus while one turns, also where there is no further.
    page.focus(&page.expect("button", "Earlier decision"));
    (0..3).for_each(|_| page.press("Enter"));
    heading(&page, "web → 0 / 2");
    heading(&page, "attempt 1 of 2");
    assert!(page.focused().contains("Earlier decision"), "{}", page.focused());
    page.press(".");
    heading(&page, "api → 0 / 2");
    page.click("button", "the pod is new");
    heading(&page, "attempt 1 of 2");
    page.press("Escape");
    rest(&page);
    assert_eq!(digest(&page), before, "looking changes nothing");
    assert_eq!(page.eval("document.querySelector('.times .past') === null"), true, "and leads back");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_gated_pod_shows_what_holds_it_and_what_would_let_it_go() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/duo", &View::desktop());
    rest(&page);
    commands(
        &page,
        &[
            "kubectl run web --image=nginx --overrides='{\"spec\":{\"schedulingGates\":[{\"name\":\"example.com/quota\"}]}}'",
        ],
    );
    page.press("Escape");
    page.press("f");
    page.type_text("web\n");
    page.click("button", "Open decision");
    page.expect("rowheader", "SchedulingGates");
    heading(&page, "gates left: 1");
    let table = page.eval("document.querySelector('#decision').innerText");
    let table = table.as_str().unwrap_or_default();
    assert!(table.contains("example.com/quota") && table.contains("this pod loses its last gate"), "{table}");
    page.click("button", "without gate example.com/quota");
    page.wait_for("a node", "document.querySelector('.wi-ghost')?.innerText.startsWith('Then worker-')");
    page.click("button", "Apply in a branch: without gate example.com/quota");
    page.wait_for("its node", "document.querySelector('#decision h1')?.innerText.includes('worker-')");
    page.expect("columnheader", "worker-b");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_thousand_nodes_share_a_few_columns() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/kwok", &View::desktop());
    rest(&page);
    page.focus(&page.expect("textbox", "Command line"));
    page.insert_text(
        "for n in $(seq 1000); do printf -- '---\\napiVersion: v1\\nkind: Node\\nmetadata: {name: node-%s, labels: \
         {kubernetes.io/hostname: node-%s, disk: \"%s\"}}\\nstatus: {allocatable: {cpu: \"2\", memory: 8Gi, pods: \"29\"}}\\n' \
         $n $n $((n % 2)); done > nodes.yaml && kubectl apply -f nodes.yaml | tail -1",
    );
    page.press("Enter");
    page.wait_for(
        "the nodes",
        "document.querySelector('.term .log')?.innerText.includes('node/node-1000 created')",
    );
    rest(&page);
    commands(
        &page,
        &["kubectl run web --image=nginx --overrides='{\"spec\":{\"nodeSelector\":{\"disk\":\"1\"}}}'"],
    );
    page.press("Escape");
    page.press("w");
    page.wait_for("the table", "document.activeElement?.matches('#decision .cell')");
    page.expect("rowheader", "NodeAffinity");
    let columns = page.all("columnheader").len();
    assert!((3..=12).contains(&columns), "{columns} columns");
    let cells = page.eval("document.querySelectorAll('#decision td').length").as_u64().unwrap_or(u64::MAX);
    assert!(cells < 200, "{cells} cells");
    let said = page.eval("document.querySelector('#decision').innerText");
    let said = said.as_str().unwrap_or_default();
    for words in ["not disk=1", "the same verdict", "420 nodes that pass are enough in a cluster of 1000"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_phone_shows_the_node_that_won_beside_the_names_of_the_plugins() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View { language: "en".into(), ..View::phone() });
    for line in ["kubectl cordon worker-a worker-b", "kubectl run web --image=nginx", "lab wait 20s"] {
        page.focus(&page.expect("textbox", "Command line"));
        page.type_text(&format!("{line}\n"));
    }
    page.press("Escape");
    page.press("w");
    page.wait_for("the table", "!!document.querySelector('#decision thead .col-win')");
    let inside = |selector: &str| {
        let place = format!("document.querySelector('#decision {selector}').getBoundingClientRect()");
        page.wait_for(selector, &format!("{place}.left >= 0 && {place}.right <= innerWidth"));
    };
    inside("thead .col-win");
    inside("tbody tr:not(.grp) th");
    assert_eq!(page.console_errors(), [""; 0]);
}
