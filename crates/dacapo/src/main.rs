//! The `dacapo` command line.
fn main() {}
