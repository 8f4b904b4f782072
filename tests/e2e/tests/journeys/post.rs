//! The script of a blog post on scheduling gates, as a reader copies it.

use e2e::{Page, Site, View};

use crate::{outline, rest};

const SCRIPT: &str = include_str!("post.sh");

/// What the terminal has printed.
fn log(page: &Page) -> String {
    page.eval("document.querySelector('.term .log').innerText").as_str().unwrap_or_default().to_owned()
}

/// Every part is there, one after the other.
#[track_caller]
fn in_order(log: &str, parts: &[&str]) {
    let mut rest = log;
    for part in parts {
        let Some(at) = rest.find(part) else { panic!("{part:?} is not in\n{rest}") };
        rest = &rest[at + part.len()..];
    }
}

fn done(page: &Page) {
    page.wait_for(
        "the last answer",
        "document.querySelector('.term .log').innerText.includes('Deleted nodes: [\"myk8s-control-plane\"]')",
    );
    rest(page);
}

/// What the real kind and kubectl print for the script, in its order.
const ANSWERS: [&str; 17] = [
    "Creating cluster \"myk8s\" ...",
    "✓ Ensuring node image (kindest/node:v1.32.2) 🖼",
    "✓ Installing StorageClass 💾",
    "Set kubectl context to \"kind-myk8s\"",
    "pod/test-pod created",
    "NAME       READY   STATUS            RESTARTS   AGE",
    "test-pod   0/1     SchedulingGated   0",
    "[{\"name\":\"example.com/foo\"},{\"name\":\"example.com/bar\"}]",
    "grep -i nodename",
    "pod/test-pod configured",
    "NAME       READY   STATUS    RESTARTS   AGE",
    "test-pod   1/1     Running   0",
    "    nodeName: myk8s-control-plane",
    "bash: nodeName:: command not found",
    "pod \"test-pod\" deleted",
    "Deleting cluster \"myk8s\" ...",
    "Deleted nodes: [\"myk8s-control-plane\"]",
];

#[test]
fn the_whole_script_of_a_post_runs_when_it_is_pasted() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/empty", &View::desktop());
    page.focus(&page.expect("textbox", "Command line"));
    page.paste(SCRIPT);
    done(&page);
    let log = log(&page);
    in_order(&log, &ANSWERS);
    assert_eq!(log.matches("nodeName: myk8s-control-plane").count(), 2, "once printed, once pasted: {log}");
    assert!(!outline(&page).contains("myk8s"), "the cluster is gone");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn the_whole_script_of_a_post_runs_when_it_is_typed() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/empty", &View::desktop());
    for line in SCRIPT.lines() {
        page.focus(&page.expect("textbox", "Command line"));
        page.type_text(&format!("{line}\n"));
    }
    done(&page);
    in_order(&log(&page), &ANSWERS);
    assert_eq!(page.console_errors(), [""; 0]);
}
