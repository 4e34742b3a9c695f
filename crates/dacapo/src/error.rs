//! Errors as diagnostics with an excerpt of the source.

use dacapo_core::LoadError;
use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};

/// A program that cannot be loaded, shown with its source.
#[derive(Debug)]
struct CannotLoad {
    error: LoadError,
    source: Option<(NamedSource<String>, LabeledSpan)>,
}

impl std::fmt::Display for CannotLoad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.source, &self.error.location) {
            (None, Some(location)) => write!(f, "{location}: {}", self.error.message),
            _ => f.write_str(&self.error.message),
        }
    }
}

impl std::error::Error for CannotLoad {}

impl Diagnostic for CannotLoad {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new("DC0101"))
    }
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.error.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.source.as_ref().map(|(_, label)| label.clone())?;
        Some(Box::new(std::iter::once(label)))
    }
}

/// The byte at which a line and a column (both from 1, the column in UTF-16 units) stand.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let mut units = column.saturating_sub(1) as usize;
    let mut at = start.min(text.len());
    for c in text[at..].chars() {
        if units == 0 || c == '\n' {
            break;
        }
        units = units.saturating_sub(c.len_utf16());
        at += c.len_utf8();
    }
    at
}

/// The diagnostic for a program that cannot be loaded.
pub fn cannot_load(error: LoadError) -> Report {
    let source = error.location.as_ref().zip(error.source_text.as_ref()).map(|(location, text)| {
        let at = offset(text, location.line, location.column);
        let named = NamedSource::new(&location.file[..], text.to_string()).with_language("JavaScript");
        (named, LabeledSpan::at_offset(at, "here"))
    });
    Report::new(CannotLoad { error, source })
}

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn a_place_in_utf16_is_found_in_utf8() {
        let text = "ab\n\u{1F600}äx\n";
        assert_eq!(offset(text, 1, 2), 1);
        assert_eq!(&text[offset(text, 2, 4)..], "x\n");
        assert_eq!(offset(text, 9, 9), text.len(), "a place behind the end is the end");
    }
}
