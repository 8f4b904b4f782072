//! What did the learner type, and what does the tool print?
//!
//! [`run`] takes one line (here-documents and all), changes the [`Machine`] and the world, and writes what the real tools would
//! write. It knows nothing of lessons, of the script it is part of, or of the page: what those need comes back as
//! [`output::Hint`] and [`lab::LabCall`].
//!
//! ```
//! use shell::{Machine, Output, run};
//! let (mut machine, mut world, mut out) = (Machine::default(), cluster::World::empty(1), Output::default());
//! let status = run("echo one two | wc -w && false", &mut machine, &mut world, &mut out);
//! assert_eq!((out.stdout().as_str(), status), ("2\n", 1));
//! ```

pub mod arithmetic;
pub mod array;
pub mod aws;
mod brace;
pub mod builtin;
pub mod complete;
mod compound;
mod container;
pub mod eksctl;
pub mod escape;
pub mod eval;
pub mod expand;
pub mod files;
pub mod flag;
pub mod glob;
pub mod grammar;
mod job;
pub mod kind;
pub mod kubectl;
pub mod lab;
pub mod machine;
pub mod output;
mod patience;
mod redirect;
pub mod text;
pub mod tool;

pub use complete::{Completion, complete};
pub use eval::{run, run_fed};
pub use grammar::split;
pub use kubectl::help::HELP;
pub use lab::LabCall;
pub use machine::Machine;
pub use output::{Hint, Output, Stdin, Stream};
