//! What is wrong with a configuration, with excerpts of its source.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};

use crate::Code;

/// One file of the configuration, shared by the errors that point into it.
pub(crate) type Source = Arc<NamedSource<Arc<str>>>;

/// A stretch of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which file, as an index into the sources.
    pub(crate) file: usize,
    /// Bytes of it.
    pub(crate) span: Range<usize>,
}

/// Labels that point into one file.
#[derive(Clone, Debug)]
struct Excerpt {
    file: usize,
    source: Source,
    labels: Vec<LabeledSpan>,
}

/// One mistake: what, where, and the next step.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    code: Code,
    message: String,
    help: Option<String>,
    excerpt: Option<Excerpt>,
    elsewhere: Vec<Elsewhere>,
}

/// The other end of a mistake, where it lies in another file.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the other place")]
struct Elsewhere(Excerpt);

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), help: None, excerpt: None, elsewhere: Vec::new() }
    }

    /// Points at a place; the first one says where the mistake is. The caller has the sources.
    pub(crate) fn at(mut self, sources: &[Source], place: &Place, label: impl Into<String>) -> Error {
        let label = LabeledSpan::new_with_span(Some(label.into()), place.span.clone());
        let new =
            |label| Excerpt { file: place.file, source: sources[place.file].clone(), labels: vec![label] };
        match &mut self.excerpt {
            None => self.excerpt = Some(new(label)),
            Some(excerpt) if excerpt.file == place.file => excerpt.labels.push(label),
            Some(_) => match self.elsewhere.iter_mut().find(|e| e.0.file == place.file) {
                Some(elsewhere) => elsewhere.0.labels.push(label),
                None => self.elsewhere.push(Elsewhere(new(label))),
            },
        }
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Error {
        self.help = Some(help.into());
        self
    }

    /// Sorts errors as their places stand in the files; those without a place come last.
    pub(crate) fn order(&self) -> (usize, usize) {
        let place = self.excerpt.as_ref().and_then(|e| Some((e.file, e.labels.first()?.offset())));
        place.unwrap_or((usize::MAX, 0))
    }

    /// What kind of mistake it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Where it is, if it is in a file: its name, and the offset of a byte in it.
    pub fn place(&self) -> Option<(&str, usize)> {
        let excerpt = self.excerpt.as_ref()?;
        Some((excerpt.source.name(), excerpt.labels.first()?.offset()))
    }
}

impl Diagnostic for Error {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|e| &e.source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.excerpt.as_ref().map(|e| Box::new(e.labels.iter().cloned()) as _)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let others = self.elsewhere.iter().map(|e| e as &dyn Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(others) as _)
    }
}

impl Diagnostic for Elsewhere {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.0.labels.iter().cloned()))
    }
}

/// Everything that is wrong, in the order of the files; at least one error.
#[derive(Clone, Debug)]
pub struct Errors {
    errors: Vec<Error>,
    left_out: usize,
}

/// More errors than this help nobody, and a broken file must not fill a disk.
const ERRORS_MAX: usize = 50;

impl Errors {
    /// `Err` if there are errors.
    pub(crate) fn check(mut errors: Vec<Error>) -> Result<(), Errors> {
        if errors.is_empty() {
            return Ok(());
        }
        let left_out = errors.len().saturating_sub(ERRORS_MAX);
        errors.truncate(ERRORS_MAX);
        Err(Errors { errors, left_out })
    }

    /// The errors, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.errors.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.errors.len() + self.left_out, self.left_out) {
            (1, _) => write!(f, "the configuration has an error"),
            (all, 0) => write!(f, "the configuration has {all} errors"),
            (all, _) => write!(f, "the configuration has {all} errors, of which these are the first"),
        }
    }
}

impl std::error::Error for Errors {}

impl Diagnostic for Errors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|e| e as &dyn Diagnostic)))
    }
}
