//! The law: what the changes add up to is what the guest has.

use dacapo_core::{Image, ListOptions, Storage, WallTime};
use proptest::prelude::*;

use crate::{apply, empty, open};

#[derive(Clone, Debug)]
enum Step {
    Put(u8, usize),
    Delete(u8),
    Sql(u8),
    Begin,
    Commit,
    Rollback,
    Alarm(Option<i64>),
    DeleteAll,
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..12, prop_oneof![0usize..50, 3000usize..20_000]).prop_map(|(k, n)| Step::Put(k, n)),
        2 => (0u8..12).prop_map(Step::Delete),
        4 => any::<u8>().prop_map(Step::Sql),
        2 => Just(Step::Begin),
        2 => Just(Step::Commit),
        2 => Just(Step::Rollback),
        1 => prop::option::of(any::<i64>()).prop_map(Step::Alarm),
        1 => Just(Step::DeleteAll),
        4 => Just(Step::Take),
    ]
}

fn act(storage: &mut dyn Storage, step: &Step) {
    // What makes no sense at this point is refused, and changes nothing.
    let _ = match step {
        Step::Put(key, len) => storage.put(&format!("k{key}"), &vec![*key; *len]),
        Step::Delete(key) => storage.delete(&format!("k{key}")).map(drop),
        Step::Sql(n) => {
            let text = match n % 5 {
                0 => "CREATE TABLE IF NOT EXISTS t (n, text)".to_owned(),
                1 => format!("INSERT INTO t VALUES ({n}, hex(zeroblob({n} * 20)))"),
                2 => format!("DELETE FROM t WHERE n < {n}"),
                3 => format!("UPDATE t SET text = 'x' WHERE n > {n}"),
                _ => "DROP TABLE t".to_owned(),
            };
            storage.sql(&text, &[]).map(drop)
        }
        Step::Begin if storage.depth() < 4 => storage.begin(),
        Step::Begin => Ok(()),
        Step::Commit => storage.commit(),
        Step::Rollback => storage.rollback(),
        Step::Alarm(at) => storage.set_alarm(at.map(WallTime)),
        Step::DeleteAll => storage.delete_all(),
        Step::Take => Ok(()),
    };
}

fn contents(storage: &mut dyn Storage) -> String {
    let keys = storage.list(&ListOptions::default()).unwrap();
    let rows = storage.sql("SELECT * FROM t", &[]).map(|rows| rows.rows).map_err(|error| error.message);
    format!("{keys:?} {rows:?} {:?}", storage.alarm())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_changes_add_up_to_what_the_guest_has(steps in prop::collection::vec(step(), 1..60)) {
        let mut storage = empty();
        let mut image = Image::default();
        for step in &steps {
            act(&mut *storage, step);
            if matches!(step, Step::Take) && let Some(changes) = storage.take_changes() {
                apply(&mut image, &changes);
            }
        }
        while storage.depth() > 0 {
            storage.rollback().unwrap();
        }
        if let Some(changes) = storage.take_changes() {
            apply(&mut image, &changes);
        }
        prop_assert_eq!(contents(&mut *storage), contents(&mut *open(Some(&image))));
        prop_assert!(storage.take_changes().is_none());
    }

    #[test]
    fn the_same_steps_are_the_same_changes(steps in prop::collection::vec(step(), 1..40)) {
        let run = || {
            let mut storage = empty();
            let all: Vec<_> = steps.iter().map(|step| { act(&mut *storage, step); storage.take_changes() }).collect();
            all
        };
        prop_assert_eq!(run(), run());
    }
}
