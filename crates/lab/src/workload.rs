//! How fast are answers?
//!
//! What a learner waits for: the remarks on a manifest of a thousand lines, a line from which nothing follows, and a list of ten thousand
//! objects. [`figures`] takes the time with a clock that it is given; building worlds and objects does not count. Of the times of each
//! the middle one is said: a learner meets that one, not the best.

use std::{fmt::Write as _, hint::black_box};

use crate::{Session, library};

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

/// Says each figure in a line: name, value, unit. `now` is a clock in seconds.
pub fn figures(now: impl Fn() -> f64, mut say: impl FnMut(String)) {
    let mut figure = |name: &str, seconds: f64| say(format!("api/{name} {:.2} ms", seconds * 1e3));

    let text = manifest();
    figure(
        &format!("diagnose/{LINES}-lines"),
        middle(TIMES, &now, || drop(black_box(api::diagnose::manifest(&text)))),
    );

    let Some(mut session) = session("tiny") else { return };
    for (name, line) in ASKED {
        figure(&format!("line/{name}"), middle(TIMES, &now, || drop(black_box(session.run_line(line)))));
    }

    let Some(mut session) = self::session("kwok") else { return };
    session.run_line(&format!("cat > pods.yaml <<'EOF'\n{}EOF", pods()));
    figure(
        &format!("create/{OBJECTS}"),
        middle(1, &now, || drop(session.run_line("kubectl create -f pods.yaml"))),
    );
    for (name, line) in [
        ("table", "kubectl get pods"),
        ("name", "kubectl get pods -o name"),
        ("yaml", "kubectl get pods -o yaml"),
    ] {
        let seconds = middle(5, &now, || drop(black_box(session.run_line(line))));
        figure(&format!("list/{OBJECTS}/{name}"), seconds);
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
