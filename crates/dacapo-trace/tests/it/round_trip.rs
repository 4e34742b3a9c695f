//! What was written is what is read.

use std::io::{self, Write};

use bytes::Bytes;
use dacapo_core::{Changes, Effect, Event, Image, Level, StorageError, StorageErrorKind, TimerId, World};
use dacapo_trace::{
    Ending, Identity, Memory, Outcome, Part, Reader, Recorder, Replay, ReplayEnd, Trace, WriteError, diff,
};
use proptest::prelude::*;

use crate::counter::key;
use crate::strategy::run;
use crate::tape::{Tape, at, delivery, identity, play, record, transfer};

fn parts(trace: &Trace) -> Vec<Part> {
    trace.records.iter().map(|record| record.part.clone()).collect()
}

proptest! {
    #[test]
    fn every_run_is_read_as_it_was_written(run in run()) {
        let (bytes, summary) = record(&identity(), &run, Outcome::Passed);
        let trace = Trace::read(&bytes[..]).unwrap();
        prop_assert_eq!(&trace.identity, &identity());
        prop_assert_eq!(parts(&trace), run);
        let ends_so = matches!(&trace.ending, Ending::Finished(s) if *s == summary);
        prop_assert!(ends_so);
    }

    #[test]
    fn a_recording_of_a_replay_is_the_recording(run in run()) {
        let (bytes, _) = record(&identity(), &run, Outcome::Passed);
        let memory = Memory::new();
        let replay = Replay::new(Reader::open(&bytes[..]).unwrap());
        let mut recorder = Recorder::with_writer(replay, &identity(), Box::new(memory.clone()));
        play(&mut recorder, &run);
        let (replay, _, written) = recorder.finish(Outcome::Passed);
        written.unwrap();
        let is_same = matches!(replay.finish(), ReplayEnd::Same { .. });
        prop_assert!(is_same);
        prop_assert_eq!(memory.take(), bytes);
    }

    #[test]
    fn the_digest_tells_runs_apart(a in run(), b in run()) {
        let without_notes = |run: &[Part]| {
            run.iter().filter(|part| !matches!(part, Part::Note(_))).cloned().collect::<Vec<_>>()
        };
        let digest = |run: &[Part]| record(&Identity::default(), run, Outcome::Passed).1.digest;
        prop_assert_eq!(digest(&a), digest(&without_notes(&a)));
        prop_assert_eq!(digest(&a) == digest(&b), without_notes(&a) == without_notes(&b));
        // And `diff` agrees with it.
        let [x, y] = [&a, &b].map(|run| record(&Identity::default(), run, Outcome::Passed).0);
        let difference = diff(
            &Identity::default(), Reader::open(&x[..]).unwrap(), Reader::open(&y[..]).unwrap(),
        ).unwrap();
        prop_assert_eq!(difference.is_none(), digest(&a) == digest(&b));
    }
}

#[test]
fn a_long_run_is_written_in_chunks_while_it_goes_on() {
    let run: Vec<Part> = (0..20_000).map(|i| delivery(i, at(0, 1), Event::Timer(TimerId(i)))).collect();
    let memory = Memory::new();
    let mut recorder = Recorder::with_writer(Tape::of(&run), &identity(), Box::new(memory.clone()));
    for _ in 0..10_000 {
        recorder.next();
    }
    let early = memory.take();
    // The tool dies here: what was written so far can be read.
    let trace = Trace::read(&early[..]).unwrap();
    assert_eq!(trace.records.len(), 2 * 4096);
    assert_eq!(
        trace.ending.to_string(),
        format!(
            "the recording ends after event #8192, at byte {} (no footer: the tool or the machine stopped)",
            early.len()
        )
    );
    // Dropped without a word, the recorder still writes what it has.
    drop(recorder);
    let all = [early, memory.take()].concat();
    assert_eq!(Trace::read(&all[..]).unwrap().records.len(), 10_000);
}

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
        Part::Effect(at(0, 1), Effect::Commit(1, key(), changes)),
        delivery(2, at(0, 1), Event::Committed(1, Ok(()))),
    ];
    let (written, _) = record(&identity(), &run, Outcome::Passed);
    let trace = Trace::read(&written[..]).unwrap();
    assert!(trace.records.iter().map(|record| &record.part).eq(&run));
}

#[test]
fn a_disk_that_fills_up_harms_the_recording_and_not_the_run() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let run = transfer();
    let digest = record(&identity(), &run, Outcome::Passed).1.digest;
    let mut recorder = Recorder::with_writer(Tape::of(&run), &identity(), Box::new(Full(300)));
    play(&mut recorder, &run);
    let (_, summary, written) = recorder.finish(Outcome::Passed);
    assert_eq!(summary.digest, digest);
    let error = written.unwrap_err();
    assert!(matches!(error, WriteError::Io(_)));
    insta::assert_snapshot!(error, @"DC0067: the recording is incomplete: no storage space. What was written before can be read; check the disk and record again.");
}

#[test]
fn a_recorder_without_a_file_has_the_same_digest() {
    let run = transfer();
    let mut recorder = Recorder::new(Tape::of(&run));
    play(&mut recorder, &run);
    assert_eq!(recorder.digest(), record(&identity(), &run, Outcome::Passed).1.digest);
    // Saved runs live for years: this number may only change with the format.
    insta::assert_snapshot!(recorder.digest(), @"519ca54c5065b406bdf2354e7c682a76");
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
