//! Which network disks are written into a pod itself?
//!
//! Not by way of a claim: the older kinds that must not be attached twice, unless by pods that only read.
//! Source: `isVolumeConflict` of `volumerestrictions`, 1.34.

use api::k8s::core::v1::{PodSpec, Volume};

/// A network disk of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its kind and name, such as `awsElasticBlockStore vol-1`.
    pub name: String,
    /// Where several name the same disk, one in common is enough.
    monitors: Vec<String>,
    read_only: bool,
}

impl Disk {
    /// The disks of a pod, in the order of its volumes.
    #[must_use]
    pub fn of(spec: &PodSpec) -> Vec<Disk> {
        spec.volumes.iter().flatten().filter_map(disk).collect()
    }

    /// Whether two pods cannot have these on one node.
    #[must_use]
    pub fn conflicts(&self, other: &Disk) -> bool {
        let common = self.monitors.is_empty() || self.monitors.iter().any(|it| other.monitors.contains(it));
        self.name == other.name && common && !(self.read_only && other.read_only)
    }
}

fn disk(volume: &Volume) -> Option<Disk> {
    let disk = |name: String, read_only: Option<bool>| Disk {
        name,
        monitors: Vec::new(),
        read_only: read_only == Some(true),
    };
    if let Some(it) = &volume.gce_persistent_disk {
        return Some(disk(format!("gcePersistentDisk {}", it.pd_name), it.read_only));
    }
    if let Some(it) = &volume.aws_elastic_block_store {
        // UPSTREAM: an EBS volume conflicts with itself even where all only read.
        return Some(disk(format!("awsElasticBlockStore {}", it.volume_id), None));
    }
    if let Some(it) = &volume.iscsi {
        return Some(disk(format!("iscsi {}", it.iqn), it.read_only));
    }
    let it = volume.rbd.as_ref()?;
    let name = format!("rbd {}/{}", it.pool.as_deref().unwrap_or("rbd"), it.image);
    Some(Disk { monitors: it.monitors.clone(), ..disk(name, it.read_only) })
}
