//! Any bytes as a recording: entries, an ending or an error, never a panic, never a hang. Once as
//! the file itself, and once as the content of chunks whose checksums are sound, since bytes of a
//! fuzzer rarely have those.

use std::path::Path;

use dacapo_core::{ExchangeId, World};
use dacapo_trace::{
    Causes, Identity, Memory, Outcome, Reader, Recorder, Replay, Trace, forge, print, unforge,
};

struct Nothing;

impl World for Nothing {
    fn next(&mut self) -> Option<dacapo_core::Delivery> {
        None
    }
    fn submit(&mut self, _from: dacapo_core::Address, _effect: dacapo_core::Effect) {}
}

/// The header of an empty recording.
fn header() -> Vec<u8> {
    let memory = Memory::new();
    let recorder = Recorder::with_writer(Nothing, &Identity::default(), Box::new(memory.clone()));
    let (_, _, written) = recorder.finish(Outcome::Passed);
    written.expect("memory can be written to");
    unforge(&memory.take()).swap_remove(0).1
}

fn use_up(bytes: &[u8]) {
    let Ok(reader) = Reader::open(bytes) else { return };
    let identity = reader.identity().clone();
    let mut printer = print::Printer::new(&identity, print::Filter::default());
    let records: Vec<_> = reader.map_while(Result::ok).collect();
    for record in &records {
        let line = printer.line(record).expect("an empty filter leaves out nothing").to_string();
        assert!(!line.contains(char::is_control), "{line:?}");
        printer.json(record);
    }
    let causes = Causes::of(&records);
    print::chain(&identity, &records, &causes, ExchangeId(1));
    if let Ok(trace) = Trace::read(bytes) {
        let mut replay = Replay::from(trace);
        while replay.next().is_some() {}
        drop(replay.finish());
    }
}

/// Reads, prints and plays them.
pub fn run(bytes: &[u8]) {
    use_up(bytes);
    let Some((kind, content)) = bytes.split_first() else { return };
    match kind % 3 {
        0 => use_up(&forge(&[(1, content)])),
        1 => use_up(&forge(&[(1, &header()), (2, content)])),
        _ => use_up(&forge(&[(1, &header()), (3, content)])),
    }
}

/// Recordings, and the contents of their chunks.
pub fn seeds(root: &Path) -> Vec<Vec<u8>> {
    let mut seeds = crate::files(root, &["crates/dacapo-trace/tests/fixtures"], "dacapo");
    let chunks: Vec<(u8, Vec<u8>)> = seeds.iter().flat_map(|recording| unforge(recording)).collect();
    seeds.extend(chunks.into_iter().map(|(kind, content)| [&[kind - 1], content.as_slice()].concat()));
    seeds
}
