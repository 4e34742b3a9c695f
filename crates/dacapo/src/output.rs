//! What a person sees: colours, exit codes, lines of a recording.

use std::fs::File;
use std::path::Path;

use anstyle::{AnsiColor, Style as Ansi};
use dacapo_trace::print::{Line, Style};
use miette::IntoDiagnostic;

/// Creates a file that only its owner can read. A recording holds bodies, headers and the entropy
/// that keys were drawn from.
pub(crate) fn create_private(path: &Path) -> miette::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).into_diagnostic()
}

/// A check broke.
pub(crate) const BROKEN: u8 = 1;
/// The input cannot be used.
pub(crate) const UNUSABLE: Code = Code(2);
/// An attempt has no verdict.
pub(crate) const NO_VERDICT: u8 = 4;
/// Somebody stopped it.
pub(crate) const STOPPED: u8 = 130;
/// The disk of a server failed.
pub(crate) const DISK_FAILED: u8 = 5;
/// A run was not deterministic.
pub(crate) const DIVERGED: u8 = 3;

/// An exit code that is no verdict.
pub(crate) struct Code(u8);

impl From<Code> for std::process::ExitCode {
    fn from(code: Code) -> Self {
        code.0.into()
    }
}

pub(crate) const GOOD: Ansi = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Ansi = AnsiColor::Red.on_default().bold();
pub(crate) const FAINT: Ansi = Ansi::new().dimmed();
pub(crate) const STRONG: Ansi = Ansi::new().bold();

fn ansi(style: Style) -> Ansi {
    match style {
        Style::Plain | Style::Word => Ansi::new(),
        Style::Event | Style::Time | Style::Arrow | Style::Faint => FAINT,
        Style::Node => AnsiColor::Blue.on_default(),
        Style::Service => AnsiColor::Cyan.on_default(),
        Style::Id => AnsiColor::Yellow.on_default(),
        Style::Good => AnsiColor::Green.on_default(),
        Style::Bad => BAD,
        Style::Fault => AnsiColor::Magenta.on_default(),
        Style::Excerpt => Ansi::new().italic(),
    }
}

/// A line of a recording, with colours.
pub(crate) fn colored(line: &Line) -> String {
    let mut text = String::new();
    for segment in &line.segments {
        let style = ansi(segment.style);
        text.push_str(&format!("{style}{}{style:#}", segment.text));
    }
    text.trim_end().to_owned()
}

/// A number with a blank every three digits.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
