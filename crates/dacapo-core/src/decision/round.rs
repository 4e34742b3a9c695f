//! The rounds of a workload's clients, as decisions name them.

use super::DecisionKey;
use super::inputs::{PAUSE, ROUND, WORKLOAD};

/// Whose round it is that a decision of a workload belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoundKey {
    /// The name of the driver.
    pub driver: String,
    /// The number of the client.
    pub client: u32,
    /// Which of its rounds, from 1.
    pub round: u32,
}

impl RoundKey {
    /// What rounds of a client are about: `transfer client 1`.
    pub fn client_cause(driver: &str, client: u32) -> String {
        format!("{driver} client {client}")
    }

    /// What draws of one of its rounds are about: `transfer client 1 round 3`.
    pub fn cause(client_cause: &str, round: u32) -> String {
        format!("{client_cause} round {round}")
    }

    /// The round whose happening this key decides.
    pub fn of_round(key: &DecisionKey) -> Option<RoundKey> {
        let is_round = key.lane == WORKLOAD && key.what == ROUND;
        is_round.then(|| RoundKey::parse(&key.cause, key.nth)).flatten()
    }

    /// The round that this key's value was drawn in, or that it is the pause before.
    pub fn of_detail(key: &DecisionKey) -> Option<RoundKey> {
        if key.lane != WORKLOAD || key.what == ROUND {
            return None;
        }
        if key.what == PAUSE {
            return RoundKey::parse(&key.cause, key.nth);
        }
        let (client_cause, round) = key.cause.rsplit_once(" round ")?;
        RoundKey::parse(client_cause, round.parse().ok()?)
    }

    fn parse(client_cause: &str, round: u32) -> Option<RoundKey> {
        let (driver, client) = client_cause.rsplit_once(" client ")?;
        Some(RoundKey { driver: driver.to_owned(), client: client.parse().ok()?, round })
    }

    /// The same key for another round of the same client.
    pub fn moved(key: &DecisionKey, round: u32) -> DecisionKey {
        match (&*key.what, key.cause.rsplit_once(" round ")) {
            (ROUND | PAUSE, _) | (_, None) => DecisionKey { nth: round, ..key.clone() },
            (_, Some((client_cause, _))) => {
                DecisionKey { cause: RoundKey::cause(client_cause, round).into(), ..key.clone() }
            }
        }
    }

    /// The pause of a client that belongs to its round of this number.
    pub fn pause(client_cause: &str, round: u32) -> DecisionKey {
        DecisionKey { lane: WORKLOAD.into(), what: PAUSE.into(), cause: client_cause.into(), nth: round }
    }

    /// Whether this key is of a pause.
    pub fn is_pause(key: &DecisionKey) -> bool {
        key.lane == WORKLOAD && key.what == PAUSE
    }
}
