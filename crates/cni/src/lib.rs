//! Which address, from which ENI, and what to ask EC2 for next?
//!
//! The arithmetic of pod addresses on a node: what an instance type allows ([`limits`], [`max_pods`],
//! [`kube_reserved`]), what a subnet has left ([`subnet`], [`split`]), which address a sandbox gets ([`assign`]) and
//! which moves keep a node's pool at its targets ([`plan`]). Pure functions over [`IpPool`]: this crate does not know
//! about pods' lives, about the store, or about who carries a move out.
//!
//! Source: amazon-vpc-cni-k8s at b521883 (v1.23.1); amazon-eks-ami (nodeadm); eksctl for [`split`].
//!
//! ```
//! let small = cni::limits::of("t3.small").expect("a type of the table");
//! assert_eq!(cni::max_pods::formula(small.enis, small.ipv4_per_eni), 11);
//! ```

pub mod discovery;
pub mod karpenter;
pub mod kube_reserved;
pub mod limits;
pub mod max_pods;
pub mod settings;
pub mod split;
pub mod subnet;

mod assign;
mod plan;
mod pool;
mod targets;

pub use api::kinds::cni::{IpPool, PoolAddress, PoolBlock, PoolEni, PoolMode};
pub use assign::{COOLDOWN, NoAddress, SandboxId, assign, holder, release};
pub use plan::{Arithmetic, Attempt, Move, PoolPlan, Why, changes_at, plan};
pub use pool::{PoolFigures, add_block, add_eni, figures, remove_block};
pub use targets::{EniLimits, WarmTargets};
