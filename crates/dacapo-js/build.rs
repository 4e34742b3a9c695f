//! Embeds the platform library: the files that `lib/order.txt` names, in that order, each with the part to which it belongs.

#![allow(clippy::disallowed_methods, reason = "this is how cargo talks to a build script")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=lib");
    let lib = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("lib");
    let order = fs::read_to_string(lib.join("order.txt")).unwrap_or_default();
    let mut code = String::from("&[\n");
    for line in order.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let (name, part) = (words.next().unwrap_or_default(), words.next());
        let path = lib.join(name);
        if path.is_file() {
            let path = path.to_str().expect("the path of the project is UTF-8");
            writeln!(code, "    ({name:?}, {part:?}, include_str!({path:?})),")
                .expect("a string takes it all");
        } else {
            println!("cargo::error=lib/order.txt names {name}, which does not exist");
        }
    }
    code.push_str("]\n");
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("library.rs"), code).expect("the build directory is writable");
}
