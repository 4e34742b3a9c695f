//! Probes: what is put into guest code so that its work can be counted and stopped exactly.
//!
//! Each function entry and each round of a loop counts down the budget of the turn. Each `catch`
//! first shows what it caught: a stack overflow is not for guests to handle, because how deep a
//! stack gets is V8's own affair. (A `finally` needs none: see `instance/watch.rs`.)

use oxc::allocator::{ArenaVec, TakeIn as _};
use oxc::ast::ast::{
    Argument, ArrowFunctionExpression, BindingIdentifier, BindingPattern, CatchClause, CatchParameter,
    Expression, Function, IdentifierReference, ImportExpression, SimpleAssignmentTarget, Statement,
    VariableDeclarationKind,
};
use oxc::ast::ast::{Declaration, VariableDeclarator};
use oxc::ast::builder::AstBuilder;
use oxc::ast_visit::{VisitMut, walk_mut};
use oxc::span::Span;
use oxc::syntax::operator::{LogicalOperator, UpdateOperator};
use oxc::syntax::scope::ScopeFlags;

/// Every name that belongs to the probes starts so.
pub(super) const RESERVED: &str = "__dacapo$";

/// The budget that is left.
const LEFT: &str = "__dacapo$left";
/// The function that is shown what a `catch` caught, and the name of that where it has none.
pub(super) const CAUGHT: &str = "__dacapo$caught";
pub(super) const ERROR: &str = "__dacapo$error";

/// Whether this is `--__dacapo$left`, with which a count begins.
pub(super) fn is_count(left: &Expression<'_>) -> bool {
    let Expression::UpdateExpression(update) = left else { return false };
    matches!(&update.argument, SimpleAssignmentTarget::AssignmentTargetIdentifier(id) if id.name == LEFT)
}

/// What a loop does in each round, and where the loop stands; `None` of any other statement.
pub(super) fn loop_body<'s, 'a>(statement: &'s mut Statement<'a>) -> Option<(Span, &'s mut Statement<'a>)> {
    Some(match statement {
        Statement::ForStatement(it) => (it.span, &mut it.body),
        Statement::ForInStatement(it) => (it.span, &mut it.body),
        Statement::ForOfStatement(it) => (it.span, &mut it.body),
        Statement::WhileStatement(it) => (it.span, &mut it.body),
        Statement::DoWhileStatement(it) => (it.span, &mut it.body),
        _ => return None,
    })
}

/// The pass over a module.
pub(super) struct Probes<'a, 'r> {
    pub(super) ast: AstBuilder<'a>,
    /// Says which module an `import()` means.
    pub(super) resolve: &'r mut dyn FnMut(&str) -> String,
    /// The first use of a reserved name.
    pub(super) reserved: Option<Span>,
}

impl<'a> Probes<'a, '_> {
    /// `--__dacapo$left || __dacapo$spent()`
    fn count(&self, span: Span) -> Expression<'a> {
        let left = SimpleAssignmentTarget::new_assignment_target_identifier(span, LEFT, &self.ast);
        let down = Expression::new_update_expression(span, UpdateOperator::Decrement, true, left, &self.ast);
        let spent = self.call(span, "__dacapo$spent", ArenaVec::new_in(&self.ast));
        Expression::new_logical_expression(span, down, LogicalOperator::Or, spent, &self.ast)
    }

    fn call(
        &self,
        span: Span,
        function: &'static str,
        arguments: ArenaVec<'a, Argument<'a>>,
    ) -> Expression<'a> {
        let callee = Expression::new_identifier(span, function, &self.ast);
        Expression::new_call_expression(span, callee, None, arguments, false, &self.ast)
    }

    fn count_statement(&self, span: Span) -> Statement<'a> {
        Statement::new_expression_statement(span, self.count(span), &self.ast)
    }

    fn count_rounds(&self, span: Span, body: &mut Statement<'a>) {
        let probe = self.count_statement(span);
        if let Statement::BlockStatement(block) = body {
            block.body.insert(0, probe);
            return;
        }
        let only = body.take_in(&self.ast);
        let statements = ArenaVec::from_array_in([probe, only], &self.ast);
        *body = Statement::new_block_statement(span, statements, &self.ast);
    }

    fn check_name(&mut self, name: &str, span: Span) {
        if name.starts_with(RESERVED) {
            self.reserved.get_or_insert(span);
        }
    }
}

impl<'a> VisitMut<'a> for Probes<'a, '_> {
    fn visit_identifier_reference(&mut self, it: &mut IdentifierReference<'a>) {
        self.check_name(&it.name, it.span);
    }

    fn visit_binding_identifier(&mut self, it: &mut BindingIdentifier<'a>) {
        self.check_name(&it.name, it.span);
    }

    fn visit_function(&mut self, it: &mut Function<'a>, flags: ScopeFlags) {
        walk_mut::walk_function(self, it, flags);
        let span = it.span;
        if let Some(body) = &mut it.body {
            body.statements.insert(0, self.count_statement(span));
        }
    }

    fn visit_arrow_function_expression(&mut self, it: &mut ArrowFunctionExpression<'a>) {
        walk_mut::walk_arrow_function_expression(self, it);
        let span = it.span;
        if let Some(expression) = it.body.as_expression_mut() {
            let value = expression.take_in(&self.ast);
            let both = ArenaVec::from_array_in([self.count(span), value], &self.ast);
            *expression = Expression::new_sequence_expression(span, both, &self.ast);
        } else if let oxc::ast::ast::ArrowFunctionBody::FunctionBody(body) = &mut it.body {
            body.statements.insert(0, self.count_statement(span));
        }
    }

    fn visit_statement(&mut self, it: &mut Statement<'a>) {
        walk_mut::walk_statement(self, it);
        if let Some((span, body)) = loop_body(it) {
            self.count_rounds(span, body);
        }
    }

    fn visit_catch_clause(&mut self, it: &mut CatchClause<'a>) {
        walk_mut::walk_catch_clause(self, it);
        let span = it.span;
        let own = || BindingPattern::new_binding_identifier(span, ERROR, &self.ast);
        let mut unpack = None;
        let name = match &mut it.param {
            Some(CatchParameter { pattern: BindingPattern::BindingIdentifier(id), .. }) => id.name,
            Some(param) => {
                let pattern = std::mem::replace(&mut param.pattern, own());
                let value = Expression::new_identifier(span, ERROR, &self.ast);
                let declarator = VariableDeclarator::new(span, pattern, None, Some(value), false, &self.ast);
                let declarators = ArenaVec::from_array_in([declarator], &self.ast);
                unpack = Some(Declaration::new_variable_declaration(
                    span,
                    VariableDeclarationKind::Let,
                    declarators,
                    false,
                    &self.ast,
                ));
                ERROR.into()
            }
            None => {
                it.param = Some(CatchParameter::new(span, own(), None, &self.ast));
                ERROR.into()
            }
        };
        let error = Argument::from(Expression::new_identifier(span, name, &self.ast));
        let show = self.call(span, CAUGHT, ArenaVec::from_array_in([error], &self.ast));
        if let Some(unpack) = unpack {
            it.body.body.insert(0, Statement::from(unpack));
        }
        it.body.body.insert(0, Statement::new_expression_statement(span, show, &self.ast));
    }

    fn visit_import_expression(&mut self, it: &mut ImportExpression<'a>) {
        walk_mut::walk_import_expression(self, it);
        let literal = match &it.source {
            Expression::StringLiteral(literal) => Some(literal.value.to_string()),
            Expression::TemplateLiteral(template) => template.single_quasi().map(|text| text.to_string()),
            _ => None,
        };
        if let Some(specifier) = literal {
            let name = (self.resolve)(&specifier);
            let name = oxc::str::Str::from_str_in(&name, &self.ast);
            it.source = Expression::new_string_literal(it.span, name, None, &self.ast);
            it.options = None;
        }
    }
}
