//! Does the whole world answer the sandbox's puzzles as the real scheduler did?
//!
//! Every puzzle is a recorded case: its nodes and objects are the world's, the pods of its queue are files in the
//! learner's home. Here they go the learner's way, `kubectl apply` and the API server's defaults and admission, queue,
//! scheduler, kubelet, and each decision is compared with the recorded attempt: nodes that fit, refusals with their
//! reasons, scores, ties, message, preemption.
//!
//! Where a world and a recording must differ:
//! - The recording decides the queue in its order; here each pod is applied when the one before has come to rest. Priority
//!   would otherwise sort them, and a pod that waits is tried again later: only its first attempt, and the one that
//!   ended its preemption, are in the recording.
//! - The recording always takes the first of equal nodes, the world draws. The seed in a puzzle's `lesson.yaml` is one
//!   whose draws are those: with another seed the story may go on differently, from the same set of equal nodes.
//! - Admission adds tolerations for nodes that are not ready or unreachable, and a volume with the service account's
//!   token. Neither matters to any plugin here, so that nothing of an attempt is left out of the comparison.
//! - Priority is admission's to write: the pods name a class, and `polite` is so because its class says `Never`.
//! - A claim's uid is the API server's, and so is the name of the volume made for it.

use std::{io::Read, path::Path, rc::Rc};

use cluster::What;
use lab::{Session, library, script};
use scheduler::{Decision, Outcome, replay};
use serde_json::Value;

/// The recorded cases, in the puzzles' order.
fn cases() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/scheduler/teaching.jsonl.gz");
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the recordings are in the repository");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

/// Decisions about a pod, in order.
fn decisions(session: &Session, pod: &str) -> Vec<Rc<Decision>> {
    let decided = |what: &What| match what {
        What::Decided(decision) if decision.pod == pod => Some(Rc::clone(decision)),
        _ => None,
    };
    session.world().facts().iter().filter_map(|fact| decided(&fact.what)).collect()
}

/// Fields of a recorded attempt that the decision does not have alike.
fn differences(wanted: &Value, decision: &Decision) -> Vec<String> {
    let (mut wanted, mut got) = (wanted.clone(), replay::attempt(decision));
    for side in [&mut wanted, &mut got] {
        for volume in side["volumes"].as_array_mut().into_iter().flatten() {
            if volume["provisioned"] == true {
                volume["pv"] = Value::Null;
            }
        }
    }
    let fields = wanted.as_object().into_iter().flatten();
    fields
        .filter(|(name, wanted)| !wanted.is_null() && got[name.as_str()] != **wanted)
        .map(|(name, wanted)| {
            format!("{}: {name}: wanted {wanted}, got {}", decision.pod, got[name.as_str()])
        })
        .collect()
}

#[test]
fn every_puzzle_ends_as_the_real_scheduler_ended_it() {
    let (cases, puzzles) = (cases(), library::puzzles());
    assert_eq!(puzzles.len(), cases.len());
    let mut wrong = Vec::new();
    for (case, book) in cases.iter().zip(&puzzles) {
        let id = case["id"].as_str().unwrap_or_default();
        let start = book.folder.file("start.yaml").unwrap_or_default();
        assert!(start.contains(id), "{} is {id}", book.lesson.slug);
        let seed = book.lesson.world.seed;
        let mut session =
            Session::of_lesson(Rc::clone(&book.scenario), Rc::clone(&book.lesson), seed).expect("a world");
        let results: Vec<_> =
            script::lines(book.solution()).iter().map(|line| session.run_line(line)).collect();
        for result in results.iter().filter(|result| result.exit != 0) {
            wrong.push(format!("{id}: {}", result.output.stderr()));
        }
        for entry in case["expect"].as_array().into_iter().flatten() {
            let pod = entry["pod"].as_str().unwrap_or_default();
            let decided = decisions(&session, pod);
            let attempts = entry["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
            if attempts.is_empty() {
                let tried = decided.iter().any(|decision| decision.outcome != Outcome::Gated);
                wrong.extend(tried.then(|| format!("{id}: {pod} was tried")));
                continue;
            }
            let pairs = [(attempts.first(), decided.first()), (attempts.last(), decided.last())];
            for (wanted, got) in pairs.iter().take(attempts.len()) {
                match (wanted, got) {
                    (Some(wanted), Some(got)) => {
                        wrong.extend(differences(wanted, got).into_iter().map(|it| format!("{id}: {it}")));
                    }
                    _ => wrong.push(format!("{id}: {pod} was not tried")),
                }
            }
        }
        let progress = session.progress().expect("a puzzle has a goal");
        if !progress.is_done() {
            wrong.push(format!("{id}: the goal is not met"));
        }
        let right = |question: &lab::lesson::Question| {
            progress.answer(&question.id).is_some_and(|given| question.is_right(given))
        };
        if !book.lesson.predict.iter().all(right) {
            wrong.push(format!("{id}: the author's own answers are wrong"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_puzzle_says_the_same_sections_in_both_languages() {
    for book in library::puzzles() {
        for prose in [&book.ko, &book.en] {
            let said: Vec<&str> = prose.sections.iter().map(|section| section.id.as_str()).collect();
            let mut wanted = book.lesson.sections();
            wanted.sort_by_key(|id| said.iter().position(|it| it == id));
            assert_eq!(said, wanted, "{}", book.lesson.slug);
            assert!(!prose.title.is_empty(), "{}", book.lesson.slug);
        }
    }
}
