//! What a workload does is an input: it can be told, given, taken away and made small.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{DecisionKind, Drawn, RoundKey, Rounds, Script, Seed};
use dacapo_lab::prelude::*;
use dacapo_lab::{RunOptions, Strategy};
use dacapo_sim::Swarm;

/// Once something was sealed, more than 90 can be taken although it must not.
struct Shelf {
    sealed: Cell<bool>,
}

impl Service for Shelf {
    fn start(_: Guest) -> Shelf {
        Shelf { sealed: Cell::new(false) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let amount: u64 = request.text().parse().unwrap_or_default();
        match request.path() {
            "/seal" => self.sealed.set(true),
            "/take" if self.sealed.get() && amount > 90 => return Response::text("too much"),
            _ => {}
        }
        Response::text("done")
    }
}

struct Clerks(Guest);

impl Workload for Clerks {
    fn start(guest: Guest) -> Clerks {
        Clerks(guest)
    }

    fn drivers() -> Vec<Driver<Clerks>> {
        let work = |me: Rc<Clerks>, _| async move {
            let what = *me.0.pick("what", &["put", "look", "seal", "count", "take"]);
            me.0.sleep(Duration::from_millis(1)).await;
            let amount = me.0.random_int("amount", 1..=100);
            let request = Request::post(format!("https://shelf.example/{what}"), amount.to_string());
            let Ok(answer) = me.0.fetch(request).await else { return };
            me.0.always(answer.into_text() == "done", "nobody takes too much of what is sealed");
        };
        let look = |me: Rc<Clerks>, _| async move {
            me.0.chance("twice", 0.5);
            let _ = me.0.fetch(Request::get("https://shelf.example/look")).await;
        };
        let pause = Duration::from_millis(20);
        vec![
            Driver::new(work).named("work").clients(3).pause(pause),
            Driver::new(look).named("look").pause(pause),
        ]
    }
}

fn shelf() -> Experiment {
    Experiment::native("shelf")
        .singleton::<Shelf>("shelf", &[])
        .workload::<Clerks>()
        .nodes(1)
        .lasts(Duration::from_secs(10))
        .faults(&["network"])
        .build()
}

/// A failing seed.
fn failing(experiment: &Experiment) -> Seed {
    (0..50).map(Seed).find(|seed| !experiment.run(seed.0).passed()).expect("the bug is found")
}

fn remembered(script: Option<Script>) -> RunOptions {
    RunOptions { script, remember: true, inputs: true, ..RunOptions::default() }
}

#[test]
fn a_failing_workload_is_shrunk_to_the_two_rounds_that_matter_with_small_values() {
    let experiment = shelf();
    let seed = failing(&experiment);
    let shrunk = experiment.shrink(seed, None, &mut |_| true).expect("it fails");
    let lists = shrunk.script.to_lists();
    let text: String = lists.iter().map(|(key, values)| format!("{key} = {values:?}\n")).collect();
    insta::assert_snapshot!(text, @"
    rest = [1, 0, 0, 0, 1]
    workload/amount work client 2 round 1 #1 = [1]
    workload/amount work client 2 round 2 #1 = [91]
    workload/round work client 2 #1 = [1]
    workload/round work client 2 #2 = [1]
    workload/what work client 2 round 1 #1 = [2]
    workload/what work client 2 round 2 #1 = [4]
    ");
    let words =
        shrunk.drawn.iter().filter(|d| RoundKey::of_detail(&d.key).is_some() && !RoundKey::is_pause(&d.key));
    let words: String = words.map(|drawn| format!("{}: {}\n", drawn.key.cause, drawn.words())).collect();
    insta::assert_snapshot!(words, @r#"
    work client 2 round 1: what "seal"
    work client 2 round 1: amount 1
    work client 2 round 2: what "take"
    work client 2 round 2: amount 91
    "#);
    // The saved text is the same run.
    let again = Script::from_lists(&lists).expect("it is a script");
    let (report, _) =
        shrunk.experiment.run_with(seed, RunOptions { script: Some(again), ..RunOptions::default() });
    assert_eq!((report.digest, report.failure), (shrunk.report.digest, shrunk.report.failure));
}

#[test]
fn a_run_that_tells_what_it_draws_goes_as_the_run_that_does_not() {
    let experiment = shelf();
    let (plain, told) = (
        experiment.run_fully(Seed(7), RunOptions::default()),
        experiment.run_fully(Seed(7), remembered(None)),
    );
    assert_eq!((plain.report.events, plain.report.time), (told.report.events, told.report.time));
    assert!(plain.drawn.is_empty() && told.drawn.len() > 100);
    // Remembering the rest takes no telling.
    let options = RunOptions { remember: true, ..RunOptions::default() };
    assert_eq!(experiment.run_fully(Seed(7), options).report.digest, plain.report.digest);
    // Given by name, the same decisions are the same run.
    let given = told.decisions.iter().map(|d| (d.key.clone(), d.chosen));
    let rest = dacapo_core::Rest { rounds: Rounds::Given, ..dacapo_core::Rest::default() };
    let again = experiment.run_fully(Seed(7), remembered(Some(Script::new(given, rest))));
    assert_eq!((again.report.events, again.report.time), (told.report.events, told.report.time));
    assert_eq!(again.drawn, told.drawn);
}

#[test]
fn a_round_that_is_taken_away_leaves_the_others_as_they_were() {
    let experiment = shelf();
    let told = experiment.run_fully(Seed(3), remembered(None));
    let rounds = |drawn: &[Drawn]| -> Vec<(RoundKey, u64)> {
        drawn.iter().filter_map(|d| Some((RoundKey::of_round(&d.key)?, d.chosen))).collect()
    };
    let gone = rounds(&told.drawn)[10].0.clone();
    let given = told.decisions.iter().filter(|d| d.kind == DecisionKind::Input).map(|d| {
        let is_gone = RoundKey::of_round(&d.key).as_ref() == Some(&gone);
        (d.key.clone(), if is_gone { 0 } else { d.chosen })
    });
    let script = Script::new(given, dacapo_core::Rest::default());
    let without = experiment.run_fully(Seed(3), remembered(Some(script)));
    let values = |drawn: &[Drawn]| -> BTreeSet<String> {
        let of = drawn.iter().filter(|d| RoundKey::of_detail(&d.key).is_some_and(|round| round.round < 10));
        of.map(|d| format!("{} {}", d.key, d.chosen)).collect()
    };
    assert!(rounds(&without.drawn).contains(&(gone.clone(), 0)));
    let before = values(&told.drawn);
    let lost: Vec<_> = before.difference(&values(&without.drawn)).cloned().collect();
    let cause = RoundKey::cause(&RoundKey::client_cause(&gone.driver, gone.client), gone.round);
    assert!(!lost.is_empty() && lost.iter().all(|key| key.contains(&cause)), "{lost:?}");
}

#[test]
fn what_a_spawned_task_draws_counts_to_the_round_that_spawned_it() {
    struct Spawns(Guest);
    impl Workload for Spawns {
        fn start(guest: Guest) -> Spawns {
            Spawns(guest)
        }
        fn drivers() -> Vec<Driver<Spawns>> {
            let round = |me: Rc<Spawns>, _| async move {
                let guest = me.0.clone();
                me.0.spawn(async move {
                    guest.sleep(Duration::from_millis(3)).await;
                    guest.random_int("late", 0..=9)
                });
            };
            vec![Driver::new(round).clients(2).pause(Duration::from_millis(1))]
        }
    }
    let lasts = Duration::from_millis(50);
    let experiment = Experiment::native("spawns").workload::<Spawns>().nodes(1).lasts(lasts).build();
    let run = experiment.run_fully(Seed(0), remembered(None));
    let late: Vec<_> = run.drawn.iter().filter(|d| d.key.what == "late").collect();
    assert!(late.len() > 10 && late.iter().all(|d| RoundKey::of_detail(&d.key).is_some()), "{late:?}");
}

#[test]
fn swarm_leaves_out_drivers_and_alternatives_but_never_all() {
    let experiment = shelf();
    let mut whats = BTreeSet::new();
    let mut drivers = BTreeSet::new();
    for seed in 0..60 {
        let mut wide = experiment.clone();
        wide.options_mut().swarm = Swarm::Wide;
        let run = wide.run_fully(Seed(seed), remembered(None));
        let rounds = run.drawn.iter().filter_map(|d| RoundKey::of_round(&d.key));
        drivers.insert(rounds.map(|round| round.driver).collect::<BTreeSet<_>>());
        let picked = run.drawn.iter().filter(|d| d.key.what == "what").filter_map(|d| d.says.clone());
        whats.insert(picked.collect::<BTreeSet<_>>());
    }
    assert!(drivers.iter().all(|set| !set.is_empty()));
    assert_eq!(drivers.len(), 3, "{drivers:?}");
    assert!(whats.len() > 10, "{whats:?}");
    // In half of the seeds nothing is left out, and never in other runs.
    assert!(whats.iter().any(|set| set.len() == 5));
    let told = experiment.run_fully(Seed(1), remembered(None));
    assert!(told.decisions.iter().all(|d| d.key.what != "leaves_out"));
}

#[test]
fn a_run_of_swarm_that_leaves_things_out_is_told_again_by_its_decisions() {
    let experiment = shelf();
    let found = experiment.hunt(Strategy::Swarm, 0, 200).expect("the bug is found");
    let wide = experiment.for_attempt(&found.attempt);
    let shrunk = wide.shrink(found.attempt.seed, None, &mut |_| true).expect("it fails");
    assert_eq!(shrunk.experiment.options().swarm, Swarm::Subset);
    assert!(shrunk.script.decisions().keys().all(|key| key.lane == "workload"), "{:?}", shrunk.script);
}

#[test]
fn what_swarm_leaves_out_can_be_given() {
    let experiment = shelf();
    let mut wide = experiment.clone();
    wide.options_mut().swarm = Swarm::Wide;
    let out = |run: &dacapo_lab::Run| -> Vec<(dacapo_core::DecisionKey, u64)> {
        let of = run.decisions.iter().filter(|d| d.key.what == "leaves_out" && d.chosen == 1);
        of.map(|d| (d.key.clone(), 1)).collect()
    };
    let picks = |out: &[(dacapo_core::DecisionKey, u64)]| {
        out.iter()
            .filter(|(key, _)| key.cause.starts_with("one of 5"))
            .map(|(key, _)| key.nth)
            .collect::<BTreeSet<_>>()
    };
    let told = (0..20).map(|seed| out(&wide.run_fully(Seed(seed), remembered(None))));
    let told = told.into_iter().find(|out| picks(out).len() > 1).expect("some seed leaves several out");
    let script = Script::new(told.clone(), dacapo_core::Rest::default());
    let run = experiment.run_fully(Seed(50), remembered(Some(script)));
    assert_eq!(out(&run), told);
    let picked: BTreeSet<u32> =
        run.drawn.iter().filter(|d| d.key.what == "what").map(|d| d.chosen as u32 + 1).collect();
    assert!(!picked.is_empty() && picked.is_disjoint(&picks(&told)), "{picked:?} {told:?}");
}

/// Takes what is asked for again as another request, unless it is little.
struct Till {
    seen: std::cell::RefCell<BTreeSet<String>>,
}

impl Service for Till {
    fn start(_: Guest) -> Till {
        Till { seen: std::cell::RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let text = request.text();
        let amount: u64 = text.split(' ').nth(1).and_then(|amount| amount.parse().ok()).unwrap_or_default();
        let is_new = self.seen.borrow_mut().insert(text);
        Response::text(if is_new || amount <= 50 { "paid" } else { "paid twice" })
    }
}

struct Payers {
    guest: Guest,
    next: Cell<u64>,
}

impl Workload for Payers {
    fn start(guest: Guest) -> Payers {
        Payers { guest, next: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Payers>> {
        let pay = |me: Rc<Payers>, _| async move {
            me.next.set(me.next.get() + 1);
            let body = format!("{} {}", me.next.get(), me.guest.random_int("amount", 1..=100));
            let ask = || me.guest.fetch(Request::post("https://till.example/pay", body.clone()));
            let answer = match me.guest.timeout(Duration::from_secs(1), ask()).await {
                Some(Ok(answer)) => Ok(answer),
                _ => ask().await,
            };
            let text = answer.map(Response::into_text).unwrap_or_default();
            me.guest.always(text != "paid twice", "nothing is paid twice");
        };
        vec![Driver::new(pay).named("pay").clients(2).pause(Duration::from_millis(50))]
    }
}

#[test]
fn a_fault_that_strikes_late_strikes_early_once_the_rounds_before_it_are_gone() {
    let experiment = Experiment::native("till")
        .singleton::<Till>("till", &[])
        .workload::<Payers>()
        .nodes(1)
        .lasts(Duration::from_secs(30))
        .faults(&["net.loss"])
        .build();
    let seed = failing(&experiment);
    let first = experiment.run_fully(seed, remembered(None));
    let rounds = first.drawn.iter().filter(|d| RoundKey::of_round(&d.key).is_some()).count();
    assert!(rounds > 20, "{rounds} rounds before it fails are few");
    let shrunk = experiment.shrink(seed, None, &mut |_| true).expect("it fails");
    let decisions = shrunk.script.decisions();
    let text: String = decisions.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    insta::assert_snapshot!(text, @"
    net.loss/hit n0 answers POST /pay of workload #1 = 1
    workload/amount pay client 0 round 1 #1 = 51
    workload/round pay client 0 #1 = 1
    ");
    insta::assert_snapshot!(shrunk.rounds().join("\n"), @"1 round of `pay` by client 0, amount 51");
}
