//! What did the recorder say containers had written and used?
//!
//! The `lt-*` cases print logs by the name of the container, and figures by pod, whatever the image. So each container
//! gets an image of its own. Source: S1-logs.json beside the states; the figures are those that the cases print, as it says.

use std::io::Read;

use api::{Kind, Object, Resource, kinds::sim::Image, meta::ObjectMeta};
use cluster::{ClusterId, World};
use serde_json::{Value, json};

static LOGS: &[u8] = include_bytes!("../../../../../tests/vectors/kubectl/states/S1-logs.json.gz");

/// When every recorded log begins.
const BEGUN: &str = "2026-03-02T08:34:50Z";

/// Pod, container, thousandths of a CPU, MiB. Of a pod with several containers only the sum is known; the first has it all.
const USED: [(&str, &str, u64, u64); 16] = [
    ("client", "client", 1, 21),
    ("two", "app", 3, 18),
    ("two", "sidecar", 2, 12),
    ("web-76889594bd-6swjv", "nginx", 1, 8),
    ("web-76889594bd-h8ngn", "nginx", 1, 10),
    ("web-76889594bd-zhvbt", "nginx", 1, 17),
    ("aws-node-4g2xh", "aws-node", 4, 17),
    ("aws-node-55f9p", "aws-node", 7, 31),
    ("aws-node-gb2zn", "aws-node", 6, 46),
    ("coredns-5969d487f-npfhm", "coredns", 2, 21),
    ("coredns-5969d487f-pkldj", "coredns", 3, 2),
    ("kube-proxy-4j7gz", "kube-proxy", 3, 9),
    ("kube-proxy-76ngb", "kube-proxy", 3, 13),
    ("kube-proxy-sgdwp", "kube-proxy", 2, 24),
    ("db-0", "pg", 3, 13),
    ("db-1", "pg", 5, 11),
];

/// Gives each container of the state its own image, and the cluster somebody who measures.
pub(super) fn prepare(world: &mut World, state: &mut Value) -> Option<()> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(LOGS).read_to_string(&mut text).ok()?;
    let logs: Value = serde_json::from_str(&text).ok()?;
    for pod in state["objects"].as_array_mut()?.iter_mut().filter(|o| o["kind"] == "Pod") {
        let name = pod["metadata"]["name"].as_str()?.to_owned();
        for container in pod["spec"]["containers"].as_array_mut()? {
            let own = container["name"].as_str()?.to_owned();
            let used = USED.iter().find(|(of, it, ..)| *of == name && *it == own);
            // What is idle counts as one thousandth, which the first container of its pod gives back.
            let others = u64::from(own == "aws-node");
            let lines = logs["logs_by_container"][&own].as_array();
            let image = Image {
                metadata: ObjectMeta { name: Some(format!("{name}-{own}")), ..ObjectMeta::default() },
                log: lines.into_iter().flatten().filter_map(|l| l.as_str()).map(str::to_owned).collect(),
                cpu: used.map_or(1, |(_, _, cpu, _)| cpu - others),
                memory: used.map_or(1, |(_, _, _, memory)| memory << 20),
                ..Image::default()
            };
            container["image"] = json!(format!("{name}-{own}"));
            world.restore(ClusterId::WORLD, image.into_object());
        }
        for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
            for (_, state) in status["state"].as_object_mut().into_iter().flatten() {
                state["startedAt"] = json!(BEGUN);
            }
        }
    }
    let server = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "metrics-server", "namespace": "kube-system", "uid": "metrics-server"},
        "spec": {"selector": {}, "template": {}}, "status": {"availableReplicas": 1}});
    world.restore(super::HERE, Object::from_value(Kind::Deployment, server).ok()?);
    Some(())
}
