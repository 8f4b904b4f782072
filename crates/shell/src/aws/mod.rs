//! What does `aws` print?

use crate::{eval::Flow, output::Hint, tool::Call};

/// `aws …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    call.out.hint(Hint::NotSimulated { what: format!("aws {}", call.args.join(" ")) });
    Ok(1)
}
