//! What does `kubectl` print?

pub mod kubeconfig;

use crate::{eval::Flow, output::Hint, tool::Call};

/// `kubectl …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    call.out.hint(Hint::NotSimulated { what: format!("kubectl {}", call.args.join(" ")) });
    Ok(1)
}
