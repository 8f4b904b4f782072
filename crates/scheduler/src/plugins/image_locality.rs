//! Does the node have the pod's images already?
//!
//! An image counts with its size times the share of nodes that have it, so that pods do not heap up on one node.
//! Source: `imagelocality`, 1.34.

use std::rc::Rc;

use crate::decision::{Arithmetic, ImageShare};
use crate::plugin::{Cycle, MAX_NODE_SCORE, Phase, Plugin, Reach, Score};
use crate::pod::PodInfo;
use crate::table::{Holders, NodeRef};

const MIB: i64 = 1024 * 1024;
/// Sum below which there is no score.
const FLOOR: i64 = 23 * MIB;
/// Sum per container above which the score is full.
const CEILING: i64 = 1000 * MIB;

/// Likes nodes that need not pull.
pub struct ImageLocality;

/// The pod's images that some node has.
struct Present {
    held: Vec<Rc<Holders>>,
}

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        "ImageLocality"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::Score]
    }

    fn pre_score(&self, cycle: &Cycle, _nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        let held = cycle.pod.template.images.iter().filter_map(|image| cycle.table.holders(image).cloned());
        Some(Box::new(Present { held: held.collect() }))
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Shape
    }
}

fn nodes(cycle: &Cycle) -> i64 {
    i64::try_from(cycle.table.len()).unwrap_or(i64::MAX)
}

/// The images of the pod that the node has, with size.
fn present<'a>(cycle: &Cycle<'a>, node: NodeRef) -> impl Iterator<Item = (&'a String, i64)> {
    let images = &cycle.table.row(node).images;
    cycle.pod.template.images.iter().filter_map(|name| images.get(name).map(|size| (name, *size)))
}

impl Score for Present {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        let all = nodes(cycle) as f64;
        let scaled =
            |holders: &Rc<Holders>| Some((holders.size(node)? as f64 * (holders.nodes as f64 / all)) as i64);
        let sum = self.held.iter().filter_map(scaled).fold(0, i64::saturating_add);
        let ceiling = CEILING * cycle.pod.template.image_count.max(1);
        MAX_NODE_SCORE * (sum.clamp(FLOOR, ceiling) - FLOOR) / (ceiling - FLOOR)
    }

    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic {
        let share = |(name, size): (&String, i64)| ImageShare {
            image: name.clone(),
            size,
            nodes: cycle.table.nodes_with_image(name),
        };
        Arithmetic::Images {
            images: present(cycle, node).map(share).collect(),
            all: nodes(cycle),
            floor: FLOOR,
            ceiling: CEILING * cycle.pod.template.image_count.max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{named, nodes, pod, scores};

    #[test]
    fn an_image_counts_by_the_share_of_nodes_that_have_it() {
        let table = nodes(&["a image=web:1", "b"]);
        let web = pod("web", r#"{"containers": [{"name": "c", "image": "web:1"}]}"#);
        // 500 MB on one of two nodes: (250 MB - 23 MiB) of the 977 MiB between floor and ceiling.
        assert_eq!(scores(&table, &web, "ImageLocality"), [("a", 22), ("b", 0)].map(named));
    }
}
