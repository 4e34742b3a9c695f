//! Starting other programs, with sentences for what can go wrong.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Runs a command with our own input and output; whether it ended well.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, String> {
    Ok(command.status().map_err(|error| cannot_start(command, &error))?.success())
}

/// Runs a command whose standard error is shown and kept; whether it ended well, and what it said.
pub(crate) fn succeeds_and_says(command: &mut Command) -> Result<(bool, String), String> {
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| cannot_start(command, &error))?;
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines() {
            let line = line.map_err(|error| format!("cannot read what {} says: {error}", name(command)))?;
            eprintln!("{line}");
            said.push_str(&line);
            said.push('\n');
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for {}: {error}", name(command)))?;
    Ok((status.success(), said))
}

/// Runs a command in silence; whether it ended well, and what it wrote to both outputs.
pub(crate) fn asks(command: &mut Command) -> Result<(bool, String), String> {
    let output = command.output().map_err(|error| cannot_start(command, &error))?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// The sentence for a program that did not start.
pub(crate) fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start {}: {error}; is it installed?", name(command))
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
