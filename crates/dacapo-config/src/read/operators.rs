//! Keeps texts with many operators away from the parser.
//!
//! `hcl-edit` reads the operand behind the second operator of a chain twice if it is broken, and
//! what is nested in it twice for each of those: sixty nested operands keep it busy for years.
//! No value of a configuration has an operator, so nothing is lost by not reading such a text.

use std::ops::Range;

/// With this many operators, nothing is read more than sixteen times.
const OPERATORS_MAX: usize = 8;

/// Where the operator stands that is one too many, if there are too many.
pub(super) fn too_many(text: &str) -> Option<Range<usize>> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, nests: Vec::new(), found: 0 };
    while let Some(&byte) = scan.bytes.get(scan.at) {
        let at = scan.at;
        if scan.nests.last() == Some(&Nest::Quotes) {
            scan.in_quotes(byte);
        } else {
            scan.in_code(byte);
        }
        if scan.found > OPERATORS_MAX {
            return Some(at..at + 1);
        }
        debug_assert!(scan.at > at, "each step consumes a byte");
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nest {
    Quotes,
    Braces,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    nests: Vec<Nest>,
    found: usize,
}

impl Scan<'_> {
    fn next_is(&self, text: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(text)
    }

    fn in_quotes(&mut self, byte: u8) {
        self.at += match byte {
            b'\\' => 2,
            b'$' | b'%' if self.next_is(b"$${") || self.next_is(b"%%{") => 3,
            b'$' | b'%' if self.bytes.get(self.at + 1) == Some(&b'{') => {
                self.nests.push(Nest::Braces);
                2
            }
            b'"' => {
                self.nests.pop();
                1
            }
            _ => 1,
        };
    }

    fn in_code(&mut self, byte: u8) {
        match byte {
            b'#' => self.skip_to(b"\n"),
            b'/' if self.next_is(b"//") => self.skip_to(b"\n"),
            b'/' if self.next_is(b"/*") => {
                self.at += 2;
                self.skip_to(b"*/");
            }
            b'<' if self.next_is(b"<<") => self.heredoc(),
            b'"' => self.nest(Nest::Quotes),
            b'{' => self.nest(Nest::Braces),
            b'}' => {
                self.nests.pop();
                self.at += 1;
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'&' | b'|' | b'!' => {
                self.found += usize::from(byte != b'-' || self.is_between_operands());
                self.at += 1;
            }
            b'=' if self.next_is(b"==") => {
                self.found += 1;
                self.at += 2;
            }
            _ => self.at += 1,
        }
    }

    fn nest(&mut self, nest: Nest) {
        self.nests.push(nest);
        self.at += 1;
    }

    fn skip_to(&mut self, end: &[u8]) {
        let rest = &self.bytes[self.at..];
        let found = rest.windows(end.len()).position(|window| window == end);
        self.at += found.map_or(rest.len(), |position| position + end.len()).max(1);
    }

    /// Whether a `-` has an operand before it, and is not the sign of a number or part of a name.
    fn is_between_operands(&self) -> bool {
        let before = &self.bytes[..self.at];
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-') || *b >= 0x80;
        // Names are short; a longer word is not worth a look back over all of it.
        let word = before.iter().rev().take(256).take_while(|b| is_word(b)).last();
        if word.is_some_and(|first| !first.is_ascii_digit() && *first != b'-') {
            return false;
        }
        let last = before.iter().rev().take(256).find(|b| !b.is_ascii_whitespace());
        last.is_some_and(|b| is_word(b) || matches!(b, b'"' | b')' | b']' | b'}' | b'*'))
    }

    /// Skips a heredoc. If something is to be filled into it, all that looks like an operator in
    /// its text counts: such a text is refused anyway.
    fn heredoc(&mut self) {
        self.at += 2;
        let rest = &self.bytes[self.at..];
        let line_end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let mark = rest[..line_end].strip_prefix(b"-").unwrap_or(&rest[..line_end]).trim_ascii();
        if mark.is_empty()
            || !mark.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-') || *b >= 0x80)
        {
            // Not a heredoc: two operators.
            self.found += 2;
            return;
        }
        let mut end = line_end;
        for line in rest[line_end..].split_inclusive(|b| *b == b'\n') {
            end += line.len();
            if line.trim_ascii() == mark {
                break;
            }
        }
        let body = &rest[line_end..end];
        if body.windows(2).any(|pair| matches!(pair, b"${" | b"%{")) {
            self.found += body.iter().filter(|b| b"+-*/%<>&|!=".contains(b)).count();
        }
        self.at += end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_configurations_hold_is_not_taken_for_operators() {
        let text = "service \"a-b\" { // + + + + + + + + + + + +\n  module = \"a/b+c*d-e<f>g.ts\" # - - - - - - - -\n\
                    routes = [\"https://*.a/*\", \"\\\" + + + + + + + +\"]\n vars = { a-b-c-d-e-f-g-h-i-j-k = [-1, -2, - 3,\n\
                    -4, -5, -6, -7, -8, -9], B = \"$${ 1 + 1 - 1 * 2 / 3 + 4 + 5 + 6 + 7 + 8\" }\n /* + + + + + + + + +\n + */\n\
                    x = <<E\n a + b - c * d \" / e + f + g + h + i\nE\n}";
        assert_eq!(too_many(text), None);
    }

    #[test]
    fn operators_are_found_wherever_the_parser_looks() {
        let chain = "1 + 1 - 1 * 1 / 1 % 1 == 1 && 1 || 1 != 1 >= 1";
        for text in [
            format!("x = {chain}"),
            format!("x = \"a ${{ {chain} }}\""),
            format!("x = <<E\n${{ {chain} }}\nE\n"),
            format!("x = {{ ({chain}) = \"\" }}"),
            format!("x = 1{}", "-1".repeat(9)),
            format!("x = a{}", " - a".repeat(9)),
        ] {
            assert!(too_many(&text).is_some(), "{text}");
        }
    }
}
