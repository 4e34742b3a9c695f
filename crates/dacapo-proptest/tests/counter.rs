//! An example to read: a counter with a model of it. The hasty one reads and writes in two steps, and so loses an
//! increment; the story of the test says by which requests and at which moment. The careful one survives, as long as its node
//! does: what it knows is in memory.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use dacapo_lab::{Experiment, ExperimentBuilder};
use dacapo_native::{Guest, Request, Response, Service};
use dacapo_proptest::{Case, ReferenceStateMachine, Simulated, cases, fault_plans};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRng, TestRunner};

/// A counter; the hasty one has something else to do between reading and writing.
struct Counter<const HASTY: bool> {
    guest: Guest,
    value: Cell<u64>,
}

impl<const HASTY: bool> Service for Counter<HASTY> {
    fn start(guest: Guest) -> Self {
        Counter { guest, value: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/add" {
            let amount: u64 = request.text().parse().unwrap_or_default();
            let value = self.value.get();
            if HASTY {
                self.guest.sleep(Duration::from_millis(1)).await;
            }
            self.value.set(value + amount);
        }
        Response::text(self.value.get().to_string())
    }
}

/// What a counter should do.
struct Model<const HASTY: bool>;

#[derive(Clone, Debug)]
enum Step {
    Add(u64),
    Read,
}

impl<const HASTY: bool> ReferenceStateMachine for Model<HASTY> {
    type State = u64;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<u64> {
        Just(0).boxed()
    }

    fn transitions(_: &u64) -> BoxedStrategy<Step> {
        prop_oneof![(1..10u64).prop_map(Step::Add), Just(Step::Read)].boxed()
    }

    fn apply(state: u64, step: &Step) -> u64 {
        match step {
            Step::Add(amount) => state + amount,
            Step::Read => state,
        }
    }
}

impl<const HASTY: bool> Simulated for Model<HASTY> {
    fn system() -> ExperimentBuilder {
        Experiment::native("counting").singleton::<Counter<HASTY>>("counter", &[]).nodes(1)
    }

    fn request(step: &Step) -> Request {
        match step {
            Step::Add(amount) => Request::post("https://counter.example/add", amount.to_string()),
            Step::Read => Request::get("https://counter.example/"),
        }
    }

    fn allows(before: &u64, step: &Step, answer: &Response) -> bool {
        answer.clone().into_text() == Self::apply(*before, step).to_string()
    }
}

proptest! {
    #![proptest_config(Config { cases: 100, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_careful_counter_does_what_its_model_says(
        case in cases::<Model<false>>(1..=12, 3, fault_plans(&["net.delay", "net.loss", "process.pause"])),
    ) {
        case.check()?;
    }
}

/// The least case that proptest finds.
fn found<const HASTY: bool>(faults: &[&str]) -> Case<Model<HASTY>> {
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    match runner.run(&cases::<Model<HASTY>>(1..=12, 3, fault_plans(faults)), |case| case.check()) {
        Err(TestError::Fail(_, case)) => case,
        Err(TestError::Abort(why)) => panic!("{why}"),
        Ok(()) => panic!("200 cases passed, but a bug is planted"),
    }
}

#[test]
fn the_story_of_a_hasty_counter_says_what_it_takes() {
    let story = found::<true>(&["net.delay", "net.loss", "process.pause"]).trial().story();
    insta::assert_snapshot!(story.expect("it fails"));
}

#[test]
fn the_story_of_a_counter_that_forgets_names_the_crash() {
    let story = found::<false>(&["net.delay", "process.crash", "process.pause"]).trial().story();
    insta::assert_snapshot!(story.expect("it fails"));
}
