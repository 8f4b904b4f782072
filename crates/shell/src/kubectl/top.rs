//! `kubectl top`.
//!
//! What pods and nodes use, as the cluster's metrics server measures it; without one there is no answer.
//! Source: kubectl `pkg/cmd/top`, `pkg/metricsutil/metrics_printer.go`.

use api::{Kind, k8s::core::v1::Pod, quantity::Quantity};
use cluster::metrics::{self, Usage};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    client::Selection,
    field::{name, text},
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let Some((word, names)) = args.split_first() else {
        return Err(Fail::Exit(1));
    };
    let what = match word.as_str() {
        "node" => "node",
        "pod" => "pod",
        other => {
            return Fail::error(format!(
                "unknown command {other:?}\nSee 'kubectl top -h' for help and examples"
            ));
        }
    };
    if names.len() > 1 {
        return Fail::error(format!(
            "{what} [NAME | -l label]\nSee 'kubectl top {what} -h' for help and examples"
        ));
    }
    if kube.given.value("sort-by").is_some_and(|by| !matches!(by, "cpu" | "memory" | "")) {
        return Fail::error("--sort-by accepts only cpu or memory");
    }
    if !names.is_empty() && kube.given.has("selector") {
        return Fail::error("only one of NAME or --selector can be provided");
    }
    let cluster = kube.target()?.cluster;
    if !metrics::is_served(kube.shell.world.store(), cluster) {
        return Fail::error("Metrics API not available");
    }
    let name = names.first().map(String::as_str);
    if what == "node" { nodes(kube, name) } else { pods(kube, name) }
}

fn selection(kube: &Kube<'_, '_>) -> Selection {
    let flag = |flag: &str| kube.given.value(flag).unwrap_or_default().to_owned();
    Selection { labels: flag("selector"), fields: flag("field-selector") }
}

/// The metrics server is asked, not the API server: what it does not know is not there.
fn measured(kube: &mut Kube<'_, '_>, kind: Kind, namespace: &str, name: &str) -> Done<Value> {
    kube.get(kind, namespace, name)
        .map_err(|fail| if fail.is_not_found() { unmeasured(kind, namespace, name) } else { fail })
}

fn unmeasured(kind: Kind, namespace: &str, name: &str) -> Fail {
    let (what, name) = match kind {
        Kind::Pod => ("podmetrics", format!("{namespace}/{name}")),
        _ => ("nodemetrics", name.to_owned()),
    };
    Fail::Plain(format!("Error from server (NotFound): {what}.metrics.k8s.io {name:?} not found"))
}

/// A line of the table before its numbers are written: the words it begins with, thousandths of a CPU, bytes.
type Row = (Vec<String>, i64, i64);

fn by_usage(kube: &Kube<'_, '_>, rows: &mut [Row]) {
    match kube.given.value("sort-by") {
        Some("cpu") => rows.sort_by_key(|row| std::cmp::Reverse(row.1)),
        Some("memory") => rows.sort_by_key(|row| std::cmp::Reverse(row.2)),
        _ => {}
    }
}

fn amounts(cpu: i64, memory: i64) -> [String; 2] {
    [format!("{cpu}m"), format!("{}Mi", memory >> 20)]
}

fn pods(kube: &mut Kube<'_, '_>, only: Option<&str>) -> Done {
    let everywhere = kube.given.has("all-namespaces");
    let namespace = if everywhere { String::new() } else { kube.namespace()? };
    let found = match only {
        Some(name) => vec![measured(kube, Kind::Pod, &namespace, name)?],
        None => {
            let selection = selection(kube);
            kube.list(Kind::Pod, &namespace, &selection)?
        }
    };
    let cluster = kube.target()?.cluster;
    let of = |pod: &Value| -> Option<Vec<Usage>> {
        let world = &*kube.shell.world;
        let pod = world.store().get::<Pod>(cluster, text(pod, "metadata.namespace"), name(pod))?;
        metrics::of_pod(world, cluster, pod)
    };
    let known: Vec<(&Value, Vec<Usage>)> = found.iter().filter_map(|pod| Some((pod, of(pod)?))).collect();
    if known.is_empty() {
        if let Some(name) = only {
            return Err(unmeasured(Kind::Pod, &namespace, name));
        }
        if found.is_empty() {
            let place = if everywhere { String::new() } else { format!(" in {namespace} namespace.") };
            kube.out.err(&format!("No resources found{place}"));
            return Ok(());
        }
        return Fail::error("metrics not available yet");
    }
    let apart = kube.given.has("containers");
    let mut rows: Vec<Row> = Vec::new();
    for (pod, usage) in &known {
        let lead = |rest: &[&str]| {
            let space = everywhere.then(|| text(pod, "metadata.namespace").to_owned());
            space.into_iter().chain(rest.iter().map(|word| (*word).to_owned())).collect()
        };
        if apart {
            let each = usage.iter().map(|it| (lead(&[name(pod), &it.container]), it.cpu, it.memory));
            rows.extend(each);
        } else {
            let sum = |of: fn(&Usage) -> i64| usage.iter().map(of).sum();
            rows.push((lead(&[name(pod)]), sum(|it| it.cpu), sum(|it| it.memory)));
        }
    }
    by_usage(kube, &mut rows);
    let mut head: Vec<&str> = if everywhere { vec!["NAMESPACE"] } else { Vec::new() };
    head.extend(if apart { &["POD", "NAME"][..] } else { &["NAME"][..] });
    let leading = head.len();
    head.extend(["CPU(cores)", "MEMORY(bytes)"]);
    let mut lines = vec![head.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    if kube.given.has("no-headers") {
        lines.clear();
    }
    let total = rows.iter().fold((0, 0), |(cpu, memory), row| (cpu + row.1, memory + row.2));
    lines.extend(rows.into_iter().map(|(lead, cpu, memory)| [lead, amounts(cpu, memory).to_vec()].concat()));
    if kube.given.has("sum") {
        let blank = vec![String::new(); leading];
        let rule = "________".to_owned();
        lines.push([blank.clone(), vec![rule.clone(), rule]].concat());
        lines.push([blank, amounts(total.0, total.1).to_vec()].concat());
    }
    print(kube, &lines);
    Ok(())
}

fn nodes(kube: &mut Kube<'_, '_>, only: Option<&str>) -> Done {
    let found = match only {
        Some(name) => vec![measured(kube, Kind::Node, "", name)?],
        None => {
            let selection = selection(kube);
            kube.list(Kind::Node, "", &selection)?
        }
    };
    if found.is_empty() {
        kube.out.err("No resources found");
        return Ok(());
    }
    let cluster = kube.target()?.cluster;
    let capacity = if kube.given.has("show-capacity") { "status.capacity" } else { "status.allocatable" };
    let mut rows: Vec<(Row, [i64; 2])> = Vec::new();
    for node in &found {
        let offer = |resource: &str| {
            let amount = Quantity::parse(text(node, &format!("{capacity}.{resource}"))).ok();
            amount.unwrap_or(Quantity::ZERO)
        };
        let (cpu, memory) = metrics::of_node(kube.shell.world, cluster, name(node));
        let share = |used: i64, all: i64| if all == 0 { 0 } else { used.saturating_mul(100) / all };
        let shares = [share(cpu, offer("cpu").milli_value()), share(memory, offer("memory").value())];
        rows.push(((vec![name(node).to_owned()], cpu, memory), shares));
    }
    match kube.given.value("sort-by") {
        Some("cpu") => rows.sort_by_key(|row| std::cmp::Reverse(row.0.1)),
        Some("memory") => rows.sort_by_key(|row| std::cmp::Reverse(row.0.2)),
        _ => {}
    }
    let head = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"];
    let mut lines: Vec<Vec<String>> = vec![head.iter().map(|word| (*word).to_owned()).collect()];
    if kube.given.has("no-headers") {
        lines.clear();
    }
    for ((lead, cpu, memory), [of_cpu, of_memory]) in rows {
        let [cpu, memory] = amounts(cpu, memory);
        lines.push([lead, vec![cpu, format!("{of_cpu}%"), memory, format!("{of_memory}%")]].concat());
    }
    print(kube, &lines);
    Ok(())
}

/// UPSTREAM: every cell is padded, the last of a line too.
fn print(kube: &mut Kube<'_, '_>, lines: &[Vec<String>]) {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        (0..columns).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    for line in lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}   "));
        kube.out.line(&padded.collect::<String>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_thousandths_and_whole_mebibytes() {
        assert_eq!(amounts(5, (30 << 20) + 900_000), ["5m", "30Mi"]);
    }
}
