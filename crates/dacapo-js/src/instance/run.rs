//! One turn: the event goes in, and V8 runs until nothing is left to do.

use dacapo_core::{Event, Fault, FaultKind, Level, Location};

use super::event::{Call, Handler, call_for, is_work};
use super::guest::{self, Rejection};
use super::{JsInstance, Live, Stage, module, start};
use crate::ops::text_of;

/// How many reported rejections are remembered, for the event that they were handled late.
const REPORTED_MAX: usize = 64;

/// How often a turn may find new work after it was quiet: a guest that makes a new unhandled
/// rejection for each one that it is told of would otherwise go on for ever.
const ROUNDS_MAX: usize = 1000;

/// What a turn works with.
struct Run<'a> {
    live: &'a Live,
    stage: &'a mut Stage,
    reported: &'a mut Vec<v8::Global<v8::Promise>>,
    boot: &'a dacapo_core::Boot,
    /// The budget to fill up with the next call; `None` once that is done.
    budget: Option<f64>,
}

impl JsInstance {
    pub(super) fn run(&mut self, event: Event) {
        let Some(live) = &self.live else { return };
        let mut run = Run {
            live,
            stage: &mut self.stage,
            reported: &mut self.reported,
            boot: &self.boot,
            budget: Some(self.boot.turn_budget as f64),
        };
        let mut isolate = self.lease.enter();
        {
            v8::scope_with_context!(let scope, &mut *isolate, &live.context);
            if matches!(run.stage, Stage::New) {
                run.evaluate(scope);
            }
            run.take(scope, event);
            run.drain(scope, self.pool.platform());
        }
        if guest::with(|guest| guest.fault.is_some()).unwrap_or_default()
            || isolate.is_execution_terminating()
        {
            isolate.cancel_terminate_execution();
        }
    }
}

impl Run<'_> {
    /// Starts the evaluation of the entry module.
    fn evaluate(&mut self, scope: &mut v8::PinScope<'_, '_>) {
        self.refill(scope);
        let compiled = guest::with(|guest| guest.compiled.clone()).flatten();
        v8::tc_scope!(let scope, scope);
        let evaluated = compiled
            .and_then(|compiled| module::module(scope, &compiled, 0))
            .and_then(|entry| {
                entry.instantiate_module(scope, module::resolve)?;
                entry.evaluate(scope)
            })
            .and_then(|promise| v8::Local::<v8::Promise>::try_from(promise).ok());
        match evaluated {
            Some(done) => {
                // Its rejection is the fault of the load, and no unhandled rejection.
                done.mark_as_handled();
                *self.stage = Stage::Evaluating { done: v8::Global::new(scope, done), waiting: Vec::new() };
            }
            None => {
                let error = scope.exception();
                load_fault(scope, error);
            }
        }
    }

    /// Gives the event to the guest, or keeps it until the guest can take it.
    fn take(&mut self, scope: &mut v8::PinScope<'_, '_>, event: Event) {
        if has_fault() {
            return;
        }
        if let Stage::Evaluating { waiting, .. } = self.stage
            && is_work(&event)
        {
            waiting.push(event);
            return;
        }
        if let Some(call) = call_for(scope, event) {
            self.call(scope, &call);
        }
    }

    /// Runs microtasks, platform tasks and what follows from them until all is quiet.
    fn drain(&mut self, scope: &mut v8::PinScope<'_, '_>, platform: &v8::SharedRef<v8::Platform>) {
        let mut rounds = 0;
        while rounds < ROUNDS_MAX {
            self.live.queue.perform_checkpoint(scope);
            while v8::Platform::pump_message_loop(platform, scope, false) {
                self.live.queue.perform_checkpoint(scope);
            }
            if has_fault() {
                return;
            }
            if guest::with(|guest| std::mem::take(&mut guest.wants_drained)).unwrap_or_default() {
                self.call(scope, &Call::new(Handler::Drained, []));
                continue;
            }
            let has_started = self.start_if_evaluated(scope);
            let has_reported = self.report_rejections(scope);
            if !has_started && !has_reported {
                return;
            }
            rounds += 1;
        }
        let text = format!("a turn reported unhandled rejections {ROUNDS_MAX} times; it goes on without");
        guest::push(dacapo_core::Effect::Log(Level::Warn, text.into()));
    }

    /// Once the entry module has been evaluated: starts the service, and gives it what waited.
    fn start_if_evaluated(&mut self, scope: &mut v8::PinScope<'_, '_>) -> bool {
        let Stage::Evaluating { done, waiting } = self.stage else { return false };
        let done = v8::Local::new(scope, &*done);
        match done.state() {
            v8::PromiseState::Pending => return false,
            v8::PromiseState::Rejected => {
                let reason = done.result(scope);
                load_fault(scope, Some(reason));
                return false;
            }
            v8::PromiseState::Fulfilled => {}
        }
        let waiting = std::mem::take(waiting);
        *self.stage = Stage::Ready;
        let entry = guest::with(|guest| guest.modules.first().cloned().flatten()).flatten();
        if let Some(entry) = entry {
            let namespace = v8::Local::new(scope, entry).get_module_namespace();
            let env = start::env(scope, self.boot);
            self.call(scope, &Call::new(Handler::Start, [namespace, env]));
        }
        for event in waiting {
            self.take(scope, event);
        }
        true
    }

    /// Tells the guest of promises that were rejected with nobody there to handle it.
    fn report_rejections(&mut self, scope: &mut v8::PinScope<'_, '_>) -> bool {
        let rejections = guest::with(|guest| std::mem::take(&mut guest.rejections)).unwrap_or_default();
        let mut has_reported = false;
        for Rejection { promise, reason } in rejections {
            let local = v8::Local::new(scope, &promise);
            let is_handled = reason.is_none();
            if is_handled {
                let Some(at) = self.reported.iter().position(|known| *known == promise) else { continue };
                self.reported.remove(at);
            } else {
                if local.has_handler() {
                    continue;
                }
                if self.reported.len() == REPORTED_MAX {
                    self.reported.remove(0);
                }
                self.reported.push(promise);
            }
            let reason = match reason {
                Some(reason) => v8::Local::new(scope, reason),
                None => local.result(scope),
            };
            let handled = v8::Boolean::new(scope, is_handled).into();
            self.call(scope, &Call::new(Handler::Rejection, [local.into(), reason, handled]));
            has_reported = true;
        }
        has_reported
    }

    /// Calls a handler; what it throws goes to the handler for errors.
    fn call(&mut self, scope: &mut v8::PinScope<'_, '_>, call: &Call<'_>) {
        let Some(handler) = &self.live.handlers[call.handler as usize] else { return };
        let undefined: v8::Local<'_, v8::Value> = v8::undefined(scope).into();
        let handler = v8::Local::new(scope, handler);
        let mut arguments = [undefined; 7];
        let mut length = 0;
        let function = match self.budget.take() {
            Some(budget) => {
                arguments[0] = v8::Number::new(scope, budget).into();
                arguments[1] = handler.into();
                length = 2;
                v8::Local::new(scope, &self.live.enter)
            }
            None => handler,
        };
        for argument in call.arguments() {
            arguments[length] = v8::Local::new(scope, argument);
            length += 1;
        }
        v8::tc_scope!(let scope, scope);
        if function.call(scope, undefined, &arguments[..length]).is_some() || scope.has_terminated() {
            return;
        }
        let Some(error) = scope.exception() else { return };
        scope.reset();
        match &self.live.handlers[Handler::Error as usize] {
            Some(on_error) if call.handler != Handler::Error => {
                let on_error = v8::Local::new(scope, on_error);
                if on_error.call(scope, undefined, &[error]).is_none() && !scope.has_terminated() {
                    scope.reset();
                }
            }
            _ => {
                let text = describe(scope, error);
                guest::push(dacapo_core::Effect::Log(Level::Error, format!("Uncaught {text}").into()));
            }
        }
    }

    /// Fills up the budget where no handler is called first.
    fn refill(&mut self, scope: &mut v8::PinScope<'_, '_>) {
        let Some(budget) = self.budget.take() else { return };
        let undefined = v8::undefined(scope).into();
        let budget = v8::Number::new(scope, budget).into();
        let enter = v8::Local::new(scope, &self.live.enter);
        let nothing = v8::Function::builder(
            |_: &mut v8::PinScope<'_, '_>,
             _: v8::FunctionCallbackArguments<'_>,
             _: v8::ReturnValue<'_, v8::Value>| {},
        );
        if let Some(nothing) = nothing.build(scope) {
            enter.call(scope, undefined, &[budget, nothing.into()]);
        }
    }
}

fn has_fault() -> bool {
    guest::with(|guest| guest.fault.is_some() || guest.memory.is_exceeded()).unwrap_or_default()
}

/// The module threw while it was evaluated.
fn load_fault(scope: &mut v8::PinScope<'_, '_>, error: Option<v8::Local<'_, v8::Value>>) {
    let Some(error) = error.filter(|_| !has_fault()) else { return };
    let error = v8::Local::new(scope, error);
    let location = location_of(scope, error);
    let message = describe(scope, error);
    let first = message.lines().next().unwrap_or_default();
    guest::fault(Fault { kind: FaultKind::Load, message: first.into(), location });
}

fn location_of(scope: &mut v8::PinScope<'_, '_>, error: v8::Local<'_, v8::Value>) -> Option<Location> {
    let message = v8::Exception::create_message(scope, error);
    if let Some(trace) = message.get_stack_trace(scope)
        && let Some(location) = guest::location_of(scope, trace)
    {
        return Some(location);
    }
    let file = message.get_script_resource_name(scope)?.to_rust_string_lossy(scope);
    let line = message.get_line_number(scope)? as u32;
    let column = message.get_start_column() as u32 + 1;
    guest::with(|guest| guest.program.location(&file, line, column)).flatten()
}

/// An error with its stack, or any other value as text.
fn describe(scope: &mut v8::PinScope<'_, '_>, error: v8::Local<'_, v8::Value>) -> String {
    v8::tc_scope!(let scope, scope);
    let error = v8::Local::new(scope, error);
    if let Ok(object) = v8::Local::<v8::Object>::try_from(error)
        && object.is_native_error()
    {
        let key = crate::ops::name(scope, b"stack");
        let stack = object.get(scope, key.into());
        if let Some(stack) = stack.and_then(|stack| text_of(scope, stack)) {
            return stack.to_string();
        }
    }
    error
        .to_string(scope)
        .map_or_else(|| "a value that has no text".to_owned(), |text| text.to_rust_string_lossy(scope))
}
