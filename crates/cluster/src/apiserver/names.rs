//! What is it called, and which number tells it from every other?
//!
//! Source: apiserver `pkg/storage/names` (5 letters after at most 58), `registry/rest/create.go` (8 attempts).

use api::{ApiStatus, Kind};

use crate::{
    ClusterId, Key, World,
    draw::{suffix, uid},
};

/// Longest base of a generated name: 63 letters less the suffix.
const MAX_BASE: usize = 58;

/// Attempts at a name that nobody has.
const ATTEMPTS: u64 = 8;

/// A name from `generateName`: the same base at the same moment gives the same names again.
/// # Errors
/// `AlreadyExists` when every attempt met an existing object.
pub(crate) fn generate(
    world: &World,
    cluster: ClusterId,
    kind: Kind,
    namespace: &str,
    base: &str,
) -> Result<String, ApiStatus> {
    let seed = format!("{}/{}/{namespace}/{base}@{}", cluster.0, kind.info().plural, world.now().0);
    let base = base.get(..MAX_BASE).unwrap_or(base);
    let mut name = String::new();
    // UPSTREAM: 8 attempts; many objects made in one instant draw from one row here, so the row is longer.
    for n in 0..ATTEMPTS * 1000 {
        name = format!("{base}{}", suffix(world.seed(), "generate-name", &seed, n, 5));
        if world.store().object(&Key::new(cluster, kind, namespace, &name)).is_none() {
            return Ok(name);
        }
    }
    let mut status = ApiStatus::already_exists(kind, &name);
    status.message.push_str(", the server was not able to generate a unique name for the object");
    Err(status)
}

/// The uid of an object that is about to be written.
pub(crate) fn uid_of(world: &World, key: &Key) -> String {
    uid(world.seed(), &format!("{}/{key}", key.cluster.0), world.store().revision())
}
