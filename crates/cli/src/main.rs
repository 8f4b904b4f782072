//! `podpath`: the lab without a page.
fn main() {}
