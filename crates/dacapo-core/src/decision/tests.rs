//! Where decisions come from, and what a script promises.

use proptest::prelude::*;

use super::*;

fn draw(decisions: &mut Decisions, name: &str, n: usize, range: u64) -> Vec<u64> {
    let lane = decisions.lane(name);
    (0..n).map(|_| decisions.choose(lane, "it", range)).collect()
}

/// Something like a run: what is drawn depends on what was drawn before.
fn live(decisions: &mut Decisions, steps: usize) -> Vec<u64> {
    let (latency, loss) = (decisions.lane("net.latency"), decisions.lane("net.loss"));
    let mut seen = Vec::new();
    for step in 0..steps {
        decisions.about(|text| text.push_str(["a asks b", "b asks c", "c asks a"][step % 3]));
        seen.push(decisions.exponential(latency, "extra", Duration::from_millis(1)).as_nanos() as u64);
        let is_lost = decisions.chance(loss, "hit", 0.3);
        seen.push(u64::from(is_lost));
        if is_lost {
            seen.push(u64::from(decisions.either(loss, "hangs", 0.5)));
            seen.push(decisions.up_to(loss, "for", Duration::from_secs(1)).as_nanos() as u64);
        }
    }
    seen
}

fn script_of(decisions: &Decisions, rest: Rest) -> Script {
    Script::new(decisions.log().iter().map(|d| (d.key.clone(), d.chosen)), rest)
}

#[test]
fn a_draw_in_one_lane_moves_nothing_in_another() {
    let mut alone = Decisions::new(Seed(1), Source::Seed);
    let mut mixed = Decisions::new(Seed(1), Source::Seed);
    draw(&mut mixed, "net.loss", 17, 100);
    assert_eq!(draw(&mut alone, "net.delay", 5, 100), draw(&mut mixed, "net.delay", 5, 100));
}

#[test]
fn bytes_of_a_fuzzer_decide_until_they_run_out() {
    let mut decisions = Decisions::new(Seed(0), Source::Bytes(vec![7, 128, 255, 0x82, 1]));
    assert_eq!(draw(&mut decisions, "a", 1, 10), [7]);
    assert_eq!(draw(&mut decisions, "b", 1, 1000), [500]);
    assert_eq!(draw(&mut decisions, "b", 1, 1000), [130]);
    assert_eq!(draw(&mut decisions, "b", 3, 1000), [0, 0, 0]);
}

#[test]
fn one_byte_makes_happen_what_is_rare() {
    let lost = |byte| {
        let mut decisions = Decisions::new(Seed(0), Source::Bytes(vec![byte]));
        let lane = decisions.lane("net.loss");
        decisions.chance(lane, "hit", 0.001)
    };
    assert_eq!((lost(0), lost(254), lost(255)), (false, false, true));
}

#[test]
fn a_choice_among_one_draws_nothing() {
    let mut decisions = Decisions::new(Seed(3), Source::Seed);
    decisions.remember();
    assert_eq!(draw(&mut decisions, "a", 4, 1), [0, 0, 0, 0]);
    assert_eq!(decisions.log(), []);
}

#[test]
fn nothing_goes_wrong_in_a_calm_run_but_what_is_given() {
    let key: DecisionKey = "net.loss/hit b asks c #2".parse().unwrap();
    let mut decisions = Decisions::new(Seed(7), Source::Script(Script::new([(key, 1)], Rest::default())));
    decisions.remember();
    live(&mut decisions, 12);
    let odd = decisions.log().iter().filter(|d| d.chosen > 0 && d.kind != DecisionKind::Detail);
    assert_eq!(odd.map(|d| d.key.to_string()).collect::<Vec<_>>(), ["net.loss/hit b asks c #2"]);
}

#[test]
fn one_decision_more_or_less_moves_no_other() {
    let rest = Rest { seed: 5, noise: Noise::Natural, triggers: Triggers::Natural, ..Rest::default() };
    let log_with = |given: &[(&str, u64)]| {
        let given = given.iter().map(|(key, value)| (key.parse().unwrap(), *value));
        let mut decisions = Decisions::new(Seed(1), Source::Script(Script::new(given, rest)));
        decisions.remember();
        live(&mut decisions, 60);
        decisions.log().iter().map(|d| (d.key.clone(), d.chosen)).collect::<BTreeMap<_, _>>()
    };
    let (plain, given) = (log_with(&[]), log_with(&[("net.loss/hit a asks b #4", 1)]));
    let moved = plain.iter().filter(|(key, value)| given.get(key).is_some_and(|other| other != *value));
    let moved: Vec<String> = moved.map(|(key, _)| key.to_string()).collect();
    assert!(moved.iter().all(|key| key == "net.loss/hit a asks b #4"), "{moved:?}");
}

#[test]
fn a_recording_of_decisions_changes_no_run() {
    let mut plain = Decisions::new(Seed(9), Source::Seed);
    let mut logged = Decisions::new(Seed(9), Source::Seed);
    logged.remember();
    assert_eq!(live(&mut plain, 100), live(&mut logged, 100));
}

#[test]
fn a_name_that_is_none_is_told() {
    for text in ["", "net.loss", "net.loss/hit", "net.loss/hit #0", "net.loss/hit #x", "/hit #1"] {
        let error = text.parse::<DecisionKey>().unwrap_err().to_string();
        assert!(error.contains("names no decision"), "{text}: {error}");
    }
}

fn keys() -> impl Strategy<Value = DecisionKey> {
    ("[a-z_.]{1,12}", "[a-z]{1,6}", "([a-z/#0-9 ]{0,12}[a-z/#0-9])?", 1..u32::MAX).prop_map(
        |(lane, what, cause, nth)| DecisionKey {
            lane: lane.into(),
            what: what.into(),
            cause: cause.trim().into(),
            nth,
        },
    )
}

fn rests() -> impl Strategy<Value = Rest> {
    let windows = (1..1u64 << 40).prop_map(Duration::from_nanos);
    let noise = prop_oneof![
        Just(Noise::Calm),
        Just(Noise::Natural),
        windows.clone().prop_map(Noise::Each),
        windows.clone().prop_map(Noise::PerCause),
        windows.clone().prop_map(Noise::Instant),
        windows.prop_map(Noise::Shuffled)
    ];
    let triggers = prop_oneof![Just(Triggers::Calm), Just(Triggers::Natural)];
    let rounds = prop_oneof![Just(Rounds::All), Just(Rounds::Given)];
    (any::<u64>(), noise, triggers, rounds).prop_map(|(seed, noise, triggers, rounds)| Rest {
        seed,
        noise,
        triggers,
        rounds,
    })
}

#[test]
fn bytes_decide_nothing_that_a_seed_could_not() {
    let mean = Duration::from_millis(1);
    let mut decisions = Decisions::new(Seed(0), Source::Bytes(vec![255; 60]));
    let lane = decisions.lane("disk.time");
    // By chance it is longer than 23 times the mean once in ten thousand million times.
    assert!(decisions.exponential(lane, "sync", mean) < mean * 23);
    assert!(decisions.wait(lane, "wait", mean).unwrap() < mean * 23);
    assert_eq!(decisions.among(lane, "whom", &[3, 5, 8]), 8);
}

proptest! {
    #[test]
    fn a_script_of_all_decisions_gives_the_same_run(seed: u64, other: u64, rest in rests()) {
        let mut first = Decisions::new(Seed(seed), Source::Seed);
        first.remember();
        let seen = live(&mut first, 80);
        let mut again = Decisions::new(Seed(other), Source::Script(script_of(&first, rest)));
        prop_assert_eq!(seen, live(&mut again, 80));
    }

    #[test]
    fn a_run_under_a_seed_can_be_told_in_bytes(seed: u64, other: u64, numbers in proptest::collection::btree_set(0..400u64, 2..9)) {
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let more = |decisions: &mut Decisions| {
            let seen = live(decisions, 80);
            let lane = decisions.lane("fault");
            let wait = |d: &mut Decisions| d.wait(lane, "wait", Duration::from_secs(1)).map_or(0, |wait| wait.as_nanos() as u64);
            let small = (0..20).map(|range| decisions.choose(lane, "some", range)).collect();
            let large = (200..300).map(|range| decisions.choose(lane, "many", range)).collect();
            let among = (0..20).map(|_| decisions.among(lane, "whom", &numbers)).collect();
            [seen, small, large, among, vec![wait(decisions)], draw(decisions, "wide", 9, u64::MAX)].concat()
        };
        let mut first = Decisions::new(Seed(seed), Source::Seed);
        first.remember();
        let seen = more(&mut first);
        let bytes = decisions_to_bytes(first.log());
        prop_assert_eq!(&seen, &more(&mut Decisions::new(Seed(other), Source::Bytes(bytes))));
    }

    #[test]
    fn any_bytes_decide_within_range(bytes: Vec<u8>, ranges in proptest::collection::vec(1..=u64::MAX, 1..40)) {
        let mut decisions = Decisions::new(Seed(0), Source::Bytes(bytes));
        let lane = decisions.lane("it");
        for range in ranges {
            prop_assert!(decisions.choose(lane, "one", range) < range);
            prop_assert!(decisions.up_to(lane, "up to", Duration::from_nanos(range)) <= Duration::from_nanos(range));
        }
    }

    #[test]
    fn a_scripted_run_can_itself_be_scripted(seed: u64, rest in rests()) {
        let mut first = Decisions::new(Seed(seed), Source::Script(Script::new([], rest)));
        first.remember();
        let seen = live(&mut first, 80);
        let mut again = Decisions::new(Seed(1), Source::Script(script_of(&first, Rest::default())));
        prop_assert_eq!(seen, live(&mut again, 80));
    }

    #[test]
    fn a_key_is_read_as_it_was_written(key in keys()) {
        prop_assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn a_script_is_read_as_it_was_written(
        given in proptest::collection::btree_map(keys(), any::<u64>(), 0..8),
        rest in rests(),
    ) {
        let script = Script::new(given, rest);
        prop_assert_eq!(Script::from_lists(&script.to_lists()), Ok(script));
    }
}

#[test]
fn a_script_makes_nothing_late_while_the_system_is_quick() {
    let mean = Duration::from_millis(1);
    let longest = |is_quick| {
        let rest = Rest {
            seed: 3,
            noise: Noise::Each(Duration::from_secs(2)),
            triggers: Triggers::Calm,
            ..Rest::default()
        };
        let mut decisions = Decisions::new(Seed(3), Source::Script(Script::new([], rest)));
        decisions.be_quick(is_quick);
        let lane = decisions.lane("net.latency");
        (0..100).map(|_| decisions.exponential(lane, "extra", mean)).max().unwrap()
    };
    assert!(longest(false) > Duration::from_secs(1));
    assert_eq!(longest(true), mean * 16);
}
