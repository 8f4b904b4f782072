//! Rules that play scripts.

use api::SimDuration;

use super::{Case, Finding, Played, play};
use crate::{
    lesson::{
        incident::Diagnosis,
        progress::{Progress, Standing},
    },
    script::{self, is_wait},
    session::Session,
};

/// Goals may not come true by themselves within this time.
const START: SimDuration = SimDuration::secs(120);

/// Most commands of the real world that a solution may need.
const COMMANDS: usize = 12;

/// Most simulated time until the last goal.
const TIME: SimDuration = SimDuration::secs(600);

/// Most facts.
const FACTS: usize = 5_000;

/// Most engine steps of one command.
const STEPS: u64 = 20_000;

/// What other people do in the same cluster: none of it may matter.
const NOISE: &str = "kubectl create namespace noise
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Pod
metadata: {name: typo, namespace: noise}
spec:
  containers: [{name: app, image: registry.k8s.io/puase:3.10}]
EOF
kubectl label namespace noise team=other
kubectl describe nodes
kubectl delete pod typo --namespace noise
kubectl describe namespace noise
lab wait 40s";

fn lines(case: &Case<'_>) -> Vec<String> {
    script::lines(case.book.solution())
}

fn played(case: &Case<'_>, script: &[String], seed: u64) -> Option<Played> {
    play(case.book, script, seed)
}

fn seed(case: &Case<'_>) -> u64 {
    case.book.lesson.world.seed
}

fn not_passed(rule: &'static str, file: &str, played: &Played) -> Vec<Finding> {
    if played.passes() {
        return Vec::new();
    }
    played.open_goals().into_iter().map(|message| Finding::new(rule, file, message)).collect()
}

/// V2: after settling, no goal is true but those that may be.
pub(super) fn start_fails(case: &Case<'_>) -> Vec<Finding> {
    let book = case.book;
    let begun = Session::of_lesson(book.scenario.clone(), book.lesson.clone(), seed(case));
    let Ok(mut session) = begun else {
        return vec![Finding::new("V2", "lesson.yaml", "the world cannot be built")];
    };
    session.settle(START);
    let Some(progress) = session.progress() else { return Vec::new() };
    let mut findings = symptom(book.lesson.diagnosis.as_ref(), progress, true, "V2");
    let goals = book.lesson.goals.iter().zip(progress.goals());
    let met = goals
        .filter(|(goal, state)| {
            !goal.from_start && matches!(state.standing, Standing::Met | Standing::Holding)
        })
        .map(|(goal, _)| Finding::new("V2", "lesson.yaml", format!("goal {} is true at the start", goal.id)));
    findings.extend(met);
    findings
}

/// Whether the symptom of an incident is there when it should be.
fn symptom(
    diagnosis: Option<&Diagnosis>,
    progress: &Progress,
    wanted: bool,
    rule: &'static str,
) -> Vec<Finding> {
    let Some(diagnosis) = diagnosis else { return Vec::new() };
    let seen = progress.sees(&diagnosis.symptom);
    match (wanted, seen) {
        (true, false) => vec![Finding::new(rule, "lesson.yaml", "the symptom is not there at the start")],
        (false, true) => vec![Finding::new(rule, "solution.sh", "the symptom is still there at the end")],
        (true, true) | (false, false) => Vec::new(),
    }
}

/// V3: the solution meets all goals.
pub(super) fn solution_passes(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = not_passed("V3", "solution.sh", &case.solved);
    if let Some(progress) = case.solved.progress() {
        findings.extend(symptom(case.book.lesson.diagnosis.as_ref(), progress, false, "V3"));
    }
    findings
}

/// V4: without its last command the solution leaves a goal open.
pub(super) fn last_command_counts(case: &Case<'_>) -> Vec<Finding> {
    let mut script = lines(case);
    while script.last().is_some_and(|line| is_wait(line)) {
        script.pop();
    }
    let Some(last) = script.pop() else { return Vec::new() };
    match played(case, &script, seed(case)) {
        Some(played) if played.passes() => {
            vec![Finding::new("V4", "solution.sh", format!("passes without its last command, {last:?}"))]
        }
        _ => Vec::new(),
    }
}

/// V5: each wrong attempt brings its own feedback first, and does not pass.
pub(super) fn feedback_is_right(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for wrong in &case.book.lesson.wrong {
        let file = format!("wrong/{}.sh", wrong.id);
        let Some(text) = case.book.folder.file(&file) else { continue };
        let Some(played) = played(case, &script::lines(text), seed(case)) else { continue };
        let fired = played.progress().map(|progress| progress.fired().to_vec()).unwrap_or_default();
        if fired.first() != Some(&wrong.id) {
            let failed: Vec<_> = played.failed.iter().map(|(_, _, said)| said.trim_end()).collect();
            let message = format!("feedback in order: [{}]; {}", fired.join(", "), failed.join("; "));
            findings.push(Finding::new("V5", file.clone(), message));
        }
        if played.passes() {
            findings.push(Finding::new("V5", file, "passes the lesson"));
        }
    }
    findings
}

/// V6: other ways pass; a lesson of three goals or more has one.
pub(super) fn other_ways_pass(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ways = 0;
    for (name, text) in case.book.folder.under("alt") {
        ways += 1;
        if let Some(played) = played(case, &script::lines(text), seed(case)) {
            findings.extend(not_passed("V6", &format!("alt/{name}"), &played));
        }
    }
    if ways == 0 && case.book.lesson.goals.len() >= 3 {
        findings.push(Finding::new("V6", "alt", "three goals and no other way"));
    }
    findings
}

/// V7: what others do meanwhile does not matter.
pub(super) fn noise_is_harmless(case: &Case<'_>) -> Vec<Finding> {
    let mut script = script::lines(NOISE);
    script.extend(lines(case));
    match played(case, &script, seed(case)) {
        Some(played) => not_passed("V7", "solution.sh", &played),
        None => Vec::new(),
    }
}

/// V10: three runs end alike, and other seeds pass.
pub(super) fn repeats(case: &Case<'_>) -> Vec<Finding> {
    let script = lines(case);
    let mut findings = Vec::new();
    let first = case.solved.session.digest();
    for _ in 0..2 {
        let again = played(case, &script, seed(case)).map(|played| played.session.digest());
        if again != Some(first) {
            findings.push(Finding::new(
                "V10",
                "solution.sh",
                format!("ended as {first:016x}, then as {again:x?}"),
            ));
        }
    }
    for other in [1, 2, 3].map(|n| seed(case) + n) {
        match played(case, &script, other) {
            Some(played) if played.passes() => {}
            Some(played) => {
                let open = played.open_goals().into_iter().next().unwrap_or_default();
                findings.push(Finding::new("V10", "solution.sh", format!("seed {other}: {open}")));
            }
            None => findings.push(Finding::new("V10", "lesson.yaml", format!("seed {other}: no world"))),
        }
    }
    findings
}

/// V11: few commands, little time, few events, few steps.
pub(super) fn stays_light(case: &Case<'_>) -> Vec<Finding> {
    let solved = &case.solved;
    let facts = solved.session.facts().len();
    let budgets = [
        ("commands", solved.commands as u64, COMMANDS as u64),
        ("simulated seconds", solved.took().map_or(0, SimDuration::as_secs), TIME.as_secs()),
        ("events", facts as u64, FACTS as u64),
        ("engine steps of one command", solved.steps, STEPS),
    ];
    budgets
        .iter()
        .filter(|(_, used, most)| used > most)
        .map(|(what, used, most)| {
            Finding::new("V11", "solution.sh", format!("{used} {what}, at most {most}"))
        })
        .collect()
}

/// V13: the extension's state is reached.
pub(super) fn breaks(case: &Case<'_>) -> Vec<Finding> {
    if case.book.lesson.breakit.is_none() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut scripts = 0;
    for (name, text) in case.book.folder.under("break") {
        scripts += 1;
        let Some(played) = played(case, &script::lines(text), seed(case)) else { continue };
        if !played.progress().is_some_and(Progress::is_broken) {
            let failed: Vec<_> = played.failed.iter().map(|(_, _, said)| said.trim_end()).collect();
            let message = format!("does not reach the extension's state; {}", failed.join("; "));
            findings.push(Finding::new("V13", format!("break/{name}"), message));
        }
    }
    if scripts == 0 {
        findings.push(Finding::new("V13", "break", "an extension without a script"));
    }
    findings
}

/// V14: taking every line back gives the start.
pub(super) fn undoes(case: &Case<'_>) -> Vec<Finding> {
    let Some(mut played) = played(case, &lines(case), seed(case)) else { return Vec::new() };
    while played.session.undo() {}
    let end = played.session.digest();
    if end == played.start {
        return Vec::new();
    }
    vec![Finding::new(
        "V14",
        "solution.sh",
        format!("began as {:016x}, went back to {end:016x}", played.start),
    )]
}
