//! The words of Dacapo and the door between a guest and the world.
//!
//! A guest takes one [`Event`] in and gives a list of [`Effect`]s out: a *turn*. A [`World`] says
//! what happens next (simulated, real or replayed); an [`Engine`] runs guest code. Everything that
//! passes the door is plain data defined here, so that recording, replay, limits and faults each
//! happen once, around the door.
//!
//! This crate knows nothing of engines, sockets, disks or clocks.

#![forbid(unsafe_code)]

mod body;
mod coverage;
mod decision;
mod digest;
mod disk;
mod effect;
mod engine;
mod event;
mod exponential;
pub mod fault;
mod files;
mod http_head;
mod id;
mod id_map;
mod id_ring;
mod lease;
mod message;
mod object;
mod outbox;
pub mod plan;
mod random;
mod storage;
mod store;
mod time;
mod turn;
mod world;

pub use body::{Body, Chunk, WINDOW};
pub use coverage::{Point, PointKind, Probes};
pub use decision::{
    Choice, Decision, DecisionKey, DecisionKind, Decisions, Drawn, Draws, Inputs, KeyError, Lane, Noise,
    Rest, RoundKey, Rounds, Script, Source, Triggers, decisions_to_bytes,
};
pub use digest::{Digest, DigestHasher, digest_of};
pub use disk::{Disk, DiskError, DiskErrorKind};
pub use effect::{Check, CheckKind, Effect, Effects, Level, Target, Trigger};
pub use engine::{Code, Engine, Instance, LoadError, Program};
pub use event::{Event, NetError, Phase};
pub use files::{FileKind, Files, MemoryFiles};
pub use http_head::{Headers, RequestHead, ResponseHead};
pub use id::{Address, CallId, ExchangeId, InstanceId, NodeId, ServiceId, TimerId};
pub use id_map::IdMap;
pub use id_ring::{IdRing, Numbered};
pub use lease::{LeaseCall, LeaseRecord, LeaseSwap, LeaseTable};
pub use message::Message;
pub use object::{ObjectId, ObjectKey};
pub use outbox::Outbox;
pub use random::{Entropy, Random, Seed};
pub use storage::{
    Changes, Image, ListOptions, SharedStorage, SqlRows, SqlValue, Storage, StorageEngine, StorageError,
    StorageErrorKind,
};
pub use store::{Alarms, Flushes, ObjectStore, OpenStore, StoreJob};
pub use time::{Time, WallTime};
pub use turn::{Binding, BindingTo, Boot, Fault, FaultKind, Location, ObjectBoot, Turn, TurnEnd};
pub use world::{Delivery, Note, NoteKind, World};

#[cfg(test)]
mod sizes {
    /// What passes the door is moved from hand to hand; up to this size the compiler does that in
    /// registers instead of by a call of `memmove`.
    #[test]
    fn what_passes_the_door_is_small() {
        assert!(size_of::<crate::Delivery>() <= 128, "{}", size_of::<crate::Delivery>());
        assert!(size_of::<crate::Effect>() <= 128, "{}", size_of::<crate::Effect>());
    }
}
