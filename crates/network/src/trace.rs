//! What does a trace say?
//!
//! Hops in travel order, each with the packet as it enters it and the rule that decided; every blocker, the first one
//! being the verdict. Hops after the first blocker are ghosts: where the packet would go if it were lifted.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::network::SecurityRule;

/// A question: can this reach that?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// `pod:ns/name`, `node:N`, `host:N`, `ext:N` or `cp`.
    pub from: String,
    /// `pod:`, `svc:`, `ip:`, `ext:`, `aws:`, `api`, `pull`, `node:`, `nodeport:NODE/ns/svc` or `lb:ns/svc`.
    pub to: String,
    /// Destination port.
    #[serde(default)]
    pub port: u16,
    /// `TCP` or `UDP`.
    #[serde(default = "tcp")]
    pub proto: String,
    /// Which backend: `ns/name` or an address; default the first by name.
    pub pick: Option<String>,
    /// Which instance a load balancer picks.
    pub pick_node: Option<String>,
}

fn tcp() -> String {
    "TCP".to_owned()
}

/// A packet as it enters a hop. The client's source port is fixed: it matters for replies through NACLs only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Source as seen here.
    pub src: IpAddr,
    /// Destination as seen here.
    pub dst: IpAddr,
    /// Destination port as seen here.
    pub port: u16,
}

/// What a hop is. Written as in recorded cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the variants are the words of the recorded cases")]
pub enum HopKind {
    Pod,
    Veth,
    Node,
    PolicyEgress,
    PolicyIngress,
    KubeProxy,
    Dnat,
    Snat,
    Masq,
    Dns,
    Eni,
    SgOut,
    SgIn,
    NaclOut,
    NaclIn,
    Route,
    Nat,
    Igw,
    Pcx,
    Vgw,
    Tgw,
    Vpce,
    XEni,
    PublicEndpoint,
    ApiServer,
    Nlb,
    Alb,
    Clb,
    Target,
    External,
    Internet,
    Aws,
    Lo,
    Host,
}

impl HopKind {
    /// The word of the recorded cases, such as `sg-out`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Veth => "veth",
            Self::Node => "node",
            Self::PolicyEgress => "policy-egress",
            Self::PolicyIngress => "policy-ingress",
            Self::KubeProxy => "kube-proxy",
            Self::Dnat => "dnat",
            Self::Snat => "snat",
            Self::Masq => "masq",
            Self::Dns => "dns",
            Self::Eni => "eni",
            Self::SgOut => "sg-out",
            Self::SgIn => "sg-in",
            Self::NaclOut => "nacl-out",
            Self::NaclIn => "nacl-in",
            Self::Route => "route",
            Self::Nat => "nat",
            Self::Igw => "igw",
            Self::Pcx => "pcx",
            Self::Vgw => "vgw",
            Self::Tgw => "tgw",
            Self::Vpce => "vpce",
            Self::XEni => "x-eni",
            Self::PublicEndpoint => "public-endpoint",
            Self::ApiServer => "api-server",
            Self::Nlb => "nlb",
            Self::Alb => "alb",
            Self::Clb => "clb",
            Self::Target => "target",
            Self::External => "external",
            Self::Internet => "internet",
            Self::Aws => "aws",
            Self::Lo => "lo",
            Self::Host => "host",
        }
    }
}

/// The rule that decided at a hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Nothing to decide here.
    Passage,
    /// A rule of a security group matched.
    SecurityGroup {
        /// The group.
        group: String,
        /// The rule.
        rule: SecurityRule,
    },
    /// A rule of a network ACL matched; no number for `*`.
    Nacl {
        /// Its number.
        number: Option<u32>,
    },
    /// A route was the longest match.
    Route {
        /// Its destination.
        destination: String,
        /// Its target.
        target: String,
    },
    /// These policies isolate the pod, and one of their rules lets it pass.
    Policies(Vec<String>),
    /// kube-proxy chose one of so many backends.
    OneOf(u32),
    /// The address before it was rewritten.
    Rewrote(IpAddr),
    /// A name's answers.
    Answers(Vec<IpAddr>),
    /// The host's ip rule that matched: its priority and table.
    IpRule {
        /// Lower is asked first.
        priority: u32,
        /// Such as `main` or `2`.
        table: String,
    },
    /// The source is within the endpoint's allowed blocks.
    PublicCidr(String),
}

/// One place on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// What it is.
    pub kind: HopKind,
    /// Which one; empty where there is only one.
    pub component: String,
    /// The packet as it enters.
    pub packet: Packet,
    /// What decided.
    pub rule: Rule,
    /// Whether the packet never came here, because something before it blocked.
    pub ghost: bool,
}

impl std::fmt::Display for Hop {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.kind.word())?;
        if self.component.is_empty() { Ok(()) } else { write!(out, ":{}", self.component) }
    }
}

/// What stops it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// By the grammar of the recorded cases: `sg:in:<eni>`, `route:none:<table>:<address>` ….
    pub code: String,
    /// How many hops had been passed.
    pub after: usize,
    /// The packet as it was stopped.
    pub packet: Packet,
}

/// A possible backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backend {
    /// `ns/name`, for a pod.
    pub pod: Option<String>,
    /// Its address.
    pub ip: IpAddr,
    /// One in so many: kube-proxy gives each backend the same share.
    pub one_in: u32,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It arrived.
    Reached,
    /// Something said no at once.
    Refused,
    /// Nobody answers.
    TimedOut,
}

/// The whole answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// In travel order; ghosts at the end.
    pub hops: Vec<Hop>,
    /// Everything that stops it, in travel order; none = it arrives.
    pub blockers: Vec<Blocker>,
    /// Who else could have been picked, by the Service.
    pub backends: Vec<Backend>,
    /// What a headless Service's name answered.
    pub records: Vec<IpAddr>,
}

impl Trace {
    /// Whether it arrives.
    #[must_use]
    pub fn reachable(&self) -> bool {
        self.blockers.is_empty()
    }

    /// How it ends for the one who asked.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.reachable(), self.refused()) {
            (true, _) => Verdict::Reached,
            (false, true) => Verdict::Refused,
            (false, false) => Verdict::TimedOut,
        }
    }

    /// Whether the one who asked hears a "no" at once; otherwise it waits until it gives up.
    ///
    /// Source: reachability rules, "timeout or refusal".
    #[must_use]
    pub fn refused(&self) -> bool {
        self.blockers.first().is_some_and(|blocker| {
            ["pod:refused", "external:refused", "svc:no-endpoints"]
                .iter()
                .any(|code| blocker.code.starts_with(code))
        })
    }
}
