//! The lessons from their first goal to their last word: by editor, by terminal, by keyboard alone.

use e2e::{Page, Site, View};

use crate::{commands, goal, met, rest};

const TWO_GATES: &str = "apiVersion: v1
kind: Pod
metadata:
  name: waiter
spec:
  schedulingGates:
    - name: shop.dev/quota
    - name: shop.dev/image-scan
  containers:
    - name: app
      image: registry.k8s.io/pause:3.10
";

/// The manifest with one gate less, and with none.
fn with_gates(gates: &[&str]) -> String {
    let list: String = gates.iter().map(|gate| format!("    - name: {gate}\n")).collect();
    let list = if list.is_empty() { list } else { format!("  schedulingGates:\n{list}") };
    let (head, rest) = TWO_GATES.split_once("  schedulingGates:\n").expect("the manifest has gates");
    let (_, tail) = rest.split_once("  containers:").expect("the manifest has containers");
    format!("{head}{list}  containers:{tail}")
}

/// Answers the question that is open by its option's text.
fn answer(page: &Page, option: &str) {
    page.click("radio", option);
    page.click("button", "Lock in");
}

#[test]
fn lesson_five_is_done_in_the_editor() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/scheduling-gates", &View::desktop());
    answer(&page, "none");
    page.click("tab", "Editor");
    for (gates, goal) in [
        (["shop.dev/quota", "shop.dev/image-scan"].as_slice(), "gated"),
        (["shop.dev/image-scan"].as_slice(), "one-left"),
        ([].as_slice(), "placed"),
    ] {
        page.wait_for("the editor", "document.querySelector('.edit .code')?.shadowRoot !== null");
        page.focus(&page.expect("textbox", "Editor"));
        page.press("Control+a");
        page.paste(&with_gates(gates));
        page.press("Control+Enter");
        met(&page, goal);
        if goal == "gated" {
            answer(&page, "it keeps waiting");
        }
    }
    page.wait_for("what one can say now", "document.querySelector('.say.is-done') !== null");
    answer(&page, "the scheduler is not considering it yet");
    page.wait_for(
        "the answer's verdict",
        "document.querySelector('#question-q1 .after')?.innerText.includes('right')",
    );
    assert!(page.find("link", "Next lesson").is_some() || page.find("link", "Lessons").is_some());
    assert_eq!(page.console_errors(), [""; 0]);
}

/// Presses Tab until the focus is there, as somebody without a pointer does.
fn tab_to(page: &Page, what: &str) {
    let mut seen = Vec::new();
    for _ in 0..60 {
        page.press("Tab");
        let focused = page.focused();
        if focused.contains(what) {
            return;
        }
        seen.push(focused);
    }
    panic!("Tab never led to {what:?}, only to {seen:?}");
}

#[test]
fn lesson_five_is_done_by_keyboard_alone() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/scheduling-gates", &View::desktop());
    let predict = |option: &str| {
        page.press("p");
        for _ in 0..4 {
            if page.focused().contains(option) {
                break;
            }
            page.press("ArrowDown");
        }
        assert!(page.focused().contains(option), "{}", page.focused());
        page.press("Space");
        tab_to(&page, "Lock in");
        page.press("Enter");
    };
    let write = |text: &str| {
        page.press("g");
        page.press("e");
        page.wait_for("the editor to have the focus", "document.activeElement?.classList.contains('code') && document.activeElement.shadowRoot?.activeElement !== null");
        page.press("Control+a");
        page.press("Delete");
        // Flow style: the editor indents a new line by itself, and a person would let it.
        page.type_text(text);
        page.press("Control+Enter");
        // Escape leaves the editor, and Tab goes on from there: no trap.
        page.press("Escape");
        page.press("Tab");
        assert_eq!(
            page.eval("document.activeElement.matches('.code')"),
            false,
            "Tab led into the editor again"
        );
        page.press("Escape");
    };
    let manifest = |gates: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: waiter}}, spec: {{{gates}containers: [{{name: app, image: \"registry.k8s.io/pause:3.10\"}}]}}}}"
        )
    };
    predict("none");
    write(&manifest("schedulingGates: [{name: shop.dev/quota}, {name: shop.dev/image-scan}], "));
    met(&page, "gated");
    predict("it keeps waiting");
    write(&manifest("schedulingGates: [{name: shop.dev/image-scan}], "));
    met(&page, "one-left");
    write(&manifest(""));
    met(&page, "placed");
    predict("the scheduler is not considering it yet");
    page.wait_for(
        "the answer's verdict",
        "document.querySelector('#question-q1 .after')?.innerText.includes('right')",
    );
    tab_to(&page, "link");
    assert_eq!(page.console_errors(), [""; 0]);
}

/// Puts the cards into an order with the keyboard: Space picks one up and puts it down, arrows move it.
fn sort(page: &Page, order: &[&str]) {
    for (place, card) in order.iter().enumerate() {
        let at = || {
            let cards = "[...document.querySelectorAll('.sort .card')].map(card => card.dataset.card)";
            page.eval(&format!("{cards}.indexOf('{card}')")).as_u64().expect("a card")
        };
        page.eval(&format!("document.querySelector('.sort [data-card={card}]').focus()"));
        page.press(" ");
        for _ in place as u64..at() {
            page.press("ArrowUp");
        }
        page.press(" ");
        assert_eq!(at(), place as u64, "{card}");
    }
}

/// Types a line where stories are told in steps, and asks for one step after the other until nothing is left to tell.
fn step_through(page: &Page, line: &str) {
    page.focus(&page.expect("textbox", "Command line"));
    page.type_text(&format!("{line}\n"));
    page.wait_for("the first step", "!document.querySelector('#timeline .now').innerText.includes('quiet')");
    for _ in 0..40 {
        if page.eval("document.querySelector('#timeline .now').innerText.includes('quiet')") == true {
            return;
        }
        page.eval(
            "[...document.querySelectorAll('button')].find(it => /^(next|end)/.test(it.innerText)).click()",
        );
    }
    panic!("{line}: the story does not end");
}

#[test]
fn lesson_four_sorts_its_cards_and_shows_where_a_request_stopped() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/pod-birth", &View::desktop());
    sort(&page, &["authn", "authz", "admission", "etcd", "scheduler", "bind", "kubelet", "cni", "running"]);
    page.click("button", "Lock in");

    page.focus(&page.expect("textbox", "Command line"));
    page.type_text("kubectl apply -f pod.yaml\n");
    page.wait_for("the story", "document.querySelector('.stepper .mono')?.innerText.startsWith('0/')");
    // In the empty command line the arrow has nothing to move along: it steps. In a line with words it does not.
    page.press("ArrowRight");
    page.wait_for("one step", "document.querySelector('.stepper .mono').innerText.startsWith('1/')");
    page.type_text("k");
    page.press("ArrowRight");
    page.press("Backspace");
    for _ in 0..40 {
        if page.eval("document.querySelector('.stepper') === null") == true {
            break;
        }
        let at = page.eval("document.querySelector('.stepper .mono').innerText.split('/').map(Number)");
        assert_eq!(goal(&page, "born").as_deref() == Some("Met"), at[0] == at[1], "{at}");
        page.press("ArrowRight");
    }
    met(&page, "born");
    page.wait_for("the verdict", "document.querySelector('.predict .after')?.innerText.includes('9/9')");

    commands(&page, &["kubectl config set-credentials ghost --token=nobody-knows-this"]);
    step_through(&page, "kubectl run ghost --image=registry.k8s.io/pause:3.10 --user=ghost");
    met(&page, "unknown");
    step_through(&page, "kubectl run visitor --image=registry.k8s.io/pause:3.10 --as=visitor");
    met(&page, "powerless");
    page.eval("[...document.querySelectorAll('.asked.is-no')].at(-1).click()");
    page.wait_for(
        "the request",
        "document.querySelector('.req .raw.is-no')?.innerText.startsWith('403 Forbidden')",
    );
    let verdicts = page.eval(
        "[...document.querySelectorAll('.req .chain > li')].map(stage => stage.dataset.verdict).join(' ')",
    );
    assert!(
        verdicts.as_str().is_some_and(|it| it.starts_with("Passed Passed Refused NotReached")),
        "{verdicts}"
    );
    step_through(&page, "kubectl run lost --image=registry.k8s.io/pause:3.10 --namespace=nowhere");
    met(&page, "unwelcome");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn lesson_six_is_done_in_the_terminal() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/why-this-node", &View::desktop());
    answer(&page, "worker-a");
    commands(&page, &["kubectl apply -f 1-plain.yaml"]);
    met(&page, "plain");
    answer(&page, "worker-c");
    commands(&page, &["kubectl apply -f 2-picky.yaml"]);
    met(&page, "picky");
    answer(&page, "no node");
    commands(&page, &["kubectl apply -f 3-big.yaml"]);
    met(&page, "refused");
    commands(&page, &["kubectl set resources deployment big --limits=cpu=1"]);
    page.wait_for(
        "the feedback",
        "document.querySelector('.lesson')?.innerText.includes('must be less than or equal to cpu limit')",
    );
    commands(&page, &["kubectl set resources deployment big --requests=cpu=500m"]);
    met(&page, "landed");
    page.wait_for("four of four", "document.querySelectorAll('[data-standing=Met]').length === 4");
    answer(&page, "to worker-c and to every other node that fits");
    answer(&page, "the pod's requests");
    page.wait_for(
        "the answer's verdict",
        "document.querySelector('#question-q2 .after')?.innerText.includes('right')",
    );
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn lesson_seven_is_done_in_the_terminal() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::desktop());
    commands(&page, &["kubectl scale deployment web --replicas=9"]);
    met(&page, "full");
    commands(&page, &["lab answer seats 9", "kubectl scale deployment web --replicas=12"]);
    met(&page, "crowded");
    commands(
        &page,
        &[
            "eksctl create nodegroup --cluster podpath --name big --node-type t3.medium --nodes 1 --node-labels podpath/role=worker",
            "kubectl cordon --selector eks.amazonaws.com/nodegroup=small",
            "kubectl drain --selector eks.amazonaws.com/nodegroup=small --ignore-daemonsets",
            "eksctl delete nodegroup --cluster podpath --name small",
        ],
    );
    met(&page, "seated");
    rest(&page);
    page.wait_for("three of three", "document.querySelectorAll('[data-standing=Met]').length === 3");
    page.wait_for("the first question", "document.querySelector('#question-q1 input') !== null");
    let questions = page.all("textbox").into_iter().filter(|it| it.name == "Answer with a number");
    page.focus(&questions.last().expect("the prediction was another one"));
    page.type_text("17\n");
    page.wait_for(
        "the answer's verdict",
        "document.querySelector('#question-q1 .after')?.innerText.includes('right')",
    );
    answer(&page, "pods that use the node");
    page.wait_for(
        "the second verdict",
        "document.querySelector('#question-q2 .after')?.innerText.includes('right')",
    );
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn an_incident_ends_with_its_cause_and_a_proof() {
    let site = Site::built();
    let page = Page::open(&site, "#/lessons", &View::desktop());
    page.click("link", "Two pods that never start");
    let name_cause = |cause: &str| {
        page.click("radio", cause);
        page.click("button", "This is the cause");
    };
    name_cause("too little CPU left");
    page.wait_for(
        "what speaks against it",
        "document.querySelector('.say')?.innerText.includes('both pods have one')",
    );
    let script = "document.querySelector('[data-id=\"Subnet/pods-a\"]').dispatchEvent(new MouseEvent('click', { bubbles: true }))";
    page.eval(script);
    page.wait_for("the proof", "document.querySelector('.proof')?.innerText.includes('Subnet/pods-a')");
    name_cause("The subnets cannot give");
    met(&page, "explained");
    assert_eq!(goal(&page, "running").as_deref(), Some("Open"), "naming the cause mends nothing");
    commands(
        &page,
        &["kubectl set env daemonset aws-node --namespace kube-system MINIMUM_IP_TARGET=7", "lab wait idle"],
    );
    met(&page, "room");
    page.wait_for("what one can say now", "document.querySelector('.say.is-done') !== null");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_tablet_shows_goals_scene_and_terminal_at_once() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/ip-slots", &View::tablet());
    commands(&page, &["kubectl scale deployment web --replicas=9"]);
    met(&page, "full");
    let fits = "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight";
    assert_eq!(page.eval(fits), true, "nothing hangs over the edge");
    page.press("Escape");
    page.press("f");
    page.wait_for("the field", "document.activeElement?.getAttribute('role') === 'combobox'");
    page.type_text("worker-a\n");
    page.wait_for("what was picked", "document.querySelector('#inspector')?.innerText.includes('worker-a')");
    assert!(goal(&page, "crowded").is_some(), "goals are in sight");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_puzzle_of_the_sandbox_is_solved_in_the_editor() {
    let site = Site::built();
    let page = Page::open(&site, "#/lessons", &View::desktop());
    page.click("link", "Larger than every node");
    answer(&page, "no node");
    page.click("tab", "Editor");
    let choose = |file: &str| {
        page.wait_for("the editor", "document.querySelector('.edit .code')?.shadowRoot !== null");
        let script = "(() => { const it = document.querySelector('.edit select'); it.value = 'FILE'; \
            it.dispatchEvent(new Event('change', { bubbles: true })); })()";
        page.eval(&script.replace("FILE", file));
        page.wait_for("the file", &format!("document.querySelector('.edit select').value === '{file}'"));
        page.click("button", "Apply");
        rest(&page);
    };
    assert_eq!(page.expect("combobox", "File").name, "File");
    choose("1-big.yaml");
    choose("2-fits.yaml");
    met(&page, "decided");
    page.wait_for("what one can say now", "document.querySelector('.say.is-done') !== null");
    page.click("link", "Next puzzle");
    page.wait_for(
        "the next story",
        "document.querySelector('.l-title')?.innerText === 'The emptiest node wins'",
    );
    page.click("button", "Language");
    page.wait_for(
        "the same in Korean",
        "document.querySelector('.l-title')?.innerText === '가장 빈 노드가 이긴다'",
    );
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn what_is_left_out_is_told_where_something_is_not_simulated() {
    let site = Site::built();
    let page = Page::open(&site, "#/sandbox", &View::desktop());
    let printed = |words: &str| {
        page.wait_for(words, &format!("document.querySelector('.term .log').innerText.includes({words:?})"));
    };
    // kubectl's help is fetched when it is first asked for.
    commands(&page, &["kubectl proxy --help | head -n 1"]);
    printed("Creates a proxy server");
    commands(&page, &["kubectl proxy"]);
    page.click("link", "stored, not simulated");
    page.wait_for("the page", "document.querySelector('h1')?.innerText === 'What this lab leaves out'");
    let row = |group: &str| {
        let rows = "[...document.querySelectorAll('.coverage tr')]";
        let cells = "[...it.children].map((cell) => cell.innerText).join(' | ')";
        let row = format!("{rows}.map((it) => {cells}).find((it) => it.startsWith('{group} | '))");
        page.eval(&row).as_str().unwrap_or_default().to_owned()
    };
    assert!(row("policy/v1").starts_with("policy/v1 | PodDisruptionBudget"), "{}", row("policy/v1"));
    assert!(row("node.k8s.io/v1").ends_with("| RuntimeClass"), "{}", row("node.k8s.io/v1"));
    page.expect("heading", "Scheduler");
    page.wait_for(
        "a simplification",
        "document.querySelector('.coverage').innerText.includes('An attempt takes no time')",
    );
    assert_eq!(page.console_errors(), [""; 0]);
}
