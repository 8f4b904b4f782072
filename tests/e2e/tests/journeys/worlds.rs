//! Does the page see the same worlds as the binary?

use crate::{Page, Site, View, digest};

/// Every lesson's solution is played here, natively, and by the page that is shipped, from the link.
#[test]
fn every_solution_ends_in_the_page_as_it_does_natively() {
    let site = Site::built();
    let mut played = 0;
    for (slug, session) in lab::lesson::rules::solved() {
        let page = Page::open(&site, &format!("#/w/{}", session.link()), &View::desktop());
        assert_eq!(digest(&page), format!("{:016x}", session.digest()), "{slug}");
        played += 1;
    }
    assert!(played >= 6, "{played} lessons");
}
