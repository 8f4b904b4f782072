//! How do we check and ship?
fn main() {}
