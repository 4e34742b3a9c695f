//! A recording as a sequence diagram: nodes as lanes, messages as arrows, faults, the broken check.
//!
//! [`Diagram::of`] chooses what led to the failure; [`Diagram::text`] draws it for a terminal, and
//! [`Page`] as a page of its own. Nothing from a guest reaches either unescaped.

mod build;
mod faults;
mod graph;
mod inevitable;
mod model;
mod page;
mod past;
mod select;
mod source;
mod svg;
mod text;

pub use inevitable::{Branch, Inevitability, Turn};
pub use model::{
    Arrow, ArrowKind, Broken, Diagram, Fate, Fault, Lane, Point, PointKind, Row, Span, Tone, What,
};
pub use page::{Page, SourceOf};
pub use select::Options;
pub use source::source_lines;
