//! How long until something happens? Figures to read, not to pass: wall clocks differ.

use e2e::{Page, Site, View};

/// Notes when the page was ready, when a key was pressed, and when the frame after the first visible change was drawn.
const NOTE: &str = "(() => {
    const note = (name) => { window[name] ??= performance.now() };
    const root = new MutationObserver(() => document.documentElement?.dataset.ready && note('readyAt'));
    root.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-ready'] });
    addEventListener('keydown', () => {
        note('pressedAt');
        const seen = new MutationObserver(() => { seen.disconnect(); requestAnimationFrame(() => note('effectAt')) });
        seen.observe(document.querySelector('main'), { subtree: true, childList: true, attributes: true });
    }, true);
})()";

#[test]
fn time_to_the_first_effect_on_a_processor_four_times_slower() {
    let view = View { slow_down: 4, ..View::desktop() };
    // A site of its own for the visit that is measured: nothing of it is in the browser's cache.
    let (before, site) = (Site::built(), Site::built());
    let page = Page::open_early(&before, "", &view);
    page.before_every_document(NOTE);
    page.goto(&site.address(""));
    page.wait_for("the page to be ready", "window.readyAt !== undefined");
    page.wait_for("the button to have the focus", "document.activeElement?.id === 'go'");
    page.press("Enter");
    page.wait_for("the first effect", "window.effectAt !== undefined");
    let figure = |expression: &str| page.eval(expression).as_f64().unwrap_or_default().round();
    println!("ready after navigation: {} ms (processor slowed down 4 times)", figure("readyAt"));
    println!("first effect after the first key: {} ms", figure("effectAt - pressedAt"));
    page.wait_for("all ten beats", "document.querySelectorAll('.beats .is-lit').length === 10");
    println!("all ten beats after the first key: {} ms", figure("performance.now() - pressedAt"));
    assert_eq!(page.console_errors(), [""; 0]);
}
