//! What does it say, in which language?
//!
//! One folder per language. Sentences are made from the data of [`crate::view`] and nowhere else; terms that engineers
//! say in English stay English, and API words are never translated.

pub mod en;
pub mod ko;
pub mod path;
mod ui;
pub mod what_if;

pub use ui::Ui;

use cluster::{import::outlook::Outlook, request::Stage};
use scheduler::{
    ClusterEvent, PluginScore, Reason as Ground, Sampled,
    decision::{Criterion, Outcome},
    formula::{self, About},
};

use crate::view::{
    attempts::{Placed, Woken},
    beats::BeatKind,
    inspector::Label,
    outline::{Census, Entry},
    pod::PodState,
    pool::{Formula, History, Term},
    reason::Reason,
    request::{RequestView, StageView},
    subnet::{Block, Holder},
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
    /// A gate holds it.
    Gate,
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
    ($file:ident: $($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        impl Lang {
            $($(#[$doc])* #[must_use] pub fn $name(self, $($arg: $type),*) -> $out {
                match self {
                    Lang::Ko => ko::$file::$name($($arg),*),
                    Lang::En => en::$file::$name($($arg),*),
                }
            })*
        }
    };
}

sentences! { nodes:
    /// One sentence for a step that EKS, EC2 or an Auto Scaling group took; nothing for what is not told.
    node_step(name: &str, detail: &[(&'static str, String)]) -> Option<String>;
}

sentences! { scheduler:
    /// What a plugin asks.
    question(plugin: &str) -> &'static str;
    /// Why the scheduler says no, in the few words that fit a cell.
    short(reason: &Ground) -> String;
    /// The same with its numbers, and what would change it; `code` is written as in Markdown.
    sentence(reason: &Ground) -> String;
    /// What one line of a formula is about.
    about(about: &About) -> String;
    /// How a plugin means its scores.
    meaning(plugin: &str) -> &'static str;
    /// What preemption compared when it chose.
    criterion(criterion: Criterion) -> &'static str;
    /// What would have a pod tried again.
    event(event: ClusterEvent) -> String;
    /// How an attempt ended.
    outcome(outcome: Outcome) -> &'static str;
    /// What had a pod tried.
    woken(woken: &Woken) -> String;
    /// How a pod came to its node; `code` is written as in Markdown.
    placed(placed: &Placed) -> String;
    /// What equal totals came to.
    tie(ties: &[String], node: &str) -> String;
    /// PreFilter left only some nodes.
    narrowed(names: &[String]) -> String;
    /// Enough nodes had passed, so that others were not looked at.
    sampled(sampled: Sampled) -> String;
    /// Only the promised node was looked at.
    nominated_only(node: &str) -> String;
    /// The pod was refused before any node was looked at.
    before_nodes(plugin: &str) -> String;
    /// What decided between the chosen node and the next.
    decided(plugin: &str, lead: i64, gap: i64) -> String;
    /// Whom preemption evicts.
    evicts(node: &str, victims: &[String]) -> String;
    /// Why this candidate.
    chosen_by(by: Option<Criterion>, candidates: usize, ties: usize) -> String;
}

sentences! { sentences:
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
}

sentences! { address:
    /// A block of 16 addresses of a subnet.
    block(block: &Block) -> String;
    /// What a term of the formula behind a node's limit counts.
    term(term: Term, formula: &Formula) -> String;
    /// How a pool came to be as it is, in numbers.
    history(it: &History) -> String;
    /// Who holds addresses of a subnet.
    holder(it: &Holder) -> String;
}

sentences! { outlook:
    /// What would be of a node, its subnet, and pods that wait.
    would_be(it: &Outlook, node: &str) -> Vec<Step>;
}

sentences! { request:
    /// The name of a stage of a request.
    stage(stage: Stage) -> &'static str;
    /// What came of a request; `code` is written as in Markdown.
    request(view: &RequestView) -> String;
    /// What a stage says; empty where its parts say it all.
    said(view: &StageView) -> String;
}

impl Lang {
    /// Why a node was refused, short enough for a chip.
    #[must_use]
    pub fn refusal(self, reasons: &[Ground]) -> String {
        reasons.iter().map(|it| self.short(it)).collect::<Vec<_>>().join(", ")
    }

    /// How a score comes about: what each line is about, and the line.
    #[must_use]
    pub fn formula(self, score: &PluginScore) -> Vec<(String, String)> {
        let steps = formula::formula(score).steps;
        steps.iter().map(|it| (self.about(&it.about), it.to_string())).collect()
    }

    /// What a fixture of the library holds, in a few words; empty for one that is not known here.
    #[must_use]
    pub fn world(self, fixture: &str) -> &'static str {
        match fixture {
            "tri" => self.pick("AZ 셋에 m5.large 세 대", "three m5.large in three zones"),
            "farg" => self.pick(
                "AZ 셋에 m5.large 세 대, Fargate를 위한 자리",
                "three m5.large in three zones, and room for Fargate",
            ),
            "duo" => self.pick("t3.small 두 대", "two t3.small"),
            "tiny" => self.pick("t3.small 한 대와 시스템 노드", "one t3.small and a system node"),
            "bare" => self.pick("노드 그룹이 아직 없는 클러스터", "a cluster without node groups"),
            "pool" => self.pick("/27 서브넷 둘에 t3.small 한 대씩", "a t3.small in each of two /27 subnets"),
            "street" => self.pick("넓은 서브넷과 조각난 서브넷", "a roomy subnet and a fragmented one"),
            "narrow" => {
                self.pick("/28 서브넷 둘에 t3.small 한 대씩", "a t3.small in each of two /28 subnets")
            }
            "kind1" => self.pick("노드 하나짜리 kind", "kind with one node"),
            "kwok" => self.pick("노드 없는 컨트롤 플레인 (kwok)", "a control plane without nodes (kwok)"),
            "empty" => self.pick("도구만 있는 컴퓨터", "a machine with the tools"),
            _ => "",
        }
    }

    /// What a crate is about, for who does not read code.
    #[must_use]
    pub fn area(self, name: &str) -> &'static str {
        match name {
            "api" => self.pick("매니페스트 읽기와 검증", "Reading and checking manifests"),
            "scheduler" => self.pick("스케줄러", "Scheduler"),
            "cni" => self.pick("Pod IP 할당", "Pod addresses"),
            "network" => self.pick("패킷 경로", "Packet paths"),
            "cluster" => self.pick("컨트롤 플레인, 노드, AWS", "Control plane, nodes and AWS"),
            "shell" => self.pick("터미널과 명령줄 도구", "Terminal and command-line tools"),
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
            "I" => self.pick("사고", "Incidents"),
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

    /// What a remark on a manifest means and what to do about it; empty where its own words are all there is.
    #[must_use]
    pub fn advice(self, remark: &api::Diagnostic) -> String {
        let hint = remark.hint.as_deref().unwrap_or_default();
        let (hint, word) = hint.split_once(' ').map_or((hint, None), |(hint, word)| (hint, Some(word)));
        match self {
            Lang::Ko => ko::advice::advice(hint, word),
            Lang::En => en::advice::advice(hint, word),
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

    /// Every text about scheduling, with what it is for.
    fn scheduling(lang: Lang) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut say = |about: String, text: String| all.push((about, text));
        for reason in Ground::samples() {
            say(format!("{reason:?}"), lang.sentence(&reason));
            assert!(!lang.short(&reason).is_empty(), "{reason:?}");
        }
        for plugin in scheduler::registry::default_plugins().iter().map(|it| it.plugin) {
            say(plugin.name().to_owned(), lang.question(plugin.name()).to_owned());
            if plugin.phases().contains(&scheduler::plugin::Phase::Score) {
                say(format!("score of {}", plugin.name()), lang.meaning(plugin.name()).to_owned());
            }
            for event in plugin.retries_on() {
                say(format!("{event:?}"), lang.event(*event));
            }
        }
        all
    }

    #[test]
    fn every_reason_of_every_plugin_has_a_sentence_in_every_language() {
        let korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        for (about, text) in scheduling(Lang::En) {
            assert!(!text.is_empty() && !korean(&text), "{about}: {text:?}");
        }
        for (about, text) in scheduling(Lang::Ko) {
            assert!(korean(&text), "{about}: {text:?}");
        }
    }

    #[test]
    fn no_two_reasons_read_the_same() {
        for lang in [Lang::En, Lang::Ko] {
            let mut sentences: Vec<String> = Ground::samples().iter().map(|it| lang.sentence(it)).collect();
            sentences.sort();
            let all = sentences.len();
            sentences.dedup();
            assert_eq!(sentences.len(), all, "{lang:?}");
        }
    }

    #[test]
    fn a_value_takes_the_place_of_the_braces() {
        assert_eq!(fill(Lang::En.ui().minutes, 8), "~8 min");
    }
}
