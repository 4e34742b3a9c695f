//! What runs guest code.

use std::fmt;
use std::rc::Rc;

use bytestring::ByteString;

use crate::{Boot, Digest, Effects, Event, Files, Location, Probes, Turn, TurnEnd};

/// Guest code to be loaded: an entry module and where to read it and its imports from.
pub struct Code<'a> {
    /// Path of the entry module, relative to the project.
    pub entry: &'a str,
    /// The project's files.
    pub files: &'a dyn Files,
}

/// Loads guest code of one kind.
pub trait Engine {
    /// Reads, checks and compiles a program with everything it imports. Runs none of it.
    fn load(&self, code: &Code<'_>) -> Result<Rc<dyn Program>, LoadError>;
}

/// Loaded code, of which any number of instances can be started.
pub trait Program {
    /// Starts an instance. Guest code first runs in its first turn.
    fn start(&self, boot: Boot) -> Box<dyn Instance>;

    /// Stands for all of the code: part of a run's identity.
    fn digest(&self) -> Digest;

    /// Tells which functions and branches run, if the engine was told to find out.
    fn probes(&self) -> Option<&dyn Probes> {
        None
    }
}

/// One live guest.
pub trait Instance {
    /// Takes one event and runs until the guest waits again; pushes its effects to `out`.
    fn turn(&mut self, turn: &Turn, event: Event, out: &mut Effects) -> TurnEnd;
}

/// Why a program cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// What is wrong, for people.
    pub message: String,
    /// Where in the source.
    pub location: Option<Location>,
    /// The text of that file, so that an excerpt can be shown.
    pub source_text: Option<ByteString>,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for LoadError {}
