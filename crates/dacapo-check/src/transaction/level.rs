//! Isolation levels, and what each anomaly says of them.

use std::fmt;

/// How strictly transactions should be kept apart, after Adya ("Weak Consistency", 1999).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Writes come in one order.
    ReadUncommitted,
    /// Nothing is read that was not committed.
    ReadCommitted,
    /// A transaction is seen as a whole, or not.
    ReadAtomic,
    /// Each transaction reads from one snapshot, and of two that write the same one fails.
    SnapshotIsolation,
    /// What was read does not change until the end.
    RepeatableRead,
    /// As if one after the other.
    Serializable,
    /// The same, with those of one process in their order.
    StrongSessionSerializable,
    /// The same, with each after those that had ended before it began.
    StrictSerializable,
}

impl Level {
    /// All, from weak to strong (snapshot isolation and repeatable read are neither weaker nor stronger
    /// than each other).
    pub const ALL: [Level; 8] = [
        Level::ReadUncommitted,
        Level::ReadCommitted,
        Level::ReadAtomic,
        Level::SnapshotIsolation,
        Level::RepeatableRead,
        Level::Serializable,
        Level::StrongSessionSerializable,
        Level::StrictSerializable,
    ];

    /// The name, as workloads write it.
    pub fn name(self) -> &'static str {
        match self {
            Level::ReadUncommitted => "read uncommitted",
            Level::ReadCommitted => "read committed",
            Level::ReadAtomic => "read atomic",
            Level::SnapshotIsolation => "snapshot isolation",
            Level::RepeatableRead => "repeatable read",
            Level::Serializable => "serializable",
            Level::StrongSessionSerializable => "strong session serializable",
            Level::StrictSerializable => "strict serializable",
        }
    }

    /// The level of this name.
    pub fn of(name: &str) -> Option<Level> {
        let wanted = name.replace('-', " ");
        Level::ALL.into_iter().find(|level| level.name() == wanted)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What can be wrong with transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnomalyKind {
    /// A value is twice in what was read.
    DuplicateElements,
    /// The orders in which versions must have come contradict each other.
    CyclicVersions,
    /// Writes depend on each other in a circle.
    G0,
    /// A value was read that nobody wrote.
    GarbageRead,
    /// A value was read whose transaction failed.
    G1a,
    /// A value was read that its transaction had not finished with.
    G1b,
    /// A committed transaction built on one that failed.
    DirtyUpdate,
    /// Two reads show orders that cannot both be.
    IncompatibleOrder,
    /// Transactions see each other in a circle.
    G1c,
    /// A transaction does not see its own reads and writes.
    Internal,
    /// Two transactions read the same version and both replaced it.
    LostUpdate,
    /// A circle in which one transaction missed a write: read skew.
    GSingle,
    /// A circle in which several missed a write, and none of these followed another.
    GNonadjacent,
    /// A circle in which several missed a write: write skew.
    G2Item,
}

impl AnomalyKind {
    /// The name in the literature, and what it means.
    pub fn name(self) -> &'static str {
        match self {
            AnomalyKind::DuplicateElements => "duplicate elements",
            AnomalyKind::CyclicVersions => "cyclic versions",
            AnomalyKind::G0 => "G0 (write cycle)",
            AnomalyKind::GarbageRead => "garbage read",
            AnomalyKind::G1a => "G1a (aborted read)",
            AnomalyKind::G1b => "G1b (intermediate read)",
            AnomalyKind::DirtyUpdate => "dirty update",
            AnomalyKind::IncompatibleOrder => "incompatible order",
            AnomalyKind::G1c => "G1c (circular information flow)",
            AnomalyKind::Internal => "internal inconsistency",
            AnomalyKind::LostUpdate => "lost update",
            AnomalyKind::GSingle => "G-single (read skew)",
            AnomalyKind::GNonadjacent => "G-nonadjacent",
            AnomalyKind::G2Item => "G2-item (write skew)",
        }
    }

    /// The levels at which this must not happen.
    pub fn rules_out(self) -> &'static [Level] {
        use Level::*;
        match self {
            AnomalyKind::DuplicateElements | AnomalyKind::CyclicVersions | AnomalyKind::G0 => &Level::ALL,
            AnomalyKind::GarbageRead
            | AnomalyKind::G1a
            | AnomalyKind::G1b
            | AnomalyKind::DirtyUpdate
            | AnomalyKind::IncompatibleOrder
            | AnomalyKind::G1c => Level::ALL.split_first().map_or(&[], |(_, stronger)| stronger),
            AnomalyKind::Internal => {
                &[ReadAtomic, SnapshotIsolation, Serializable, StrongSessionSerializable, StrictSerializable]
            }
            AnomalyKind::LostUpdate | AnomalyKind::GSingle | AnomalyKind::GNonadjacent => &[
                SnapshotIsolation,
                RepeatableRead,
                Serializable,
                StrongSessionSerializable,
                StrictSerializable,
            ],
            AnomalyKind::G2Item => {
                &[RepeatableRead, Serializable, StrongSessionSerializable, StrictSerializable]
            }
        }
    }
}
