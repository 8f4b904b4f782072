//! What may a function cost, and how long is what it answers?
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/cost.go` (`EstimateCallCost`); cel-go `checker/cost.go` (`functionCost`), `ext/sets.go`.

use super::{Coster, Entry, ONE, Range, Seen, UNKNOWN, either, fixed};
use crate::cel::{ast::Node, types::Type, value::Val};

/// Of one letter of a text that is gone through, and of a pattern's.
const LETTER: f64 = 0.1;
const PATTERN: f64 = 0.25;

/// The longest pattern of a named format, and the longest name of one.
const FORMAT_PATTERN: f64 = 128.0;
const FORMAT: u64 = 64;

/// What of a function is estimated.
pub(super) struct Made {
    pub(super) cost: Range,
    pub(super) size: Option<Range>,
    pub(super) entry: Option<Entry>,
}

fn plain(cost: Range) -> Option<(Range, Option<Range>)> {
    Some((cost, None))
}

fn size(of: &Seen<'_>) -> Range {
    of.size.unwrap_or(UNKNOWN)
}

impl Coster<'_> {
    /// A function called in one of its ways; its arguments' costs are part of it, its target's are not.
    pub(super) fn overload(
        &self,
        name: &str,
        overload: &[Type],
        target: Option<&Seen<'_>>,
        args: &[Seen<'_>],
        costs: &[Range],
    ) -> Made {
        let sum = costs.iter().fold(fixed(0), |sum, cost| sum + *cost);
        let own = sets(name, args).or_else(|| self.listed(name, overload, target, args));
        if let Some((cost, size)) = own {
            return Made { cost: cost + sum, size, entry: None };
        }
        let (first, second) = (overload.first(), overload.get(1));
        let of = |cost: Range, size: Option<Range>| Made { cost: cost + sum, size, entry: None };
        match (name, target, args) {
            ("format", Some(target), _) => of(size(target).by(LETTER), None),
            ("bytes", None, [arg]) if first == Some(&Type::Text) => {
                let from = size(arg);
                of(from.by(LETTER), Some(Range { most: from.most.wrapping_mul(4), ..from }))
            }
            ("string", None, [arg]) if first == Some(&Type::Bytes) => {
                let from = size(arg);
                of(from.by(LETTER), Some(Range { least: from.least / 4, ..from }))
            }
            ("strings.quote", None, [arg]) => {
                let from = size(arg);
                let quoted = Range {
                    least: from.least.wrapping_add(2),
                    most: from.most.wrapping_mul(2).wrapping_add(2),
                };
                of(from.by(LETTER), Some(quoted))
            }
            ("startsWith" | "endsWith", _, [arg]) => of(size(arg).by(LETTER), None),
            ("@in", None, [_, list]) if matches!(second, Some(Type::List(_))) => of(size(list), None),
            ("matches", Some(target), [pattern]) => {
                of((size(target) + ONE).by(LETTER) * size(pattern).by(PATTERN), None)
            }
            ("contains", Some(target), [part]) => of(size(target).by(LETTER) * size(part).by(LETTER), None),
            ("_&&_" | "_||_", None, _) => {
                let [a, b] = costs else { return of(ONE, None) };
                Made { cost: a.or_more(*b), size: None, entry: None }
            }
            ("_?_:_", None, [_, yes, no]) => {
                let [test, if_yes, if_no] = costs else { return of(ONE, None) };
                Made {
                    cost: either(*test, *if_yes, *if_no),
                    size: Some(size(yes).union(size(no))),
                    entry: Entry::union(yes.entry, no.entry),
                }
            }
            ("_+_", None, [a, b]) if matches!(first, Some(Type::Text | Type::Bytes | Type::List(_))) => {
                let result = size(a) + size(b);
                let is_list = matches!(first, Some(Type::List(_)));
                let cost = if is_list { ONE } else { result.by(LETTER) };
                Made { entry: Entry::union(a.entry, b.entry), ..of(cost, Some(result)) }
            }
            ("_==_" | "_!=_", None, [a, b]) => of(compared(a, b), None),
            ("_<_" | "_<=_" | "_>_" | "_>=_", None, [a, b])
                if matches!(first, Some(Type::Text | Type::Bytes)) =>
            {
                of(compared(a, b), None)
            }
            _ => of(ONE, None),
        }
    }

    /// The functions of which Kubernetes says what they cost; how long what they answer is comes second.
    fn listed(
        &self,
        name: &str,
        overload: &[Type],
        target: Option<&Seen<'_>>,
        args: &[Seen<'_>],
    ) -> Option<(Range, Option<Range>)> {
        let traversed = |of: &Seen<'_>| size(of).by(LETTER);
        match (name, target, args) {
            ("check", ..) => plain(fixed(350_000)),
            (
                "serviceAccount"
                | "path"
                | "group"
                | "resource"
                | "subresource"
                | "namespace"
                | "name"
                | "allowed"
                | "reason"
                | "error"
                | "errored"
                | "masked"
                | "prefixLength"
                | "family"
                | "isUnspecified"
                | "isLoopback"
                | "isLinkLocalMulticast"
                | "isLinkLocalUnicast"
                | "isGlobalUnicast"
                | "format.named"
                | "sign"
                | "asInteger"
                | "isInteger"
                | "asApproximateFloat"
                | "isGreaterThan"
                | "isLessThan"
                | "compareTo"
                | "add"
                | "sub"
                | "major"
                | "minor"
                | "patch"
                | "getScheme"
                | "getHostname"
                | "getHost"
                | "getPort"
                | "getEscapedPath"
                | "getQuery",
                ..,
            ) => plain(ONE),
            ("fieldSelector" | "labelSelector", _, [selector]) => {
                // Two letters make a requirement, which makes a struct and a list.
                let requirements = size(selector).by(0.5).by(50.0);
                plain(fixed(10) + size(selector).by(LETTER) + requirements)
            }
            ("isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf", Some(target), _) => {
                plain(self.compared_items(target))
            }
            ("url", _, [arg]) => Some((traversed(arg), Some(size(arg)))),
            ("lowerAscii" | "upperAscii" | "substring" | "trim", Some(target), _) => {
                Some((traversed(target), Some(size(target))))
            }
            ("replace", Some(target), [from, to, ..]) => {
                Some((size(target).by(2.0 * LETTER), Some(replaced(size(target), size(from), size(to)))))
            }
            ("split", Some(target), _) => {
                let limit = match args.get(1).map(|arg| &arg.expr.node) {
                    Some(Node::Literal(Val::Int(limit))) => Some(limit.cast_unsigned()),
                    _ => None,
                };
                let most = limit.unwrap_or(size(target).most);
                Some((size(target).by(2.0 * LETTER), Some(Range { least: 0, most })))
            }
            ("join", Some(target), _) => {
                let items = size(target);
                let mut whole = self.item(target).map_or(fixed(0), |(_, item)| items * item);
                if let Some(separator) = args.first() {
                    let between =
                        Range { least: items.least.saturating_sub(1), most: items.most.saturating_sub(1) };
                    whole = whole + size(separator) * between;
                }
                Some((whole.by(LETTER), Some(whole)))
            }
            ("find" | "findAll", Some(target), [pattern, ..]) => {
                let cost = (size(target) + ONE).by(LETTER) * size(pattern).by(PATTERN);
                Some((cost, Some(Range { least: 0, ..size(target) })))
            }
            ("ip", Some(_), _) => plain(ONE),
            (
                "cidr" | "isIP" | "isCIDR" | "ip" | "quantity" | "isQuantity" | "semver" | "isSemver",
                _,
                [arg, ..],
            ) => plain(traversed(arg)),
            ("ip.isCanonical", _, [arg]) => plain(size(arg).by(2.0 * LETTER)),
            ("containsIP" | "containsCIDR", _, [arg]) => {
                // An address is of 4 or 16 bytes.
                let bytes = Range { least: 4, most: 16 };
                let mut cost = (bytes + bytes).by(LETTER);
                if name == "containsCIDR" {
                    cost = cost + bytes.by(LETTER) + ONE;
                }
                let is_text = overload.get(1) == Some(&Type::Text);
                plain(if is_text { cost + traversed(arg) } else { cost })
            }
            ("validate", _, [arg]) => plain(traversed(arg).by(FORMAT_PATTERN * PATTERN)),
            ("_==_", _, [a, b]) if a.type_ == b.type_ => match &a.type_ {
                Type::Opaque("kubernetes.URL", _) => {
                    let longer = b.size.map_or(1, |size| size.most);
                    plain(Range { least: 1, most: longer }.by(LETTER))
                }
                Type::Opaque("kubernetes.NamedFormat", _) => {
                    plain(Range { least: 1, most: FORMAT }.by(LETTER))
                }
                Type::Opaque("optional_type", _) => None,
                Type::Opaque(..) => plain(ONE),
                _ => None,
            },
            _ => None,
        }
    }

    /// The type and size of a list's items, or a map's keys.
    fn item(&self, list: &Seen<'_>) -> Option<(Type, Range)> {
        let of = match &list.type_ {
            Type::List(of) => of.as_ref().clone(),
            Type::Map(of) => of.0.clone(),
            _ => return None,
        };
        let size = if list.path.is_empty() {
            None
        } else {
            let mut path = list.path.clone();
            path.push("@items".to_owned());
            self.size_at(&path)
        };
        Some((of, size.unwrap_or(UNKNOWN)))
    }

    fn compared_items(&self, target: &Seen<'_>) -> Range {
        match self.item(target) {
            Some((Type::Text | Type::Bytes, item)) => size(target) * (ONE + item.by(LETTER)),
            Some(_) => size(target) * ONE,
            None => size(target).by(LETTER),
        }
    }
}

/// As much as the shorter of two is long.
fn compared(a: &Seen<'_>, b: &Seen<'_>) -> Range {
    let most = size(a).most.min(size(b).most);
    Range { least: u64::from(most > 0), most }.by(LETTER)
}

fn sets(name: &str, args: &[Seen<'_>]) -> Option<(Range, Option<Range>)> {
    let factor = match name {
        "sets.contains" | "sets.intersects" => 1.0,
        "sets.equivalent" => 2.0,
        _ => return None,
    };
    let [a, b] = args else { return None };
    plain((size(a) * size(b)).by(factor) + ONE)
}

/// How long a text is in which one part stands for another.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as Go's floats are"
)]
fn replaced(text: Range, from: Range, to: Range) -> Range {
    let times = |of: u64, length: u64| (of as f64 / length as f64).ceil() as u64;
    let (most_times, most_kept) = if from.least == 0 {
        (text.most.saturating_add(1), text.most)
    } else if to.most <= from.least {
        (0, text.most)
    } else {
        (times(text.most, from.least), 0)
    };
    let (least_times, least_kept) = if from.most == 0 {
        (text.least.saturating_add(1), text.least)
    } else if from.most <= to.least {
        (0, text.least)
    } else {
        (times(text.least, from.most), 0)
    };
    Range { least: least_times, most: most_times } * to + Range { least: least_kept, most: most_kept }
}
