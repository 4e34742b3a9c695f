//! What an object should do, as a machine that takes one operation after the other.

use std::hash::Hash;

use crate::history::{Operation, Value};

/// The values that an operation has to do with, for the search and for making counterexamples small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// None at all.
    Nothing,
    /// These.
    These(Vec<Value>),
    /// It may be any.
    Anything,
    /// Any but this one.
    AnythingBut(Value),
}

impl Tags {
    /// Just this value.
    pub fn one(value: &Value) -> Tags {
        Tags::These(vec![value.clone()])
    }
}

/// A sequential object. A history is linearizable if each operation can be given a moment between its
/// invocation and its end, so that in this order the object would have answered as it did.
///
/// A model has to be a function of its input: the same step gives the same state.
pub trait Model {
    /// An operation as the model wants to see it.
    type Op;
    /// What the object remembers.
    type State: Clone + Eq + Hash;

    /// What the object is, for people: `a register`.
    fn name(&self) -> String;

    /// Which object an operation is on. Each is judged by itself, which is allowed and much faster
    /// (linearizability is local). A model of several keys at once says the same for all.
    fn key(&self, operation: &Operation) -> Value {
        operation.key.clone()
    }

    /// Reads an operation, or says what is wrong with it. One whose outcome is unknown has no answer;
    /// `step` must then accept any.
    fn op(&self, operation: &Operation) -> Result<Self::Op, String>;

    /// The state in which an object begins.
    fn initial(&self) -> Self::State;

    /// The state after an operation, or nothing if it cannot have been answered like this in this state.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Option<Self::State>;

    /// What an operation changes. `Nothing` promises that it leaves every state as it is: then the search
    /// need not try it at different moments.
    fn gives(&self, _: &Self::Op) -> Tags {
        Tags::Anything
    }

    /// What an operation's answer depends on. If nothing that is left of a linearizable history sees what
    /// an operation gives, then the history must stay linearizable without that operation. With that,
    /// counterexamples lose what does not matter to them.
    fn sees(&self, _: &Self::Op) -> Tags {
        Tags::Anything
    }

    /// The model for a history in which these operations have happened for certain: it may refuse steps that
    /// would make one of them impossible.
    fn knowing(&self, _certain: &[&Self::Op]) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// How far a state is from one in which an operation fits; 0 if it fits. The search goes the shortest
    /// way first.
    fn distance(&self, state: &Self::State, op: &Self::Op) -> u64 {
        u64::from(self.step(state, op).is_none())
    }

    /// The value that was given last, for objects whose state that is: what one operation gives, the next
    /// one wipes out. By answering, a model promises that an operation that sees these values
    /// fits no state that holds another, and one that sees nothing fits all. Then the search
    /// gives up early where a value that is still wanted was overwritten.
    fn holds(&self, _: &Self::State) -> Option<Value> {
        None
    }

    /// A state, for people.
    fn show(&self, state: &Self::State) -> String;
}
