//! How big is the micro-VM of a Fargate pod, and which profile is it of?
//!
//! Pure rules for the admission webhook and the `fargate-scheduler`. Source: the EKS user guide (Fargate pod
//! configuration, Fargate profiles); facts/fargate.md.

use std::collections::BTreeMap;

/// Memory that the micro-VM keeps for kubelet, kube-proxy and containerd, in MiB.
pub const OVERHEAD_MIB: u64 = 256;

/// vCPU in thousandths; least and most memory in MiB; the step between.
const SIZES: [(u64, u64, u64, u64); 7] = [
    (250, 512, 2048, 512),
    (500, 1024, 4096, 1024),
    (1000, 2048, 8192, 1024),
    (2000, 4096, 16_384, 1024),
    (4000, 8192, 30_720, 1024),
    (8000, 16_384, 61_440, 4096),
    (16_000, 32_768, 122_880, 8192),
];

/// CPU in thousandths and memory in MiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Thousandths of a vCPU.
    pub cpu_milli: u64,
    /// MiB.
    pub memory_mib: u64,
}

/// What a pod asks for: all its containers together, or its largest init container.
#[must_use]
pub fn requested(containers: &[Size], init: &[Size]) -> Size {
    let most = |of: fn(&Size) -> u64| init.iter().map(of).max().unwrap_or(0);
    let sum = |of: fn(&Size) -> u64| containers.iter().map(of).sum::<u64>();
    Size {
        cpu_milli: sum(|s| s.cpu_milli).max(most(|s| s.cpu_milli)),
        memory_mib: sum(|s| s.memory_mib).max(most(|s| s.memory_mib)),
    }
}

/// The smallest micro-VM that has what a pod asks for and the overhead; `None` if there is none.
#[must_use]
pub fn size(requested: Size) -> Option<Size> {
    let memory = requested.memory_mib + OVERHEAD_MIB;
    SIZES.iter().find_map(|&(cpu_milli, least, most, step)| {
        // The smallest has half a gigabyte, then whole ones.
        let mut offered = (0..).map(|n| least + n * step).take_while(|offer| *offer <= most);
        let fits = cpu_milli >= requested.cpu_milli;
        let memory_mib = offered.find(|offer| *offer >= memory && (*offer != 1536 || cpu_milli != 250))?;
        fits.then_some(Size { cpu_milli, memory_mib })
    })
}

impl Size {
    /// As the annotation `CapacityProvisioned` says it: `0.25vCPU 0.5GB`.
    #[must_use]
    pub fn annotation(self) -> String {
        format!("{}vCPU {}GB", self.cpu_milli as f64 / 1000.0, self.memory_mib as f64 / 1024.0)
    }
}

/// One selector of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// A namespace, with `*` and `?`.
    pub namespace: String,
    /// Labels, keys and values with `*` and `?`.
    pub labels: BTreeMap<String, String>,
}

impl Selector {
    /// Whether a pod of `namespace` with `labels` is meant: the namespace and every label.
    #[must_use]
    pub fn matches(&self, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
        glob(&self.namespace, namespace)
            && self
                .labels
                .iter()
                .all(|(key, value)| labels.iter().any(|(k, v)| glob(key, k) && glob(value, v)))
    }
}

/// Label by which a pod names its profile.
pub const PROFILE_LABEL: &str = "eks.amazonaws.com/fargate-profile";

/// The profiles that a pod matches, by name; the first one takes it, or the one that its label names.
#[must_use]
pub fn matching<'p>(
    profiles: &'p BTreeMap<String, Vec<Selector>>,
    namespace: &str,
    labels: &BTreeMap<String, String>,
) -> (Vec<&'p str>, Option<&'p str>) {
    let names: Vec<&str> = profiles
        .iter()
        .filter(|(_, selectors)| selectors.iter().any(|selector| selector.matches(namespace, labels)))
        .map(|(name, _)| name.as_str())
        .collect();
    let chosen = match labels.get(PROFILE_LABEL) {
        Some(named) => names.iter().copied().find(|name| name == named),
        None => names.first().copied(),
    };
    (names, chosen)
}

/// `*` stands for any letters, `?` for exactly one.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(rest, &text[at..]))
        }
        Some(letter) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|c| letter == '?' || c == letter)
                && glob(&pattern[letter.len_utf8()..], letters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cpu_milli: u64, memory_mib: u64) -> Option<String> {
        size(Size { cpu_milli, memory_mib }).map(Size::annotation)
    }

    #[test]
    fn memory_is_rounded_up_after_the_overhead() {
        assert_eq!(of(0, 0).as_deref(), Some("0.25vCPU 0.5GB"));
        assert_eq!(of(250, 257).as_deref(), Some("0.25vCPU 1GB"));
        assert_eq!(of(1000, 8192).as_deref(), Some("2vCPU 9GB"));
        assert_eq!(of(1000, 2560).as_deref(), Some("1vCPU 3GB"));
        assert_eq!(of(250, 3072).as_deref(), Some("0.5vCPU 4GB"));
        assert_eq!(of(17_000, 0), None);
    }

    #[test]
    fn a_pattern_of_stars_ends() {
        assert!(!glob("*a*a*a*b", "aaaaaaaaaaaa"));
        assert!(glob("team-?", "team-a") && !glob("team-?", "team-"));
    }
}
