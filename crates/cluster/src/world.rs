//! The whole of it: store, clock, queue, facts.
//!
//! `world at time t = replay(scenario, seed, script up to t)`. A step takes one wake, sets the clock, runs one
//! reconcile, and lets every actor hear of each change. That is the whole engine.

use std::rc::Rc;

use ::scheduler::PodKey;
use api::{ApiStatus, Kind, Object, SimDuration, SimTime, digest::Digest, meta::Time};
use imbl::{GenericVector, shared_ptr::RcK};
use jiff::Timestamp;

use crate::{
    ActorId, ApiRequest, Asked, Change, ClusterId, Fact, Key, Next, Note, Principal, Refusal, Reply, Request,
    Store, Turn, What, actors,
    apiserver::{self, Recorders},
    client::Clients,
    cloud,
    controllers::{FailedPods, Recommendations},
    draw,
    parts::{self, Process, Silence, Standing},
    provision,
    queue::{Queue, Wake},
    scheduler,
};

/// The wall-clock moment that simulated time counts from, unless a scenario says otherwise: 2026-03-02T09:00:00Z.
const EPOCH_SECONDS: i64 = 1_772_442_000;

/// Steps between two worlds of a trail.
const TRAIL_STEPS: u32 = 256;

/// Most wakes in one instant before the world is taken to chase its own tail.
const WAKES_IN_ONE_INSTANT: u32 = 200_000;

/// A whole world. A clone costs next to nothing and lives on by itself.
#[derive(Clone)]
pub struct World {
    store: Store,
    now: SimTime,
    queue: Queue,
    clients: Clients,
    recorders: Recorders,
    recommendations: Recommendations,
    failed_daemon_pods: FailedPods,
    seed: u64,
    facts: GenericVector<Rc<Fact>, RcK>,
    epoch: Timestamp,
    instant: u32,
    steps: u64,
    allowance: Option<u64>,
    idling: bool,
    trail: Option<Vec<World>>,
    // INVARIANT: a function of the store, but for what the scheduler's process remembers of its last cycle.
    scheduling: scheduler::Cache,
    // INVARIANT: a function of the store.
    standing: Standing,
    /// The pod (`namespace/name`) about which decisions are explained in full however many nodes there are.
    explains: Option<Rc<str>>,
}

/// What a step or a fact costs of an allowance; one of what comes round by itself costs 1.
const WORK: u64 = 16;

/// How many steps a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(pub u32);

impl Budget {
    /// Enough for any one command of a lesson; a loop is found long before.
    pub const COMMAND: Self = Self(2_000_000);
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to do, but for what repeats for ever.
    Quiet,
    /// The time that was asked for has come.
    Reached,
    /// The budget of steps is used up; there is more to do.
    Budget,
    /// The same instant went on and on.
    Runaway {
        /// The actor that woke last.
        actor: &'static str,
        /// What it looked at.
        key: String,
    },
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Steps taken.
    pub steps: u32,
    /// Why it ended.
    pub ended: Ended,
}

impl World {
    /// A world with nothing in it.
    #[must_use]
    pub fn empty(seed: u64) -> Self {
        Self {
            store: Store::default(),
            now: SimTime::ZERO,
            queue: Queue::default(),
            clients: Clients::default(),
            recorders: Recorders::default(),
            recommendations: Recommendations::default(),
            failed_daemon_pods: FailedPods::default(),
            seed,
            facts: GenericVector::new(),
            epoch: Timestamp::from_second(EPOCH_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH),
            instant: 0,
            steps: 0,
            allowance: None,
            idling: false,
            trail: None,
            scheduling: scheduler::Cache::default(),
            standing: Standing::default(),
            explains: None,
        }
    }

    /// Forgets how the present came about: what a scenario laid out is there, and the session's facts begin.
    pub(crate) fn begin(&mut self) {
        self.facts = GenericVector::new();
        self.queue.forget_causes();
    }

    /// All state.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Simulated time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// What keyed draws start from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number drawn for this purpose and key.
    pub(crate) fn draw(&self, purpose: &str, key: &Key, n: u64) -> u64 {
        draw::draw(self.seed, purpose, &format!("{}/{key}", key.cluster.0), n)
    }

    /// Everything that happened, oldest first.
    #[must_use]
    pub fn facts(&self) -> &GenericVector<Rc<Fact>, RcK> {
        &self.facts
    }

    /// The wall-clock moment that simulated time counts from.
    #[must_use]
    pub fn epoch(&self) -> Timestamp {
        self.epoch
    }

    /// Sets the wall-clock moment that simulated time counts from; for scenarios, before anything happens.
    pub fn set_epoch(&mut self, epoch: Timestamp) {
        self.epoch = epoch;
    }

    /// A moment as objects write it, in whole seconds.
    #[must_use]
    pub fn stamp(&self, at: SimTime) -> Time {
        let seconds = self.epoch.as_second().saturating_add_unsigned(at.0 / 1000);
        Time(Timestamp::from_second(seconds).unwrap_or(self.epoch))
    }

    /// When the next wake is due.
    #[must_use]
    pub fn next_at(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    /// One number for the whole state: equal worlds have equal digests, natively and in the page.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        digest.number(self.seed).number(self.now.0);
        self.store.digest(&mut digest);
        self.queue.digest(&mut digest);
        self.clients.digest(&mut digest);
        self.recorders.digest(&mut digest);
        self.recommendations.digest(&mut digest);
        self.failed_daemon_pods.digest(&mut digest);
        self.scheduling.digest(&mut digest);
        digest.finish()
    }

    /// The one door for `kubectl`, `aws`, `eksctl` and lessons: one request by one principal, answered as the real
    /// service would, at the present moment.
    /// # Errors
    /// The service's refusal.
    pub fn request(&mut self, who: &Principal, what: Request) -> Result<Reply, Refusal> {
        let answer = self.answer(who, what);
        if let Err(Refusal::Aws(error)) = &answer {
            let about = Key::new(ClusterId::WORLD, Kind::EksCluster, "", "");
            self.fact(ActorId("aws"), None, What::Noted(error.noted(about)));
        }
        answer
    }

    fn answer(&mut self, who: &Principal, what: Request) -> Result<Reply, Refusal> {
        match what {
            Request::Api(request) if self.silence(&request) == Some(Silence::NoServer) => {
                Err(Refusal::Tool("connection refused".to_owned()))
            }
            Request::Api(request) => apiserver::serve(self, who, request).map_err(Refusal::Api),
            Request::Aws(request) => Ok(Reply::Value(cloud::serve(self, &request)?)),
            Request::Provision(what) => Ok(Reply::Value(provision::serve(self, what)?)),
        }
    }

    /// Asks a cluster's API server for a path that is no object's, such as `openapi/v3`.
    /// # Errors
    /// 401 for whom the server does not know.
    pub fn published(&mut self, who: &Principal, cluster: ClusterId, path: &str) -> Result<(), ApiStatus> {
        apiserver::published(self, who, cluster, path)
    }

    /// Why the API server would not answer this request now as it should.
    #[must_use]
    pub fn silence(&self, request: &ApiRequest) -> Option<Silence> {
        parts::silence(&self.store, request.cluster, request)
    }

    /// The last thing asked, with the stages it passed and the server's warnings.
    #[must_use]
    pub fn last_asked(&self) -> Option<&Asked> {
        self.facts.iter().rev().find_map(|fact| match &fact.what {
            What::Asked(asked) => Some(&**asked),
            What::Changed(_) | What::Decided(_) | What::Traced(_) | What::Planned(_) | What::Noted(_) => None,
        })
    }

    /// Steps taken since the beginning.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// From now on so much may happen, whoever asks for it: steps and facts count one each, those of what comes round by
    /// itself (leases, probes) a sixteenth. As much as it needs without a number. Once it is used up every run ends with
    /// [`Ended::Budget`] at once, and time stands still.
    pub fn allow(&mut self, steps: Option<u64>) {
        self.allowance = steps.map(|steps| steps.saturating_mul(WORK));
    }

    fn spend(&mut self) {
        let cost = if self.idling { 1 } else { WORK };
        self.allowance = self.allowance.map(|left| left.saturating_sub(cost));
    }

    /// Whether what was allowed is used up.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.allowance == Some(0)
    }

    /// From now on, a copy stays behind whenever time is about to pass, and every few steps while it passes: between
    /// one copy and the next nothing was asked, so that any moment can be had again by running on from a copy.
    pub fn leave_trail(&mut self) {
        self.trail = Some(Vec::new());
    }

    /// The copies left behind, oldest first; no more are left.
    pub fn take_trail(&mut self) -> Vec<World> {
        self.trail.take().unwrap_or_default()
    }

    /// The decision about `pod` that fact `seq` will be at `at`, explained in full however many nodes there are; this world
    /// is left as it is, and must be one of the copies from which nothing is asked before that fact.
    /// `None` if that fact does not come, or is no decision.
    #[must_use]
    pub fn explained(&self, seq: u64, at: SimTime, pod: &str) -> Option<Rc<::scheduler::Decision>> {
        let mut world = Self { trail: None, allowance: None, ..self.clone() };
        world.explains = Some(pod.into());
        let count = usize::try_from(seq).ok()?;
        while world.facts.len() <= count {
            if world.run(at, Budget(1)).steps == 0 {
                return None;
            }
        }
        match &world.facts.get(count)?.what {
            What::Decided(decision) => Some(Rc::clone(decision)),
            What::Asked(_) | What::Changed(_) | What::Traced(_) | What::Planned(_) | What::Noted(_) => None,
        }
    }

    /// The world as it stands before the step in which fact `seq` happens, at `at`; under the same terms as
    /// [`World::explained`].
    #[must_use]
    pub fn just_before(&self, seq: u64, at: SimTime) -> Option<World> {
        let start = Self { trail: None, allowance: None, ..self.clone() };
        let count = usize::try_from(seq).ok()?;
        let (mut world, mut steps) = (start.clone(), 0);
        while world.facts.len() <= count {
            if world.run(at, Budget(1)).steps == 0 {
                return None;
            }
            steps += 1;
        }
        let mut world = start;
        (1..steps).for_each(|_| drop(world.run(at, Budget(1))));
        Some(world)
    }

    /// Whether a decision about this pod is to be explained in full.
    pub(crate) fn explains(&self, pod: &PodKey) -> bool {
        self.explains.as_deref().is_some_and(|it| it == pod.to_string())
    }

    fn mark(&mut self) {
        if let Some(mut trail) = self.trail.take() {
            trail.push(Self { allowance: None, ..self.clone() });
            self.trail = Some(trail);
        }
    }

    /// Runs everything due up to `until`, in order of time and then of asking.
    pub fn run_until(&mut self, until: SimTime, budget: Budget) -> Ran {
        self.mark();
        self.run(until, budget)
    }

    fn run(&mut self, until: SimTime, budget: Budget) -> Ran {
        let mut steps = 0;
        while steps < budget.0 {
            if steps % TRAIL_STEPS == TRAIL_STEPS - 1 {
                self.mark();
            }
            if self.is_exhausted() {
                break;
            }
            let Some((at, wake)) = self.queue.pop(until) else {
                self.set_now(until);
                return Ran { steps, ended: Ended::Reached };
            };
            steps += 1;
            self.steps += 1;
            self.idling = wake.periodic;
            self.spend();
            self.set_now(at);
            self.instant += 1;
            if self.instant > WAKES_IN_ONE_INSTANT {
                return Ran {
                    steps,
                    ended: Ended::Runaway { actor: wake.actor.0, key: wake.key.to_string() },
                };
            }
            self.step(wake);
            self.idling = false;
        }
        Ran { steps, ended: Ended::Budget }
    }

    /// Runs until nothing is left to do but what repeats for ever, at most `limit` long.
    pub fn settle(&mut self, limit: SimDuration) -> Ran {
        self.mark();
        let last = self.now + limit;
        let mut steps = 0;
        while let Some(at) = self.queue.next_work_at() {
            if at > last {
                let ran = self.run(last, Budget::COMMAND);
                return Ran { steps: steps + ran.steps, ended: ran.ended };
            }
            let ran = self.run(at, Budget(Budget::COMMAND.0 - steps.min(Budget::COMMAND.0 - 1)));
            steps += ran.steps;
            if ran.ended != Ended::Reached {
                return Ran { steps, ended: ran.ended };
            }
        }
        Ran { steps, ended: Ended::Quiet }
    }

    /// When the next thing is due that does not repeat for ever.
    #[must_use]
    pub fn next_work_at(&self) -> Option<SimTime> {
        self.queue.next_work_at()
    }

    /// Whether nobody has anything to do within `silence` but what repeats for ever, and what is due later is only waited
    /// for: it is no one's of `at_work`, and no other try of what failed.
    #[must_use]
    pub fn only_waits(&self, silence: SimDuration, at_work: &[&str]) -> bool {
        let near = self.now + silence;
        self.queue.works().all(|(at, wake)| {
            at > near && !at_work.contains(&wake.actor.0) && !self.clients.fails(wake.actor, &wake.key)
        })
    }

    fn set_now(&mut self, at: SimTime) {
        if at > self.now {
            self.now = at;
            self.instant = 0;
        }
    }

    fn step(&mut self, wake: Wake) {
        let Some(actor) = actors::find(wake.actor) else { return };
        if self.standing.halts(wake.key.cluster, actor.process(), self.now) {
            return;
        }
        if let Some(until) =
            actor.client().and_then(|rate| self.clients.admit(wake.actor, rate, &wake.key, self.now))
        {
            self.queue.push(until, wake);
            return;
        }
        let mut turn = Turn::new(self, wake.actor, wake.key.cluster, wake.cause);
        let next = actor.reconcile(&mut turn, &wake.key);
        if next.is_ok() {
            turn.world.clients.succeeded(wake.actor, &wake.key);
        }
        let (wait, periodic) = match next {
            Ok(Next::Done) => return,
            Ok(Next::After(wait)) => (wait, false),
            Ok(Next::Every(wait)) => (wait, true),
            Err(status) => {
                turn.fact(What::Noted(Note::Refused { about: wake.key.clone(), message: status.message }));
                (self.clients.failed(wake.actor, &wake.key), false)
            }
        };
        let at = self.now + wait;
        self.queue.push(at, Wake { periodic, ..wake });
    }

    /// A cluster is gone: nobody of it is to wake, and nobody remembers anything.
    pub(crate) fn forget_cluster(&mut self, cluster: ClusterId) {
        self.queue.forget_cluster(cluster);
        self.clients.forget_cluster(cluster);
        self.recorders.forget_cluster(cluster);
        self.recommendations.forget_cluster(cluster);
        self.failed_daemon_pods.forget_cluster(cluster);
    }

    /// A process is gone: what its controllers remembered is forgotten.
    pub(crate) fn forget_process(&mut self, cluster: ClusterId, process: Process) {
        for actor in actors::all().filter(|actor| actor.process() == process) {
            self.clients.forget(cluster, ActorId(actor.name()));
            self.recorders.forget(cluster, actor.name());
        }
        if process == Process::ControllerManager {
            self.recommendations.forget_cluster(cluster);
            self.failed_daemon_pods.forget_cluster(cluster);
        }
    }

    /// A process lists everything before it watches: to its controllers each object of their cluster is new.
    pub(crate) fn list_again(&mut self, cluster: ClusterId, process: Process, cause: Option<u64>) {
        for actor in actors::all().filter(|actor| actor.process() == process) {
            let at = self.now + actor.reaction();
            let mut wakes = Vec::new();
            for (key, object) in self.store.iter() {
                if key.cluster == cluster || key.cluster == ClusterId::WORLD {
                    let after = Some(Rc::clone(object));
                    let new =
                        Change { key: key.clone(), before: None, after, revision: self.store.revision() };
                    actor.watch(&new, &self.store, &mut |key| wakes.push(key));
                }
            }
            for key in wakes.into_iter().filter(|key| key.cluster == cluster) {
                self.queue.push(at, Wake { actor: ActorId(actor.name()), key, cause, periodic: false });
            }
        }
    }

    /// How long an actor's client has to wait before its next call.
    pub(crate) fn throttled(&self, cluster: ClusterId, actor: ActorId) -> Option<SimDuration> {
        self.clients.wait(cluster, actor, self.now)
    }

    pub(crate) fn clients(&mut self) -> &mut Clients {
        &mut self.clients
    }

    pub(crate) fn recommendations(&mut self) -> &mut Recommendations {
        &mut self.recommendations
    }

    /// What the controller of DaemonSets remembers of pods that failed.
    pub(crate) fn failed_daemon_pods(&mut self) -> &mut FailedPods {
        &mut self.failed_daemon_pods
    }

    pub(crate) fn recorders(&mut self) -> &mut Recorders {
        &mut self.recorders
    }

    /// What the scheduler decides on.
    pub(crate) fn scheduling(&self) -> &scheduler::Cache {
        &self.scheduling
    }

    pub(crate) fn scheduling_mut(&mut self) -> &mut scheduler::Cache {
        &mut self.scheduling
    }

    /// What is to wake.
    pub(crate) fn queue(&mut self) -> &mut Queue {
        &mut self.queue
    }

    pub(crate) fn wake_at(&mut self, at: SimTime, wake: Wake) {
        self.queue.push(at, wake);
    }

    pub(crate) fn fact(&mut self, actor: ActorId, cause: Option<u64>, what: What) -> u64 {
        self.spend();
        let seq = self.facts.len() as u64;
        self.facts.push_back(Rc::new(Fact { seq, at: self.now, actor, cause, what }));
        seq
    }

    pub(crate) fn put(
        &mut self,
        actor: ActorId,
        cause: Option<u64>,
        cluster: ClusterId,
        object: Object,
    ) -> Rc<Object> {
        let (after, change) = self.store.put(cluster, object);
        self.changed(actor, cause, &change);
        after
    }

    /// Puts a recorded object in place as it was, with the version it had; every actor hears of it.
    pub fn restore(&mut self, cluster: ClusterId, object: Object) {
        let change = self.store.restore(cluster, object);
        self.changed(ActorId("scenario"), None, &change);
    }

    /// Forgets everything that was about to happen: a recorded cluster whose controllers stand still.
    pub fn freeze(&mut self) {
        self.queue = Queue::default();
    }

    pub(crate) fn remove(&mut self, actor: ActorId, cause: Option<u64>, key: &Key) -> Option<Rc<Object>> {
        let change = self.store.remove(key)?;
        let before = change.before.clone();
        self.changed(actor, cause, &change);
        before
    }

    fn changed(&mut self, actor: ActorId, cause: Option<u64>, change: &Change) {
        let seq = self.fact(actor, cause, What::Changed(change.clone()));
        self.scheduling.apply(change, &self.store);
        if change.key.kind == Kind::Part {
            self.standing.apply(&self.store, change.key.cluster);
        }
        let by = actor;
        for actor in actors::all() {
            if actor.name() == by.0 && !actor.heeds_own(change) {
                continue;
            }
            let at = self.now + actor.reaction();
            let mut wakes = Vec::new();
            actor.watch(change, &self.store, &mut |key| wakes.push(key));
            for key in wakes {
                let periodic = !actor.is_awaited();
                let wake = Wake { actor: ActorId(actor.name()), key, cause: Some(seq), periodic };
                self.queue.push(at, wake);
            }
        }
    }
}
