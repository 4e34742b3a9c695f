//! The strategies by name.

use std::fmt;
use std::str::FromStr;

/// A way to get from one run to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    /// Every fault of the scenario at full strength; everything is drawn from the seed.
    Uniform,
    /// Each seed uses a random subset of the faults, each with a random strength (Groce et al., "Swarm
    /// Testing", ISSTA 2012).
    Swarm,
    /// As `Swarm`, and messages overtake each other freely within a window, which is small for some
    /// seeds and large for others (partial order sampling; Yuan, Yang and Gu, CAV 2018).
    Pos,
    /// As `Swarm`, and messages of one kind are always quicker than those of another; so many of
    /// all messages are late (probabilistic concurrency testing with this depth; Burckhardt et al., ASPLOS 2010).
    Pct(u32),
    /// A calm run in which one to four things go wrong, at moments that are drawn from all those at which
    /// something can.
    Sparse,
    /// As `Sparse` at first; what has shown something new is run again up to there, and then other things go wrong.
    Guided,
    /// All orders in which messages can arrive, first without faults, then with one at each place, and so on; drivers run for so
    /// many milliseconds, or with 0 for one round each ([`crate::Bounds`]). Only for what is small.
    Exhaustive(u32),
    /// More than half of the attempts are uniform, the others of several strategies: in turn, and more often the one that has
    /// shown most that is new.
    Portfolio,
}

impl Strategy {
    /// Those that a portfolio is made of.
    pub const ARMS: [Strategy; 5] =
        [Strategy::Swarm, Strategy::Guided, Strategy::Pos, Strategy::Uniform, Strategy::Pct(2)];

    /// So many attempts in a row build on one calm run.
    pub const CALM_SHARE: u64 = 10;

    /// So many guided attempts in a row build on each other.
    pub const EXPEDITION: u64 = 64;

    /// Whether its attempts depend on what was seen in others: then the programs should have probes.
    pub fn learns(self) -> bool {
        matches!(self, Strategy::Guided | Strategy::Portfolio)
    }

    /// What the attempt of this number builds on, if it does on other runs: attempts with the same number here build on the same.
    /// Who makes all of them, in order, makes those runs only once.
    pub fn builds_on(self, number: u64) -> Option<u64> {
        match self {
            Strategy::Sparse | Strategy::Pct(_) => Some(number / Strategy::CALM_SHARE),
            Strategy::Guided => Some(number / Strategy::EXPEDITION),
            _ => None,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Strategy::Uniform => f.write_str("uniform"),
            Strategy::Swarm => f.write_str("swarm"),
            Strategy::Pos => f.write_str("pos"),
            Strategy::Pct(depth) => write!(f, "pct{depth}"),
            Strategy::Sparse => f.write_str("sparse"),
            Strategy::Guided => f.write_str("guided"),
            Strategy::Exhaustive(0) => f.write_str("exhaustive"),
            Strategy::Exhaustive(lasts) => write!(f, "exhaustive{lasts}"),
            Strategy::Portfolio => f.write_str("portfolio"),
        }
    }
}

/// A name that is no strategy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no strategy: there are uniform, swarm, pos, pct1 to pct9, sparse, guided, portfolio, exhaustive, and exhaustive50 for 50 ms"
)]
pub struct StrategyError(pub String);

impl FromStr for Strategy {
    type Err = StrategyError;

    fn from_str(name: &str) -> Result<Strategy, StrategyError> {
        Ok(match name {
            "uniform" => Strategy::Uniform,
            "swarm" => Strategy::Swarm,
            "pos" => Strategy::Pos,
            "sparse" => Strategy::Sparse,
            "guided" => Strategy::Guided,
            "portfolio" => Strategy::Portfolio,
            "exhaustive" => Strategy::Exhaustive(0),
            _ if name.starts_with("exhaustive") => {
                let lasts = name["exhaustive".len()..].parse().ok().filter(|lasts| *lasts > 0);
                Strategy::Exhaustive(lasts.ok_or_else(|| StrategyError(name.to_owned()))?)
            }
            _ => {
                let depth = name.strip_prefix("pct").and_then(|depth| depth.parse().ok());
                let depth = depth.filter(|depth| (1..=9).contains(depth));
                Strategy::Pct(depth.ok_or_else(|| StrategyError(name.to_owned()))?)
            }
        })
    }
}
