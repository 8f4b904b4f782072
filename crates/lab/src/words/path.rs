//! What does a path say? The lead, a title and a line for each hop, and a sentence for each blocker.

use std::collections::BTreeMap;

use network::{Edit, HopKind, Peer, Rule};

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
        Rule::OneOf(0) => lang.pick("엔드포인트 없음", "no endpoints").to_owned(),
        Rule::OneOf(count) => match lang {
            Lang::Ko => format!("엔드포인트 {count}개, 각 1/{count}"),
            Lang::En => format!("{count} endpoints, 1/{count} each"),
        },
        Rule::Rewrote(_) => {
            rewriting(hop).map_or_else(String::new, |(before, after)| format!("{before} → {after}"))
        }
        Rule::Answers(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Rule::IpRule { priority, table } => format!("ip rule {priority}: to {} → {table}", packet.dst),
        Rule::PublicCidr(cidr) => format!("publicAccessCidrs {cidr} ∋ {}", packet.src),
    }
}

/// What an address was and what it becomes, where a hop rewrites one.
#[must_use]
pub fn rewriting(hop: &PathHop) -> Option<(String, String)> {
    let Rule::Rewrote(before) = hop.rule else { return None };
    let after = if hop.kind == HopKind::Dnat { hop.component.clone() } else { hop.packet.src.to_string() };
    Some((before.to_string(), after))
}

/// Opens the rules of kube-proxy that a packet meets: so many.
#[must_use]
pub fn rules(lang: Lang, count: usize) -> String {
    match lang {
        Lang::Ko => format!("만나는 iptables 규칙 {count}개"),
        Lang::En => format!("{count} iptables rules on the way"),
    }
}

/// Whether a rule took the packet.
#[must_use]
pub fn step(lang: Lang, taken: bool) -> &'static str {
    if taken { lang.pick("맞음", "matches") } else { lang.pick("지나침", "passed by") }
}

/// Opens the table of who reaches whom.
#[must_use]
pub fn matrix(lang: Lang) -> &'static str {
    lang.pick("누가 누구에게 닿나요?", "Who reaches whom?")
}

/// Chooses everything as the ends of that table.
#[must_use]
pub fn whole_vpc(lang: Lang) -> &'static str {
    lang.pick("VPC 전체", "the whole VPC")
}

/// Nobody is there to be asked about.
#[must_use]
pub fn nobody(lang: Lang) -> &'static str {
    lang.pick("주소가 있는 파드가 아직 없습니다.", "No pod has an address yet.")
}

/// More ends than the table shows: so many are shown, of so many.
#[must_use]
pub fn cut(lang: Lang, shown: usize, of: usize) -> String {
    match lang {
        Lang::Ko => format!("{of}개 가운데 {shown}개만 보입니다. 나머지는 lab matrix로 볼 수 있습니다."),
        Lang::En => format!("{shown} of {of} are shown; lab matrix prints them all."),
    }
}

/// How one asking another ended.
#[must_use]
pub fn ended(lang: Lang, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => lang.pick("닿음", "reached"),
        Verdict::Refused => lang.pick("거절", "refused"),
        Verdict::TimedOut => lang.pick("응답 없음", "no answer"),
    }
}

/// Heads the smallest changes.
#[must_use]
pub fn fixes(lang: Lang) -> &'static str {
    lang.pick("이렇게 바꾸면 통과합니다", "This would let it through")
}

/// Opens the form of another path.
#[must_use]
pub fn another(lang: Lang) -> &'static str {
    lang.pick("다른 경로 따라가기", "Follow another path")
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

/// A change that lets a packet through, in a few words.
#[must_use]
pub fn edit(lang: Lang, edit: &Edit) -> String {
    match lang {
        Lang::Ko => ko::path::edit(edit),
        Lang::En => en::path::edit(edit),
    }
}

/// Nothing small helps.
#[must_use]
pub fn no_fix(lang: Lang) -> &'static str {
    lang.pick(
        "작은 변경으로는 통과시킬 수 없습니다. 듣는 프로세스가 없거나, 없는 이름이거나, 다른 사람의 네트워크가 막고 있습니다.",
        "No small change lets it through: nothing listens there, the name means nothing, or somebody else's network refuses.",
    )
}

/// Part of a fix has no command.
#[must_use]
pub fn elsewhere(lang: Lang) -> &'static str {
    lang.pick(
        "일부는 여기서 입력할 명령이 없습니다. 상대 네트워크를 맡은 사람이 바꿔야 합니다.",
        "Part of it has no command here: whoever runs the other network has to change it.",
    )
}

/// `443`, `1024-65535`; none for every port.
pub(super) fn ports(from: Option<u16>, to: Option<u16>) -> Option<String> {
    match (from, to) {
        (Some(first), Some(last)) if first != last => Some(format!("{first}-{last}")),
        (first, _) => first.map(|port| port.to_string()),
    }
}

/// `shop/app=cart`, or a block.
pub(super) fn peer(peer: &Peer) -> String {
    match peer {
        Peer::Pods { namespace, labels } => format!("{namespace}/{}", pairs(labels)),
        Peer::Block(block) => block.to_string(),
    }
}

/// `app=web,tier=front`.
pub(super) fn pairs(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
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
