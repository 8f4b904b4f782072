//! Is input that makes no sense refused in the API server's words, and does the rest of the world go on?
//!
//! What is merely large is legal: it is stored, and the scheduler says why nothing takes it. Nothing here may panic, or
//! need more of the world than one command is allowed.
//! Source of the words: kubernetes v1.34 `pkg/apis/core/validation/validation.go`, apimachinery `pkg/api/validation`.

use std::fmt::Write as _;

use lab::{Session, library};

/// Commands in a world with a small worker and a tainted system node; what they print, a line each.
fn lines(commands: &[&str]) -> Vec<String> {
    let mut session =
        Session::new(library::scenario("tiny").expect("a fixture"), 1).expect("a legal fixture");
    let mut said = String::new();
    for command in commands {
        let done = session.run_line(command);
        assert!(!done.stopped, "the world was still busy: {}", &command[..command.len().min(80)]);
        let _ = write!(said, "{}{}", done.output.stdout(), done.output.stderr());
        session.pause();
    }
    said.lines().map(str::to_owned).collect()
}

/// `kubectl VERB` of a pod with this in its metadata and spec.
fn pod(verb: &str, labels: &str, spec: &str) -> String {
    let metadata = format!("{{\"name\": \"x\", \"labels\": {{{labels}}}}}");
    format!(
        "kubectl {verb} -f - <<'EOF'\n{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {metadata}, \"spec\": {{{spec}}}}}\nEOF"
    )
}

fn container(requests: &str) -> String {
    format!(
        "\"containers\": [{{\"name\": \"c\", \"image\": \"nginx:1.27\", \"resources\": {{\"requests\": {{{requests}}}}}}}]"
    )
}

fn constraints(keys: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = keys
        .map(|key| {
            format!("{{\"maxSkew\": 1, \"topologyKey\": \"{key}\", \"whenUnsatisfiable\": \"DoNotSchedule\", \"labelSelector\": {{}}}}")
        })
        .collect();
    format!("{}, \"topologySpreadConstraints\": [{}]", container(""), all.join(", "))
}

const FAILED: &str =
    "kubectl get events --field-selector reason=FailedScheduling -o jsonpath='{.items[*].message}'";

#[test]
fn negative_requests_are_refused() {
    let command = pod("apply", "", &container("\"cpu\": \"-1\", \"memory\": \"-1Gi\""));
    let at = "* spec.containers[0].resources.requests";
    assert_eq!(
        lines(&[&command]),
        [
            "The Pod \"x\" is invalid: ".to_owned(),
            format!("{at}[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"),
            format!("{at}[memory]: Invalid value: \"-1Gi\": must be greater than or equal to 0"),
        ]
    );
}

#[test]
fn a_thousand_million_cpus_are_legal_and_fit_nowhere() {
    let command = pod("apply", "", &container("\"cpu\": \"1000000000\""));
    assert_eq!(
        lines(&[&command, FAILED]),
        [
            "pod/x created",
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, \
             preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        ]
    );
}

#[test]
fn the_largest_numbers_that_thousandths_can_be_taken_of_fit_nowhere_either() {
    let most = "\"cpu\": \"9000000000000000\", \"memory\": \"9000000000000000\"";
    let said = lines(&[&pod("apply", "", &container(most)), FAILED]);
    assert_eq!(said[0], "pod/x created");
    let start = "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s).";
    assert!(said[1].starts_with(start), "{}", said[1]);
}

#[test]
fn an_empty_topology_key_is_refused_wherever_it_stands() {
    let term = "{\"topologyKey\": \"\", \"labelSelector\": {}}";
    let affinity = format!(
        "\"affinity\": {{\"podAntiAffinity\": {{\"requiredDuringSchedulingIgnoredDuringExecution\": [{term}]}}}}"
    );
    let spec = format!("{affinity}, {}", constraints(std::iter::once(String::new())));
    let at = "* spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey";
    assert_eq!(
        lines(&[&pod("apply", "", &spec)]),
        [
            "The Pod \"x\" is invalid: ".to_owned(),
            format!("{at}: Required value: can not be empty"),
            format!("{at}: Invalid value: \"\": name part must be non-empty"),
            format!(
                "{at}: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start \
                 and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation \
                 is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ),
            "* spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty".to_owned(),
        ]
    );
}

#[test]
fn ten_thousand_constraints_are_too_long_to_apply_and_legal_to_create() {
    let spec = constraints((0..10_000).map(|n| format!("key-{n}")));
    let applied = lines(&[&pod("apply", "", &spec)]);
    assert_eq!(
        applied,
        ["The Pod \"x\" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes"]
    );
    assert_eq!(
        lines(&[&pod("create", "", &spec), FAILED]),
        [
            "pod/x created",
            "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), \
             1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: \
             2 Preemption is not helpful for scheduling.",
        ]
    );
}

#[test]
fn ten_thousand_times_the_same_constraint_is_named_at_each_repetition() {
    let spec = constraints((0..10_000).map(|_| "zone".to_owned()));
    let said = lines(&[&pod("create", "", &spec)]);
    assert_eq!(said.len(), 10_000, "one line, and one for each but the last");
    let duplicate = "{topologyKey, whenUnsatisfiable}: Duplicate value: \"{zone, DoNotSchedule}\"";
    assert_eq!(said[1], format!("* spec.topologySpreadConstraints[0].{duplicate}"));
    assert_eq!(said[9_999], format!("* spec.topologySpreadConstraints[9998].{duplicate}"));
}

#[test]
fn a_label_value_of_a_megabyte_is_refused() {
    let value = "a".repeat(1 << 20);
    let labels = format!("\"app\": \"{value}\"");
    let wrong = format!("metadata.labels: Invalid value: \"{value}\": must be no more than 63 characters");
    assert_eq!(
        lines(&[&pod("apply", &labels, &container(""))]),
        [
            "The Pod \"x\" is invalid: ",
            &format!("* {wrong}"),
            "* metadata.annotations: Too long: may not be more than 262144 bytes",
        ]
    );
    assert_eq!(
        lines(&[&pod("create", &labels, &container(""))]),
        [format!("The Pod \"x\" is invalid: {wrong}")]
    );
}

#[test]
fn a_manifest_of_four_megabytes_is_too_large_for_a_request() {
    let labels = format!("\"app\": \"{}\"", "a".repeat(4 << 20));
    assert_eq!(
        lines(&[&pod("create", &labels, &container(""))]),
        [
            "Error from server (RequestEntityTooLarge): error when creating \"STDIN\": Request entity too large: limit is 3145728"
        ]
    );
}
