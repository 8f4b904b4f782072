//! `kubectl diff`: what would `apply` change?
//!
//! Source: kubectl `pkg/cmd/diff/diff.go`; the hunks are those of `diff -u -N`.

use cluster::{PatchKind, draw};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube, apply,
    client::has_schema,
    field::{self, text},
    print,
    source::Manifest,
};

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Pairs of lines that are compared at most; longer texts count as wholly changed.
const MOST: usize = 4_000_000;

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    if let Some(extra) = kube.given.args.first() {
        return Err(Fail::Trouble(format!(
            "error: Unexpected args: [{extra}]\nSee 'kubectl diff -h' for help and examples"
        )));
    }
    if !kube.given.has("filename") {
        return Err(Fail::Trouble("error: must specify one of -f and -k".to_owned()));
    }
    let trouble = |fail: Fail| match fail {
        Fail::Exit(_) | Fail::Flow(_) | Fail::Trouble(_) => fail,
        other => Fail::Trouble(other.text()),
    };
    let mut changed = false;
    let number = |kube: &Kube<'_, '_>, what: &str| {
        let world = &kube.shell.world;
        draw::draw(world.seed(), "kubectl-diff", what, world.now().0) % 4_294_967_296
    };
    let (live_at, merged_at) = (number(kube, "LIVE"), number(kube, "MERGED"));
    for manifest in kube.manifests().map_err(trouble)? {
        let manifest = manifest.map_err(trouble)?;
        let (kind, namespace, name) = (manifest.kind, manifest.namespace.clone(), manifest.name.clone());
        let live = match kube.get(kind, &namespace, &name) {
            Ok(live) => Some(live),
            Err(fail) if fail.is_not_found() => None,
            Err(fail) => return Err(trouble(fail)),
        };
        let mut merged = merged(kube, manifest, live.as_ref()).map_err(trouble)?;
        let mut live = live;
        if let Some(live) = &mut live {
            mask(live, &mut merged);
            print::hide_managed(live, kube);
        }
        print::hide_managed(&mut merged, kube);
        let info = kind.info();
        let group = if info.group.is_empty() { String::new() } else { format!("{}.", info.group) };
        let file = format!("{group}{}.{}.{namespace}.{name}", info.version, info.kind);
        let before = live.as_ref().map(api::emit::yaml).unwrap_or_default();
        let hunks = unified(&before, &api::emit::yaml(&merged));
        if !hunks.is_empty() {
            changed = true;
            let (a, b) = (format!("/tmp/LIVE-{live_at}/{file}"), format!("/tmp/MERGED-{merged_at}/{file}"));
            let now = kube.shell.world.stamp(kube.shell.world.now()).0;
            let now = now.to_zoned(jiff::tz::TimeZone::UTC);
            let now = jiff::fmt::strtime::format("%Y-%m-%d %H:%M:%S.%N +0000", &now).unwrap_or_default();
            kube.out.out(&format!("diff -u -N {a} {b}\n--- {a}\t{now}\n+++ {b}\t{now}\n{hunks}"));
        }
    }
    if changed { Err(Fail::Exit(1)) } else { Ok(()) }
}

/// What `apply` would make of the live object, without the note it keeps for itself.
fn merged(kube: &mut Kube<'_, '_>, manifest: Manifest, live: Option<&Value>) -> Done<Value> {
    let Manifest { kind, namespace, name, value: mut wanted, .. } = manifest;
    let annotations = field::make(&mut wanted, "metadata.annotations");
    match annotations {
        Value::Object(all) => drop(all.remove(apply::LAST)),
        other => *other = Value::Object(serde_json::Map::new()),
    }
    let Some(live) = live else { return kube.create(kind, &namespace, wanted, true) };
    let last = field::at(live, "metadata.annotations").get(apply::LAST).and_then(Value::as_str);
    let last = last.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let change = api::patch::three_way(kind, &last, &wanted, live);
    if change.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(live.clone());
    }
    let how = if has_schema(kind) { PatchKind::Strategic } else { PatchKind::Merge };
    kube.patch_part((kind, &namespace, &name), "", how, change, true)
}

/// What is secret is not shown, only whether it changed.
fn mask(live: &mut Value, merged: &mut Value) {
    if text(live, "kind") != "Secret" {
        return;
    }
    for (side, note) in [(0, "(before)"), (1, "(after)")] {
        let (from, other) = if side == 0 { (&mut *live, &mut *merged) } else { (&mut *merged, &mut *live) };
        let other: Vec<(String, Value)> =
            field::map(other, "data").map(|(k, v)| (k.to_owned(), v.clone())).collect();
        let Some(data) = from.get_mut("data").and_then(Value::as_object_mut) else { continue };
        for (key, value) in data {
            let same = other.iter().any(|(k, v)| k == key && (v == value || v == "***"));
            let gone = !other.iter().any(|(k, _)| k == key);
            *value = if same || gone { "***".into() } else { format!("*** {note}").into() };
        }
    }
}

/// One line of a comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// In both texts.
    Both,
    /// Only in the first.
    Before,
    /// Only in the second.
    After,
}

/// The hunks that make one text of another; empty if they are the same.
pub(super) fn unified(before: &str, after: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    hunks(&script(&a, &b), CONTEXT)
}

/// The hunks of a comparison, with so many lines around each change.
pub(crate) fn hunks(script: &[(Side, &str)], context: usize) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = script[at..].iter().position(|(side, _)| *side != Side::Both) {
        let first = at + first;
        let start = first.saturating_sub(context).max(at);
        let mut end = first;
        let mut quiet = 0;
        for (i, (side, _)) in script.iter().enumerate().skip(first) {
            if *side == Side::Both {
                quiet += 1;
                if quiet > 2 * context {
                    break;
                }
            } else {
                quiet = 0;
                end = i + 1;
            }
        }
        let stop = (end + context).min(script.len());
        let count = |slice: &[(Side, &str)], but: Side| slice.iter().filter(|(s, _)| *s != but).count();
        let (skipped, shown) = (&script[..start], &script[start..stop]);
        let range = |but: Side| match (count(skipped, but), count(shown, but)) {
            (before, 0) => format!("{before},0"),
            (before, 1) => format!("{}", before + 1),
            (before, many) => format!("{},{many}", before + 1),
        };
        out.push_str(&format!("@@ -{} +{} @@\n", range(Side::After), range(Side::Before)));
        for (side, line) in shown {
            let mark = match side {
                Side::Both => ' ',
                Side::Before => '-',
                Side::After => '+',
            };
            out.push_str(&format!("{mark}{line}\n"));
        }
        at = stop;
    }
    out
}

/// Every line of both texts in order, by the longest run of lines that both have.
pub(crate) fn script<'t>(a: &[&'t str], b: &[&'t str]) -> Vec<(Side, &'t str)> {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (x, y) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let mut out: Vec<(Side, &str)> = a[..head].iter().map(|l| (Side::Both, *l)).collect();
    if x.len().saturating_mul(y.len()) > MOST {
        out.extend(x.iter().map(|l| (Side::Before, *l)));
        out.extend(y.iter().map(|l| (Side::After, *l)));
    } else {
        let width = y.len() + 1;
        let mut longest = vec![0_u32; (x.len() + 1) * width];
        for i in (0..x.len()).rev() {
            for j in (0..y.len()).rev() {
                longest[i * width + j] = if x[i] == y[j] {
                    longest[(i + 1) * width + j + 1] + 1
                } else {
                    longest[(i + 1) * width + j].max(longest[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < x.len() || j < y.len() {
            if i < x.len() && j < y.len() && x[i] == y[j] {
                out.push((Side::Both, x[i]));
                (i, j) = (i + 1, j + 1);
            } else if j == y.len()
                || (i < x.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])
            {
                out.push((Side::Before, x[i]));
                i += 1;
            } else {
                out.push((Side::After, y[j]));
                j += 1;
            }
        }
    }
    out.extend(a[a.len() - tail..].iter().map(|l| (Side::Both, *l)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_those_of_diff_u() {
        // Source: GNU diffutils 3.8 on the same two texts.
        assert_eq!(
            unified("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nD\ne\nf\n"),
            "@@ -1,6 +1,6 @@\n a\n b\n c\n-d\n+D\n e\n f\n"
        );
        assert_eq!(unified("", "x\n"), "@@ -0,0 +1 @@\n+x\n");
        assert_eq!(unified("x\n", "x\n"), "");
    }
}
