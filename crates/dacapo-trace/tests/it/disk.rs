//! What a disk answers, in a recording: large, and never taken for something else.

use bytes::Bytes;
use dacapo_core::{Changes, Effect, Event, Image, Level, StorageError, StorageErrorKind};
use dacapo_trace::{Identity, Outcome, Part, Trace};

use crate::counter::key;
use crate::tape::{at, delivery, identity, record};

#[test]
fn the_state_of_a_large_object_is_read_as_it_was_written() {
    // No zeros: what does not compress is what comes near to the limits.
    let noise = std::iter::successors(Some(1u64), |n| Some(n.wrapping_mul(6_364_136_223_846_793_005) + 1));
    let bytes: Bytes = noise.take(8 << 20).flat_map(u64::to_le_bytes).collect();
    assert_eq!(bytes.len(), 64 << 20);
    let image = Image { bytes: bytes.clone(), alarm: None };
    let changes = Changes { len: bytes.len() as u64, writes: vec![(0, bytes)], alarm: None };
    let run = [
        delivery(1, at(0, 1), Event::Loaded(Ok(Some(image)))),
        Part::Effect(at(0, 1), Effect::Commit(1, Box::new(key()), Box::new(changes))),
        delivery(2, at(0, 1), Event::Committed(1, Ok(()))),
    ];
    let (written, _) = record(&identity(), &run, Outcome::Passed);
    let trace = Trace::read(&written[..]).unwrap();
    assert!(trace.records.iter().map(|record| &record.part).eq(&run));
}

#[test]
fn the_digest_tells_a_state_from_an_error_that_looks_like_it() {
    // Were there no mark before them, these bytes would be an error with the text "m", and a line of a log.
    let (text, length) = ("x".repeat(235), 237u64.to_le_bytes());
    let forged =
        [&[0, b'm', 2, 0, 0, 0, 0, 1, 0, 0, 0, 9, Level::Info as u8][..], &length, text.as_bytes()].concat();
    assert_eq!(forged.len(), 256, "its lowest byte is the kind of error");
    let state = Image { bytes: forged.into(), alarm: None };
    let error = StorageError::new(StorageErrorKind::Guest, "m");
    let loaded = |result| delivery(0, at(0, 1), Event::Loaded(result));
    let digest = |run: &[Part]| record(&Identity::default(), run, Outcome::Passed).1.digest;
    let line = Part::Effect(at(0, 1), Effect::Log(Level::Info, format!("{text}\0\0").into()));
    assert_ne!(digest(&[loaded(Ok(Some(state)))]), digest(&[loaded(Err(error)), line]));
}
