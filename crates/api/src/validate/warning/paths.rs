//! Do two keys of one volume land on one path?
//!
//! Source: kubernetes v1.34.1 `pkg/api/pod/warnings.go`, `warningsForOverlappingVirtualPaths`.

use super::super::{meta::text, report::Shown};
use crate::k8s::core::v1::{
    DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume, VolumeProjection,
};

/// A path in a volume and whose it is.
#[derive(Clone, PartialEq, Eq)]
struct Path {
    path: String,
    of: String,
}

impl std::fmt::Display for Path {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.of.is_empty() {
            write!(out, "{}", self.path.shown())
        } else {
            write!(out, "{} ({})", self.path.shown(), self.of)
        }
    }
}

/// The remarks on a pod's volumes.
pub(super) fn overlapping(out: &mut Vec<String>, volumes: &[Volume]) {
    for volume in volumes {
        let mut say = |what: &str, paths: Vec<Path>| {
            for overlap in overlaps(paths) {
                out.push(format!("volume {} ({what}): overlapping paths: {overlap}", volume.name.shown()));
            }
        };
        if let Some(it) = &volume.config_map {
            say(&format!("ConfigMap {}", it.name.shown()), keys(it.items.as_deref(), ""));
        }
        if let Some(it) = &volume.secret {
            let name = text(it.secret_name.as_ref());
            say(&format!("Secret {}", name.shown()), keys(it.items.as_deref(), ""));
        }
        if let Some(it) = &volume.downward_api {
            say("DownwardAPI", files(it.items.as_deref(), ""));
        }
        if let Some(it) = &volume.projected {
            projected(out, &volume.name, it);
        }
    }
}

fn projected(out: &mut Vec<String>, name: &str, it: &ProjectedVolumeSource) {
    let mut all: Vec<Path> = Vec::new();
    for source in it.sources.iter().flatten() {
        if *source == VolumeProjection::default() {
            out.push(format!("volume {} (Projected) has no sources provided", name.shown()));
            continue;
        }
        for mut path in source_paths(source) {
            path.path.truncate(path.path.trim_end_matches('/').len());
            for other in clashes(&all, &path) {
                let overlap = format!("{path} with {other}");
                out.push(format!("volume {} (Projected): overlapping paths: {overlap}", name.shown()));
            }
            all.push(path);
        }
    }
}

fn source_paths(source: &VolumeProjection) -> Vec<Path> {
    let one = |path: &str, of: String| vec![Path { path: path.to_owned(), of }];
    if let Some(it) = source.config_map.as_ref().filter(|it| it.items.is_some()) {
        keys(it.items.as_deref(), &format!("ConfigMap {}", it.name.shown()))
    } else if let Some(it) = source.secret.as_ref().filter(|it| it.items.is_some()) {
        keys(it.items.as_deref(), &format!("Secret {}", it.name.shown()))
    } else if let Some(it) = source.downward_api.as_ref().filter(|it| it.items.is_some()) {
        files(it.items.as_deref(), "DownwardAPI")
    } else if let Some(it) = &source.service_account_token {
        one(&it.path, "ServiceAccountToken".to_owned())
    } else if let Some(it) = &source.cluster_trust_bundle {
        let name = it.name.as_ref().or(it.signer_name.as_ref());
        one(&it.path, format!("ClusterTrustBundle {}", text(name).shown()))
    } else {
        Vec::new()
    }
}

fn keys(items: Option<&[KeyToPath]>, of: &str) -> Vec<Path> {
    let items = items.unwrap_or_default().iter();
    items.map(|it| Path { path: it.path.clone(), of: of.to_owned() }).collect()
}

fn files(items: Option<&[DownwardAPIVolumeFile]>, of: &str) -> Vec<Path> {
    let items = items.unwrap_or_default().iter();
    items.map(|it| Path { path: it.path.clone(), of: of.to_owned() }).collect()
}

fn overlaps(paths: Vec<Path>) -> Vec<String> {
    let (mut out, mut before) = (Vec::new(), Vec::new());
    for mut path in paths {
        path.path.truncate(path.path.trim_end_matches('/').len());
        out.extend(clashes(&before, &path).map(|other| format!("{path} with {other}")));
        before.push(path);
    }
    out
}

fn clashes<'p>(before: &'p [Path], path: &'p Path) -> impl Iterator<Item = &'p Path> {
    let within = |outer: &str, inner: &str| format!("{inner}/").starts_with(&format!("{outer}/"));
    before.iter().filter(move |other| {
        !path.path.is_empty()
            && !other.path.is_empty()
            && (*other == path || within(&path.path, &other.path) || within(&other.path, &path.path))
    })
}
