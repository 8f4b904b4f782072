//! What does a path say? The lead, a title and a line for each hop, and a sentence for each blocker.

use network::{HopKind, Rule};

use super::{Lang, en, ko};
use crate::view::path::{PathHop, PathRow, PathView, Verdict};

/// The one sentence above the list.
#[must_use]
pub fn lead(lang: Lang, view: &PathView) -> String {
    let first = view.rows.iter().find_map(|row| match row {
        PathRow::Blocker(code) => Some(blocker(lang, code)),
        PathRow::Hop(_) => None,
    });
    match (lang, view.verdict, first) {
        (_, _, Some(why)) => why,
        (Lang::Ko, Verdict::Reached | Verdict::Refused | Verdict::TimedOut, None) => {
            format!("{}홉을 모두 통과해 도착합니다.", view.passed)
        }
        (Lang::En, Verdict::Reached | Verdict::Refused | Verdict::TimedOut, None) => {
            format!("It arrives: all {} hops let it pass.", view.passed)
        }
    }
}

/// From where to where: `laptop → api:443`.
#[must_use]
pub fn ends(view: &PathView) -> String {
    let name = |end: &str| {
        let bare = end.split_once(':').map_or(end, |(_, name)| name);
        bare.strip_prefix("default/").unwrap_or(bare).to_owned()
    };
    format!("{} → {}:{}", name(&view.from), name(&view.to), view.port)
}

/// Whether it arrived, in two or three words.
#[must_use]
pub fn verdict(lang: Lang, view: &PathView) -> String {
    match (lang, view.verdict) {
        (Lang::Ko, Verdict::Reached) => format!("{}홉 모두 통과", view.passed),
        (Lang::Ko, Verdict::Refused) => format!("{}홉 뒤 거절", view.passed),
        (Lang::Ko, Verdict::TimedOut) => format!("{}홉 뒤 응답 없음", view.passed),
        (Lang::En, Verdict::Reached) => format!("all {} hops pass", view.passed),
        (Lang::En, Verdict::Refused) => format!("refused after {} hops", view.passed),
        (Lang::En, Verdict::TimedOut) => format!("no answer after {} hops", view.passed),
    }
}

/// What a hop is, with its name.
#[must_use]
pub fn title(lang: Lang, hop: &PathHop) -> String {
    let word = lang.pick(ko::path::hop as fn(HopKind) -> &'static str, en::path::hop)(hop.kind);
    let name = match hop.kind {
        HopKind::Pod | HopKind::Veth => hop.component.strip_prefix("default/").unwrap_or(&hop.component),
        HopKind::PolicyEgress | HopKind::PolicyIngress | HopKind::Dns | HopKind::Dnat => "",
        _ => hop.component.as_str(),
    };
    if name.is_empty() { word.to_owned() } else { format!("{word} {name}") }
}

/// What decided, in figures that can be compared.
#[must_use]
pub fn rule(lang: Lang, hop: &PathHop) -> String {
    let packet = hop.packet;
    match &hop.rule {
        Rule::Passage => format!("{} → {}:{}", packet.src, packet.dst, packet.port),
        Rule::SecurityGroup { group, rule } => {
            let ports = match (rule.from, rule.to) {
                (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
                (Some(port), _) => port.to_string(),
                (None, _) => lang.pick("전체", "all").to_owned(),
            };
            let arrow = if hop.kind == HopKind::SgOut { "→" } else { "←" };
            format!("{group}: {ports} {arrow} {} {}", rule.peer, lang.pick("허용", "allowed"))
        }
        Rule::Nacl { number } => {
            let number = number.map_or_else(|| "*".to_owned(), |n| n.to_string());
            format!("{} {number}", lang.pick("규칙", "rule"))
        }
        Rule::Route { destination, target } if destination == target => {
            format!("VPC → {target}")
        }
        Rule::Route { destination, target } => format!("{destination} → {target}"),
        Rule::Policies(names) => names.join(", "),
        Rule::OneOf(count) => match lang {
            Lang::Ko => format!("엔드포인트 {count}개, 각 1/{count}"),
            Lang::En => format!("{count} endpoints, 1/{count} each"),
        },
        Rule::Rewrote(before) if hop.kind == HopKind::Dnat => format!("{before} → {}", hop.component),
        Rule::Rewrote(before) => format!("{before} → {}", packet.src),
        Rule::Answers(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Rule::IpRule { priority, table } => format!("ip rule {priority}: to {} → {table}", packet.dst),
        Rule::PublicCidr(cidr) => format!("publicAccessCidrs {cidr} ∋ {}", packet.src),
    }
}

/// Why it stops, as one sentence that names one component.
#[must_use]
pub fn blocker(lang: Lang, code: &str) -> String {
    let parts: Vec<&str> = code.split(':').collect();
    match lang {
        Lang::Ko => ko::path::blocker(&parts),
        Lang::En => en::path::blocker(&parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blocker_of_the_grammar_has_a_sentence_in_both_languages() {
        for code in [
            "sg:out:eni-1",
            "sg:in:eni-1",
            "nacl:in:acl-1:*",
            "nacl:return-out:acl-1:100",
            "route:none:rtb-1:10.0.0.1",
            "route:blackhole:rtb-1:0.0.0.0/0",
            "route:subnet-not-public:subnet-1",
            "route:nat-no-igw:rtb-1",
            "igw:no-public-ip:10.0.0.1",
            "igw:private-destination:10.0.0.1",
            "nat:failed:nat-1",
            "gateway:no-remote:pcx-1",
            "return-route:none:pcx-1:10.0.0.1",
            "svc:no-port:default/web:81",
            "svc:no-endpoints:default/web",
            "svc:named-port-missing:default/web-1:http",
            "itp-local:no-local-endpoint:default/web",
            "etp-local:no-local-endpoint:node-a:default/web",
            "clusterip:outside-cluster:172.20.0.9",
            "policy:ingress:default/web:deny",
            "pod:refused:default/web:81",
            "external:refused:site:81",
            "api:cidr-not-allowed:203.0.113.7",
            "api:private-unreachable-from-internet",
            "api:public-disabled",
            "lb:no-healthy-targets:default/web",
            "dns:no-records:default/web",
        ] {
            for lang in [Lang::Ko, Lang::En] {
                let said = blocker(lang, code);
                assert!(!said.contains(code), "{code} has no sentence of its own: {said}");
            }
        }
    }
}
