//! Dacapo for those who test with proptest: requests, faults and models as strategies.
//!
//! A case has two parts. Its *input* (who asks for what, and which faults are allowed) is drawn and shrunk by proptest.
//! Its *schedule* (who is late, what is lost, who crashes and when) is drawn from a seed and shrunk by Dacapo.
//! They go together because a decision of the schedule depends on the seed and on what it is about, not on its
//! place in the run: when proptest takes a request away, what happens to the others stays the same. Once
//! proptest has found the least input, the story of the case says which few decisions it takes.
//!
//! - [`ask`] has strategies for requests, [`faults`] for faults.
//! - [`Trial`] is a system, an input and a rule: for tests of one's own.
//! - [`machine`] compares a service with a model of it, written as a state machine of `proptest-state-machine`.

#![forbid(unsafe_code)]

pub mod ask;
pub mod faults;
pub mod machine;
mod player;
mod story;
mod trial;

pub use ask::{Ask, asks};
pub use faults::{FaultPlan, fault_plans};
pub use machine::{Case, Simulated, cases};
pub use player::{Answered, Transcript};
pub use proptest_state_machine::ReferenceStateMachine;
pub use trial::{Input, Trial, inputs};
