//! From places in generated code to places in the source.

use oxc::codegen::CodegenReturn;

/// A source map: for some places of the generated code, their places in the source. Counted from
/// 0, columns in UTF-16 units, in the order of the generated code.
#[derive(Default)]
pub(super) struct Positions(Vec<[u32; 4]>);

impl Positions {
    pub(super) fn of(generated: &CodegenReturn<'_>) -> Positions {
        let tokens = generated.map.iter().flat_map(|map| map.get_tokens());
        let places = tokens
            .map(|token| {
                [token.get_dst_line(), token.get_dst_col(), token.get_src_line(), token.get_src_col()]
            })
            .collect();
        Positions(places)
    }

    /// The place in the source. Between two known places it is the earlier one.
    pub(super) fn original(&self, line: u32, column: u32) -> (u32, u32) {
        let after = self.0.partition_point(|place| (place[0], place[1]) <= (line, column));
        match self.0.get(after.wrapping_sub(1)).or_else(|| self.0.first()) {
            Some(place) => (place[2], place[3]),
            None => (line, column),
        }
    }
}

/// The lines of a text, to find many places in it.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl Lines<'_> {
    pub(super) fn new(text: &str) -> Lines<'_> {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// Line and column of an offset in bytes, counted from 1.
    pub(super) fn of(&self, offset: usize) -> (u32, u32) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= end);
        (line as u32, self.text[self.starts[line - 1]..end].encode_utf16().count() as u32 + 1)
    }
}

/// Line and column of one offset in bytes, counted from 1.
pub(super) fn of_offset(text: &str, offset: usize) -> (u32, u32) {
    Lines::new(text).of(offset)
}
