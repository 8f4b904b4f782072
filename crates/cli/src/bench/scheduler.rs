//! How many pods a second find their node?
//!
//! Nodes are in the table and pods are read before the clock starts; compiling pods and putting them on their nodes
//! counts. Every node is scored.

#[allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
use std::time::Instant;

use std::rc::Rc;

use scheduler::class::Classes;
use scheduler::workload::{self, Mix};
use scheduler::{NodeTable, Profile};

/// Nodes and pods of each figure.
const SIZES: [(usize, usize); 4] = [(100, 1000), (500, 2000), (1000, 2000), (5000, 2000)];

pub(super) fn run() {
    for (name, mix) in [("plain", Mix::Plain), ("mixed", Mix::Mixed)] {
        for (nodes, pods) in SIZES {
            println!("scheduler/{name}/{nodes} {:.0} pods/s", rate(nodes, pods, mix));
        }
    }
}

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn rate(nodes: usize, pods: usize, mix: Mix) -> f64 {
    let mut classes = Classes::new(Profile::default_1_34());
    let mut table = NodeTable::default();
    workload::nodes(nodes).iter().for_each(|it| table.set_node(it));
    let pods = workload::pods(pods, mix);
    classes.keep_up(&table);
    let start = Instant::now();
    for pod in &pods {
        let pod = classes.compile(pod);
        if let Some(found) = classes.pick(&table, &pod, 0) {
            table.bind(Rc::new(pod), found.node);
        }
    }
    pods.len() as f64 / start.elapsed().as_secs_f64()
}
