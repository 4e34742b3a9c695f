//! The recording format, the recorder, and the replay world.
//!
//! - [`Recorder`] wraps any world: it keeps the digest of the run, and writes a recording if it is
//!   given something to write to.
//! - [`Reader`] reads a recording entry by entry, [`Trace`] all of it.
//! - [`Replay`] is a world that plays a recording and stops at the first difference; [`diff`]
//!   compares two recordings.
//! - [`print`] shows recordings to people and programs; [`Causes`] says what caused what.
//! - [`diagram`] draws what led to a failure, for a terminal and as a page.
//!
//! It opens no file: whoever calls it hands in something to read from or to write to.

#![forbid(unsafe_code)]

mod causes;
mod codec;
pub mod diagram;
mod digest;
mod divergence;
mod error;
mod frame;
mod identity;
mod names;
pub mod print;
mod reader;
mod record;
mod recorder;
mod replay;
mod v1;
mod writer;

pub use causes::Causes;
pub use divergence::{Divergence, diff};
pub use error::{ReadError, WriteError};
#[doc(hidden)]
pub use frame::{forge, unforge};
pub use identity::{Identity, WorldKind};
pub use reader::Reader;
pub use record::{Ending, Outcome, Part, Record, Summary, Trace};
pub use recorder::{Memory, Recorder};
pub use replay::{Entries, Replay, ReplayEnd, Source};
