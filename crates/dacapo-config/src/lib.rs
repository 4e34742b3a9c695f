//! HCL in, typed plan out.
//!
//! [`parse`] and [`parse_files`] read a project, [`check_files`] asks whether the modules that it
//! names exist, [`parse_seed`] and [`SavedSeed::to_hcl`] read and write a saved seed. Every way
//! tells all that is wrong at once, each with its place in the source and the next step.
//!
//! This crate opens no file and loads no module; it takes texts and a [`dacapo_core::Files`].

#![forbid(unsafe_code)]

mod code;
mod error;
mod file_check;
mod plan;
mod read;
mod seed;

pub use code::Code;
pub use error::{Error, Errors};
pub use file_check::check_files;
pub use plan::{Config, parse, parse_files};
pub use seed::{SavedSeed, is_seed, parse_seed};
