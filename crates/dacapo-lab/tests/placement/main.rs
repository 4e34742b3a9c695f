//! What placement promises, by experiment: objects that are kept on several nodes, and whatever may
//! happen to those.

mod faults;
mod history;
mod moves;
