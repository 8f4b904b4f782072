use api::{Kind, SimDuration};
use cluster::{ApiRequest, ApiVerb, Budget, ClusterId, Principal, Propagation, Request};
use serde_json::{Value, json};

use super::*;
use crate::Scenario;

const HERE: ClusterId = ClusterId(1);

/// A learner in an otherwise quiet world, with goals about ConfigMaps.
struct Learner {
    world: World,
    progress: Progress,
}

impl Learner {
    fn new(rest: &Value) -> Self {
        let fixture = crate::library::scenario("kind1").unwrap_or_else(Scenario::bare);
        let (world, _) = fixture.build(1).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let mut lesson = json!({
            "apiVersion": "podpath/v1", "kind": "Lesson", "slug": "a", "order": 1, "part": "A", "minutes": 3,
            "world": {"fixture": "kind1", "seed": 5},
        });
        for (name, value) in rest.as_object().into_iter().flatten() {
            lesson[name] = value.clone();
        }
        let lesson = Lesson::read(&lesson).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let progress = Progress::new(Rc::new(lesson), &world);
        Self { world, progress }
    }

    fn ask(&mut self, verb: ApiVerb, name: &str) {
        let request = ApiRequest::new(HERE, verb, Kind::ConfigMap, "default", name);
        let reply = self.world.request(&Principal::admin(), Request::Api(request));
        assert!(reply.is_ok(), "{reply:?}");
        self.progress.follow(&self.world, Vec::new());
    }

    fn make(&mut self, name: &str) {
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        self.ask(ApiVerb::Create(manifest), name);
    }

    fn remove(&mut self, name: &str) {
        self.ask(ApiVerb::Delete { grace: None, propagation: Propagation::default() }, name);
    }

    fn wait(&mut self, seconds: u64) {
        let until = self.world.now() + SimDuration::secs(seconds);
        self.world.run_until(until, Budget::COMMAND);
        self.progress.follow(&self.world, Vec::new());
    }

    fn answer(&mut self, id: &str, value: &str) {
        let with = [("id", id), ("value", value)].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let deed = Deed { at: self.world.now(), action: "answer".to_owned(), with };
        self.progress.follow(&self.world, vec![deed]);
    }

    fn standing(&self, goal: &str) -> Standing {
        self.progress.goal(goal).map(|state| state.standing).unwrap_or_default()
    }
}

fn there(name: &str) -> Value {
    json!({"exists": {"kind": "ConfigMap", "name": name}})
}

#[test]
fn a_goal_that_holds_is_met_by_time_alone() {
    let mut learner = Learner::new(&json!({"goals": [{"id": "g", "hold": "5s", "check": there("a")}]}));
    learner.make("a");
    let since = learner.world.now();
    assert_eq!(learner.standing("g"), Standing::Holding);
    learner.wait(60);
    assert_eq!(learner.standing("g"), Standing::Met);
    let met = learner.progress.goal("g").and_then(|goal| goal.met_at);
    assert_eq!(met, Some(since + SimDuration::secs(5)));
}

#[test]
fn a_break_in_between_starts_the_wait_again() {
    let mut learner = Learner::new(&json!({"goals": [{"id": "g", "hold": "5s", "check": there("a")}]}));
    learner.make("a");
    learner.wait(4);
    learner.remove("a");
    learner.make("a");
    learner.wait(4);
    assert_eq!(learner.standing("g"), Standing::Holding);
}

#[test]
fn a_goal_that_is_no_longer_true_says_so_unless_once_was_enough() {
    let goals = json!([{"id": "g", "check": there("a")}, {"id": "seen", "once": true, "check": there("a")}]);
    let mut learner = Learner::new(&json!({"goals": goals}));
    learner.make("a");
    learner.remove("a");
    assert_eq!((learner.standing("g"), learner.standing("seen")), (Standing::Was, Standing::Met));
    assert!(!learner.progress.is_done());
}

#[test]
fn a_goal_waits_for_the_one_before_it_and_for_an_answer() {
    let goals = json!([{"id": "g", "check": there("a")}, {"id": "h", "after": "g", "check": there("b")}]);
    let predict = json!([{"id": "q", "type": "number", "answer": 3, "before": "g"}]);
    let mut learner = Learner::new(&json!({"goals": goals, "predict": predict}));
    learner.make("b");
    learner.make("a");
    assert_eq!((learner.standing("g"), learner.standing("h")), (Standing::Locked, Standing::Locked));
    learner.answer("q", "7");
    assert_eq!((learner.standing("g"), learner.standing("h")), (Standing::Met, Standing::Met));
    learner.answer("q", "3");
    assert_eq!(learner.progress.answer("q"), Some("7"), "the first answer is locked");
}

#[test]
fn feedback_comes_with_its_cause_and_leaves_with_it() {
    let lets =
        json!({"first": {"of": {"kind": "ConfigMap", "name": "a"}, "field": "metadata.uid", "when": "g"}});
    let same = json!({"exists": {"kind": "ConfigMap", "name": "a", "metadata": {"uid": {"$ref": "first"}}}});
    let wrong = json!([{"id": "another", "when": {"all": [there("a"), {"not": same}]}}]);
    let goals = json!([{"id": "g", "once": true, "check": there("a")}]);
    let mut learner = Learner::new(&json!({"goals": goals, "let": lets, "wrong": wrong}));
    learner.make("a");
    assert_eq!(learner.progress.feedback(), None);
    learner.remove("a");
    learner.make("a");
    assert_eq!(learner.progress.feedback(), Some("another"));
    learner.remove("a");
    assert_eq!(learner.progress.feedback(), None);
    assert_eq!(learner.progress.fired(), ["another"]);
}

#[test]
fn a_check_about_requests_hears_of_a_refusal() {
    let refused = json!({"exists": {"kind": "sim/Request", "rejectedAt": "validation"}});
    let mut learner = Learner::new(&json!({"goals": [{"id": "g", "once": true, "check": refused}]}));
    let nameless = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "A"}});
    let request = ApiRequest::new(HERE, ApiVerb::Create(nameless), Kind::ConfigMap, "default", "");
    let reply = learner.world.request(&Principal::admin(), Request::Api(request));
    assert!(reply.is_err(), "a name in capitals is no name");
    learner.progress.follow(&learner.world, Vec::new());
    assert_eq!(learner.standing("g"), Standing::Met);
}
