//! How long does it take to have a session again?
//!
//! For every lesson that we carry: its solution is played, then replayed from its link, and every moment of it is looked
//! at once in steps of a tenth. Opening the link and building the world count; compiling and loading do not.

#[allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
use std::time::Instant;

use std::rc::Rc;

use api::SimTime;
use lab::{Session, lesson::rules::play, library, link::Shared, script};

use crate::say;

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(super) fn run() {
    for book in library::lessons() {
        let slug = &book.lesson.slug;
        let Some(played) = play(&book, &script::lines(book.solution()), book.lesson.world.seed) else {
            continue;
        };
        let link = played.session.link();
        say::line(format_args!("replay/{slug}/facts {} facts", played.session.facts().len()));
        say::line(format_args!("replay/{slug}/link {} bytes", link.len()));

        let start = Instant::now();
        let Ok(shared) = Shared::from_link(&link) else { continue };
        let scenario = Rc::clone(&book.scenario);
        let Ok(mut session) = Session::of_lesson(scenario, Rc::clone(&book.lesson), shared.seed) else {
            continue;
        };
        session.replay(&shared.lines, shared.head);
        say::line(format_args!("replay/{slug}/whole {:.1} ms", start.elapsed().as_secs_f64() * 1e3));

        let start = Instant::now();
        while session.undo() {}
        say::line(format_args!("replay/{slug}/undo-all {:.1} ms", start.elapsed().as_secs_f64() * 1e3));

        let mut session = played.session;
        let head = session.head().0;
        let start = Instant::now();
        for tenth in 0..10 {
            session.seek(SimTime(head * tenth / 10));
        }
        say::line(format_args!("replay/{slug}/seek {:.2} ms", start.elapsed().as_secs_f64() * 1e2));
    }
}
