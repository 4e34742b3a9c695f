//! A recording from the day of format 1 stays readable for as long as the format is read.

use dacapo_trace::{Ending, Outcome, Part, Trace};

use crate::counter::counter;
use crate::tape::{identity, record, transfer};

/// `DACAPO_FIXTURES=write cargo test -p dacapo-trace` writes a fixture anew: right as long as no
/// release has written the format, and never after that.
#[allow(clippy::disallowed_methods, reason = "who sets the variable asks for the fixtures to be written")]
fn stays_readable(name: &str, bytes: &[u8], run: &[Part]) {
    let (written, summary) = record(&identity(), run, Outcome::Passed);
    if std::env::var_os("DACAPO_FIXTURES").is_some_and(|value| value == "write") {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");
        std::fs::write(format!("{folder}{name}"), written).expect("the fixture can be written");
        return;
    }
    let trace = Trace::read(bytes).unwrap();
    assert_eq!(trace.identity, identity());
    assert!(trace.records.iter().map(|record| &record.part).eq(run));
    assert!(matches!(trace.ending, Ending::Finished(recorded) if recorded == summary));
}

#[test]
fn a_recording_of_format_1_stays_readable() {
    let bytes = include_bytes!("../fixtures/transfer.v1.dacapo");
    stays_readable("transfer.v1.dacapo", bytes, &transfer());
}

#[test]
fn a_recording_of_format_1_with_objects_stays_readable() {
    let bytes = include_bytes!("../fixtures/counter.v1.dacapo");
    stays_readable("counter.v1.dacapo", bytes, &counter());
}
