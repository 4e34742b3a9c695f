//! Which functions and branches of a program have run: what probes in its code tell those who search.
//!
//! That is no effect, and passes no door: nothing that a guest, the runtime or a world does may depend on it. A run is the
//! same with probes and without, and so are its digest and its recording.

use bytestring::ByteString;

use crate::Location;

/// A place in a program's code that a run reaches, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Stands for the module and the place in it, so it is the same in each program that has this module.
    pub id: u64,
    /// What begins there.
    pub kind: PointKind,
    /// The name of the function if it has one, or which branch it is: `then`, `else`, `case`.
    pub name: ByteString,
    /// Where the function begins, or what branches.
    pub location: Location,
}

/// What begins at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointKind {
    /// A function.
    Function,
    /// What is done only on some condition.
    Branch,
}

/// The probes of a program.
pub trait Probes {
    /// All points, module by module.
    fn points(&self) -> &[Point];

    /// Gives the index of each point that an instance of the program has reached since this was asked last, in order.
    fn take(&self, reached: &mut dyn FnMut(usize));
}
