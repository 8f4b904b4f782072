//! `describe networkpolicy`.

use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    age,
    field::{at, list, selector, text, word},
};

/// Rules stand four blanks in.
const INDENT: usize = 2;

pub(super) fn network_policy(o: &Value) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    w.line(0, format!("Created on:\t{}", age::plain(text(o, "metadata.creationTimestamp"))));
    template::marks(&mut w, o);
    w.line(0, "Spec:");
    let pods = selector(at(o, "spec.podSelector"), "");
    if pods.is_empty() {
        w.line(1, "PodSelector:     <none> (Allowing the specific traffic to all pods in this namespace)");
    } else {
        w.line(1, format!("PodSelector:     {pods}"));
    }
    let types: Vec<String> = list(o, "spec.policyTypes").iter().map(word).collect();
    for (kind, way) in [("Ingress", &INGRESS), ("Egress", &EGRESS)] {
        if types.iter().any(|t| t == kind) {
            w.line(1, format!("Allowing {} traffic:", way.name));
            rules(&mut w, list(at(o, "spec"), way.name), way);
        } else {
            w.line(1, format!("Not affecting {} traffic", way.name));
        }
    }
    let types = if types.is_empty() { "<none>".to_owned() } else { types.join(", ") };
    w.line(1, format!("Policy Types: {types}"));
    template::close(w, None)
}

/// What differs between the two directions.
struct Way {
    name: &'static str,
    peers: &'static str,
    title: &'static str,
    any: &'static str,
}

const INGRESS: Way =
    Way { name: "ingress", peers: "from", title: "From", any: "traffic not restricted by source" };
const EGRESS: Way =
    Way { name: "egress", peers: "to", title: "To", any: "traffic not restricted by destination" };

fn rules(w: &mut Writer, rules: &[Value], way: &Way) {
    if rules.is_empty() {
        w.line(INDENT, format!("<none> (Selected pods are isolated for {} connectivity)", way.name));
    }
    for (i, rule) in rules.iter().enumerate() {
        if i > 0 {
            w.line(INDENT, "----------");
        }
        ports(w, list(rule, "ports"));
        let peers = list(rule, way.peers);
        if peers.is_empty() {
            w.line(INDENT, format!("{}: <any> ({})", way.title, way.any));
        }
        for peer in peers {
            w.line(INDENT, format!("{}:", way.title));
            for (title, field) in [("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")]
            {
                if !at(peer, field).is_null() {
                    w.line(INDENT + 1, format!("{title}: {}", selector(at(peer, field), "<none>")));
                }
            }
            let block = at(peer, "ipBlock");
            if !block.is_null() {
                w.line(INDENT + 1, "IPBlock:");
                w.line(INDENT + 2, format!("CIDR: {}", text(block, "cidr")));
                let except: Vec<String> = list(block, "except").iter().map(word).collect();
                w.line(INDENT + 2, format!("Except: {}", except.join(", ")));
            }
        }
    }
}

fn ports(w: &mut Writer, ports: &[Value]) {
    if ports.is_empty() {
        w.line(INDENT, "To Port: <any> (traffic allowed to all ports)");
    }
    for port in ports {
        let protocol = match text(port, "protocol") {
            "" => "TCP",
            protocol => protocol,
        };
        let number = match at(port, "port") {
            Value::Null => "<nil>".to_owned(),
            number => word(number),
        };
        match at(port, "endPort").as_i64() {
            None => w.line(INDENT, format!("To Port: {number}/{protocol}")),
            Some(end) => w.line(INDENT, format!("To Port Range: {number}-{end}/{protocol}")),
        }
    }
}
