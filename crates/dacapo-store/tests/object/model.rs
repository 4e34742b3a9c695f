//! Keys and values against the simplest thing that could be one: a `BTreeMap`.

use std::collections::BTreeMap;

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::ListOptions;
use proptest::prelude::*;

use crate::empty;

type Model = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Put(String, Vec<u8>),
    Delete(String),
    Get(String),
    List(ListOptions),
    Begin,
    Commit,
    Rollback,
}

/// Few letters, so that keys meet; among them both sides of the hole in the range of characters,
/// and the last one.
fn key() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!['a', 'b', '\0', '\u{d7ff}', '\u{e000}', '\u{10ffff}']),
        1..4,
    )
    .prop_map(String::from_iter)
}

fn options() -> impl Strategy<Value = ListOptions> {
    let bound = || prop::option::of(key().prop_map(ByteString::from));
    (bound(), bound(), bound(), bound(), any::<bool>(), prop::option::of(0u64..4)).prop_map(
        |(start, start_after, end, prefix, reverse, limit)| ListOptions {
            start,
            start_after,
            end,
            prefix,
            reverse,
            limit,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (key(), prop::collection::vec(any::<u8>(), 0..5)).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key().prop_map(Step::Delete),
        2 => key().prop_map(Step::Get),
        4 => options().prop_map(Step::List),
        1 => Just(Step::Begin),
        1 => Just(Step::Commit),
        1 => Just(Step::Rollback),
    ]
}

fn list(model: &Model, options: &ListOptions) -> Vec<(ByteString, Bytes)> {
    let within = |key: &str| {
        options.start.as_deref().is_none_or(|start| key >= start)
            && options.start_after.as_deref().is_none_or(|start| key > start)
            && options.end.as_deref().is_none_or(|end| key < end)
            && options.prefix.as_deref().is_none_or(|prefix| key.starts_with(prefix))
    };
    let mut entries: Vec<_> = model
        .iter()
        .filter(|(key, _)| within(key))
        .map(|(key, value)| (ByteString::from(key.as_str()), Bytes::copy_from_slice(value)))
        .collect();
    if options.reverse {
        entries.reverse();
    }
    entries.truncate(options.limit.map_or(usize::MAX, |limit| limit as usize));
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn keys_and_values_are_a_sorted_map(steps in prop::collection::vec(step(), 1..60)) {
        let mut storage = empty();
        let mut model = Model::new();
        let mut before = Vec::new();
        for step in steps {
            match step {
                Step::Put(key, value) => {
                    storage.put(&key, &value).unwrap();
                    model.insert(key, value);
                }
                Step::Delete(key) => {
                    prop_assert_eq!(storage.delete(&key), Ok(model.remove(&key).is_some()));
                }
                Step::Get(key) => {
                    let expected = model.get(&key).map(|value| Bytes::copy_from_slice(value));
                    prop_assert_eq!(storage.get(&key), Ok(expected));
                }
                Step::List(options) => {
                    prop_assert_eq!(storage.list(&options), Ok(list(&model, &options)));
                }
                Step::Begin => {
                    storage.begin().unwrap();
                    before.push(model.clone());
                }
                Step::Commit => prop_assert_eq!(storage.commit().is_ok(), before.pop().is_some()),
                Step::Rollback => {
                    let expected = before.pop();
                    prop_assert_eq!(storage.rollback().is_ok(), expected.is_some());
                    model = expected.unwrap_or(model);
                }
            }
            prop_assert_eq!(storage.depth() as usize, before.len());
        }
        prop_assert_eq!(storage.list(&ListOptions::default()), Ok(list(&model, &ListOptions::default())));
    }
}
