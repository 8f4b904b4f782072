//! How fast are answers?
//!
//! What a learner waits for: the remarks on a manifest of a thousand lines, a line from which nothing follows, and a list of ten thousand
//! objects. [`figures`] takes the time with a clock that it is given; building worlds and objects does not count. Of the times of each
//! the middle one is said: a learner meets that one, not the best.

use std::{fmt::Write as _, hint::black_box, rc::Rc};

use crate::{Session, library};

/// Lines about many objects, with the names of their figures (`N` is how many), and how often each is timed.
const LISTED: [(&str, &str, usize); 4] = [
    ("create/N", "kubectl create -f pods.yaml", 1),
    ("list/N/table", "kubectl get pods", 5),
    ("list/N/name", "kubectl get pods -o name", 5),
    ("list/N/yaml", "kubectl get pods -o yaml", 5),
];

/// How often each is timed.
const TIMES: usize = 21;
/// How many lines the manifest has, and how many objects the list.
const LINES: usize = 1000;
const OBJECTS: usize = 10_000;

/// Lines from which nothing follows, with the names of their figures, in a cluster as the first lesson has it.
const ASKED: [(&str, &str); 6] = [
    ("get", "kubectl get pods -A"),
    ("describe", "kubectl describe node"),
    ("yaml", "kubectl get pods -A -o yaml"),
    ("pipe", "kubectl get pods -A -o json | jq -r '.items[].metadata.name' | sort | head -3"),
    ("explain", "kubectl explain pod.spec --recursive"),
    ("dry-run", "kubectl create deployment web --image=nginx --dry-run=server -o yaml"),
];

/// Each figure as a line: name, value, unit. `now` is a clock in seconds. A figure is taken when it is asked for, so that a browser
/// can have its turn between two.
pub fn figures(now: impl Fn() -> f64) -> impl Iterator<Item = String> {
    let now = Rc::new(now);
    let mut few = Lazy::new(|| session("tiny"));
    let mut many = Lazy::new(|| {
        let mut session = session("kwok")?;
        session.run_line(&format!("cat > pods.yaml <<'EOF'\n{}EOF", pods()));
        Some(session)
    });
    let clock = Rc::clone(&now);
    let diagnosed = std::iter::once_with(move || {
        let text = manifest();
        figure(
            &format!("diagnose/{LINES}-lines"),
            middle(TIMES, &*clock, || drop(black_box(api::diagnose::manifest(&text)))),
        )
    });
    let clock = Rc::clone(&now);
    let answered = ASKED.into_iter().filter_map(move |(name, line)| {
        let session = few.get()?;
        let seconds = middle(TIMES, &*clock, || drop(black_box(session.run_line(line))));
        Some(figure(&format!("line/{name}"), seconds))
    });
    let listed = LISTED.into_iter().filter_map(move |(name, line, times)| {
        let session = many.get()?;
        let seconds = middle(times, &*now, || drop(black_box(session.run_line(line))));
        Some(figure(&name.replace('N', &OBJECTS.to_string()), seconds))
    });
    diagnosed.chain(answered).chain(listed)
}

fn figure(name: &str, seconds: f64) -> String {
    format!("api/{name} {:.2} ms", seconds * 1e3)
}

/// A session that is made when it is first needed.
struct Lazy<F>(F, Option<Option<Session>>);

impl<F: Fn() -> Option<Session>> Lazy<F> {
    fn new(make: F) -> Self {
        Self(make, None)
    }

    fn get(&mut self) -> Option<&mut Session> {
        self.1.get_or_insert_with(&self.0).as_mut()
    }
}

/// The middle one of some times that something takes.
fn middle(times: usize, now: impl Fn() -> f64, mut what: impl FnMut()) -> f64 {
    let mut taken: Vec<f64> = (0..times)
        .map(|_| {
            let start = now();
            what();
            now() - start
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken.get(times / 2).copied().unwrap_or_default()
}

/// A session in a fixture, after everything has settled.
fn session(fixture: &str) -> Option<Session> {
    let mut session = Session::new(library::scenario(fixture)?, 1).ok()?;
    session.settle(api::SimDuration::secs(600));
    Some(session)
}

/// Deployments with Services and ConfigMaps, and a mistake in each tenth.
fn manifest() -> String {
    let mut text = String::new();
    let mut n = 0;
    while text.lines().count() < LINES {
        let replicas = if n % 10 == 9 { "three" } else { "3" };
        let _ = write!(
            text,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{n}\n  labels:\n    app: web-{n}\nspec:\n  replicas: {replicas}\n  \
             selector:\n    matchLabels:\n      app: web-{n}\n  template:\n    metadata:\n      labels:\n        app: web-{n}\n    spec:\n      \
             containers:\n      - name: web\n        image: nginx:1.27\n        ports:\n        - containerPort: 80\n        resources:\n          \
             requests:\n            cpu: 100m\n            memory: 64Mi\n        readinessProbe:\n          httpGet:\n            path: /healthz\n            \
             port: 80\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web-{n}\nspec:\n  selector:\n    app: web-{n}\n  ports:\n  - port: 80\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web-{n}\ndata:\n  key: value\n---\n"
        );
        n += 1;
    }
    text
}

/// Pods that wait at a gate, so that nothing follows from them.
fn pods() -> String {
    (0..OBJECTS).fold(String::new(), |mut text, n| {
        let _ = write!(
            text,
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: waiter-{n:05}\n  labels: {{app: waiter}}\nspec:\n  schedulingGates: [{{name: \
             shop.dev/quota}}]\n  containers: [{{name: app, image: \"nginx:1.27\"}}]\n---\n"
        );
        text
    })
}
