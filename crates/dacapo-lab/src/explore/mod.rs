//! Exploration: which run to try next.
//!
//! A seed alone is one way to get from run to run, and not the best one for most bugs. A [`Strategy`] is
//! another: its n-th *attempt* is a seed and, for most of them, a script over the decisions of the run. An attempt
//! depends on the strategy and its number alone, so a strategy and a number repeat it anywhere. Only [`Explorer`] and
//! [`Itinerary`], which learn which strategy pays, depend on what came before.

mod attempt;
mod baselines;
mod explorer;
mod guided;
mod itinerary;
mod points;
mod portfolio;
mod sparse;
mod strategy;

pub use attempt::Attempt;
pub use explorer::{Explorer, Found};
pub use itinerary::{Itinerary, Stop};
pub use strategy::{Strategy, StrategyError};
