//! Are the numbers that explain a decision those that it was made of?
//!
//! For every decision recorded from kube-scheduler 1.34.1: each score's formula, worked out again from the printed numbers
//! by a reader who knows nothing but arithmetic, comes to the recorded score; each refusal's data says upstream's words.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use scheduler::formula::{Equation, Sign, comparison, formula};
use scheduler::replay::watched;
use scheduler::{Decision, Reason};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/scheduler");
    let mut cases = Vec::new();
    for name in ["open.jsonl.gz", "teaching.jsonl.gz"] {
        let mut text = String::new();
        let packed = std::fs::read(folder.join(name)).expect("the recorded cases");
        GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
        cases.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).expect("one case a line")));
    }
    cases
}

/// Every decision with the recorded attempt that it stands for.
fn each_attempt(mut look: impl FnMut(&str, &Decision, &Value)) {
    for case in cases() {
        let wanted = case["expect"].as_array().into_iter().flatten();
        let attempts = wanted.flat_map(|it| it["attempts"].as_array().into_iter().flatten());
        let mut attempts = attempts.cloned();
        let mut seen = Vec::new();
        watched(&case["input"], &mut |decision| seen.push(decision.clone()));
        let tried = seen.iter().filter(|it| it.outcome != scheduler::Outcome::Gated);
        for decision in tried {
            let at = format!("{} {}", case["id"], decision.pod);
            look(&at, decision, &attempts.next().expect("a recorded attempt"));
        }
    }
}

#[test]
fn the_formula_of_every_score_comes_to_the_recorded_score() {
    let (mut cells, mut all) = (0, 0);
    each_attempt(|at, decision, wanted| {
        let scored = wanted["scores"].as_object().into_iter().flat_map(serde_json::Map::values);
        all += scored.map(|it| it["weighted"].as_object().map_or(0, serde_json::Map::len)).sum::<usize>();
        for node in &decision.nodes {
            for score in &node.scores {
                let worked_out = formula(score);
                let recorded = &wanted["scores"][&node.node]["weighted"][score.plugin];
                let place = format!("{at} {} {}: {:?}", node.node, score.plugin, worked_out.steps);
                assert_eq!(Some(worked_out.weighted), recorded.as_i64(), "{place}");
                assert_eq!((worked_out.raw, worked_out.normalized), (score.raw, score.normalized), "{place}");
                let last = worked_out.steps.last().expect("a line");
                assert_eq!(number(&last.right).to_string(), recorded.to_string(), "{place}");
                worked_out.steps.iter().for_each(|step| holds(step, &place));
                cells += 1;
            }
        }
    });
    assert_eq!(cells, all);
    assert!(cells > 30_000, "{cells} cells");
}

#[test]
fn the_data_of_every_refusal_says_upstreams_words() {
    let mut refusals = 0;
    each_attempt(|at, decision, _| {
        for node in &decision.nodes {
            let Some(refusal) = &node.rejected else { continue };
            let said: Vec<String> = refusal.because.iter().map(Reason::to_string).collect();
            assert_eq!(said, refusal.reasons, "{at} {}", node.node);
            for reason in &refusal.because {
                assert_eq!(reason.plugin(), refusal.plugin, "{at} {}", node.node);
                assert!(decides(reason), "{at} {}: {reason:?}", node.node);
            }
            refusals += 1;
        }
        if let Some(refusal) = &decision.pre_filter_rejected {
            let said: Vec<String> = refusal.because.iter().map(Reason::to_string).collect();
            assert_eq!(said, refusal.reasons, "{at}");
        }
    });
    assert!(refusals > 5_000, "{refusals} refusals");
}

/// Whether the numbers of a refusal say no.
fn decides(reason: &Reason) -> bool {
    if let Some(comparison) = comparison(reason) {
        let (left, right) = comparison.split_once('>').expect("a comparison");
        return number(left) > number(right);
    }
    match reason {
        Reason::NotChosen { broken, .. } => broken.iter().all(|it| !it.is_empty()),
        Reason::NotNear { places } => !places.is_empty(),
        Reason::PortTaken { ports } => !ports.is_empty(),
        Reason::OtherZone { volume, node, .. } => !volume.contains(node),
        Reason::NoVolume { claims } | Reason::ClaimInUse { claims } => !claims.is_empty(),
        _ => true,
    }
}

fn holds(step: &Equation, place: &str) {
    let near = match step.sign {
        Sign::Gives => return,
        Sign::Equals => 1e-9,
        Sign::Nearly => 0.006,
    };
    let left = Reader::read(&step.left).unwrap_or_else(|| panic!("{place}: cannot read {}", step.left));
    assert!((left - number(&step.right)).abs() <= near, "{place}: {step} is {left}");
}

fn number(text: &str) -> f64 {
    Reader::read(text).unwrap_or_else(|| panic!("no number: {text}"))
}

/// Reads printed arithmetic: + − × ÷, brackets, `⌊ ⌋`, `| |`, `ln()`, `round()`, numbers with a unit.
struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn read(text: &str) -> Option<f64> {
        let mut reader = Reader { rest: text };
        let value = reader.sum()?;
        reader.rest.trim().is_empty().then_some(value)
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        loop {
            if self.take("+") {
                value += self.product()?;
            } else if self.take("−") {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.term()?;
        loop {
            if self.take("×") {
                value *= self.term()?;
            } else if self.take("÷") {
                value /= self.term()?;
            } else {
                return Some(value);
            }
        }
    }

    fn closed(&mut self, by: &str) -> Option<f64> {
        let value = self.sum()?;
        self.take(by).then_some(value)
    }

    fn term(&mut self) -> Option<f64> {
        if self.take("⌊") {
            return self.closed("⌋").map(f64::trunc);
        }
        if self.take("round(") {
            return self.closed(")").map(f64::round);
        }
        if self.take("ln(") {
            return self.closed(")").map(f64::ln);
        }
        if self.take("(") {
            return self.closed(")");
        }
        if self.take("|") {
            return self.closed("|").map(f64::abs);
        }
        if self.take("−") {
            return self.term().map(|it| -it);
        }
        let rest = self.rest.trim_start();
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.')).unwrap_or(rest.len());
        let value: f64 = rest[..digits].replace(',', "").parse().ok()?;
        self.rest = &rest[digits..];
        // Amounts of one line share their unit, and it falls out.
        let _ = ["Gi", "Mi", "Ki", "m"].iter().any(|unit| self.take(unit));
        Some(value)
    }
}
