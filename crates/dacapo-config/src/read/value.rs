//! Values: literals, lists and objects of them. Nothing is computed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use hcl_edit::Number;
use hcl_edit::expr::{Array, Expression, Object, ObjectKey, UnaryOperator};
use hcl_edit::template::Element;

use super::{Placed, Reader};
use crate::Code;

/// A value that stands there as it is.
enum Literal<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(&'a Array),
    Object(&'a Object),
}

impl Literal<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Literal::Null => "null",
            Literal::Bool(_) => "a truth value",
            Literal::Number(_) => "a number",
            Literal::Text(_) => "a text",
            Literal::List(_) => "a list",
            Literal::Object(_) => "an object",
        }
    }
}

impl Reader {
    fn literal<'a>(&mut self, expr: &'a Expression) -> Option<Literal<'a>> {
        let computed = match expr {
            Expression::Null(_) => return Some(Literal::Null),
            Expression::Bool(value) => return Some(Literal::Bool(*value.value())),
            Expression::Number(value) => return Some(Literal::Number(*value.value())),
            Expression::String(value) => return Some(Literal::Text(value.value().clone())),
            Expression::Array(array) => return Some(Literal::List(array)),
            Expression::Object(object) => return Some(Literal::Object(object)),
            Expression::Parenthesis(inner) => return self.literal(inner.inner()),
            Expression::StringTemplate(template) => match plain(template.iter()) {
                Some(text) => return Some(Literal::Text(text)),
                None => "a text with a `${…}` in it",
            },
            Expression::HeredocTemplate(heredoc) => match plain(heredoc.template.iter()) {
                Some(text) => return Some(Literal::Text(text)),
                None => "a text with a `${…}` in it",
            },
            Expression::UnaryOp(op) => match (op.operator.value(), &op.expr) {
                (UnaryOperator::Neg, Expression::Number(n)) => {
                    return Some(Literal::Number(-*n.value()));
                }
                _ => "an operation",
            },
            Expression::Variable(_) | Expression::Traversal(_) => "a variable",
            Expression::FuncCall(_) => "a function call",
            Expression::Conditional(_) => "a condition",
            Expression::BinaryOp(_) => "an operation",
            Expression::ForExpr(_) => "a `for` expression",
        };
        let place = self.place_of(expr);
        let help = match expr {
            Expression::Variable(name) => format!("If it is a text, quote it: \"{}\"", name.as_str()),
            Expression::StringTemplate(_) | Expression::HeredocTemplate(_) => {
                "If you mean the two characters themselves, write `$${` (or `%%{`).".to_owned()
            }
            _ => "Write the value itself. The configuration says the same on every machine, \
                  so nothing in it is computed."
                .to_owned(),
        };
        let message = format!("{computed} cannot stand in the configuration");
        self.report(Code::NotLiteral, message, &place, "not a plain value", help);
        None
    }

    fn wrong_type(&mut self, expr: &Expression, what: &str, takes: &str, found: &str, example: &str) {
        let place = self.place_of(expr);
        let message = format!("{what} takes {takes}, and this is {found}");
        self.report(Code::WrongType, message, &place, found, format!("For example: {example}"));
    }

    /// A text.
    pub(crate) fn string(&mut self, expr: &Expression, what: &str, example: &str) -> Option<Placed<String>> {
        match self.literal(expr)? {
            Literal::Text(value) => Some(Placed { value, place: self.place_of(expr) }),
            other => {
                self.wrong_type(expr, what, "a text", other.kind(), example);
                None
            }
        }
    }

    /// A list.
    fn list<'a>(&mut self, expr: &'a Expression, what: &str, example: &str) -> Option<&'a Array> {
        match self.literal(expr)? {
            Literal::List(array) => Some(array),
            other => {
                self.wrong_type(expr, what, "a list", other.kind(), example);
                None
            }
        }
    }

    /// A list of texts that differ from each other.
    pub(crate) fn strings(&mut self, expr: &Expression, what: &str, example: &str) -> Vec<Placed<String>> {
        let Some(array) = self.list(expr, what, example) else { return Vec::new() };
        let mut texts = Vec::new();
        let mut seen = BTreeMap::new();
        for element in array.iter() {
            let Some(text) = self.string(element, &format!("an element of {what}"), example) else {
                continue;
            };
            match seen.get(&text.value) {
                Some(first) => {
                    let message = format!("{:?} stands twice in {what}", text.value);
                    let (here, there) = ((&text.place, "again here"), (first, "first here"));
                    self.report_both(Code::Repeated, message, here, there, "Remove one of them.");
                }
                None => {
                    seen.insert(text.value.clone(), text.place.clone());
                    texts.push(text);
                }
            }
        }
        texts
    }

    /// A list of whole numbers.
    pub(crate) fn integers(&mut self, expr: &Expression, what: &str, example: &str) -> Vec<u64> {
        let Some(array) = self.list(expr, what, example) else { return Vec::new() };
        array.iter().filter_map(|e| self.integer(e, what, 0..=u64::MAX, example)).map(|n| n.value).collect()
    }

    /// Whether this is a list.
    pub(crate) fn is_list(&self, expr: &Expression) -> bool {
        matches!(expr, Expression::Array(_))
    }

    /// The entries of an object, in order.
    pub(crate) fn entries<'a>(
        &mut self,
        expr: &'a Expression,
        what: &str,
        example: &str,
    ) -> Vec<(Placed<String>, &'a Expression)> {
        match self.literal(expr) {
            Some(Literal::Object(object)) => object
                .iter()
                .filter_map(|(key, value)| Some((self.key(key, value.expr())?, value.expr())))
                .collect(),
            Some(other) => {
                self.wrong_type(expr, what, "an object", other.kind(), example);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn key(&mut self, key: &ObjectKey, value: &Expression) -> Option<Placed<String>> {
        match key {
            ObjectKey::Ident(ident) => {
                // The parser forgets where a bare key stood. Only blanks and an equals sign lie
                // between it and its value.
                let name = ident.as_str();
                let mut place = self.place_of(value);
                let before = self.text(place.file).get(..place.span.start).unwrap_or_default();
                if let Some(start) = before.rfind(name) {
                    place.span = start..start + name.len();
                }
                Some(Placed { value: name.to_owned(), place })
            }
            ObjectKey::Expression(expr) => self.string(expr, "a key", "\"name\" = …"),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn integer(
        &mut self,
        expr: &Expression,
        what: &str,
        bounds: RangeInclusive<u64>,
        example: &str,
    ) -> Option<Placed<u64>> {
        let number = match self.literal(expr)? {
            Literal::Number(number) => number,
            other => {
                self.wrong_type(expr, what, "a whole number", other.kind(), example);
                return None;
            }
        };
        let place = self.place_of(expr);
        match number.as_u64() {
            Some(value) if bounds.contains(&value) => Some(Placed { value, place }),
            _ => {
                let message = format!("{what} is a whole number {}, and not {number}", between(&bounds));
                self.report(Code::Range, message, &place, "out of range", format!("For example: {example}"));
                None
            }
        }
    }

    /// A number within bounds.
    pub(crate) fn number(
        &mut self,
        expr: &Expression,
        what: &str,
        bounds: RangeInclusive<f64>,
        example: &str,
    ) -> Option<f64> {
        let number = match self.literal(expr)? {
            Literal::Number(number) => number,
            other => {
                self.wrong_type(expr, what, "a number", other.kind(), example);
                return None;
            }
        };
        match number.as_f64() {
            Some(value) if bounds.contains(&value) => Some(value),
            _ => {
                let place = self.place_of(expr);
                let message = format!(
                    "{what} is a number from {} to {}, and not {number}",
                    bounds.start(),
                    bounds.end()
                );
                self.report(Code::Range, message, &place, "out of range", format!("For example: {example}"));
                None
            }
        }
    }

    /// A truth value.
    pub(crate) fn flag(&mut self, expr: &Expression, what: &str, example: &str) -> Option<bool> {
        match self.literal(expr)? {
            Literal::Bool(value) => Some(value),
            other => {
                self.wrong_type(expr, what, "true or false", other.kind(), example);
                None
            }
        }
    }

    /// A text, or a number that is written as one.
    pub(crate) fn text_or_number(&mut self, expr: &Expression) -> Option<Result<String, Number>> {
        match self.literal(expr)? {
            Literal::Text(text) => Some(Ok(text)),
            Literal::Number(number) => Some(Err(number)),
            other => Some(Ok(other.kind().to_owned())),
        }
    }

    /// Any value, as JSON.
    pub(crate) fn json(&mut self, expr: &Expression) -> Option<String> {
        let mut out = String::new();
        self.write_json(expr, &mut out)?;
        Some(out)
    }

    // Written by hand and not through a `serde_json::Value`: the order of an object's keys would
    // hang on a cargo feature that another crate can switch on.
    fn write_json(&mut self, expr: &Expression, out: &mut String) -> Option<()> {
        match self.literal(expr)? {
            Literal::Null => out.push_str("null"),
            Literal::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Literal::Number(number) => out.push_str(&number.to_string()),
            Literal::Text(text) => out.push_str(&quote(&text)),
            Literal::List(array) => {
                out.push('[');
                for (index, element) in array.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    self.write_json(element, out)?;
                }
                out.push(']');
            }
            Literal::Object(object) => {
                out.push('{');
                for (index, (key, value)) in object.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    out.push_str(&quote(&self.key(key, value.expr())?.value));
                    out.push(':');
                    self.write_json(value.expr(), out)?;
                }
                out.push('}');
            }
        }
        Some(())
    }
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A template that has nothing to fill in.
fn plain<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<String> {
    elements.map(|e| e.as_literal().map(|text| text.value().as_str())).collect()
}

fn between(bounds: &RangeInclusive<u64>) -> String {
    match (*bounds.start(), *bounds.end()) {
        (0, u64::MAX) => format!("up to {}", u64::MAX),
        (start, u64::MAX) => format!("from {start}"),
        (start, end) => format!("from {start} to {end}"),
    }
}

#[cfg(test)]
mod tests {
    use hcl_edit::Span;

    use super::*;

    #[test]
    fn a_value_becomes_the_same_value_in_json() {
        let text = "x = { b = [1, 2.5, -3, true, null], \"a\" = \"é\\n\\\"\", c: {}, 7 = \"\" }";
        let mut reader = Reader::default();
        let body = reader.open("a.hcl", text).unwrap();
        let value = &body.get_attribute("x").unwrap().value;
        assert!(value.span().is_some());
        assert_eq!(reader.json(value), None, "a key is a text");
        let text = text.replace(", 7 = \"\"", "");
        let body = reader.open("b.hcl", &text).unwrap();
        let json = reader.json(&body.get_attribute("x").unwrap().value).unwrap();
        assert_eq!(json, r#"{"b":[1,2.5,-3,true,null],"a":"é\n\"","c":{}}"#);
    }
}
