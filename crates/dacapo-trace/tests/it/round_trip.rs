//! What was written is what is read.

use std::io::{self, Write};
use std::time::Duration;

use dacapo_core::{Event, TimerId, World};
use dacapo_trace::{
    Ending, Identity, Memory, Outcome, Part, Reader, Recorder, Replay, ReplayEnd, Trace, WriteError, diff,
};
use proptest::prelude::*;

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
fn a_recorder_that_is_killed_has_lost_no_more_than_its_last_moment() {
    let memory = Memory::new();
    let request = |micros| delivery(micros, at(0, 1), Event::Timer(TimerId(micros)));
    let parts = [request(1), request(400_000), request(1_200_000), request(1_300_000)];
    let recorder = Recorder::with_writer(Tape::of(&parts), &identity(), Box::new(memory.clone()));
    let mut recorder = recorder.writing_every(Duration::from_secs(1));
    play(&mut recorder, &parts);
    // Killed: not even `drop` runs.
    std::mem::forget(recorder);
    let trace = Trace::read(memory.take().as_slice()).expect("what was written can be read");
    assert_eq!(trace.records.len(), 3, "all but what came within the last second");
}
