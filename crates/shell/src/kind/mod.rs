//! What does `kind` print?

use crate::{eval::Flow, output::Hint, tool::Call};

/// `kind …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    call.out.hint(Hint::NotSimulated { what: format!("kind {}", call.args.join(" ")) });
    Ok(1)
}
