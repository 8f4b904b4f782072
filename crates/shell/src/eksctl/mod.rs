//! What does `eksctl` print?

use crate::{eval::Flow, output::Hint, tool::Call};

/// `eksctl …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    call.out.hint(Hint::NotSimulated { what: format!("eksctl {}", call.args.join(" ")) });
    Ok(1)
}
