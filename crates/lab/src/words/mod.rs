//! What does it say, in which language?
//!
//! One folder per language. Sentences are made from the data of [`crate::view`] and nowhere else; terms that engineers
//! say in English stay English, and API words are never translated.

pub mod en;
pub mod ko;
pub mod path;
mod ui;

pub use ui::Ui;

use scheduler::decision::Arithmetic;

use crate::view::{
    beats::BeatKind,
    inspector::Label,
    outline::{Census, Entry},
    pod::PodState,
    reason::Reason,
    timeline::Wait,
    why::Why,
};

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lang {
    /// Korean.
    Ko,
    /// English.
    En,
}

impl Lang {
    /// The first of some preferences that the page speaks; English if it speaks none.
    #[must_use]
    pub fn of(preferences: &[String]) -> Self {
        preferences
            .iter()
            .find_map(|tag| match tag.split('-').next() {
                Some("ko") => Some(Lang::Ko),
                Some("en") => Some(Lang::En),
                _ => None,
            })
            .unwrap_or(Lang::En)
    }

    /// As in `lang` attributes.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Ko => "ko",
            Lang::En => "en",
        }
    }

    /// The short texts.
    #[must_use]
    pub fn ui(self) -> &'static Ui {
        match self {
            Lang::Ko => &ko::ui::UI,
            Lang::En => &en::ui::UI,
        }
    }

    /// One of two texts.
    #[must_use]
    pub fn pick<T>(self, korean: T, english: T) -> T {
        match self {
            Lang::Ko => korean,
            Lang::En => english,
        }
    }
}

/// Puts a value into a text's `{}`.
#[must_use]
pub fn fill(text: &str, value: impl std::fmt::Display) -> String {
    text.replacen("{}", &value.to_string(), 1)
}

/// How old the oldest of some waiting things is.
#[must_use]
pub fn seconds(ui: &Ui, secs: u64) -> String {
    let age = if secs < 120 { fill(ui.seconds, secs) } else { fill(ui.whole_minutes, secs / 60) };
    fill(ui.oldest, age)
}

/// How a step of a chain is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// By its number.
    Number,
    /// It is fine.
    Good,
    /// It is why.
    Bad,
    /// It waits.
    Wait,
}

/// One step of a chain of reasons; `code` and **strong** are written as in Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How it is marked.
    pub mark: Mark,
    /// What it says.
    pub text: String,
}

macro_rules! sentences {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        impl Lang {
            $($(#[$doc])* #[must_use] pub fn $name(self, $($arg: $type),*) -> $out {
                match self {
                    Lang::Ko => ko::sentences::$name($($arg),*),
                    Lang::En => en::sentences::$name($($arg),*),
                }
            })*
        }
    };
}

sentences! {
    /// A pod's state.
    state(state: PodState) -> &'static str;
    /// One sentence for a thing.
    lead(why: &Why) -> String;
    /// The chain behind a thing.
    chain(why: &Why) -> Vec<Step>;
    /// One line of the outline.
    entry(entry: &Entry) -> String;
    /// How many pods do what, for readers.
    census(census: Census) -> String;
    /// One to three words for a beat.
    beat(kind: BeatKind) -> &'static str;
    /// The name of a fact.
    label(label: Label) -> &'static str;
    /// What a bar waits for.
    wait(wait: &Wait, secs: u64) -> String;
    /// What a plugin asks.
    question(plugin: &str) -> &'static str;
    /// The numbers behind a score.
    arithmetic(numbers: &Arithmetic) -> Vec<String>;
}

impl Lang {
    /// Why a node was refused, short enough for a chip; words that are not known here stay as upstream wrote them.
    #[must_use]
    pub fn refusal(self, words: &str) -> String {
        if let Some(count) = words.strip_prefix("Too many pods") {
            return format!("{}{count}", self.ui().pods);
        }
        if let Some(resource) = words.strip_prefix("Insufficient ") {
            return self.pick(format!("{resource} 부족"), format!("not enough {resource}"));
        }
        let short = match words {
            "node(s) had untolerated taint(s)" => self.pick("테인트", "taint"),
            "node(s) were unschedulable" => self.pick("격리", "cordoned"),
            "node(s) didn't match Pod's node affinity/selector" => self.pick("셀렉터 다름", "selector"),
            "node(s) didn't have free ports for the requested pod ports" => {
                self.pick("포트 사용 중", "port taken")
            }
            other => other,
        };
        short.to_owned()
    }

    /// What a fixture of the library holds, in a few words; empty for one that is not known here.
    #[must_use]
    pub fn world(self, fixture: &str) -> &'static str {
        match fixture {
            "tri" => self.pick("AZ 셋에 m5.large 세 대", "three m5.large in three zones"),
            "duo" => self.pick("t3.small 두 대", "two t3.small"),
            "tiny" => self.pick("t3.small 한 대와 시스템 노드", "one t3.small and a system node"),
            "kind1" => self.pick("노드 하나짜리 kind", "kind with one node"),
            "kwok" => self.pick("노드 없는 컨트롤 플레인 (kwok)", "a control plane without nodes (kwok)"),
            "empty" => self.pick("도구만 있는 컴퓨터", "a machine with the tools"),
            _ => "",
        }
    }

    /// The title of a part of the curriculum, after its letter.
    #[must_use]
    pub fn part(self, letter: &str) -> &'static str {
        match letter {
            "A" => self.pick("EKS란 무엇인가", "What EKS is"),
            "B" => self.pick("파드 아래의 네트워크", "The network under the pod"),
            "C" => self.pick("들어오는 문, 나가는 길", "Doors in and ways out"),
            "D" => self.pick("파드가 사는 곳", "Where pods run"),
            "P" => self.pick("스케줄러 퍼즐", "Scheduling puzzles"),
            "E" => self.pick("권한, 저장, 변경", "Who may, what stays, how to change"),
            _ => "",
        }
    }

    /// Why a step of a story happened; `code` is written as in Markdown.
    #[must_use]
    pub fn reason(self, reason: &Reason) -> String {
        match self {
            Lang::Ko => ko::reason::reason(reason),
            Lang::En => en::reason::reason(reason),
        }
    }
}

/// The numbers behind a score, with the few words that differ.
fn shared_arithmetic(numbers: &Arithmetic, mean: &str, _each: &str, pods: &str) -> Vec<String> {
    match numbers {
        Arithmetic::LeastAllocated(shares) => {
            let mut scores = Vec::new();
            let mut out: Vec<String> = shares
                .iter()
                .map(|s| {
                    let score =
                        ((s.allocatable - s.requested).max(0) * 100).checked_div(s.allocatable).unwrap_or(0);
                    scores.push(score);
                    format!(
                        "{} ({} − {}) / {} = {score}",
                        s.resource, s.allocatable, s.requested, s.allocatable
                    )
                })
                .collect();
            let count = i64::try_from(scores.len().max(1)).unwrap_or(1);
            let sum: i64 = scores.iter().sum();
            out.push(format!("{mean} = {}", sum / count));
            out
        }
        Arithmetic::Balanced(shares) => {
            shares.iter().map(|s| format!("{} {} / {}", s.resource, s.requested, s.allocatable)).collect()
        }
        Arithmetic::Unspread => Vec::new(),
        Arithmetic::Taints(taints) => vec![format!("PreferNoSchedule: {}", taints.len())],
        Arithmetic::PreferredNodes(weights) => vec![format!("Σ {weights:?}")],
        Arithmetic::Images { images, all, .. } => {
            images.iter().map(|i| format!("{} {} × {}/{all}", i.image, i.size, i.nodes)).collect()
        }
        Arithmetic::Spread(shares) => {
            shares.iter().map(|s| format!("{} · {pods} {}", s.topology_key, s.pods)).collect()
        }
        Arithmetic::PodAffinity(shares) => {
            shares.iter().map(|s| format!("{}={} {}", s.topology_key, s.value, s.weight)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_the_page_speaks_wins() {
        let of = |tags: &[&str]| Lang::of(&tags.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["ja", "ko-KR", "en"]), Lang::Ko);
        assert_eq!(of(&["fr"]), Lang::En);
    }

    #[test]
    fn a_value_takes_the_place_of_the_braces() {
        assert_eq!(fill(Lang::En.ui().minutes, 8), "~8 min");
    }
}
