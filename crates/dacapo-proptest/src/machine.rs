//! A service and a model of it: does each answer make sense, whatever happens on the way?
//!
//! The model is a state machine of `proptest-state-machine`: its `transitions` are what clients may ask for, and `apply`
//! says what becomes of the state. [`Simulated`] adds how a transition is asked for and which answers fit. Clients
//! ask at the same time, and answers are lost; so the model is not compared step by step, but as a whole: there must
//! be an order of all requests, each at some moment between question and answer, in which the model would have
//! answered the same (linearizability). One without an answer may have been done at any later moment, or not at all.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dacapo_check::linear::{Model, linearizable};
use dacapo_check::{History, Limits, Operation, Outcome, Value, Verdict};
use dacapo_lab::ExperimentBuilder;
use dacapo_native::{Request, Response};
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use crate::ask::{Ask, waits};
use crate::faults::FaultPlan;
use crate::player::{Answered, Transcript};
use crate::trial::{Input, Trial};

/// A model of a service that runs in a simulation.
pub trait Simulated: ReferenceStateMachine<State: Eq + Hash> + 'static {
    /// The services, without a workload and without faults.
    fn system() -> ExperimentBuilder;

    /// How a transition is asked for.
    fn request(transition: &Self::Transition) -> Request;

    /// Whether a service in this state may answer a transition like this.
    fn allows(before: &Self::State, transition: &Self::Transition, answer: &Response) -> bool;

    /// Whether this is an answer. By default an error of the server's is none: it may have done what was asked or not.
    fn is_answer(answer: &Response) -> bool {
        !answer.status().is_server_error()
    }

    /// What must hold, for people.
    fn rule() -> &'static str {
        "the service does what its model says"
    }
}

/// A case of a test: run it with [`Trial::check`] of [`Case::trial`], or with [`Case::check`].
pub struct Case<M: Simulated> {
    initial: M::State,
    transitions: Rc<[M::Transition]>,
    /// Where `proptest-state-machine` is told how many transitions were tried, so that it leaves out the others.
    tried: Option<Arc<AtomicUsize>>,
    input: Input,
}

impl<M: Simulated> Clone for Case<M> {
    fn clone(&self) -> Case<M> {
        Case {
            initial: self.initial.clone(),
            transitions: Rc::clone(&self.transitions),
            tried: self.tried.clone(),
            input: self.input.clone(),
        }
    }
}

/// Cases of a model: so many transitions by so many clients, with faults of this strategy.
pub fn cases<M: Simulated>(
    transitions: RangeInclusive<usize>,
    clients: u32,
    faults: impl Strategy<Value = FaultPlan>,
) -> impl Strategy<Value = Case<M>> {
    let machine = Timed::<M>::sequential_strategy(transitions);
    (machine, faults, any::<u64>().no_shrink()).prop_map(move |((initial, steps, tried), faults, seed)| {
        let asks = steps.iter().map(|step| Ask {
            client: step.client % clients.max(1),
            wait: step.wait,
            request: M::request(&step.transition),
        });
        let input = Input { asks: asks.collect(), faults, seed };
        Case { initial, transitions: steps.into_iter().map(|step| step.transition).collect(), tried, input }
    })
}

/// The model, with transitions that know who asks for them and when, so that they keep it when others are taken away.
struct Timed<M>(PhantomData<M>);

#[derive(Clone, Debug)]
struct Step<T> {
    client: u32,
    wait: Duration,
    transition: T,
}

/// Clients are drawn below this, and fewer are made of them.
const CLIENTS_MAX: u32 = 64;

impl<M: Simulated> ReferenceStateMachine for Timed<M> {
    type State = M::State;
    type Transition = Step<M::Transition>;

    fn init_state() -> BoxedStrategy<M::State> {
        M::init_state()
    }

    fn transitions(state: &M::State) -> BoxedStrategy<Self::Transition> {
        let step = (0..CLIENTS_MAX, waits(), M::transitions(state));
        step.prop_map(|(client, wait, transition)| Step { client, wait, transition }).boxed()
    }

    fn apply(state: M::State, step: &Self::Transition) -> M::State {
        M::apply(state, &step.transition)
    }

    fn preconditions(state: &M::State, step: &Self::Transition) -> bool {
        M::preconditions(state, &step.transition)
    }
}

impl<M: Simulated> Case<M> {
    /// The case as a trial.
    pub fn trial(&self) -> Trial {
        // A run tries them all.
        if let Some(tried) = &self.tried {
            tried.store(self.transitions.len(), Ordering::Relaxed);
        }
        let (initial, transitions) = (self.initial.clone(), Rc::clone(&self.transitions));
        Trial::new(M::system, &self.input, M::rule(), move |transcript| {
            judge::<M>(initial.clone(), &transitions, transcript)
        })
    }

    /// Runs it; for `?` in a test of proptest.
    ///
    /// # Errors
    /// With what went wrong, if something did.
    pub fn check(&self) -> Result<(), TestCaseError> {
        self.trial().check()
    }
}

impl<M: Simulated> fmt::Debug for Case<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trial().fmt(f)
    }
}

fn judge<M: Simulated>(
    initial: M::State,
    transitions: &[M::Transition],
    transcript: &Transcript,
) -> Result<(), String> {
    let history = history::<M>(transcript);
    let model = Judge::<M> { initial, transitions, transcript };
    match linearizable(&history, &model, &Limits::default()) {
        Ok(Verdict::Holds) => Ok(()),
        Ok(Verdict::Broken(counterexample)) => Err(counterexample.to_string()),
        // Not to know is no success: the case is too large for its judge.
        Ok(Verdict::Unknown(why)) => Err(why),
        Err(mistake) => Err(mistake.0),
    }
}

/// The moments of a transcript in order.
fn history<M: Simulated>(transcript: &Transcript) -> History {
    let mut moments = Vec::new();
    for entry in &transcript.0 {
        moments.push((entry.asked, entry, true));
        moments.extend(entry.ended.map(|ended| (ended, entry, false)));
    }
    moments.sort_by_key(|((_, order), ..)| *order);
    let mut history = History::new();
    for ((at, _), entry, is_question) in moments {
        let process = u64::from(entry.client);
        let told = match &entry.answer {
            _ if is_question => {
                history.invoke(at, process, &what(&entry.request), Value::Null, text(&entry.request.body))
            }
            Some(answer) if M::is_answer(answer) => history.ok(at, process, text(&answer.body)),
            _ => history.unknown(at, process),
        };
        told.expect("a client asks one thing after the other");
    }
    history
}

/// `POST /cart`
fn what(request: &Request) -> String {
    format!("{} {}", request.head.method, request.path())
}

fn text(body: &[u8]) -> Value {
    match String::from_utf8_lossy(body) {
        text if text.is_empty() => Value::Null,
        text => text.as_ref().into(),
    }
}

/// The model, as a judge of histories wants to see it.
struct Judge<'a, M: Simulated> {
    initial: M::State,
    transitions: &'a [M::Transition],
    transcript: &'a Transcript,
}

impl<'a, M: Simulated> Model for Judge<'a, M> {
    /// A transition, and its answer if there was one.
    type Op = (&'a M::Transition, Option<&'a Response>);
    type State = M::State;

    fn name(&self) -> String {
        let name = std::any::type_name::<M>();
        format!("the model {}", name.rsplit("::").next().unwrap_or(name))
    }

    fn op(&self, operation: &Operation) -> Result<Self::Op, String> {
        let is_it = |entry: &&Answered| entry.asked.1 == operation.invoked.order;
        let entry = self.transcript.0.iter().find(is_it).ok_or("nobody asked for it")?;
        let answer = entry.answer.as_ref().filter(|_| operation.outcome == Outcome::Ok);
        Ok((&self.transitions[entry.ask], answer))
    }

    fn initial(&self) -> M::State {
        self.initial.clone()
    }

    fn step(&self, state: &M::State, (transition, answer): &Self::Op) -> Option<M::State> {
        let fits = answer.is_none_or(|answer| M::allows(state, transition, answer));
        fits.then(|| M::apply(state.clone(), transition))
    }

    fn show(&self, state: &M::State) -> String {
        format!("{state:?}")
    }
}
