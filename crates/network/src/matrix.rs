//! Who reaches whom?

use crate::{Network, Probe, trace};

/// Whether each pod (a row) reaches each pod (a column) on a port; a pod always reaches itself.
#[must_use]
pub fn pods(network: &Network, names: &[String], port: u16, proto: &str) -> Vec<Vec<bool>> {
    names
        .iter()
        .map(|from| {
            names
                .iter()
                .map(|to| {
                    let probe = Probe {
                        from: format!("pod:{from}"),
                        to: format!("pod:{to}"),
                        port,
                        proto: proto.to_owned(),
                        ..Probe::default()
                    };
                    from == to || trace(network, &probe).reachable()
                })
                .collect()
        })
        .collect()
}
