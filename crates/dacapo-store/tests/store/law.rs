//! Whatever is done and whatever the disk does, again and again: what was acknowledged is there, and
//! what was not is there as a whole or not at all.

use dacapo_core::{Changes, ObjectKey, StorageError};
use dacapo_store::Store;
use proptest::prelude::*;

use crate::disk::{Fault, TestDisk};
use crate::model::{Model, apply, contents};
use crate::{alarm, key, write};

/// Small enough that segments are opened, closed and cleaned all the time.
const SEGMENT: u64 = 1500;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Change>),
    Remove(u8),
    /// The disk has room for so many bytes more, until further notice.
    Room(Option<u64>),
}

/// Of which object; so many bytes of this value from there on.
#[derive(Clone, Copy, Debug)]
struct Change {
    object: u8,
    at: u16,
    size: u16,
    value: u8,
}

impl Change {
    fn get(self) -> (ObjectKey, Changes) {
        let Change { object, at, size, value } = self;
        let changes = match size {
            0 => alarm(Some(i64::from(value))),
            _ => write(u64::from(at + size), at.into(), &vec![value; size.into()]),
        };
        (key(object), changes)
    }
}

/// What goes wrong once in a life of the process, and how that life ends.
#[derive(Clone, Debug)]
struct Life {
    steps: Vec<Step>,
    fault: Option<(u64, Fault)>,
    /// The machine dies, too, and for each un-synced sector it says here whether it stays.
    crash: Option<[u64; 4]>,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0u8..5, 0u16..2000, 0u16..900, any::<u8>()).prop_map(|(object, at, size, value)| Change {
        object,
        at,
        size,
        value,
    });
    prop_oneof![
        12 => prop::collection::vec(change, 1..4).prop_map(Step::Commit),
        2 => (0u8..5).prop_map(Step::Remove),
        1 => prop::option::of(0u64..4000).prop_map(Step::Room),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let fault = prop_oneof![
        4 => Just(Fault::PowerCut),
        1 => Just(Fault::Error),
        1 => Just(Fault::Undead),
        1 => Just(Fault::Forgets),
    ];
    let fault = prop::option::weighted(0.9, (1u64..60, fault));
    let steps = prop::collection::vec(step(), 0..25);
    (steps, fault, prop::option::weighted(0.8, any::<[u64; 4]>())).prop_map(|(steps, fault, crash)| Life {
        steps,
        fault,
        crash,
    })
}

fn changes(batch: &[Change]) -> Vec<(ObjectKey, Changes)> {
    batch.iter().map(|change| change.get()).collect()
}

/// What there may be: the state that was acknowledged last, or one that a step made which has failed since.
struct Possible(Vec<Model>);

impl Possible {
    fn note(&mut self, step: &Step, result: &Result<(), StorageError>) {
        let mut next = self.0[0].clone();
        match step {
            Step::Commit(batch) => apply(&mut next, &changes(batch)),
            // Nothing was there: nothing was written, and nothing is known of what failed before.
            Step::Remove(n) if next.remove(&key(*n)).is_none() => return,
            Step::Remove(_) => {}
            Step::Room(_) => return,
        }
        match result {
            Ok(()) => self.0 = vec![next],
            Err(_) => self.0.push(next),
        }
    }
}

fn live(disk: &TestDisk, life: &Life, possible: &mut Possible) -> Result<(), TestCaseError> {
    if let Some((at, fault)) = life.fault {
        disk.fail_at(disk.operations() + at, fault);
    }
    let Ok((mut store, _)) = Store::open_with(disk.boxed(), SEGMENT) else { return Ok(()) };
    let found = contents(&mut store);
    prop_assert!(possible.0.contains(&found), "neither what was acknowledged nor what was under way");
    // Whoever has seen it builds on it: it may not go away again.
    possible.0 = vec![found];
    for step in &life.steps {
        let result = match step {
            Step::Commit(batch) => store.commit(&changes(batch)),
            Step::Remove(n) => store.remove(&[key(*n)]),
            Step::Room(room) => {
                disk.leave_room(*room);
                Ok(())
            }
        };
        possible.note(step, &result);
        prop_assert!(
            contents(&mut store) == possible.0[0],
            "what failed is seen, or other than what was done"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_acknowledged_outlives_any_faults(lives in prop::collection::vec(life(), 1..6)) {
        let disk = TestDisk::new();
        let mut possible = Possible(vec![Model::new()]);
        for life in &lives {
            live(&disk, life, &mut possible)?;
            disk.heal();
            if let Some(bits) = life.crash {
                let mut n = 0;
                disk.restart(|| { n += 1; bits[n / 64 % 4] >> (n % 64) & 1 == 1 });
            }
        }
        disk.leave_room(None);
        let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
        prop_assert!(possible.0.contains(&contents(&mut store)));
        prop_assert_eq!(store.check().unwrap(), vec![]);
    }
}
