//! How does a score come about, number by number?
//!
//! [`formula`] works a score out again from nothing but the numbers that a decision holds, one printed equation after the
//! other: what comes out is what the plugin said. Equations need no language; what each is about is data.
//! `⌊x⌋` is x without its fraction, as whole numbers divide; `round(x)` is the nearest whole number.
//!
//! ```
//! use scheduler::decision::{Arithmetic, PluginScore, Scale, Share};
//! let shares = vec![Share { resource: "cpu", requested: 520, allocatable: 1930 }];
//! let arithmetic = Arithmetic::LeastAllocated(shares);
//! let score = PluginScore { plugin: "NodeResourcesFit", raw: 73, normalized: 73, scale: Scale::AsItIs, weight: 1, weighted: 73, arithmetic };
//! let formula = scheduler::formula::formula(&score);
//! assert_eq!(formula.steps[0].to_string(), "⌊(1930m − 520m) × 100 ÷ 1930m⌋ = 73");
//! assert_eq!(formula.weighted, 73);
//! ```

use std::fmt;

use crate::decision::{
    Arithmetic, ImageShare, NodeLoad, PluginScore, Scale, Share, SpreadShare, TopologyShare,
};
use crate::logarithm::ln;
use crate::plugin::MAX_NODE_SCORE;
use crate::reason::Reason;
use crate::requests::Amounts;

/// A score, worked out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// What is worked out, in order; the last is `normalized × weight = weighted`.
    pub steps: Vec<Equation>,
    /// Before normalisation.
    pub raw: i64,
    /// From 0 to 100.
    pub normalized: i64,
    /// Times the weight.
    pub weighted: i64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equation {
    /// What it is about.
    pub about: About,
    /// With the numbers put in.
    pub left: String,
    /// How the two sides relate.
    pub sign: Sign,
    /// What comes out.
    pub right: String,
}

/// How the sides of a line relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// They are equal.
    Equals,
    /// They are equal but for digits left out.
    Nearly,
    /// From the left, which is no number, follows the right.
    Gives,
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A resource of the node.
    Resource(&'static str),
    /// The mean of the resources.
    Mean,
    /// How far CPU and memory are from each other.
    Distance,
    /// An image of the pod that the node has.
    Image(String),
    /// The node has none of the images.
    NoImage,
    /// All images, between floor and ceiling.
    Images,
    /// Soft taints of the node that the pod does not tolerate.
    Taints,
    /// Preferred terms that the node meets.
    Terms,
    /// The domain of a spreading constraint that the node is in, by its label.
    Domain(String),
    /// All domains together.
    Domains,
    /// The node lacks a label that the constraints name.
    Unspread,
    /// Terms of pods that hold in a place: `key=value`.
    Place(String),
    /// All places together.
    Places,
    /// Compared with the other nodes.
    Compared,
    /// No node differs, so there is nothing to compare with.
    Incomparable,
    /// Times the plugin's weight.
    Weighted,
}

impl fmt::Display for Equation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.sign {
            Sign::Equals => "=",
            Sign::Nearly => "≈",
            Sign::Gives => "→",
        };
        write!(f, "{} {sign} {}", self.left, self.right)
    }
}

fn equals(about: About, left: String, right: i64) -> Equation {
    Equation { about, left, sign: Sign::Equals, right: grouped(right) }
}

fn gives(about: About, left: String, right: i64) -> Equation {
    Equation { about, left, sign: Sign::Gives, right: grouped(right) }
}

/// Works a score out again.
#[must_use]
pub fn formula(score: &PluginScore) -> Formula {
    let mut steps = Vec::new();
    let raw = match &score.arithmetic {
        Arithmetic::LeastAllocated(shares) => least_allocated(shares, &mut steps),
        Arithmetic::Balanced(shares) => balanced(shares, &mut steps),
        Arithmetic::Images { images, all, floor, ceiling } => {
            present(images, *all, (*floor, *ceiling), &mut steps)
        }
        Arithmetic::Taints(taints) => {
            let count = i64::try_from(taints.len()).unwrap_or(i64::MAX);
            steps.push(gives(About::Taints, taints.join(", "), count));
            count
        }
        Arithmetic::PreferredNodes(weights) => sum(About::Terms, weights, &mut steps),
        Arithmetic::Spread(shares) => spread(shares, &mut steps),
        Arithmetic::Unspread => {
            steps.push(gives(About::Unspread, String::new(), 0));
            0
        }
        Arithmetic::PodAffinity(shares) => places(shares, &mut steps),
    };
    let normalized = match score.arithmetic {
        Arithmetic::Unspread => 0,
        _ => compared(raw, score.scale, &mut steps),
    };
    let weighted = normalized * score.weight;
    steps.push(equals(About::Weighted, format!("{normalized} × {}", score.weight), weighted));
    Formula { steps, raw, normalized, weighted }
}

/// The comparison by which a reason says no, with the numbers put in; `None` where it compares no numbers.
#[must_use]
pub fn comparison(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::TooManyPods { pods, limit } => format!("{pods} + 1 > {limit}"),
        Reason::Insufficient { resource, wanted, used, allocatable } => {
            let [wanted, used, allocatable] = amounts(resource, [*wanted, *used, *allocatable]);
            format!("{wanted} + {used} > {allocatable}")
        }
        Reason::TooManyVolumes { attached, new, limit, .. } => format!("{attached} + {new} > {limit}"),
        Reason::Skewed { pods, own, least, max_skew, .. } => {
            format!("{pods} + {own} − {least} > {max_skew}")
        }
        Reason::NotFar { pods, .. } | Reason::OthersKeepAway { pods, .. } => format!("{pods} > 0"),
        Reason::Gated { .. }
        | Reason::Cordoned {}
        | Reason::OtherNode { .. }
        | Reason::Untolerated { .. }
        | Reason::NotChosen { .. }
        | Reason::Conflicting {}
        | Reason::NothingLeft { .. }
        | Reason::PortTaken { .. }
        | Reason::ClaimInUse { .. }
        | Reason::DiskTaken { .. }
        | Reason::ClaimMissing { .. }
        | Reason::ClaimToBeMade { .. }
        | Reason::ClaimLost { .. }
        | Reason::ClaimDeleted { .. }
        | Reason::ClaimOfAnother { .. }
        | Reason::Unbound {}
        | Reason::VolumeElsewhere { .. }
        | Reason::NoVolume { .. }
        | Reason::VolumeGone { .. }
        | Reason::OtherZone { .. }
        | Reason::ClaimWithoutClass { .. }
        | Reason::ClassMissing { .. }
        | Reason::VolumeUnnamed { .. }
        | Reason::VolumeMissing { .. }
        | Reason::NoDomain { .. }
        | Reason::NotNear { .. }
        | Reason::NeverPreempts {}
        | Reason::MakingRoom { .. }
        | Reason::NotHelpful { .. }
        | Reason::NoVictims { .. }
        | Reason::StillNoRoom { .. } => return None,
    })
}

/// Why NodeResourcesFit lets a pod that asks for this on a node this full: `requested + wanted ≤ allocatable`, by resource.
#[must_use]
pub fn room(load: &NodeLoad, wanted: &Amounts) -> Vec<(&'static str, String)> {
    let fits = |name, wanted: i64, (used, all): (i64, i64)| {
        let [wanted_text, used, all] = amounts(name, [wanted, used, all]);
        (wanted > 0).then(|| (name, format!("{used} + {wanted_text} ≤ {all}")))
    };
    let resources = [
        fits("pods", 1, load.pods),
        fits("cpu", wanted.milli_cpu, load.milli_cpu),
        fits("memory", wanted.memory, load.memory),
    ];
    resources.into_iter().flatten().collect()
}

fn least_allocated(shares: &[Share], steps: &mut Vec<Equation>) -> i64 {
    let mut scores = Vec::new();
    for it in shares.iter().filter(|it| it.allocatable != 0) {
        let about = About::Resource(it.resource);
        let [all, used] = amounts(it.resource, [it.allocatable, it.requested]);
        if it.requested > it.allocatable {
            steps.push(gives(about, format!("{used} > {all}"), 0));
            scores.push(0);
        } else {
            let score = (it.allocatable - it.requested).saturating_mul(MAX_NODE_SCORE) / it.allocatable;
            steps.push(equals(about, format!("⌊({all} − {used}) × 100 ÷ {all}⌋"), score));
            scores.push(score);
        }
    }
    let count = i64::try_from(scores.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return 0;
    }
    let mean = scores.iter().sum::<i64>() / count;
    let terms: Vec<String> = scores.iter().map(ToString::to_string).collect();
    steps.push(equals(About::Mean, format!("⌊({}) ÷ {count}⌋", terms.join(" + ")), mean));
    mean
}

/// The fewest digits after the point with which `works` still comes to the same.
fn digits(values: &[f64], least: usize, works: impl Fn(&[f64]) -> bool) -> Vec<String> {
    for digits in least..17 {
        let shown: Vec<String> = values.iter().map(|it| format!("{it:.digits$}")).collect();
        let read: Vec<f64> = shown.iter().filter_map(|it| it.parse().ok()).collect();
        if works(&read) {
            return shown;
        }
    }
    values.iter().map(ToString::to_string).collect()
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
fn balanced(shares: &[Share], steps: &mut Vec<Equation>) -> i64 {
    let counted: Vec<&Share> = shares.iter().filter(|it| it.allocatable != 0).collect();
    let fraction = |it: &&Share| (it.requested as f64 / it.allocatable as f64).min(1.0);
    let fractions: Vec<f64> = counted.iter().map(fraction).collect();
    let score = |fractions: &[f64]| {
        let deviation = match fractions {
            [cpu, memory] => ((cpu - memory) / 2.0).abs(),
            _ => 0.0,
        };
        ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
    };
    let result = score(&fractions);
    let shown = digits(&fractions, 3, |shown| score(shown) == result);
    for (it, shown) in counted.iter().zip(&shown) {
        let [all, used] = amounts(it.resource, [it.allocatable, it.requested]);
        let (left, sign) = if it.requested > it.allocatable {
            (format!("{used} > {all}"), Sign::Gives)
        } else {
            (format!("{used} ÷ {all}"), Sign::Nearly)
        };
        steps.push(Equation { about: About::Resource(it.resource), left, sign, right: shown.clone() });
    }
    let left = match &shown[..] {
        [cpu, memory] => format!("⌊(1 − |{cpu} − {memory}| ÷ 2) × 100⌋"),
        _ => "⌊(1 − 0) × 100⌋".to_owned(),
    };
    steps.push(equals(About::Distance, left, result));
    result
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
fn present(images: &[ImageShare], all: i64, (floor, ceiling): (i64, i64), steps: &mut Vec<Equation>) -> i64 {
    let mut counted: i64 = 0;
    for it in images {
        let bytes = (it.size as f64 * (it.nodes as f64 / all as f64)) as i64;
        let left = format!("⌊{} × ({} ÷ {all})⌋", grouped(it.size), it.nodes);
        steps.push(equals(About::Image(it.image.clone()), left, bytes));
        counted = counted.saturating_add(bytes);
    }
    if images.is_empty() {
        steps.push(gives(About::NoImage, String::new(), 0));
        return 0;
    }
    let score = MAX_NODE_SCORE * (counted.clamp(floor, ceiling) - floor) / (ceiling - floor);
    let [counted_text, floor_text, ceiling_text] = [counted, floor, ceiling].map(grouped);
    steps.push(if counted <= floor {
        gives(About::Images, format!("{counted_text} ≤ {floor_text}"), score)
    } else if counted >= ceiling {
        gives(About::Images, format!("{counted_text} ≥ {ceiling_text}"), score)
    } else {
        let left = format!("⌊100 × ({counted_text} − {floor_text}) ÷ ({ceiling_text} − {floor_text})⌋");
        equals(About::Images, left, score)
    });
    score
}

fn sum(about: About, weights: &[i64], steps: &mut Vec<Equation>) -> i64 {
    let sum = weights.iter().sum();
    let mut left = String::new();
    for (i, weight) in weights.iter().enumerate() {
        let sign = if *weight < 0 { "−" } else { "+" };
        match i {
            0 if *weight < 0 => left.push('−'),
            0 => {}
            _ => left.push_str(&format!(" {sign} ")),
        }
        left.push_str(&weight.unsigned_abs().to_string());
    }
    if weights.is_empty() {
        left.push('0');
    }
    steps.push(equals(about, left, sum));
    sum
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
fn spread(shares: &[SpreadShare], steps: &mut Vec<Equation>) -> i64 {
    let part = |it: &SpreadShare| it.pods as f64 * ln((it.domains + 2) as f64) + (it.max_skew - 1) as f64;
    let parts: Vec<f64> = shares.iter().map(part).collect();
    let score = |parts: &[f64]| parts.iter().fold(0.0, |sum, it| sum + it).round() as i64;
    let result = score(&parts);
    let shown = digits(&parts, 2, |shown| score(shown) == result);
    for (it, shown) in shares.iter().zip(&shown) {
        let left = format!("{} × ln({} + 2) + ({} − 1)", it.pods, it.domains, it.max_skew);
        let about = About::Domain(it.topology_key.clone());
        steps.push(Equation { about, left, sign: Sign::Nearly, right: shown.clone() });
    }
    let all = if shown.is_empty() { "0".to_owned() } else { shown.join(" + ") };
    steps.push(equals(About::Domains, format!("round({all})"), result));
    result
}

fn places(shares: &[TopologyShare], steps: &mut Vec<Equation>) -> i64 {
    for it in shares {
        let place = About::Place(format!("{}={}", it.topology_key, it.value));
        steps.push(equals(place, signed(it.weight), it.weight));
    }
    let weights: Vec<i64> = shares.iter().map(|it| it.weight).collect();
    sum(About::Places, &weights, steps)
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
fn compared(raw: i64, scale: Scale, steps: &mut Vec<Equation>) -> i64 {
    let (about, left, score) = match scale {
        Scale::AsItIs => return raw,
        Scale::MoreIsBetter { most: 0 } => {
            steps.push(gives(About::Incomparable, String::new(), raw));
            return raw;
        }
        Scale::FewerIsBetter { most: 0 } | Scale::Evenness { most: 0, .. } => {
            steps.push(gives(About::Incomparable, String::new(), MAX_NODE_SCORE));
            return MAX_NODE_SCORE;
        }
        Scale::Range { least, most } if most <= least => {
            steps.push(gives(About::Incomparable, String::new(), 0));
            return 0;
        }
        Scale::MoreIsBetter { most } => {
            (About::Compared, format!("⌊100 × {raw} ÷ {most}⌋"), MAX_NODE_SCORE * raw / most)
        }
        Scale::FewerIsBetter { most } => {
            let left = format!("100 − ⌊100 × {raw} ÷ {most}⌋");
            (About::Compared, left, MAX_NODE_SCORE - MAX_NODE_SCORE * raw / most)
        }
        Scale::Evenness { least, most } => {
            let left = format!("⌊100 × ({most} + {least} − {raw}) ÷ {most}⌋");
            (About::Compared, left, MAX_NODE_SCORE * (most + least - raw) / most)
        }
        Scale::Range { least, most } => {
            let [raw_text, least_text, most_text] = [raw, least, most].map(signed);
            let left = format!("⌊100 × (({raw_text} − {least_text}) ÷ ({most_text} − {least_text}))⌋");
            let share = (raw - least) as f64 / (most - least) as f64;
            (About::Compared, left, (MAX_NODE_SCORE as f64 * share) as i64)
        }
    };
    steps.push(equals(about, left, score));
    score
}

/// A number as a term: in brackets if it is below 0.
fn signed(number: i64) -> String {
    if number < 0 { format!("(−{})", number.unsigned_abs()) } else { number.to_string() }
}

/// A number with a comma after every thousand from 10,000 on.
#[must_use]
pub fn grouped(number: i64) -> String {
    let text = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, digit) in text.chars().enumerate() {
        if text.len() > 4 && i > 0 && (text.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number < 0 { format!("−{out}") } else { out }
}

/// Amounts of one resource in the largest unit in which all are whole.
#[must_use]
pub fn amounts<const N: usize>(resource: &str, values: [i64; N]) -> [String; N] {
    const UNITS: [(&str, i64); 3] = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    let bytes = matches!(resource, "memory" | "ephemeral-storage") || resource.starts_with("hugepages-");
    let (unit, size) = match resource {
        "cpu" => ("m", 1),
        _ if bytes && values.iter().any(|it| *it != 0) => {
            UNITS.into_iter().find(|(_, size)| values.iter().all(|it| it % size == 0)).unwrap_or(("", 1))
        }
        _ => ("", 1),
    };
    values.map(|it| format!("{}{unit}", if unit == "m" { it.to_string() } else { grouped(it / size) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{nodes, pod};
    use crate::{Profile, schedule};

    /// Every line of a plugin's formula for a node.
    fn lines(table: &crate::NodeTable, spec: &str, plugin: &str, node: &str) -> Vec<String> {
        let decision = schedule(&Profile::default_1_34(), table, &pod("web", spec), 0);
        let scores = decision.nodes.into_iter().find(|it| it.node == node).expect("the node").scores;
        let score = scores.into_iter().find(|it| it.plugin == plugin).expect("a score");
        formula(&score).steps.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn least_allocated_shows_both_resources_and_their_mean() {
        let table = nodes(&["a cpu=4 memory=4Gi", "b"]);
        let half =
            r#"{"containers": [{"name": "c", "resources": {"requests": {"cpu": "1", "memory": "2Gi"}}}]}"#;
        assert_eq!(
            lines(&table, half, "NodeResourcesFit", "a"),
            [
                "⌊(4000m − 1000m) × 100 ÷ 4000m⌋ = 75",
                "⌊(4Gi − 2Gi) × 100 ÷ 4Gi⌋ = 50",
                "⌊(75 + 50) ÷ 2⌋ = 62",
                "62 × 1 = 62"
            ]
        );
    }

    #[test]
    fn taints_are_compared_with_the_node_that_has_most() {
        let table =
            nodes(&["a taint=x:PreferNoSchedule taint=y:PreferNoSchedule", "b taint=x:PreferNoSchedule"]);
        assert_eq!(
            lines(&table, "{}", "TaintToleration", "b"),
            ["x → 1", "100 − ⌊100 × 1 ÷ 2⌋ = 50", "50 × 3 = 150"]
        );
    }

    #[test]
    fn amounts_of_one_line_share_a_unit() {
        assert_eq!(amounts("memory", [3 << 30, 5 << 20]), ["3072Mi", "5Mi"].map(str::to_owned));
        assert_eq!(amounts("memory", [1, 2]), ["1", "2"].map(str::to_owned));
    }
}
