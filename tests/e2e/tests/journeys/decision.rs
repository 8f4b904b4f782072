//! The decision table: real headers, and a formula in every cell, by keyboard.

use e2e::{Page, Site, View};

use crate::{commands, rest};

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
