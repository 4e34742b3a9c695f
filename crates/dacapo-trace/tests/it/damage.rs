//! Broken recordings: each is named, none does harm.

use dacapo_trace::{Ending, Outcome, Part, ReadError, Reader, Trace, forge, unforge};
use proptest::prelude::*;

use crate::tape::{identity, record, transfer};

fn sample() -> Vec<u8> {
    record(&identity(), &transfer(), Outcome::Failed("every transfer is answered".into())).0
}

fn error(bytes: &[u8]) -> String {
    Trace::read(bytes).expect_err("it is broken").to_string()
}

#[test]
fn cut_anywhere_it_gives_what_is_there_or_says_that_nothing_is() {
    let bytes = sample();
    let whole: Vec<Part> = Trace::read(&bytes[..]).unwrap().records.into_iter().map(|r| r.part).collect();
    for length in 0..bytes.len() {
        match Trace::read(&bytes[..length]) {
            Ok(trace) => {
                assert!(matches!(trace.ending, Ending::Cut { .. }), "at {length}");
                assert!(trace.records.iter().map(|r| &r.part).eq(&whole[..trace.records.len()]));
            }
            Err(ReadError::Headless { offset }) => assert!(offset <= length as u64),
            Err(other) => panic!("at {length}: {other}"),
        }
    }
}

#[test]
fn any_flipped_bit_is_noticed() {
    let bytes = sample();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut broken = bytes.clone();
            broken[place] ^= 1 << bit;
            let error = Trace::read(&broken[..]).expect_err("a flipped bit");
            assert!(error.offset() <= place as u64, "{place}.{bit}: {error}");
        }
    }
}

#[test]
fn what_stands_before_the_damage_can_be_read() {
    let mut bytes = sample();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let mut reader = Reader::open(&bytes[..]).unwrap();
    let (good, bad): (Vec<_>, Vec<_>) = reader.by_ref().partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (transfer().len(), 1));
    assert!(reader.next().is_none() && reader.ending().is_none());
    insta::assert_snapshot!(bad[0].as_ref().unwrap_err(), @"DC0064: the recording is damaged at byte 576, after event #6: a chunk does not match its checksum. The file has changed since it was written; take another copy of it, or record the run again.");
}

#[test]
fn something_else_is_not_taken_for_a_recording() {
    insta::assert_snapshot!(error(b"\x7fELF\x02\x01\x01\x00"), @r#"DC0060: this is not a recording of Dacapo: its first bytes are \x7fELF\x02\x01\x01. Recordings come from `dacapo sim` and `dacapo serve --record`."#);
    insta::assert_snapshot!(error(b""), @"DC0063: the recording ends at byte 0, within its header: nothing in it can be read. The tool or the machine stopped right after the start, or the file was not copied in full.");
}

#[test]
fn other_formats_are_refused_by_number() {
    let with_version = |version: u32| {
        let mut bytes = sample();
        bytes[7..11].copy_from_slice(&version.to_le_bytes());
        error(&bytes)
    };
    insta::assert_snapshot!(with_version(7), @"DC0061: this recording has format 7, this build reads 1 to 1. Read it with the Dacapo that wrote it, or a newer one.");
    insta::assert_snapshot!(with_version(0), @"DC0062: this recording has format 0, this build reads 1 to 1. Read it with the Dacapo that wrote it.");
}

#[test]
fn nothing_may_follow_the_end() {
    let mut bytes = sample();
    bytes.push(0);
    insta::assert_snapshot!(error(&bytes), @"DC0064: the recording is damaged at byte 659, after event #6: something follows the end of the recording. The file has changed since it was written; take another copy of it, or record the run again.");
}

#[test]
fn a_text_of_a_forged_length_takes_no_memory() {
    // The first text of a header, said to be 2^62 bytes long.
    let raw = [&[253][..], &(1u64 << 62).to_le_bytes(), b"dacapo"].concat();
    assert_eq!(Trace::read(&forge(&[(1, &raw)])[..]).unwrap_err().code(), "DC0065");
}

proptest! {
    #[test]
    fn any_bytes_end_in_a_result(bytes in prop::collection::vec(any::<u8>(), 0..600), keep in 0usize..600) {
        let mut bytes = bytes;
        let sample = sample();
        let keep = keep.min(bytes.len()).min(sample.len());
        bytes[..keep].copy_from_slice(&sample[..keep]);
        let _ = Trace::read(&bytes[..]);
    }

    #[test]
    fn sound_checksums_around_nonsense_do_no_harm(
        chunk in 0usize..3, changes in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6),
    ) {
        let mut chunks = unforge(&sample());
        prop_assert_eq!(chunks.len(), 3);
        let raw = &mut chunks[chunk].1;
        for (place, byte) in changes {
            let place = usize::from(place) % raw.len();
            raw[place] = byte;
        }
        let chunks: Vec<(u8, &[u8])> = chunks.iter().map(|(kind, raw)| (*kind, &raw[..])).collect();
        match Trace::read(&forge(&chunks)[..]) {
            // Only the header is not bound by the digest: another name in it is another name.
            Ok(trace) => {
                let written: Vec<Part> = trace.records.into_iter().map(|record| record.part).collect();
                let notes = |part: &&Part| !matches!(part, Part::Note(_));
                prop_assert!(written.iter().filter(notes).eq(transfer().iter().filter(notes)));
            }
            Err(error) => prop_assert_eq!(error.code(), "DC0065"),
        }
    }
}
