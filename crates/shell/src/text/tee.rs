//! `tee`.

use crate::{eval::Flow, text::Options, tool::Call};

/// `tee [-a] [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "aip", "", &[("append", 'a')]) else { return Ok(1) };
    let text = call.stdin.rest();
    let mut status = 0;
    for name in &options.operands {
        let machine = &mut *call.shell.machine;
        let path = machine.path(name);
        let written = if options.has('a') {
            machine.files.append(&path, &text)
        } else {
            machine.files.write(&path, &text)
        };
        if let Err(error) = written
            && name != "/dev/null"
        {
            call.out.err(&format!("tee: {name}: {error}"));
            status = 1;
        }
    }
    call.out.out(&text);
    Ok(status)
}
