//! The first picture: `index.html` shows it before anything is computed, then the page draws it again.

use e2e::{Page, Site, View};
use serde_json::json;

/// What can be seen of the first screen: every shape and word with its place and its colours.
const SEEN: &str = "
    (() => {
        const words = (it) => [...it.childNodes].map((node) =>
            node.nodeType === Node.TEXT_NODE ? node.data
                : node.localName !== 'title' && node.nodeType === Node.ELEMENT_NODE && getComputedStyle(node).display !== 'none'
                    ? words(node) : '').join('');
        const shown = [...document.querySelectorAll('.first :is(rect, circle, path, use, text, h1, p, code, .btn, .beats button)')]
            .filter((it) => it.checkVisibility() && !it.closest('.pulse') && !it.closest('symbol'));
        return shown.map((it) => {
            const box = it.getBoundingClientRect(), style = getComputedStyle(it);
            const place = [box.x, box.y, box.width, box.height].map(Math.round).join(' ');
            return `${it.localName} ${words(it).replace(/\\s+/g, ' ').trim()} ${place} ${style.fill} ${style.stroke} ${style.color}`;
        });
    })()";

/// The first screen of a page whose program never arrives.
fn without_program(site: &Site, view: &View) -> Page {
    let page = Page::open_early(site, "#/lessons", view);
    page.devtools("Network.enable", json!({}));
    page.devtools("Network.setBlockedURLs", json!({ "urls": ["*.wasm"] }));
    page.devtools("Network.setCacheDisabled", json!({ "cacheDisabled": true }));
    page.goto("about:blank");
    page.goto(&site.address(""));
    page.wait_for("word that it cannot start", "document.querySelector('#boot-failure')?.hidden === false");
    // The message stands below the picture, and might make the page scroll.
    page.eval("document.querySelector('#boot-failure').hidden = true");
    page
}

#[test]
fn the_first_picture_is_the_one_that_the_page_draws() {
    let site = Site::built();
    for view in [View::desktop(), View::phone()] {
        let before = without_program(&site, &view).eval(SEEN);
        let after = Page::open(&site, "", &view).eval(SEEN);
        let (before, after) = (before.as_array().expect("a list"), after.as_array().expect("a list"));
        assert!(before.len() > 50, "{before:?}");
        let differs: Vec<_> = before.iter().zip(after).filter(|(before, after)| before != after).collect();
        assert_eq!((differs, before.len()), (Vec::new(), after.len()), "{view:?}");
    }
}
