//! Can a person do it, in a real browser? Run by `cargo xtask journeys [NAME…]`.

use e2e::{Page, Site, View};

#[test]
fn page_opens_below_a_sub_path_without_a_word_from_the_console() {
    let site = Site::built();
    for view in [View::desktop(), View::phone()] {
        let page = Page::open(&site, "", &view);
        assert!(page.title().contains("Podpath"), "{:?}", page.title());
        assert_eq!(page.console_errors(), [""; 0], "{view:?}");
    }
}
