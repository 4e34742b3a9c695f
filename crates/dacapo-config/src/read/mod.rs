//! From HCL to checked values. What a value is *for* is decided in `plan` and `seed`.

pub(crate) mod address;
mod fields;
mod name;
mod operators;
mod path;
mod unit;
mod value;

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::structure::Body;
use miette::NamedSource;

pub(crate) use fields::{Fields, Shape};
pub(crate) use name::NameRule;
pub(crate) use path::PathRule;
pub(crate) use unit::DURATION_MAX;

use crate::error::{Place, Source};
use crate::{Code, Error};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// Reads files, and collects what is wrong with them.
#[derive(Default)]
pub(crate) struct Reader {
    sources: Vec<Source>,
    errors: Vec<Error>,
    /// Whether a part could not be read, so that something which seems to be missing may stand there.
    pub(crate) has_gaps: bool,
}

impl Reader {
    /// Takes a file; from now on, places are in it.
    pub(crate) fn open(&mut self, name: &str, text: &str) -> Option<Body> {
        let source = NamedSource::new(name, Arc::<str>::from(text)).with_language("hcl");
        self.sources.push(Arc::new(source));
        if let Some(span) = operators::too_many(text) {
            self.has_gaps = true;
            let place = self.place(span);
            let message = "this file is full of operators, and was not read further";
            let help = "Values stand in the configuration as they are, and texts stand in double quotes: \
                        a quote may be missing before this place.";
            self.report(Code::NotLiteral, message, &place, "one operator too many", help);
            return None;
        }
        match text.parse::<Body>() {
            Ok(body) => Some(body),
            Err(error) => {
                self.has_gaps = true;
                self.syntax_error(text, &error);
                None
            }
        }
    }

    fn syntax_error(&mut self, text: &str, error: &hcl_edit::parser::Error) {
        let start = text.floor_char_boundary(error.location().offset().min(text.len()));
        let length = text[start..].chars().next().map_or(0, char::len_utf8);
        let place = self.place(start..start + length);
        let message = error.message().replace("eof", "the end of the file").replace('\n', "\\n");
        if message.contains("redefined") {
            let message = "this stands twice in the same block";
            let help = "Keep one of the two: if they could both hold, nobody could tell which one does.";
            return self.report(Code::Repeated, message, &place, "a second time here", help);
        }
        let help = "An attribute is  name = value  on a line of its own, a block is  name \"label\" { … }; \
                    texts stand in double quotes, and elements of a list are separated by commas. \
                    The cause may stand just before this place.";
        self.report(
            Code::Syntax,
            format!("this is not HCL: {message}"),
            &place,
            "the reader stops here",
            help,
        );
    }

    /// A place in the file that was opened last.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        Place { file: self.sources.len().saturating_sub(1), span }
    }

    /// A place that the parser may not know.
    pub(crate) fn place_of(&self, item: &impl hcl_edit::Span) -> Place {
        self.place(item.span().unwrap_or(0..0))
    }

    fn text(&self, file: usize) -> &str {
        self.sources.get(file).map_or("", |source| source.inner())
    }

    /// Tells of a mistake at one place.
    pub(crate) fn report(
        &mut self,
        code: Code,
        message: impl Into<String>,
        place: &Place,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.errors.push(Error::new(code, message).at(&self.sources, place, label).help(help));
    }

    /// Tells of two places that do not go together.
    pub(crate) fn report_both(
        &mut self,
        code: Code,
        message: impl Into<String>,
        (place, label): (&Place, &str),
        (other, other_label): (&Place, &str),
        help: impl Into<String>,
    ) {
        let error = Error::new(code, message).at(&self.sources, place, label);
        self.errors.push(error.at(&self.sources, other, other_label).help(help));
    }

    /// Tells of a mistake that has no place.
    pub(crate) fn report_nowhere(&mut self, code: Code, message: &str, help: &str) {
        self.errors.push(Error::new(code, message).help(help));
    }

    /// The sources and, in the order of the files, the errors.
    pub(crate) fn finish(mut self) -> (Vec<Source>, Vec<Error>) {
        self.errors.sort_by_key(Error::order);
        (self.sources, self.errors)
    }
}
