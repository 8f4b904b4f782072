//! What goes wrong is said plainly, loses nothing and freezes nothing.

use e2e::{Page, Site, Storage, View};

use crate::{commands, digest, rest};

/// Opens the editor with nothing in it.
fn editor(page: &Page) {
    page.press("Escape");
    page.press("g");
    page.press("e");
    page.wait_for(
        "the editor",
        "document.activeElement?.shadowRoot?.activeElement?.classList.contains('cm-content')",
    );
    page.press("Control+a");
    page.press("Delete");
}

fn outcome(page: &Page, words: &str) {
    page.wait_for(words, &format!("document.querySelector('.edit .outcome')?.innerText.includes({words:?})"));
}

fn alert(page: &Page, words: &str) {
    page.wait_for(
        words,
        &format!(
            "[...document.querySelectorAll('[role=alert]')].some((it) => it.innerText.includes({words:?}))"
        ),
    );
}

/// The page answers within a second: it is not frozen.
fn alive(page: &Page) {
    commands(page, &["echo still here"]);
    page.wait_for("an answer", "document.querySelector('.term .log')?.innerText.includes('still here')");
}

#[test]
fn a_manifest_that_is_no_yaml_says_where_and_changes_nothing() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    let before = digest(&page);
    editor(&page);
    page.paste("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n   namespace: b\n");
    page.wait_for("the place", "document.querySelector('.faults')?.innerText.match(/^[45]:/) !== null");
    page.press("Control+Enter");
    outcome(&page, "error converting YAML to JSON");
    page.wait_for("the error for readers", "document.querySelector('#alarm').innerText.includes('error')");
    assert_eq!(page.eval("document.querySelector('.edit .code').shadowRoot.querySelector('.cm-content').innerText.includes('namespace: b')"), true);
    page.click("button", "Undo");
    page.wait_for("nothing changed", &format!("document.documentElement.dataset.digest === '{before}'"));
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_manifest_without_indentation_gets_the_real_error_then_the_offer() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/scheduling-gates", &View::desktop());
    editor(&page);
    page.paste(
        "apiVersion: v1\nkind: Pod\nmetadata:\nname: waiter\nspec:\nschedulingGates:\n- name: shop.dev/quota\n- name: shop.dev/image-scan\ncontainers:\n- name: app\nimage: registry.k8s.io/pause:3.10\n",
    );
    page.press("Control+Enter");
    outcome(&page, "error");
    outcome(&page, "lost its indentation");
    page.click("button", "Open it re-indented in the editor");
    page.wait_for(
        "the re-indented text",
        "document.querySelector('.edit .code').shadowRoot.querySelector('.cm-content').innerText.includes('  name: waiter')",
    );
    page.click("button", "Apply");
    outcome(&page, "pod/waiter created");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn ten_megabytes_are_refused_in_words_and_what_was_there_stays() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    let large = "# ten megabytes of comment\n".repeat(10 * 1024 * 1024 / 27);
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("echo mine");
    page.paste(&large);
    page.wait_for("the refusal", "document.querySelector('.term .log').innerText.includes('1 MB')");
    assert_eq!(page.expect("textbox", "Command line").value, "echo mine");
    page.press("Control+c");
    alive(&page);
    editor(&page);
    page.type_text("kind: Pod");
    page.paste(&large);
    outcome(&page, "1 MB");
    assert_eq!(
        page.eval(
            "document.querySelector('.edit .code').shadowRoot.querySelector('.cm-content').innerText.trim()"
        ),
        "kind: Pod"
    );
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_bomb_of_aliases_is_refused_as_kubectl_refuses_it() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    editor(&page);
    let mut bomb = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\ndata:\n  a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for (name, before) in ('b'..='i').zip('a'..) {
        let row = vec![format!("*{before}"); 9].join(", ");
        bomb += &format!("  {name}: &{name} [{row}]\n");
    }
    page.paste(&bomb);
    page.press("Control+Enter");
    outcome(&page, "document contains excessive aliasing");
    page.click("tab", "Terminal");
    alive(&page);
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_long_paste_runs_line_by_line_and_can_be_stopped() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    page.focus(&page.expect("textbox", "Command line"));
    page.paste(&"echo line\n".repeat(100_000));
    page.click("button", "Stop");
    page.expect_gone("button", "Stop");
    alive(&page);
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_link_that_leads_nowhere_says_why_in_both_languages() {
    let site = Site::built();
    let korean = View { language: "ko".into(), ..View::desktop() };
    for (address, english, in_korean) in [
        ("#/l/garbage", "Nothing is at this address", "이 주소에는 아무것도 없습니다"),
        ("#/lesson/no-such", "There is no lesson no-such", "no-such 레슨"),
        ("#/world/no-such", "There is no world no-such", "no-such 월드"),
        ("#/w/1!!!", "This link cannot be read", "이 링크를 읽을 수 없습니다"),
        ("#/w/9abcdef", "newer version (9)", "더 새로운 버전(9)"),
    ] {
        for (view, words) in [(View::desktop(), english), (korean.clone(), in_korean)] {
            let page = Page::open(&site, address, &view);
            alert(&page, words);
            assert!(!page.all("textbox").is_empty(), "{address}: the lab is there");
            assert_eq!(page.console_errors(), [""; 0], "{address}");
        }
    }
}

#[test]
fn a_link_that_was_cut_off_opens_as_far_as_it_can_be_read() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    commands(
        &page,
        &["kubectl scale deployment web --replicas=3", "kubectl get pods -o wide", "kubectl get nodes"],
    );
    page.click("button", "Share");
    page.wait_for("the link", "document.querySelector('.share-link')?.value.includes('#/w/')");
    let link = page.eval("document.querySelector('.share-link').value");
    let link = link.as_str().unwrap_or_default();
    let cut = &link[link.find('#').unwrap_or(0)..link.len() - 24];
    let other = Page::open(&site, cut, &View::desktop());
    alert(&other, "commands that could be read are here");
    other.wait_for(
        "what could be read",
        "document.querySelector('.term .log')?.innerText.includes('replicas=3')",
    );
    assert_eq!(other.console_errors(), [""; 0]);
}

#[test]
fn blocked_storage_is_said_and_all_else_works() {
    let site = Site::built();
    let view = View { storage: Storage::Blocked, ..View::desktop() };
    let page = Page::open(&site, "#/lesson/ip-slots", &view);
    alert(&page, "blocks storage");
    alive(&page);
    assert_eq!(page.console_errors(), [""; 0]);
    let korean = View { language: "ko".into(), ..view };
    alert(&Page::open(&site, "#/lesson/ip-slots", &korean), "저장을 막아서");
}

#[test]
fn full_storage_is_said_keeps_what_it_has_and_all_else_works() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    commands(&page, &["kubectl scale deployment web --replicas=3"]);
    page.eval(
        "for (let size = 1 << 20; size > 0; size >>= 1)
            for (let n = 0; ; n++) try { localStorage.setItem(`fill-${size}-${n}`, 'x'.repeat(size)) } catch { break }",
    );
    commands(&page, &["kubectl scale deployment web --replicas=4"]);
    alert(&page, "storage is full");
    alive(&page);
    page.reload();
    page.wait_for("what was kept", "document.querySelector('.term .log')?.innerText.includes('replicas=3')");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_page_that_breaks_says_so_and_gives_the_session_back() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    commands(&page, &["kubectl scale deployment web --replicas=3"]);
    // The browser refuses what every page may expect of it: drawing fails, and with it the whole page.
    page.eval(
        "(() => {
            Node.prototype.insertBefore = () => { throw new Error('no') };
        })()",
    );
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl get pods\n");
    page.wait_for("the message", "document.getElementById('boot-failure')?.hidden === false");
    let said = page.eval("document.getElementById('boot-failure').innerText");
    assert!(said.as_str().is_some_and(|it| it.contains("Podpath stopped")), "{said}");
    page.wait_for("the link", "document.querySelector('#boot-failure input')?.value.includes('#/w/')");
    page.eval("document.querySelector('#boot-failure button').click()");
    page.wait_for(
        "the command that ran",
        "document.querySelector('.term .log')?.innerText.includes('replicas=3')",
    );
    rest(&page);
    alive(&page);
}

#[test]
fn what_is_typed_into_the_editor_survives_another_tab_and_a_reload() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    editor(&page);
    page.type_text("# mine");
    let mine = "document.querySelector('.edit .code')?.shadowRoot?.querySelector('.cm-content')?.innerText.includes('# mine')";
    page.click("tab", "Terminal");
    page.click("tab", "Editor");
    page.wait_for("my text after another tab", mine);
    page.reload();
    page.click("tab", "Editor");
    page.wait_for("my text after a reload", mine);
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_hundred_million_replicas_stop_at_a_limit_and_freeze_nothing() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    commands(&page, &["kubectl create deployment web --image=registry.k8s.io/pause:3.10"]);
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl scale deployment web --replicas=100000000\n");
    page.wait_for("an answer", "document.querySelector('.term .log')?.innerText.includes('scaled')");
    alive(&page);
    page.press("Escape");
    page.press("u");
    page.press("u");
    alive(&page);
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_loop_without_an_end_stops_at_a_limit_and_loses_nothing() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    commands(&page, &["kubectl create configmap mine --from-literal=a=b"]);
    for line in ["while true; do :; done", "yes | kubectl apply -f -"] {
        page.focus(&page.expect("textbox", "Command line"));
        page.type_text(&format!("{line}\n"));
        page.wait_for(
            "the limit",
            "document.querySelector('.term .log > :last-child')?.classList.contains('remark') || \
            document.querySelector('.term .log > :last-child')?.classList.contains('rd')",
        );
        alive(&page);
    }
    commands(&page, &["kubectl get configmap mine -o name"]);
    page.wait_for(
        "what was there",
        "document.querySelector('.term .log').innerText.includes('configmap/mine\\n')",
    );
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_binary_file_and_a_deep_nesting_are_refused_in_words() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/tri", &View::desktop());
    rest(&page);
    let binary: String =
        (0..4096_u32).filter_map(|n| char::from_u32(n * 7 % 256)).filter(|c| *c != '\0').collect();
    for text in [binary, "[".repeat(50_000), format!("a: {}", "{a: ".repeat(20_000))] {
        editor(&page);
        page.paste(&text);
        page.press("Control+Enter");
        outcome(&page, "error");
        page.click("tab", "Terminal");
        alive(&page);
    }
    assert_eq!(page.console_errors(), [""; 0]);
}
