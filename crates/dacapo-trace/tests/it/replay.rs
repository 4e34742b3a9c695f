//! A replay finds the first difference and says what it is.

use bytes::Bytes;
use dacapo_core::{Body, Effect, Level, World};
use dacapo_trace::{Identity, Outcome, Part, Reader, Replay, ReplayEnd, Trace, diff};

use crate::tape::{answer, identity, play, record, transfer};

/// Replays the transfer with `change` made to it.
fn replay(change: impl FnOnce(&mut Vec<Part>)) -> ReplayEnd {
    let (bytes, _) = record(&identity(), &transfer(), Outcome::Passed);
    let mut run = transfer();
    change(&mut run);
    let mut replay = Replay::new(Reader::open(&bytes[..]).unwrap());
    play(&mut replay, &run);
    replay.finish()
}

fn divergence(change: impl FnOnce(&mut Vec<Part>)) -> String {
    match replay(change) {
        ReplayEnd::Diverged(divergence) => divergence.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_run_is_the_same() {
    let (_, summary) = record(&identity(), &transfer(), Outcome::Passed);
    match replay(|_| {}) {
        ReplayEnd::Same { events, digest, .. } => {
            assert_eq!((events, digest), (summary.events, summary.digest));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_effect_is_named_with_the_field_that_differs() {
    let text = divergence(|run| {
        if let Part::Effect(_, Effect::Respond { head, .. }) = &mut run[9] {
            *head = answer(500);
        }
    });
    insta::assert_snapshot!(text, @r#"
    DC0069: the replay differs from the recording at event #4 (0.003000s, n1 ledger)
      event     ← request x2 POST https://ledger.internal/transfer (37 B) from teller {"from":"ann","to":"bob","amount":25}
      recorded  → respond x2 200 (2 B) ok
      replayed  → respond x2 500 (2 B) ok
      differs   out.respond.head.status: 200, not 500
    The programs are the recorded ones, so something reached the guest beside its events and its turn. If the recording is older than a change to Dacapo itself, that change is the likely cause.
    "#);
}

#[test]
fn another_body_is_shown_where_it_differs() {
    let text = divergence(|run| {
        if let Part::Effect(_, Effect::Fetch { body, .. }) = &mut run[5] {
            *body = Body::Full(Bytes::from_static(br#"{"from":"ann","to":"bob","amount":26}"#));
        }
    });
    insta::assert_snapshot!(text, @r#"
    DC0069: the replay differs from the recording at event #3 (0.001250s, n0 teller)
      event     ← request x1 POST https://bank.example/transfer (37 B) from outside {"from":"ann","to":"bob","amount":25}
      recorded  → fetch c1 POST https://ledger.internal/transfer (37 B) to ledger on n1 {"from":"ann","to":"bob","amount":25}
      replayed  → fetch c1 POST https://ledger.internal/transfer (37 B) to ledger on n1 {"from":"ann","to":"bob","amount":26}
      differs   out.fetch.body from byte 35: …"\"bob\",\"amount\":25}", not …"\"bob\",\"amount\":26}"
    The programs are the recorded ones, so something reached the guest beside its events and its turn. If the recording is older than a change to Dacapo itself, that change is the likely cause.
    "#);
}

#[test]
fn a_turn_that_does_less_is_noticed() {
    insta::assert_snapshot!(divergence(|run| drop(run.remove(6))), @r#"
    DC0069: the replay differs from the recording at event #3 (0.001250s, n0 teller)
      event     ← request x1 POST https://bank.example/transfer (37 B) from outside {"from":"ann","to":"bob","amount":25}
      recorded  → set timer t1 in 1.5s
      replayed  nothing more in this turn
    The programs are the recorded ones, so something reached the guest beside its events and its turn. If the recording is older than a change to Dacapo itself, that change is the likely cause.
    "#);
}

#[test]
fn a_last_turn_that_does_less_is_noticed() {
    let mut run = transfer();
    run.pop();
    let (bytes, _) = record(&identity(), &run, Outcome::Passed);
    let mut replay = Replay::new(Reader::open(&bytes[..]).unwrap());
    run.retain(|part| !matches!(part, Part::Effect(_, Effect::Check(_) | Effect::Respond { .. })));
    while replay.next().is_some() {
        if replay.events() == 3 {
            for part in &transfer()[4..7] {
                let Part::Effect(from, effect) = part.clone() else { unreachable!() };
                replay.submit(from, effect);
            }
        }
    }
    assert!(matches!(replay.finish(), ReplayEnd::Diverged(d) if d.event == 4 && d.got.is_none()));
}

#[test]
fn a_turn_that_does_more_is_noticed() {
    let more = |run: &mut Vec<Part>, place: usize| {
        let Part::Effect(from, _) = run[5] else { unreachable!() };
        run.insert(place, Part::Effect(from, Effect::Log(Level::Info, "again".into())));
    };
    insta::assert_snapshot!(divergence(|run| more(run, 7)), @r#"
    DC0069: the replay differs from the recording at event #3 (0.001250s, n0 teller)
      event     ← request x1 POST https://bank.example/transfer (37 B) from outside {"from":"ann","to":"bob","amount":25}
      recorded  nothing more in this turn
      replayed  → info again
    The programs are the recorded ones, so something reached the guest beside its events and its turn. If the recording is older than a change to Dacapo itself, that change is the likely cause.
    "#);
    let end = transfer().len();
    assert!(divergence(|run| more(run, end)).contains("nothing more in this turn"));
}

#[test]
fn a_recording_that_was_cut_off_replays_up_to_there() {
    let (bytes, _) = record(&identity(), &transfer(), Outcome::Passed);
    let footer = (0..bytes.len()).rev().find(|n| Trace::read(&bytes[..*n]).is_ok()).unwrap();
    let mut replay = Replay::new(Reader::open(&bytes[..footer]).unwrap());
    play(&mut replay, &transfer());
    assert!(matches!(
        replay.finish(),
        ReplayEnd::Same { events: 6, ending: dacapo_trace::Ending::Cut { .. }, .. }
    ));
}

#[test]
fn a_replay_that_is_stopped_early_says_so() {
    let (bytes, _) = record(&identity(), &transfer(), Outcome::Passed);
    let mut replay = Replay::new(Reader::open(&bytes[..]).unwrap());
    replay.next();
    assert!(matches!(replay.finish(), ReplayEnd::Early { events: 1 }));
}

#[test]
fn the_first_difference_of_two_recordings_is_named() {
    let (a, _) = record(&identity(), &transfer(), Outcome::Passed);
    let mut run = transfer();
    run.remove(9);
    let (b, _) = record(&identity(), &run, Outcome::Passed);
    let read = |bytes| Reader::open(bytes).unwrap();
    let difference = diff(&identity(), read(&a[..]), read(&b[..])).unwrap().unwrap();
    insta::assert_snapshot!(difference, @r#"
    DC0069: the recordings part at event #4 (0.003000s, n1 ledger)
      event     ← request x2 POST https://ledger.internal/transfer (37 B) from teller {"from":"ann","to":"bob","amount":25}
      first     → respond x2 200 (2 B) ok
      second    nothing more in this turn
    All before this event is the same in both.
    "#);
}

#[test]
fn another_program_is_refused_by_field() {
    let difference = |change: fn(&mut Identity)| {
        let mut other = identity();
        change(&mut other);
        identity().difference(&other)
    };
    assert_eq!(difference(|i| i.project = "elsewhere".into()), None);
    insta::assert_snapshot!(difference(|i| i.programs[1].1.0 += 1).unwrap(), @"DC0068: this recording is of another run: the program of the service ledger is 00000000000000000000000000000009, recorded was 00000000000000000000000000000008. Its code or a module that it imports has changed: go back to the recorded code, or record the run again.");
    insta::assert_snapshot!(difference(|i| drop(i.programs.pop())).unwrap(), @"DC0068: this recording is of another run: the services are teller, recorded were teller, ledger. Replay it in the project that it comes from, at the commit at which it was made.");
    insta::assert_snapshot!(difference(|i| i.engine = "v8 16".into()).unwrap(), @r#"DC0068: this recording is of another run: the engine is "v8 16", recorded was "v8 15.2.124.1". Replay it with the Dacapo that recorded it, or record the run again."#);
    insta::assert_snapshot!(difference(|i| i.plan.0 += 1).unwrap(), @"DC0068: this recording is of another run: the configuration is 0000000000000000000000000000000a, recorded was 00000000000000000000000000000009. Go back to the recorded configuration, or record the run again.");
    insta::assert_snapshot!(difference(|i| i.seed = None).unwrap(), @"DC0068: this recording is of another run: the seed is none, recorded was 42. Give the recorded seed.");
    insta::assert_snapshot!(difference(|i| i.overrides.clear()).unwrap(), @"DC0068: this recording is of another run: the decisions of the lane net.loss are given otherwise. Use the decisions that were recorded with the run.");
}
