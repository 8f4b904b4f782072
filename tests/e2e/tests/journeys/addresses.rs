//! Where addresses come from: the formula, the pool, what would be with other settings; and its lessons with thumbs, in Korean.

use e2e::{Page, Site, View};

use crate::{commands, digest, met, rest, thumbs::tap};

#[test]
fn a_node_tells_its_formula_its_history_and_what_would_be() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/pool", &View::desktop());
    rest(&page);
    commands(
        &page,
        &["kubectl create deployment web --image=nginx --replicas=4", "lab select node/worker-a"],
    );
    page.wait_for(
        "the node that was pointed at",
        "document.querySelector('.i-head h2')?.innerText === 'worker-a'",
    );
    let host = "aws-node and kube-proxy use the node’s own network: they count as pods, and need no address.";
    page.focus(&page.expect("button", host));
    page.wait_for("a ring around each", "document.querySelectorAll('.scene .counted').length === 2");
    page.wait_for("the pool", "document.querySelector('.pool-history')?.innerText.includes('held 3 → 6')");
    let before = digest(&page);
    page.focus(&page.expect("spinbutton", "WARM_IP_TARGET"));
    page.type_text("1");
    page.press("Tab");
    page.wait_for("the ghost", "document.querySelectorAll('.k-node.is-imagined').length === 3");
    page.wait_for(
        "the answer",
        "document.querySelector('.imagine')?.innerText.includes('1 would be free for pods')",
    );
    page.focus(&page.expect("combobox", "Instance type"));
    page.type_text("m5.large");
    page.press("Tab");
    page.wait_for(
        "a card of the other type",
        "document.querySelector('[data-id=\"Node/worker-a\"].is-imagined')?.textContent.includes('m5.large')",
    );
    page.click("button", "As it is");
    page.wait_for("the picture as it is", "document.querySelector('.is-imagined') === null");
    assert_eq!(digest(&page), before, "nothing is committed");
    assert_eq!(page.console_errors(), [""; 0]);
}

/// Answers the question that stands open, taps the solution's next line, and so on until the lesson is done.
fn by_thumbs(site: &Site, route: &str, answers: &[&str]) -> Page {
    // Without motion: what is told here is told elsewhere.
    let page = Page::open(site, route, &View { reduced_motion: true, ..View::phone() });
    let mut answers = answers.iter();
    for _ in 0..24 {
        tap(&page, ".ptabs button:nth-child(1)", "목표");
        if page.eval("document.querySelector('.say.is-done') !== null") == true {
            return page;
        }
        if page.eval("document.querySelector('.predict:not(#diagnosis) .lock') !== null") == true {
            let answer = answers.next().expect("an answer");
            let asked = page.eval("document.querySelector('.predict:not(#diagnosis)').id");
            let asked = asked.as_str().expect("an id").to_owned();
            if page.eval("document.querySelector('.predict .number') !== null") == true {
                tap(&page, ".predict .number", "");
                page.type_text(answer);
            } else {
                tap(&page, ".predict [role=radio]", answer);
            }
            tap(&page, ".predict .lock", "");
            page.wait_for("the answer", &format!("document.querySelector('#{asked} .lock') === null"));
            continue;
        }
        tap(&page, ".ptabs button:nth-child(2)", "행동");
        page.wait_for("an empty command line", "document.querySelector('#command')?.value === ''");
        tap(&page, ".cards button:first-child", "정답");
        let edits = "document.querySelector('.phone .edit') !== null";
        page.wait_for("a command", &format!("!!document.querySelector('#command')?.value || {edits}"));
        if page.eval(edits) == true {
            // The next line of the solution is what uses the file.
            tap(&page, ".edit-foot .btn", "저장");
        } else {
            tap(&page, ".prompt .run", "");
        }
        page.wait_for("an empty command line", "document.querySelector('#command')?.value === ''");
    }
    panic!("{route} is not done: {}", page.eval("document.querySelector('.goals').innerText"));
}

#[test]
fn lessons_about_addresses_are_done_with_thumbs_in_korean() {
    let site = Site::built();
    let lessons: [(&str, &[&str]); 5] = [
        ("warm-pool", &["12"]),
        ("prefixes", &["3"]),
        ("node-groups", &["4"]),
        ("fargate-profile", &["그대로"]),
        ("fargate-limits", &["1", "2"]),
    ];
    for (slug, answers) in lessons {
        let page = by_thumbs(&site, &format!("#/lesson/{slug}"), answers);
        assert_eq!(page.console_errors(), [""; 0], "{slug}");
    }
}

#[test]
fn the_incident_of_addresses_is_explained_with_thumbs_in_both_languages() {
    let site = Site::built();
    for (language, goals, act, solution) in
        [("ko", "목표", "행동", "정답"), ("en", "Goals", "Act", "Solution")]
    {
        let view = View { reduced_motion: true, language: language.into(), ..View::phone() };
        let page = Page::open(&site, "#/incident/no-free-ip", &view);
        tap(&page, ".ptabs button:nth-child(2)", act);
        tap(&page, ".cards button:first-child", solution);
        tap(&page, ".prompt .run", "");
        tap(&page, ".ptabs button:nth-child(1)", goals);
        met(&page, "running");
        met(&page, "room");
        // The proof is picked in the picture: the line that names the subnet is as high as a thumb.
        tap(&page, ".scene .handle", "");
        tap(&page, ".ptabs button:nth-child(1)", goals);
        tap(&page, "#diagnosis [role=radio]", "ENI");
        tap(&page, "#diagnosis .lock", "");
        page.wait_for("the end", "document.querySelector('.say.is-done') !== null");
        assert_eq!(page.console_errors(), [""; 0], "{language}");
    }
}

#[test]
fn a_phone_tells_that_one_looks_back_and_has_a_tab_for_each_branch() {
    let site = Site::built();
    let page = Page::open(&site, "#/world/pool", &View { reduced_motion: true, ..View::phone() });
    let run = |line: &str| {
        page.focus(&page.expect("textbox", "명령 입력"));
        page.type_text(&format!("{line}\n"));
        page.wait_for("an empty command line", "document.querySelector('#command')?.value === ''");
    };
    run("kubectl create deployment web --image=nginx --replicas=2");
    run("lab wait 1m");
    let back = "(() => { const bar = document.querySelector('.scrub .bar'); bar.value = Number(bar.max) - 30000; \
        bar.dispatchEvent(new InputEvent('input', { bubbles: true })); })()";
    page.eval(back);
    page.wait_for(
        "the notice",
        "document.querySelector('.phone .past')?.getBoundingClientRect().height >= 44",
    );
    run("kubectl scale deployment web --replicas=1");
    tap(&page, ".branches button[aria-pressed=false]", "");
    page.wait_for("two tabs", "document.querySelectorAll('.phone .branches button').length === 2");
    assert_eq!(page.console_errors(), [""; 0]);
}

#[test]
fn a_number_is_asked_for_and_nothing_else_is_taken() {
    let site = Site::built();
    let page = Page::open(&site, "#/lesson/warm-pool", &View::desktop());
    let goals = "document.querySelector('.goals').getBoundingClientRect().top";
    page.wait_for(
        "a question that covers no goal",
        &format!(
            "document.querySelector('.ask').getBoundingClientRect().top >= \
         document.querySelector('.lesson .scroll').getBoundingClientRect().bottom - 1 && {goals} > 0"
        ),
    );
    page.focus(&page.expect("textbox", "Answer with a number"));
    page.type_text("twelve 1x2");
    page.wait_for("digits alone", "document.querySelector('.predict .number').value === '12'");
    page.click("button", "Lock in");
    page.wait_for("the answer", "document.querySelector('.ask') === null");
    assert_eq!(page.console_errors(), [""; 0]);
}
