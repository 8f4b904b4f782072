//! Recorded paths, names and kube-proxy rules against the network crate.

use std::{collections::BTreeMap, net::IpAddr};

use network::{Network, Probe, dns, iptables, matrix, trace};
use serde_json::{Value, json};

use super::{Disagreement, Outcome};

/// One path, or one matrix of pods.
pub(crate) fn run(case: &Value) -> Vec<Outcome> {
    let id = case["id"].as_str().unwrap_or_default();
    let network: Network = match serde_json::from_value(case["world"].clone()) {
        Ok(network) => network,
        Err(why) => return vec![Err(differ(id, "world", &json!("readable"), &json!(why.to_string())))],
    };
    let (query, expect) = (&case["query"], &case["expect"]);
    if query["matrix"].is_array() {
        return vec![same(id, "rows", &expect["rows"], &rows(&network, query))];
    }
    let probe: Probe = match serde_json::from_value(query.clone()) {
        Ok(probe) => probe,
        Err(why) => return vec![Err(differ(id, "query", query, &json!(why.to_string())))],
    };
    let found = trace(&network, &probe);
    let hops: Vec<String> = found.hops.iter().filter(|hop| !hop.ghost).map(ToString::to_string).collect();
    let backends: Vec<Value> = found
        .backends
        .iter()
        .map(|backend| {
            let p = (10_000.0 / f64::from(backend.one_in)).round() / 10_000.0;
            match &backend.pod {
                Some(pod) => json!({"pod": pod, "p": p}),
                None => json!({"ip": backend.ip, "p": p}),
            }
        })
        .collect();
    let first = found.blockers.first().map(|blocker| blocker.code.clone());
    let fields = [
        ("reachable", json!(found.reachable())),
        ("blocked_by", json!(first)),
        ("hops", json!(hops)),
        ("backends", json!(backends)),
        ("records", json!(found.records)),
    ];
    let wrong = fields.iter().find_map(|(field, got)| {
        let wanted = expect.get(*field)?;
        same(id, field, wanted, got).err()
    });
    vec![wrong.map_or(Ok(()), Err)]
}

fn rows(network: &Network, query: &Value) -> Value {
    let names: Vec<String> = serde_json::from_value(query["matrix"].clone()).unwrap_or_default();
    let port = query["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let proto = query["proto"].as_str().unwrap_or("TCP");
    let reached = matrix::pods(network, &names, port, proto);
    let row = |cells: &Vec<bool>| cells.iter().map(|ok| if *ok { '.' } else { 'X' }).collect::<String>();
    json!(names.iter().zip(&reached).map(|(name, cells)| (name, row(cells))).collect::<BTreeMap<_, _>>())
}

/// One name, resolved.
pub(crate) fn run_dns(case: &Value) -> Vec<Outcome> {
    let id = case["id"].as_str().unwrap_or_default();
    let resolv = serde_json::from_value::<dns::Resolv>(case["resolv"].clone());
    let zones = serde_json::from_value::<BTreeMap<String, Vec<IpAddr>>>(case["zones"].clone());
    let (Ok(resolv), Ok(zones)) = (resolv, zones) else {
        return vec![Err(differ(id, "case", &json!("readable"), &Value::Null))];
    };
    // The recorder's VPC is 10.20.0.0/16; its resolver is at the base address plus two.
    let found = dns::resolve(&resolv, case["name"].as_str().unwrap_or_default(), &zones, "10.20.0.2");
    let queries: Vec<Value> = found
        .queries
        .iter()
        .map(|q| json!([q.name, "A", if q.found { "NOERROR" } else { "NXDOMAIN" }, q.answered_by]))
        .collect();
    let fields = [
        ("queries", json!(queries)),
        ("answer", json!(found.answer)),
        ("packets_with_aaaa", json!(found.queries.len() * 2)),
    ];
    let wrong = fields.iter().find_map(|(field, got)| same(id, field, &case[*field], got).err());
    vec![wrong.map_or(Ok(()), Err)]
}

/// One Service's rules, or one of the two tables of names and chances.
pub(crate) fn run_iptables(case: &Value) -> Vec<Outcome> {
    let id = case["id"].as_str().unwrap_or_default();
    if let Some(cases) = case["cases"].as_object() {
        let got: BTreeMap<&String, String> = cases
            .keys()
            .map(|key| {
                let (namespace, name) = key.split_once('.').unwrap_or_default();
                (key, iptables::veth(namespace, name))
            })
            .collect();
        return vec![same(id, "cases", &case["cases"], &json!(got))];
    }
    if let Some(table) = case["n_remaining->iptables-save text"].as_object() {
        let got: BTreeMap<&String, String> =
            table.keys().map(|n| (n, n.parse().map(iptables::probability).unwrap_or_default())).collect();
        return vec![same(id, "table", &json!(table), &json!(got))];
    }
    let service = &case["service"];
    let text = |field: &str| service[field].as_str().unwrap_or_default().to_owned();
    let number = |field: &str| service[field].as_u64().and_then(|n| u16::try_from(n).ok());
    let list = |field: &str| serde_json::from_value::<Vec<String>>(service[field].clone()).ok();
    let mut name = format!("{}/{}", text("ns"), text("name"));
    if !text("pname").is_empty() {
        name = format!("{name}:{}", text("pname"));
    }
    let rules = iptables::rules(&iptables::ServiceRules {
        name,
        proto: text("proto"),
        cluster_ip: text("cip"),
        port: number("port").unwrap_or_default(),
        node_port: number("nodeport"),
        endpoints: list("eps").unwrap_or_default(),
        local: list("local").unwrap_or_default(),
        external_local: text("etp") == "Local",
        ..iptables::ServiceRules::default()
    });
    vec![same(id, "rules", &case["rules"], &json!(rules))]
}

fn same(id: &str, at: &str, wanted: &Value, got: &Value) -> Outcome {
    if wanted == got { Ok(()) } else { Err(differ(id, at, wanted, got)) }
}

fn differ(id: &str, at: &str, wanted: &Value, got: &Value) -> Disagreement {
    Disagreement { id: id.to_owned(), at: at.to_owned(), wanted: wanted.to_string(), got: got.to_string() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn all_agree(file: &str, run: fn(&Value) -> Vec<Outcome>) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/paths").join(file);
        let cases = super::super::documents(&file).expect("the recorded cases");
        let differ: Vec<_> = cases.iter().flat_map(run).filter_map(Result::err).collect();
        assert!(!cases.is_empty());
        assert_eq!(differ, []);
    }

    #[test]
    fn recorded_paths_agree() {
        all_agree("open.jsonl.gz", run);
    }

    #[test]
    fn recorded_names_agree() {
        all_agree("dns.jsonl.gz", run_dns);
    }

    #[test]
    fn recorded_rules_agree() {
        all_agree("iptables.jsonl.gz", run_iptables);
    }
}
