//! Coverage: a second pass, which lets functions and branches note that they were reached.
//!
//! It comes after that of the probes that count, and each note adds to an array of bytes that the engine reads after the
//! turn: `++__dacapo$hit[17]`. With it the program must do all that it does without it, down to the text of its
//! errors: so a note has no place in the source, stands in no expression that V8 would quote ("`(a || b)` is not a
//! function"), and stands before no function that takes its name from where it stands.

use bytestring::ByteString;
use dacapo_core::{Location, Point, PointKind, digest_of};
use oxc::allocator::{ArenaVec, TakeIn as _};
use oxc::ast::ast::{
    ArrayAssignmentTarget, ArrowFunctionBody, ArrowFunctionExpression, AssignmentExpression,
    AssignmentPattern, AssignmentTarget, AssignmentTargetWithDefault, BindingPattern, CallExpression,
    CatchClause, ConditionalExpression, Expression, ForOfStatement, FormalParameter, Function, IfStatement,
    LogicalExpression, MethodDefinition, NewExpression, NumberBase, ObjectProperty, PropertyDefinition,
    PropertyKey, SimpleAssignmentTarget, SpreadElement, Statement, SwitchCase, TaggedTemplateExpression,
    VariableDeclarator, YieldExpression,
};
use oxc::ast::builder::AstBuilder;
use oxc::ast_visit::{VisitMut, walk_mut};
use oxc::span::{GetSpan as _, SPAN, Span};
use oxc::syntax::operator::{UnaryOperator, UpdateOperator};
use oxc::syntax::scope::ScopeFlags;

use super::position::Lines;
use super::probe::{is_count, loop_body};

/// The array, as code has it.
pub(super) const HITS: &str = "__dacapo$hit";

/// The pass over a module.
pub(super) struct Cover<'a> {
    ast: AstBuilder<'a>,
    /// How many points the modules before this one have.
    first: usize,
    found: Vec<Found>,
    /// Whether V8 may quote the expression that is visited.
    is_quoted: bool,
    /// The name of the function that comes next, and where that stands.
    named: Option<(ByteString, u32)>,
}

/// A point of the module.
struct Found {
    kind: PointKind,
    name: ByteString,
    offset: u32,
}

impl<'a> Cover<'a> {
    pub(super) fn new(ast: AstBuilder<'a>, first: usize) -> Cover<'a> {
        Cover { ast, first, found: Vec::new(), is_quoted: false, named: None }
    }

    /// The points of the module at this path.
    pub(super) fn points(self, path: &str, text: &str) -> Vec<Point> {
        let lines = Lines::new(text);
        let point = |found: Found| {
            let (line, column) = lines.of(found.offset as usize);
            Point {
                id: digest_of(&(path, found.offset, found.kind, &found.name)).low(),
                kind: found.kind,
                name: found.name,
                location: Location { file: path.into(), line, column },
            }
        };
        self.found.into_iter().map(point).collect()
    }

    /// `++__dacapo$hit[17]`: an assignment would make V8 name the function after what is assigned to.
    fn note(&mut self, kind: PointKind, name: impl Into<ByteString>, offset: u32) -> Expression<'a> {
        let index = (self.first + self.found.len()) as f64;
        self.found.push(Found { kind, name: name.into(), offset });
        let number = Expression::new_numeric_literal(SPAN, index, None, NumberBase::Decimal, &self.ast);
        let hits = Expression::new_identifier(SPAN, HITS, &self.ast);
        let hit =
            SimpleAssignmentTarget::new_computed_member_expression(SPAN, hits, number, false, &self.ast);
        Expression::new_update_expression(SPAN, UpdateOperator::Increment, true, hit, &self.ast)
    }

    fn branch(&mut self, name: &'static str, span: Span) -> Expression<'a> {
        self.note(PointKind::Branch, ByteString::from_static(name), span.start)
    }

    fn statement(&self, note: Expression<'a>) -> Statement<'a> {
        Statement::new_expression_statement(SPAN, note, &self.ast)
    }

    /// `test ? note : !note`
    fn test(&mut self, span: Span, test: &mut Expression<'a>) {
        let then = self.branch("then", span);
        let other = self.branch("else", span);
        let other = Expression::new_unary_expression(SPAN, UnaryOperator::LogicalNot, other, &self.ast);
        let own = test.take_in(&self.ast);
        *test = Expression::new_conditional_expression(SPAN, own, then, other, &self.ast);
    }

    /// `(note, value)`
    fn value(&mut self, name: &'static str, value: &mut Expression<'a>) {
        let note = self.branch(name, value.span());
        let own = value.take_in(&self.ast);
        let both = ArenaVec::from_array_in([note, own], &self.ast);
        *value = Expression::new_sequence_expression(SPAN, both, &self.ast);
    }

    fn function(&mut self, own: Option<ByteString>, span: Span) -> Option<Expression<'a>> {
        let (given, offset) = self.named.take().unwrap_or_else(|| (ByteString::new(), span.start));
        // What the transformer has made stands nowhere.
        (!span.is_empty()).then(|| self.note(PointKind::Function, own.unwrap_or(given), offset))
    }

    /// Walks through what V8 quotes, or never quotes, or as what is around it.
    fn within(&mut self, is_quoted: bool, walk: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.is_quoted, is_quoted);
        walk(self);
        self.is_quoted = before;
    }

    /// Gives a function that stands here this name, at this offset or at its own.
    fn names(&mut self, value: Option<&Expression<'a>>, name: Option<ByteString>, at: Option<u32>) {
        if let (Some(value), Some(name)) = (value.filter(|value| is_function(value)), name) {
            self.named = Some((name, at.unwrap_or(value.span().start)));
        }
    }
}

fn is_function(value: &Expression<'_>) -> bool {
    let value = value.get_inner_expression();
    matches!(value, Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_))
}

/// Whether a value takes its name from where it stands.
fn takes_name(value: &Expression<'_>) -> bool {
    is_function(value) || matches!(value.get_inner_expression(), Expression::ClassExpression(_))
}

fn key_name(key: &PropertyKey<'_>) -> Option<ByteString> {
    Some(ByteString::from(key.name()?.as_ref()))
}

impl<'a> VisitMut<'a> for Cover<'a> {
    fn visit_function(&mut self, it: &mut Function<'a>, flags: ScopeFlags) {
        let name = it.id.as_ref().map(|id| ByteString::from(id.name.as_str()));
        let note = it.body.is_some().then(|| self.function(name, it.span)).flatten();
        self.within(false, |this| walk_mut::walk_function(this, it, flags));
        if let (Some(body), Some(note)) = (&mut it.body, note) {
            let note = self.statement(note);
            body.statements.insert(0, note);
        }
    }

    fn visit_arrow_function_expression(&mut self, it: &mut ArrowFunctionExpression<'a>) {
        let note = self.function(None, it.span);
        self.within(false, |this| walk_mut::walk_arrow_function_expression(this, it));
        let Some(note) = note else { return };
        match &mut it.body {
            ArrowFunctionBody::FunctionBody(body) => body.statements.insert(0, self.statement(note)),
            // Behind the count that is there already.
            body => match body.as_expression_mut() {
                Some(Expression::SequenceExpression(both)) => both.expressions.insert(1, note),
                _ => unreachable!("each function has been given a count"),
            },
        }
    }

    fn visit_if_statement(&mut self, it: &mut IfStatement<'a>) {
        walk_mut::walk_if_statement(self, it);
        self.test(it.span, &mut it.test);
    }

    fn visit_conditional_expression(&mut self, it: &mut ConditionalExpression<'a>) {
        walk_mut::walk_conditional_expression(self, it);
        if !self.is_quoted && !it.span.is_empty() {
            self.test(it.span, &mut it.test);
        }
    }

    fn visit_logical_expression(&mut self, it: &mut LogicalExpression<'a>) {
        if is_count(&it.left) {
            return;
        }
        walk_mut::walk_logical_expression(self, it);
        if !self.is_quoted && !it.span.is_empty() && !takes_name(&it.right) {
            self.value(it.operator.as_str(), &mut it.right);
        }
    }

    fn visit_assignment_expression(&mut self, it: &mut AssignmentExpression<'a>) {
        let name = match &it.left {
            AssignmentTarget::AssignmentTargetIdentifier(id) => Some(ByteString::from(id.name.as_str())),
            AssignmentTarget::StaticMemberExpression(member) => {
                Some(ByteString::from(member.property.name.as_str()))
            }
            _ => None,
        };
        let is_pattern = it.left.as_assignment_target_pattern().is_some();
        self.visit_assignment_target(&mut it.left);
        self.names(Some(&it.right), name, None);
        let is_quoted = self.is_quoted || is_pattern;
        self.within(is_quoted, |this| this.visit_expression(&mut it.right));
        if it.operator.is_logical() && !self.is_quoted && !it.span.is_empty() && !takes_name(&it.right) {
            self.value(it.operator.as_str(), &mut it.right);
        }
    }

    fn visit_switch_case(&mut self, it: &mut SwitchCase<'a>) {
        walk_mut::walk_switch_case(self, it);
        let note = self.branch(if it.test.is_some() { "case" } else { "default" }, it.span);
        it.consequent.insert(0, self.statement(note));
    }

    fn visit_catch_clause(&mut self, it: &mut CatchClause<'a>) {
        walk_mut::walk_catch_clause(self, it);
        let note = self.branch("catch", it.span);
        it.body.body.insert(0, self.statement(note));
    }

    fn visit_statement(&mut self, it: &mut Statement<'a>) {
        walk_mut::walk_statement(self, it);
        // (A block, since its rounds are counted.)
        if let Some((span, Statement::BlockStatement(body))) = loop_body(it) {
            let note = self.branch("loop", span);
            body.body.insert(0, self.statement(note));
        }
    }

    // What V8 quotes: what is called, and what is taken apart.

    fn visit_for_of_statement(&mut self, it: &mut ForOfStatement<'a>) {
        self.visit_for_statement_left(&mut it.left);
        self.within(true, |this| this.visit_expression(&mut it.right));
        self.visit_statement(&mut it.body);
    }

    fn visit_call_expression(&mut self, it: &mut CallExpression<'a>) {
        self.within(true, |this| this.visit_expression(&mut it.callee));
        self.within(false, |this| this.visit_arguments(&mut it.arguments));
    }

    fn visit_new_expression(&mut self, it: &mut NewExpression<'a>) {
        self.within(true, |this| this.visit_expression(&mut it.callee));
        self.within(false, |this| this.visit_arguments(&mut it.arguments));
    }

    fn visit_tagged_template_expression(&mut self, it: &mut TaggedTemplateExpression<'a>) {
        self.within(true, |this| walk_mut::walk_tagged_template_expression(this, it));
    }

    fn visit_spread_element(&mut self, it: &mut SpreadElement<'a>) {
        self.within(true, |this| walk_mut::walk_spread_element(this, it));
    }

    fn visit_yield_expression(&mut self, it: &mut YieldExpression<'a>) {
        let is_quoted = self.is_quoted || it.delegate;
        self.within(is_quoted, |this| walk_mut::walk_yield_expression(this, it));
    }

    fn visit_assignment_pattern(&mut self, it: &mut AssignmentPattern<'a>) {
        self.within(true, |this| walk_mut::walk_assignment_pattern(this, it));
    }

    fn visit_array_assignment_target(&mut self, it: &mut ArrayAssignmentTarget<'a>) {
        self.within(true, |this| walk_mut::walk_array_assignment_target(this, it));
    }

    fn visit_assignment_target_with_default(&mut self, it: &mut AssignmentTargetWithDefault<'a>) {
        self.within(true, |this| walk_mut::walk_assignment_target_with_default(this, it));
    }

    fn visit_formal_parameter(&mut self, it: &mut FormalParameter<'a>) {
        self.within(true, |this| walk_mut::walk_formal_parameter(this, it));
    }

    fn visit_variable_declarator(&mut self, it: &mut VariableDeclarator<'a>) {
        let name = match &it.id {
            BindingPattern::BindingIdentifier(id) => Some(ByteString::from(id.name.as_str())),
            _ => None,
        };
        let is_quoted = self.is_quoted || name.is_none();
        self.visit_binding_pattern(&mut it.id);
        self.names(it.init.as_ref(), name, None);
        if let Some(init) = &mut it.init {
            self.within(is_quoted, |this| this.visit_expression(init));
        }
    }

    // Where functions have their names from.

    fn visit_object_property(&mut self, it: &mut ObjectProperty<'a>) {
        self.visit_property_key(&mut it.key);
        self.names(Some(&it.value), key_name(&it.key), Some(it.span.start));
        self.visit_expression(&mut it.value);
    }

    fn visit_method_definition(&mut self, it: &mut MethodDefinition<'a>) {
        self.visit_property_key(&mut it.key);
        self.named = key_name(&it.key).map(|name| (name, it.span.start));
        self.visit_function(&mut it.value, ScopeFlags::Function);
    }

    fn visit_property_definition(&mut self, it: &mut PropertyDefinition<'a>) {
        self.visit_property_key(&mut it.key);
        self.names(it.value.as_ref(), key_name(&it.key), Some(it.span.start));
        if let Some(value) = &mut it.value {
            self.visit_expression(value);
        }
    }
}
