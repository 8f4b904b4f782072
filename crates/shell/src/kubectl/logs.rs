//! `kubectl logs`.
//!
//! MODEL: a container's log is what its script says where the lab knows its words, else what its image writes when it starts, a line a
//! second. Source: kubectl `pkg/cmd/logs`; the kubelet's
//! refusals from `pkg/kubelet/kubelet_pods.go` (`validateContainerLogStatus`).

use std::collections::BTreeMap;

use api::{Kind, k8s::core::v1::Container};
use cluster::node::kubelet::{env, process};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube, exec,
    field::{at, name, name_of, text},
    pods,
};

const USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let usage = |text: &str| Fail::error(format!("{text}\nSee 'kubectl logs -h' for help and examples"));
    let args = kube.given.args.clone();
    let selection = kube.selection();
    match (args.len(), selection.labels.is_empty()) {
        (0, true) | (3.., _) => return usage(USAGE),
        (1, false) => return usage("only a selector (-l) or a POD name is allowed"),
        _ => {}
    }
    let given = |flag: &str| kube.given.value(flag).filter(|it| !it.is_empty());
    if let Some(time) = given("since-time").filter(|it| it.parse::<Timestamp>().is_err()) {
        return Fail::error(format!(
            "parsing time {time:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {time:?} as \"2006\""
        ));
    }
    let named = kube.given.value("container").or(args.get(1).map(String::as_str)).map(str::to_owned);
    let every = kube.given.on("all-containers");
    if args.len() == 2 && kube.given.has("container") {
        return Fail::error("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    let namespace = kube.namespace()?;
    let mut found = Vec::new();
    if let Some(word) = args.first() {
        let meant = kube.meant(word).map_err(|fail| match fail {
            Fail::Server(status) if status.reason == "NotFound" => Fail::Error(format!(
                "error from server (NotFound): {} in namespace {namespace:?}",
                status.message
            )),
            other => other,
        });
        let (kind, object) = meant?;
        valid(kube, named.as_deref().filter(|_| every))?;
        let (pod, count) = kube.pod_of(kind, object, "get the logs from")?;
        if count > 1 {
            kube.out.err(&format!("Found {count} pods, using pod/{}", name(&pod)));
        }
        found.push(pod);
    } else {
        found = kube.list(Kind::Pod, &namespace, &selection)?;
        valid(kube, named.as_deref().filter(|_| every))?;
        if found.is_empty() {
            kube.out.err(&format!("No resources found in {namespace} namespace."));
        }
    }
    let mut wanted = Vec::new();
    for pod in &found {
        let names: Vec<String> = match &named {
            Some(named) => vec![named.clone()],
            None if every => {
                let (init, rest): (Vec<_>, Vec<_>) =
                    pods::containers(pod).partition(|(_, note)| note.contains("init"));
                init.into_iter().chain(rest).map(|(c, _)| name_of(c).to_owned()).collect()
            }
            None => vec![pods::default_container(kube, pod, kube.given.on("all-pods"))],
        };
        for container in names {
            if !pods::containers(pod).any(|(c, _)| name_of(c) == container) {
                return Fail::error(format!("container {container} is not valid for pod {}", name(pod)));
            }
            wanted.push((pod, container));
        }
    }
    let most = kube.given.int("max-log-requests").unwrap_or(5);
    if kube.given.on("follow") && wanted.len() > 1 && i64::try_from(wanted.len()).unwrap_or(i64::MAX) > most {
        return Fail::error(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use --max-log-requests to increase the limit",
            wanted.len()
        ));
    }
    let tail = kube.given.int("tail").or((!selection.labels.is_empty()).then_some(10)).filter(|t| *t >= 0);
    let prefixed = kube.given.on("prefix") || kube.given.on("all-pods");
    for (pod, container) in wanted {
        // Whoever may see a pod need not see its log.
        kube.may_get(name(pod), "log")?;
        let lines = match log(kube, pod, &container) {
            Err(Fail::Server(status)) if kube.given.on("ignore-errors") => {
                kube.out.line(&format!("error: {}", status.message));
                continue;
            }
            other => other?,
        };
        let skip = tail.map_or(0, |t| lines.len().saturating_sub(usize::try_from(t).unwrap_or(0)));
        let mut text: String = lines[skip..].iter().map(|line| format!("{line}\n")).collect();
        if let Some(limit) =
            kube.given.int("limit-bytes").and_then(|it| usize::try_from(it).ok()).filter(|it| *it > 0)
        {
            let limit = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(limit);
        }
        for line in text.split_inclusive('\n') {
            let prefix = if prefixed { format!("[pod/{}/{container}] ", name(pod)) } else { String::new() };
            kube.out.out(&format!("{prefix}{line}"));
        }
    }
    Ok(())
}

/// UPSTREAM: flags are looked at once the object is there; `named` is the container that was named though all are meant.
fn valid(kube: &Kube<'_, '_>, named: Option<&str>) -> Done {
    let given = |flag: &str| kube.given.value(flag).filter(|it| !it.is_empty());
    if given("since-time").is_some() && given("since").is_some_and(|it| it.trim_start_matches('0') != "s") {
        return Fail::error("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    if let Some(named) = named {
        return Fail::error(format!(
            "--all-containers=true should not be specified with container name {named}"
        ));
    }
    if kube.given.int("limit-bytes").is_some_and(|bytes| bytes < 0) {
        return Fail::error("--limit-bytes must be greater than 0");
    }
    if kube.given.value("since").is_some_and(|it| it.starts_with('-')) {
        return Fail::error("--since must be greater than 0");
    }
    if kube.given.int("tail").is_some_and(|t| t < -1) {
        return Fail::error("--tail must be greater than or equal to -1");
    }
    Ok(())
}

/// What a container wrote so far, or why the kubelet does not tell.
pub(super) fn log(kube: &mut Kube<'_, '_>, pod: &Value, container: &str) -> Done<Vec<String>> {
    // UPSTREAM: a pod without a node has an empty log.
    if text(pod, "spec.nodeName").is_empty() {
        return Ok(Vec::new());
    }
    let refused = |why: String| {
        let mut status = api::ApiStatus::forbidden(why);
        (status.code, status.reason) = (400, "BadRequest".to_owned());
        Fail::Server(status)
    };
    let own = name(pod);
    let Some(status) = pods::status_of(pod, container) else {
        return Err(refused(format!("container {container:?} in pod {own:?} is not available")));
    };
    let previous = kube.given.on("previous");
    let last = at(status, "lastState.terminated");
    if previous && last.is_null() {
        return Err(refused(format!("previous terminated container {container:?} in pod {own:?} not found")));
    }
    let (running, ended) = (at(status, "state.running"), at(status, "state.terminated"));
    let state = [if previous { last } else { running }, ended, last].into_iter().find(|s| !s.is_null());
    let Some(state) = state else {
        let why = match text(status, "state.waiting.reason") {
            "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image",
            "" => "ContainerCreating",
            reason => reason,
        };
        return Err(refused(format!("container {container:?} in pod {own:?} is waiting to start: {why}")));
    };
    let now = kube.shell.world.stamp(kube.shell.world.now()).0;
    let begun: Timestamp = text(state, "startedAt").parse().unwrap_or(now);
    let until: Timestamp = text(state, "finishedAt").parse().unwrap_or(now);
    let since = kube
        .given
        .value("since")
        .and_then(crate::text::sleep::seconds)
        .map(|d| now - SignedDuration::from_millis(i64::try_from(d.0).unwrap_or(i64::MAX / 2)))
        .or_else(|| kube.given.value("since-time").and_then(|time| time.parse().ok()));
    let spec = pods::containers(pod).find(|(c, _)| name_of(c) == container).map(|(c, _)| c);
    let stamped = kube.given.on("timestamps");
    let at_line = |i: usize| begun + SignedDuration::from_secs(i64::try_from(i).unwrap_or(0));
    let known: Option<Container> = spec.and_then(|spec| serde_json::from_value(spec.clone()).ok());
    let is_wanted = |at: &Timestamp| *at <= until.max(begun) && since.is_none_or(|since| *at >= since);
    let shown = |at: Timestamp, line: String| if stamped { format!("{at:.9} {line}") } else { line };
    if let (Some(own), Some(spec)) = (&known, spec) {
        let said = script(kube, pod, (own, spec), (begun, until.max(begun)))?;
        if let Some(said) = said.filter(|_| text(state, "reason") != "StartError") {
            let said = said.into_iter().filter(|(at, _)| is_wanted(at));
            return Ok(said.map(|(at, line)| shown(at, line)).collect());
        }
    }
    let lines = match known.and_then(|spec| cluster::node::ipamd::log(&spec)) {
        // As logrus writes them.
        Some(lines) => lines
            .into_iter()
            .enumerate()
            .map(|(i, (level, message))| format!("time=\"{:.0}\" level={level} msg={message:?}", at_line(i)))
            .collect(),
        None => {
            let image = spec.map_or("", |spec| text(spec, "image"));
            cluster::node::kubelet::image::of(kube.shell.world.store(), image).log
        }
    };
    Ok(lines
        .into_iter()
        .enumerate()
        .map(|(i, line)| (at_line(i), line))
        .filter(|(at, _)| is_wanted(at))
        .map(|(at, line)| shown(at, line))
        .collect())
}

/// What the script of a container says in its time, where the lab knows.
fn script(
    kube: &mut Kube<'_, '_>,
    pod: &Value,
    (own, spec): (&Container, &Value),
    lived: (Timestamp, Timestamp),
) -> Done<Option<Vec<(Timestamp, String)>>> {
    let Some(words) = process::words(own) else { return Ok(None) };
    let mut all: BTreeMap<String, String> = exec::variables(kube, pod, spec)?.into_iter().collect();
    let words = words.iter().map(|word| env::expand(word, |name| all.get(name).cloned())).collect();
    for (name, value) in [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOSTNAME", name(pod)),
        ("HOME", "/root"),
    ] {
        all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    Ok(crate::container::lines(words, &all, lived))
}
