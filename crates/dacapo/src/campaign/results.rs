//! Results in a directory: text, a line of JSON after the other, a file for each process that wrote.
//!
//! Nobody ever writes to a file that another process began, so directories of several machines are merged by copying
//! files. The first line of a file says what it is of; each further line is a batch of attempts, which counts as a whole
//! or, if the machine stopped while it was written, not at all.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use dacapo_check::Table;
use miette::{IntoDiagnostic, WrapErr, miette};
use serde::{Deserialize, Serialize};

use super::identity::{Identity, VERSION};
use super::record::{Count, Finished, Lost};
use super::summary::Summary;

/// Attempts that are written together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// Where the portfolio begins that these are attempts of: another beginning is another portfolio. Of any other
    /// strategy it is 0, since there an attempt does not depend on those before it.
    pub(crate) first: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attempts: Vec<Finished>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost: Vec<Lost>,
    /// Evaluations of each assertion in all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Count>,
}

impl Batch {
    pub(crate) fn new(first: u64) -> Batch {
        Batch { first, ..Batch::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.lost.is_empty()
    }

    /// The text of its line, without the end of the line.
    pub(crate) fn to_line(&self) -> String {
        let mut table = Table::default();
        let counts = self.checks.iter().chain(self.attempts.iter().flat_map(|it| &it.checks));
        counts.for_each(|count| count.add_to(&mut table));
        let attempts = self.attempts.iter().map(|it| {
            let faults = it.failure.as_ref().map(|_| it.faults.clone());
            Finished { checks: Vec::new(), faults: faults.unwrap_or_default(), ..it.clone() }
        });
        let batch = Batch {
            first: self.first,
            attempts: attempts.collect(),
            lost: self.lost.clone(),
            checks: Count::of(&table),
        };
        serde_json::to_string(&batch).expect("texts and numbers have a form in JSON")
    }

    pub(crate) fn from_line(line: &str) -> Result<Batch, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// Adds all of it.
    pub(crate) fn add_to(&self, summary: &mut Summary) {
        self.attempts.iter().for_each(|finished| summary.add(finished));
        self.lost.iter().for_each(|lost| summary.lose(lost));
        self.checks.iter().for_each(|count| count.add_to(&mut summary.checks));
    }
}

/// The file that this process writes.
pub(crate) struct Folder {
    path: PathBuf,
    identity: Identity,
    /// It is made with the first batch.
    file: Option<File>,
}

impl Folder {
    pub(crate) fn new(path: &Path, identity: &Identity) -> Folder {
        Folder { path: path.to_owned(), identity: identity.clone(), file: None }
    }

    pub(crate) fn append(&mut self, batch: &Batch) -> miette::Result<()> {
        let mut text = String::new();
        if self.file.is_none() {
            fs::create_dir_all(&self.path).into_diagnostic().wrap_err_with(|| self.cannot_write())?;
            self.file = Some(self.create()?);
            text = serde_json::to_string(&self.identity).into_diagnostic()? + "\n";
        }
        text.push_str(&batch.to_line());
        text.push('\n');
        let file = self.file.as_mut().expect("just made");
        let written = file.write_all(text.as_bytes());
        if written.is_err() {
            // Half a line stands at its end now, and nothing may stand behind that.
            self.file = None;
        }
        written.into_diagnostic().wrap_err_with(|| self.cannot_write())
    }

    /// A file of a name that no other process gives, on whatever machine.
    fn create(&self) -> miette::Result<File> {
        let time = self.identity.started.replace([':', '-'], "");
        let prefix = format!("{}-{time}-", self.identity.word());
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(&prefix).suffix(".jsonl").rand_bytes(10).tempfile_in(&self.path);
        let file = file.into_diagnostic().wrap_err_with(|| self.cannot_write())?;
        let (file, _) = file.keep().into_diagnostic().wrap_err_with(|| self.cannot_write())?;
        Ok(file)
    }

    fn cannot_write(&self) -> String {
        format!("cannot write results to {}", self.path.display())
    }

    /// Waits until all is on the disk.
    pub(crate) fn sync(&self) -> miette::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file.sync_all().into_diagnostic().wrap_err_with(|| self.cannot_write())
    }
}

/// The files of results in a directory, in the order of their names. One that does not exist has none.
pub(crate) fn files(folder: &Path) -> miette::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let cannot = || format!("cannot read the results in {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_diagnostic().wrap_err_with(cannot)? {
        let path = entry.into_diagnostic().wrap_err_with(cannot)?.path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a file of results: first what it is of, which may refuse it or not want it, then each batch. Gives a note if its
/// end is missing.
pub(crate) fn read(
    path: &Path,
    wanted: &mut dyn FnMut(Identity) -> miette::Result<bool>,
    batch: &mut dyn FnMut(Batch),
) -> miette::Result<Option<String>> {
    let cannot = || format!("cannot read {}", path.display());
    let mut lines = BufReader::new(File::open(path).into_diagnostic().wrap_err_with(cannot)?);
    let (mut line, mut number) = (String::new(), 0);
    loop {
        line.clear();
        number += 1;
        // A torn line may end within a letter.
        let mut bytes = Vec::new();
        let read = lines.by_ref().read_until(b'\n', &mut bytes);
        if read.into_diagnostic().wrap_err_with(cannot)? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some(text) = text.strip_suffix('\n') else {
            return Ok(Some(format!(
                "{} ends in the middle of line {number}: what stood there is not counted, and is made again",
                path.display()
            )));
        };
        let damaged = |error: serde_json::Error| {
            miette!(
                help = "take another copy of the file, or remove it: its attempts are then made again",
                "DC0081: {}:{number} is no line of results: {error}",
                path.display()
            )
        };
        if number == 1 {
            let identity = identity_of(text, path)?.map_err(damaged)?;
            if !wanted(identity)? {
                return Ok(None);
            }
        } else {
            batch(Batch::from_line(text).map_err(damaged)?);
        }
    }
}

fn identity_of(line: &str, path: &Path) -> miette::Result<Result<Identity, serde_json::Error>> {
    let value: serde_json::Value = match serde_json::from_str(line) {
        Ok(value) => value,
        Err(error) => return Ok(Err(error)),
    };
    match value["campaign"].as_u64() {
        Some(version) if version > u64::from(VERSION) => Err(miette!(
            help = "read it with the Dacapo that wrote it, or a newer one",
            "DC0082: {} has results of format {version}, and this build reads format {VERSION}",
            path.display()
        )),
        _ => Ok(serde_json::from_value(value)),
    }
}

/// The refusal of results that another program led to.
pub(crate) fn other_program(place: &str, then: &Identity, difference: &str) -> miette::Report {
    miette!(
        help = "give another directory to go on with the program as it is now, or remove the old results; with the old \
                program, `dacapo campaign show` still prints them",
        "DC0080: the results of {} {} in {place} are of another program: {difference}",
        then.folder,
        then.scenario,
    )
}

#[cfg(test)]
mod tests {
    use dacapo_lab::Strategy;

    use super::super::record::Name;
    use super::*;

    fn identity() -> Identity {
        Identity {
            campaign: VERSION,
            project: "examples/bank".into(),
            folder: "bank".into(),
            scenario: "transfers".into(),
            strategy: "swarm".into(),
            tool: "dacapo".into(),
            engine: "v8".into(),
            plan: "1".into(),
            programs: vec![("bank".into(), "2".into())],
            started: "2027-01-01T00:00:00Z".into(),
        }
    }

    fn batch(numbers: std::ops::Range<u64>) -> Batch {
        let lost = |number| Lost { name: Name { strategy: Strategy::Swarm, number }, lost: "killed".into() };
        Batch { lost: numbers.map(lost).collect(), ..Batch::new(0) }
    }

    fn all(path: &Path) -> (usize, Option<String>) {
        let mut count = 0;
        let note = read(path, &mut |_| Ok(true), &mut |batch| count += batch.lost.len()).unwrap();
        (count, note)
    }

    #[test]
    fn each_process_writes_a_file_of_its_own_and_a_torn_line_is_told() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("results");
        for _ in 0..2 {
            let mut folder = Folder::new(&dir, &identity());
            folder.append(&batch(0..3)).unwrap();
            folder.append(&batch(3..5)).unwrap();
        }
        let files = files(&dir).unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(all(&files[0]), (5, None));
        let text = fs::read(&files[0]).unwrap();
        fs::write(&files[0], &text[..text.len() - 4]).unwrap();
        let (count, note) = all(&files[0]);
        assert_eq!(count, 3);
        assert!(note.unwrap().contains("in the middle of line 3"));
        // Not even the head was written in full.
        fs::write(&files[0], &text[..20]).unwrap();
        assert!(all(&files[0]).1.unwrap().contains("line 1"));
    }

    #[test]
    fn damage_and_newer_formats_are_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.jsonl");
        let refusal = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path, &mut |_| Ok(true), &mut |_| {}).unwrap_err().to_string()
        };
        let head = serde_json::to_string(&identity()).unwrap();
        assert!(refusal(&format!("{head}\n{{}}\n")).contains("a.jsonl:2 is no line of results"));
        assert!(refusal("what\n").contains("DC0081"));
        assert!(refusal("{\"campaign\":7}\n").contains("DC0082"));
    }
}
