//! How many pods that look alike are on a node?
//!
//! Selectors see namespace and labels only: pods that share both are one kin, and a selector is matched with a kin once,
//! not with each of its pods. Pods that are being deleted are of none.
//! INVARIANT: every kin has a pod somewhere, and every other pod of a node is counted once.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::node_selector::Labels;
use crate::pod::PodInfo;

/// Namespace and labels.
type Look = (String, Labels);

/// Every kin, and where its pods are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kins {
    by_look: BTreeMap<Rc<Look>, usize>,
    /// By number; `None` for a number that is to be given again.
    all: Vec<Option<Kin>>,
    free: Vec<usize>,
    /// By place of the node: kins and how many of their pods are there.
    on: Vec<Vec<(usize, i64)>>,
    /// By place of the node: the number of its zone.
    zones: Vec<Option<usize>>,
}

#[derive(Clone, Debug)]
struct Kin {
    look: Rc<Look>,
    pods: i64,
    /// By number of the zone.
    in_zone: Vec<i64>,
}

impl Kin {
    fn count(&mut self, zone: Option<usize>, by: i64) {
        let Some(zone) = zone else { return };
        if self.in_zone.len() <= zone {
            self.in_zone.resize(zone + 1, 0);
        }
        self.in_zone[zone] += by;
    }
}

/// Which kins are meant, by their numbers.
pub(crate) struct Meant(Vec<bool>);

impl Kins {
    /// A pod comes to a node, or goes: by 1 or by -1.
    pub(crate) fn count(&mut self, pod: &PodInfo, node: usize, by: i64) {
        if pod.terminating {
            return;
        }
        if self.on.len() <= node {
            self.on.resize_with(node + 1, Vec::new);
        }
        let look: Look = (pod.key.namespace.clone(), pod.template.labels.clone());
        let number = match self.by_look.get(&look) {
            Some(number) => *number,
            None => self.meet(look),
        };
        let here = &mut self.on[node];
        match here.iter().position(|(kin, _)| *kin == number) {
            Some(at) => {
                here[at].1 += by;
                if here[at].1 == 0 {
                    here.swap_remove(at);
                }
            }
            None => here.push((number, by)),
        }
        let zone = self.zones.get(node).copied().flatten();
        if let Some(kin) = &mut self.all[number] {
            kin.count(zone, by);
            kin.pods += by;
            if kin.pods == 0 {
                self.by_look.remove(&kin.look);
                self.all[number] = None;
                self.free.push(number);
            }
        }
    }

    fn meet(&mut self, look: Look) -> usize {
        let look = Rc::new(look);
        let number = self.free.pop().unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() - 1
        });
        self.all[number] = Some(Kin { look: Rc::clone(&look), pods: 0, in_zone: Vec::new() });
        self.by_look.insert(look, number);
        number
    }

    /// A node is in a zone of this number from now on, or in none.
    pub(crate) fn set_zone(&mut self, node: usize, zone: Option<usize>) {
        if self.zones.len() <= node {
            self.zones.resize(node + 1, None);
        }
        let before = std::mem::replace(&mut self.zones[node], zone);
        if before == zone {
            return;
        }
        for (kin, pods) in self.on.get(node).into_iter().flatten() {
            if let Some(kin) = &mut self.all[*kin] {
                kin.count(before, -pods);
                kin.count(zone, *pods);
            }
        }
    }

    /// The kins of a namespace whose labels are `meant`.
    pub(crate) fn meant(&self, namespace: &str, meant: impl Fn(&Labels) -> bool) -> Meant {
        let of =
            |kin: &Option<Kin>| kin.as_ref().is_some_and(|kin| kin.look.0 == namespace && meant(&kin.look.1));
        Meant(self.all.iter().map(of).collect())
    }

    /// How many pods of the kins that are meant are on a node.
    pub(crate) fn pods(&self, meant: &Meant, node: usize) -> i64 {
        let here = self.on.get(node).into_iter().flatten();
        here.filter(|(kin, _)| meant.0.get(*kin) == Some(&true)).map(|(_, pods)| pods).sum()
    }

    /// How many pods of the kins that are meant are on the nodes of a zone.
    pub(crate) fn pods_in(&self, meant: &Meant, zone: usize) -> i64 {
        let kins = self.all.iter().zip(&meant.0).filter_map(|(kin, meant)| kin.as_ref().filter(|_| *meant));
        kins.map(|kin| kin.in_zone.get(zone).copied().unwrap_or(0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::pod;

    #[test]
    fn pods_that_look_alike_are_counted_together_until_the_last_has_gone() {
        let mut kins = Kins::default();
        let labelled = |name: &str, app: &str| {
            let mut pod = pod(name, "{}");
            let mut template = crate::pod::Template::clone(&pod.template);
            template.labels = [("app".to_owned(), app.to_owned())].into();
            pod.template = Rc::new(template);
            pod
        };
        let web = |kins: &Kins, node| {
            let meant = kins.meant("default", |labels| labels.get("app").is_some_and(|app| app == "web"));
            kins.pods(&meant, node)
        };
        for (name, app, node) in [("a", "web", 0), ("b", "web", 0), ("c", "db", 0), ("d", "web", 2)] {
            kins.count(&labelled(name, app), node, 1);
        }
        assert_eq!([web(&kins, 0), web(&kins, 1), web(&kins, 2)], [2, 0, 1]);
        kins.count(&labelled("c", "db"), 0, -1);
        kins.count(&labelled("e", "cache"), 1, 1);
        assert_eq!(kins.all.len(), 2, "the number of a kin that has gone is given again");
        let mut leaving = labelled("a", "web");
        kins.count(&leaving, 0, -1);
        leaving.terminating = true;
        kins.count(&leaving, 0, 1);
        assert_eq!([web(&kins, 0), web(&kins, 1), web(&kins, 2)], [1, 0, 1]);
        let zoned = |kins: &Kins| {
            let meant = kins.meant("default", |labels| labels.get("app").is_some_and(|app| app == "web"));
            [0, 1].map(|zone| kins.pods_in(&meant, zone))
        };
        assert_eq!(zoned(&kins), [0, 0], "nobody is in a zone yet");
        kins.set_zone(0, Some(1));
        kins.set_zone(2, Some(1));
        kins.count(&labelled("f", "web"), 2, 1);
        assert_eq!(zoned(&kins), [0, 3]);
        kins.set_zone(2, Some(0));
        assert_eq!(zoned(&kins), [2, 1]);
        kins.set_zone(0, None);
        assert_eq!(zoned(&kins), [2, 0]);
    }
}
