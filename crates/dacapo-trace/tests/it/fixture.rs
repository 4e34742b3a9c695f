//! A recording from the day of format 1 stays readable for as long as the format is read.

use dacapo_trace::{Ending, Outcome, Trace};

use crate::tape::{identity, record, transfer};

#[test]
fn a_recording_of_format_1_stays_readable() {
    let bytes = include_bytes!("../fixtures/transfer.v1.dacapo");
    let trace = Trace::read(&bytes[..]).unwrap();
    assert_eq!(trace.identity, identity());
    assert!(trace.records.iter().map(|record| &record.part).eq(&transfer()));
    let (_, summary) = record(&identity(), &transfer(), Outcome::Passed);
    assert!(matches!(trace.ending, Ending::Finished(recorded) if recorded == summary));
}
