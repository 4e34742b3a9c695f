//! Exhaustive search: it finds what one order or one fault breaks, it says of what holds that all orders were tried, and its
//! reduction loses nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::Script;
use dacapo_lab::prelude::*;
use dacapo_lab::{Attempt, Bounds, Exhausted, Explorer, Report, RunOptions, Strategy};
use http::StatusCode;
use proptest::prelude::*;

fn search(experiment: &Experiment, bounds: Bounds) -> Exhausted {
    experiment.exhaust(&bounds, &mut |_| true)
}

/// Asks `host/path`; nothing where there is no answer.
async fn ask(guest: &Guest, to: &str, body: String) -> Option<String> {
    let (host, path) = to.split_once('/').expect("host/path");
    let answer = guest.fetch(Request::post(format!("https://{host}.internal/{path}"), body)).await.ok()?;
    (answer.status() == StatusCode::OK).then(|| answer.into_text())
}

/// Breaks a rule if the third of three clients comes first and the second last.
struct Door<const BUGGY: bool> {
    guest: Guest,
    came: RefCell<String>,
}

impl<const BUGGY: bool> Service for Door<BUGGY> {
    fn start(guest: Guest) -> Self {
        Door { guest, came: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        self.came.borrow_mut().push_str(&request.text());
        let is_wrong = BUGGY && *self.came.borrow() == "201";
        self.guest.always(!is_wrong, "the door stays open");
        Response::text("")
    }
}

struct Three {
    guest: Guest,
}

impl Workload for Three {
    fn start(guest: Guest) -> Three {
        Three { guest }
    }

    fn drivers() -> Vec<Driver<Three>> {
        let come = |w: Rc<Three>, client: u32| async move {
            ask(&w.guest, "door/", client.to_string()).await;
        };
        vec![Driver::new(come).clients(3)]
    }
}

fn door<const BUGGY: bool>() -> Experiment {
    Experiment::native("door").singleton::<Door<BUGGY>>("door", &[]).workload::<Three>().nodes(1).build()
}

#[test]
fn a_bug_that_needs_one_order_of_three_messages_is_found() {
    let exhausted = search(&door::<true>(), Bounds::default());
    let found = exhausted.found.as_ref().expect("one of six orders fails");
    assert!(found.report.failure.as_ref().unwrap().to_string().contains("the door stays open"));
    assert!(!exhausted.holds());
    insta::assert_snapshot!(exhausted, @"exhaustive 24 fails, after 24 orders that did not");
}

#[test]
fn of_what_holds_it_says_that_all_orders_were_tried() {
    let exhausted = search(&door::<false>(), Bounds::default());
    assert!(exhausted.holds());
    insta::assert_snapshot!(exhausted, @"all 36 orders were tried: none fails (and nothing else can go wrong)");
    let all = search(&door::<false>(), Bounds { reduces: false, ..Bounds::default() });
    insta::assert_snapshot!(all, @"all 180 orders were tried: none fails (and nothing else can go wrong)");
}

#[test]
fn it_never_claims_more_than_it_has_tried() {
    let few = search(&door::<false>(), Bounds { executions: 3, ..Bounds::default() });
    assert!(!few.holds());
    insta::assert_snapshot!(few, @"none fails of the 3 orders that were tried, but these are not all: not even those without faults are (3 runs)");
    let short = search(&door::<false>(), Bounds { deliveries: 9, ..Bounds::default() });
    assert!(!short.holds());
    insta::assert_snapshot!(short, @"none fails of the 0 orders that were tried, but these are not all: 12 runs ended after 9 deliveries (12 runs)");
    let stopped = door::<false>().exhaust(&Bounds::default(), &mut |_| false);
    assert!(!stopped.holds());
}

#[test]
fn a_failing_attempt_is_repeated_by_its_number_and_by_its_script_and_can_be_shrunk() {
    let experiment = door::<true>();
    let found = search(&experiment, Bounds::default()).found.unwrap();
    let Attempt { number, ref script, .. } = found.attempt;
    let lists = script.as_ref().unwrap().to_lists();
    assert_eq!(Script::from_lists(&lists).as_ref().ok(), script.as_ref());
    let again = Explorer::new(Strategy::Portfolio, 0).attempt(&experiment, Strategy::Exhaustive(0), number);
    assert_eq!(again, found.attempt);
    let run = experiment.run_attempt(&again, RunOptions::default());
    assert_eq!(run.report.digest, found.report.digest);
    let shrunk = experiment
        .for_attempt(&again)
        .shrink(again.seed, again.script.as_ref(), &mut |_| true)
        .expect("it fails, and does so again");
    assert_eq!(
        shrunk.report.failure.map(|failure| failure.signature()),
        found.report.failure.map(|failure| failure.signature())
    );
    let order: Vec<String> =
        shrunk.script.decisions().iter().map(|(key, n)| format!("{key} = {n}")).collect();
    insta::assert_snapshot!(order.join("\n"), @"
    schedule/first n0 gets POST / of workload #1 = 2
    workload/round driver1 client 0 #1 = 1
    workload/round driver1 client 1 #1 = 1
    workload/round driver1 client 2 #1 = 1
    ");
}

#[test]
fn a_hunt_can_be_exhaustive() {
    let found = door::<true>().hunt(Strategy::Exhaustive(0), 0, 100).expect("one of six orders fails");
    assert_eq!(found.attempt.number + 1, found.executions);
}

/// An account whose owner pays in once more if there was no answer.
struct Account<const BUGGY: bool> {
    paid: RefCell<BTreeSet<String>>,
    balance: Cell<u64>,
}

impl<const BUGGY: bool> Service for Account<BUGGY> {
    fn start(_: Guest) -> Self {
        Account { paid: RefCell::default(), balance: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/pay" && (self.paid.borrow_mut().insert(request.text()) || BUGGY) {
            self.balance.set(self.balance.get() + 1);
        }
        Response::text(self.balance.get().to_string())
    }
}

struct Owner {
    guest: Guest,
}

impl Workload for Owner {
    fn start(guest: Guest) -> Owner {
        Owner { guest }
    }

    fn drivers() -> Vec<Driver<Owner>> {
        let pay = |w: Rc<Owner>, client: u32| async move {
            while ask(&w.guest, "account/pay", client.to_string()).await.is_none() {
                w.guest.sleep(Duration::from_millis(10)).await;
            }
        };
        vec![Driver::new(pay).clients(2)]
    }

    async fn judge(self: Rc<Self>) {
        let balance = ask(&self.guest, "account/balance", String::new()).await;
        self.guest.always(balance.as_deref() == Some("2"), "each payment counts once");
    }
}

fn account<const BUGGY: bool>() -> Experiment {
    Experiment::native("account")
        .singleton::<Account<BUGGY>>("account", &[])
        .workload::<Owner>()
        .nodes(1)
        .faults(&["net.loss", "net.delay"])
        .build()
}

#[test]
fn a_bug_that_needs_a_fault_is_found_with_one_and_not_without() {
    let without = search(&account::<true>(), Bounds { faults: 0, ..Bounds::default() });
    assert!(without.holds(), "{without}");
    let exhausted = search(&account::<true>(), Bounds::default());
    let found = exhausted.found.expect("a lost answer makes a payment count twice");
    let faults: Vec<_> = found.attempt.script.as_ref().unwrap().decisions().keys().cloned().collect();
    assert!(faults.iter().any(|key| key.to_string().starts_with("net.loss/hit n0 answers")), "{faults:?}");
}

#[test]
fn a_system_that_stands_its_faults_holds_with_each_of_them() {
    let one = search(&account::<false>(), Bounds::default());
    assert!(one.holds(), "{one}");
    insta::assert_snapshot!(one, @"all 48 orders with at most 1 fault were tried: none fails");
    let two = search(&account::<false>(), Bounds { faults: 2, executions: 100_000, ..Bounds::default() });
    assert!(two.holds(), "{two}");
    assert_eq!(two.orders[..2], one.orders);
    insta::assert_snapshot!(two, @"all 320 orders with at most 2 faults were tried: none fails");
}

/// A counter that lasts.
struct Counter {
    guest: Guest,
}

impl Service for Counter {
    fn start(guest: Guest) -> Self {
        Counter { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let stored = self.guest.storage(|s| s.get("count")).expect("its disk does not fail");
        let count = stored.map_or(0, |text| String::from_utf8_lossy(&text).parse::<u64>().expect("a number"));
        if request.path() == "/read" {
            return Response::text(count.to_string());
        }
        let next = (count + 1).to_string();
        self.guest.storage(|s| s.put("count", next.as_bytes())).expect("its disk does not fail");
        Response::text(next)
    }
}

struct Counting {
    guest: Guest,
    acknowledged: Cell<u64>,
}

impl Counting {
    async fn count(&self, path: &str) -> Option<u64> {
        let request = Request::post(format!("https://counters.internal{path}"), "");
        let answer = self.guest.object("counters.Counter", "one", request).await.ok()?;
        (answer.status() == StatusCode::OK).then(|| answer.into_text().parse().expect("a number"))
    }
}

impl Workload for Counting {
    fn start(guest: Guest) -> Counting {
        Counting { guest, acknowledged: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Counting>> {
        let add = |w: Rc<Counting>, _| async move {
            let is_acknowledged = w.count("/add").await.is_some();
            w.acknowledged.set(w.acknowledged.get() + u64::from(is_acknowledged));
        };
        vec![Driver::new(add).clients(2)]
    }

    async fn judge(self: Rc<Self>) {
        let (count, acknowledged) = (self.count("/read").await, self.acknowledged.get());
        self.guest.always_or(count >= Some(acknowledged), "what was acknowledged lasts", || {
            format!("{count:?}, and {acknowledged} were acknowledged")
        });
    }
}

#[test]
fn an_acknowledged_write_survives_a_crash_where_disks_take_no_time() {
    let experiment = Experiment::native("counters")
        .objects::<(), Counter>("counters", "Counter", &[])
        .workload::<Counting>()
        .nodes(1)
        .faults(&["process.crash"])
        .build();
    let exhausted = search(&experiment, Bounds { executions: 2_000, ..Bounds::default() });
    assert!(exhausted.found.is_none(), "{exhausted}");
    assert!(exhausted.orders.len() == 2 && exhausted.orders[1] > 100, "{exhausted:?}");
    insta::assert_snapshot!(exhausted, @"all 776 orders with at most 1 fault were tried: none fails");
}

/// What the services of a random program do: upon a message of kind `k`, by what came before, whom they tell something of
/// kind `k - 1`.
type Program = Vec<Vec<Vec<usize>>>;

thread_local! {
    static PROGRAM: RefCell<Program> = RefCell::default();
}

const NAMES: [&str; 2] = ["a", "b"];

/// Keeps what has come and what it was answered, in its order. Of two answers it waits for the first only, and then the other
/// call is cancelled.
struct Node {
    guest: Guest,
    seen: RefCell<String>,
}

impl Node {
    fn keep(&self, what: &str) {
        self.seen.borrow_mut().push_str(&format!("{what} "));
    }

    async fn tell(&self, to: usize, body: String) -> String {
        ask(&self.guest, &format!("{}/", NAMES[to]), body).await.unwrap_or_default()
    }
}

impl Service for Node {
    fn start(guest: Guest) -> Self {
        Node { guest, seen: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/seen" {
            return Response::text(self.seen.borrow().clone());
        }
        let text = request.text();
        let kind: usize = text[..1].parse().expect("a kind");
        let sends = PROGRAM.with_borrow(|program| {
            let ways = &program[kind];
            ways[self.seen.borrow().split(' ').count() % ways.len()].clone()
        });
        self.keep(&text);
        let body = format!("{}{}", kind.saturating_sub(1), &text[1..]);
        match sends.as_slice() {
            _ if kind == 0 => {}
            [one, two] => {
                let one = std::pin::pin!(self.tell(*one, format!("{body}l")));
                let two = std::pin::pin!(self.tell(*two, format!("{body}r")));
                let (answer, _) = futures::future::select(one, two).await.factor_first();
                self.keep(&answer);
            }
            some => {
                for to in some {
                    let answer = self.tell(*to, body.clone()).await;
                    self.keep(&answer);
                }
            }
        }
        Response::text(format!("<{}>", self.seen.borrow().len()))
    }
}

struct Senders {
    guest: Guest,
}

impl Workload for Senders {
    fn start(guest: Guest) -> Senders {
        Senders { guest }
    }

    fn drivers() -> Vec<Driver<Senders>> {
        let tell = |w: Rc<Senders>, client: u32| async move {
            let kind = 1 - client;
            ask(&w.guest, &format!("{}/", NAMES[client as usize]), format!("{kind}{client}")).await;
        };
        vec![Driver::new(tell).clients(2)]
    }

    async fn judge(self: Rc<Self>) {
        let mut outcome = String::new();
        for name in NAMES {
            let seen = ask(&self.guest, &format!("{name}/seen"), String::new()).await;
            outcome.push_str(&format!("{name}: {}; ", seen.expect("nothing fails")));
        }
        self.guest.reachable(&outcome);
    }
}

fn senders() -> Experiment {
    Experiment::native("senders")
        .singleton::<Node>("a", &NAMES)
        .singleton::<Node>("b", &NAMES)
        .workload::<Senders>()
        .nodes(2)
        .build()
}

/// The outcomes of all orders, and how many runs it took; `None` if there are too many.
fn outcomes(experiment: &Experiment, reduces: bool) -> Option<(BTreeSet<String>, u64)> {
    let mut outcomes = BTreeSet::new();
    let mut keep = |report: &Report| {
        outcomes.extend(report.checks.rows().map(|(_, message, _)| message.to_owned()));
        true
    };
    let exhausted =
        experiment.exhaust(&Bounds { reduces, executions: 10_000, ..Bounds::default() }, &mut keep);
    assert!(exhausted.found.is_none() && !exhausted.diverged, "{exhausted}");
    exhausted.holds().then_some((outcomes, exhausted.executions))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn with_reduction_all_outcomes_are_reached(
        ways in prop::collection::vec(prop::collection::vec(prop::collection::vec(0usize..2, 1..3), 1..3), 2)
    ) {
        PROGRAM.set(ways);
        let (all, without) = outcomes(&senders(), false).expect("a small program");
        let (some, with) = outcomes(&senders(), true).expect("not more runs than without reduction");
        prop_assert_eq!(all, some);
        prop_assert!(with < without, "{} runs with reduction, {} without", with, without);
    }
}
