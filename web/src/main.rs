//! How does it look?
fn main() {}
