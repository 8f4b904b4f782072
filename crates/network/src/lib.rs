//! Where does a packet go, and who drops it?
//!
//! [`trace`] walks one connection attempt through a [`Network`]: name, policy, ENI, security group, NACL, route,
//! gateway, kube-proxy, process. Pure: it does not know about a store or about time, and the order of lists in its
//! input changes nothing but the order of equals.
//! Source: the rules of reachability recorded with the path cases; AWS and Kubernetes documents named in the modules.
//!
//! ```
//! let network = network::Network::default();
//! let probe = network::Probe { from: "ext:laptop".into(), to: "api".into(), port: 443, ..Default::default() };
//! assert!(!network::trace(&network, &probe).reachable());
//! ```

pub mod dns;
mod fix;
pub mod iptables;
pub mod kube_proxy;
pub mod matrix;
pub mod nacl;
pub mod network;
mod owner;
pub mod policy;
pub mod route;
pub mod security_group;
mod trace;
mod walk;

pub use fix::{Edit, Fix, Peer, policy_peer, smallest_fixes};
pub use network::Network;
pub use trace::{Backend, Blocker, Hop, HopKind, Packet, Probe, Rule, Trace, Verdict};
pub use walk::trace;
