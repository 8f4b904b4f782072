//! `kubectl edit` in a page: the object stands in the editor, and saving applies it.

use e2e::{Page, Site, View};

use crate::{commands, rest};

fn log(page: &Page, words: &str) {
    page.wait_for(words, &format!("document.querySelector('.term .log')?.innerText.includes({words:?})"));
}

const TEXT: &str =
    "document.querySelector('.edit .code')?.shadowRoot?.querySelector('.cm-content')?.innerText";

/// Opens a deployment in the editor.
fn opened(page: &Page) {
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl edit deployment web\n");
    page.wait_for("the object", &format!("{TEXT}?.includes('Please edit the object below')"));
    page.wait_for(
        "the focus",
        "document.activeElement?.shadowRoot?.activeElement?.classList.contains('cm-content')",
    );
}

#[test]
fn an_object_is_edited_in_the_pages_editor() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    rest(&page);
    opened(&page);
    page.press("Control+a");
    page.press("Delete");
    page.paste(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default}\nspec:\n  replicas: many\n",
    );
    page.press("Control+Enter");
    page.wait_for(
        "the refusal",
        "document.querySelector('.edit .outcome')?.innerText.includes('deployments.apps \"web\" is invalid')",
    );
    page.wait_for(
        "the reason above the text",
        &format!("/^# .*was not valid[^]*Invalid value[^]*replicas: many/m.test({TEXT})"),
    );
    page.click("button", "Close");
    log(&page, "Edit cancelled, no valid changes were saved.");

    opened(&page);
    page.click("button", "Save");
    log(&page, "Edit cancelled, no changes made.");
    rest(&page);
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn what_is_saved_is_applied_in_kubectls_words() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    commands(&page, &["kubectl create configmap note --from-literal=a=b"]);
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl edit configmap note\n");
    page.wait_for("the object", &format!("{TEXT}?.includes('a: b')"));
    page.wait_for(
        "the focus",
        "document.activeElement?.shadowRoot?.activeElement?.classList.contains('cm-content')",
    );
    page.press("Control+a");
    page.press("Delete");
    page.paste(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: note\n  namespace: default\ndata:\n  a: c\n",
    );
    page.click("button", "Save");
    log(&page, "configmap/note edited");
    commands(&page, &["kubectl get configmap note -o jsonpath='{.data.a}{\"\\n\"}'"]);
    page.wait_for("what was saved", "/^c$/m.test(document.querySelector('.term .log').innerText)");
    assert_eq!(page.console_errors(), [""; 0]);
}
