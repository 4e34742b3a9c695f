//! The text of guest code for whoever asks for it (`String(f)`, errors that quote a function): as it was written, without
//! what the passes have put in.
//!
//! V8 keeps the text that it compiled. So a function's text is read again, what belongs to Dacapo is taken out, and the rest
//! is printed: the same text whether coverage is noted or not.

use oxc::allocator::{Allocator, ArenaVec, TakeIn as _};
use oxc::ast::ast::{
    BindingPattern, CatchClause, ClassElement, Expression, ObjectPropertyKind, Program,
    SimpleAssignmentTarget, Statement,
};
use oxc::ast::builder::AstBuilder;
use oxc::ast_visit::{VisitMut, walk_mut};
use oxc::codegen::{Codegen, Context, Gen as _};
use oxc::parser::Parser;
use oxc::span::SourceType;

use super::cover::HITS;
use super::probe::{CAUGHT, ERROR, RESERVED, is_count};

/// What stands for a function whose text cannot be read.
const UNKNOWN: &str = "function () { [native code] }";
/// The text of the error of a value that cannot be cloned. V8 quotes the beginning of a function in it, which nobody can
/// read again; so a function is called one.
pub(crate) fn clone_error(text: &str) -> &str {
    const NOT_CLONED: &str = " could not be cloned.";
    let is_plain =
        ["#<", "[object ", "Symbol(", "An ArrayBuffer "].iter().any(|known| text.starts_with(known));
    let is_function = text.ends_with(NOT_CLONED) && !is_plain && !text.contains("[native code]");
    if is_function { "a function could not be cloned." } else { text }
}

/// The text of a function or class.
pub(crate) fn without_probes(text: &str) -> String {
    if !text.contains(RESERVED) {
        return text.to_owned();
    }
    // A function or a class; a method or an accessor, of a class since only there names may be private, or as an object
    // may have it.
    let plain = value(text).or_else(|| member(&format!("(class {{ {text} }})")));
    let plain = plain.or_else(|| member(&format!("({{ {text} }})")));
    plain.filter(|plain| !plain.contains(RESERVED)).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// A function or a class, as what stands behind this: in parentheses of its own it would be printed with them.
fn value(text: &str) -> Option<String> {
    const BEFORE: &str = "0, ";
    let allocator = Allocator::default();
    let source = format!("{BEFORE}{text}");
    let program = plain(&allocator, &source)?;
    let printed = Codegen::new().build(&program).code;
    Some(printed.trim_end().strip_suffix(';')?.strip_prefix(BEFORE)?.to_owned())
}

/// The only member of a class or an object.
fn member(source: &str) -> Option<String> {
    let allocator = Allocator::default();
    let program = plain(&allocator, source)?;
    let Some(Statement::ExpressionStatement(statement)) = program.body.first() else { return None };
    let mut codegen = Codegen::new();
    match statement.expression.get_inner_expression() {
        Expression::ClassExpression(class) => match class.body.body.as_slice() {
            [ClassElement::MethodDefinition(method)] => method.print(&mut codegen, Context::empty()),
            _ => return None,
        },
        Expression::ObjectExpression(object) => match object.properties.as_slice() {
            [ObjectPropertyKind::ObjectProperty(property)] => property.print(&mut codegen, Context::empty()),
            _ => return None,
        },
        _ => return None,
    }
    Some(codegen.into_source_text())
}

/// The program of this source, without probes.
fn plain<'a>(allocator: &'a Allocator, source: &'a str) -> Option<Program<'a>> {
    let parsed = Parser::new(allocator, source, SourceType::mjs()).parse();
    if parsed.panicked || !parsed.diagnostics.is_empty() {
        return None;
    }
    let mut program = parsed.program;
    Remover { ast: AstBuilder::new(allocator) }.visit_program(&mut program);
    Some(program)
}

/// Takes out what the passes have put in.
struct Remover<'a> {
    ast: AstBuilder<'a>,
}

/// `++__dacapo$hit[17]`
fn is_note(value: &Expression<'_>) -> bool {
    let Expression::UpdateExpression(update) = value else { return false };
    let SimpleAssignmentTarget::ComputedMemberExpression(member) = &update.argument else { return false };
    member.object.is_specific_id(HITS)
}

fn is_probe(value: &Expression<'_>) -> bool {
    match value {
        Expression::LogicalExpression(logical) => is_count(&logical.left),
        Expression::CallExpression(call) => call.callee.is_specific_id(CAUGHT),
        value => is_note(value),
    }
}

impl<'a> VisitMut<'a> for Remover<'a> {
    fn visit_statements(&mut self, it: &mut ArenaVec<'a, Statement<'a>>) {
        it.retain(|statement| {
            !matches!(statement, Statement::ExpressionStatement(only) if is_probe(&only.expression))
        });
        walk_mut::walk_statements(self, it);
    }

    fn visit_expression(&mut self, it: &mut Expression<'a>) {
        if let Expression::ParenthesizedExpression(inner) = it {
            *it = inner.expression.take_in(&self.ast);
            return self.visit_expression(it);
        }
        if let Expression::SequenceExpression(sequence) = it {
            sequence.expressions.retain(|value| !is_probe(value));
            if sequence.expressions.len() == 1
                && let Some(only) = sequence.expressions.pop()
            {
                *it = only;
                return self.visit_expression(it);
            }
        }
        if let Expression::ConditionalExpression(conditional) = it
            && is_note(conditional.consequent.get_inner_expression())
        {
            *it = conditional.test.take_in(&self.ast);
            return self.visit_expression(it);
        }
        walk_mut::walk_expression(self, it);
    }

    fn visit_catch_clause(&mut self, it: &mut CatchClause<'a>) {
        walk_mut::walk_catch_clause(self, it);
        let is_own = it.param.as_ref().is_some_and(
            |param| matches!(&param.pattern, BindingPattern::BindingIdentifier(id) if id.name == ERROR),
        );
        if !is_own {
            return;
        }
        let Some(param) = &mut it.param else { return };
        let pattern = match it.body.body.first_mut() {
            Some(Statement::VariableDeclaration(unpack)) => {
                let declarator = unpack.declarations.first_mut();
                let is_unpacking = |init: &Expression<'_>| init.is_specific_id(ERROR);
                declarator
                    .filter(|it| it.init.as_ref().is_some_and(is_unpacking))
                    .map(|it| it.id.take_in(&self.ast))
            }
            _ => None,
        };
        match pattern {
            Some(pattern) => {
                param.pattern = pattern;
                it.body.body.remove(0);
            }
            None => it.param = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_quoted_as_it_was_written() {
        let count = "--__dacapo$left || __dacapo$spent()";
        let functions = [
            ("(a, b) => a", format!("(a, b) => ({count}, ++__dacapo$hit[1], a)")),
            (
                "async function* f() {\n\tif (a || b) c();\n\telse d();\n}",
                format!(
                    "async function* f() {{ ++__dacapo$hit[0]; {count}; if (a || (++__dacapo$hit[7], b) ? \
                     ++__dacapo$hit[1] : !++__dacapo$hit[2]) c(); else d(); }}"
                ),
            ),
            ("get #a() {\n\treturn this.#b;\n}", format!("get #a() {{ {count}; return this.#b; }}")),
            ("f() {\n\treturn super.f();\n}", format!("f() {{ {count}; return super.f(); }}")),
            (
                "() => {\n\ttry {\n\t\tf();\n\t} catch {}\n}",
                format!(
                    "() => {{ {count}; try {{ f(); }} catch (__dacapo$error) {{ __dacapo$caught(__dacapo$error); }} }}"
                ),
            ),
            (
                "() => {\n\ttry {\n\t\tf();\n\t} catch ({ message }) {\n\t\tg();\n\t}\n}",
                format!(
                    "() => {{ {count}; try {{ f(); }} catch (__dacapo$error) {{ ++__dacapo$hit[3]; \
                     __dacapo$caught(__dacapo$error); let {{ message }} = __dacapo$error; g(); }} }}"
                ),
            ),
            ("class A {\n\tb = () => 1;\n}", format!("class A {{ b = () => ({count}, 1) }}")),
        ];
        for (plain, text) in functions {
            assert_eq!(without_probes(&text), plain);
        }
    }

    #[test]
    fn what_holds_no_probes_is_not_touched_and_what_cannot_be_read_is_not_shown() {
        let known =
            ["#<WeakMap> could not be cloned.", "function max() { [native code] } could not be cloned."];
        known.iter().for_each(|text| assert_eq!(clone_error(text), *text));
        assert_eq!(clone_error("() => 1 could not be cloned."), "a function could not be cloned.");
        assert_eq!(without_probes("function () { [native code] }"), "function () { [native code] }");
        assert_eq!(without_probes("() => { __dacapo$caught("), UNKNOWN);
    }
}
