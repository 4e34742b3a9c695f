//! Exactly once, sessions, liveness: histories that keep the rule, and how those that break it are shown.

use std::time::Duration;

use dacapo_check::liveness::{Progress, Progressed, Sample, converges, progresses};
use dacapo_check::session::{Guarantee, session};
use dacapo_check::{History, Value, exactly_once};
use dacapo_core::Time;
use insta::assert_snapshot;

fn books(ids: &[i64]) -> Vec<Value> {
    ids.iter().copied().map(Value::Int).collect()
}

#[test]
fn what_was_acknowledged_is_in_the_books_once() {
    let history: History = "@1s 0 invoke pay null 1
        0 ok
        0 invoke pay null 2
        0 unknown
        0 invoke pay null 3
        0 failed
        0 invoke pay null 4
        0 unknown
        0 invoke pay null 4
        @2s 0 ok
        1 invoke pay null 5"
        .parse()
        .unwrap();
    assert!(exactly_once(&history, &books(&[1, 4])).holds());
    assert!(exactly_once(&history, &books(&[4, 2, 1, 5])).holds(), "what is unknown may be there");
    let told = exactly_once(&history, &books(&[2, 2, 3, 7, 8, 8])).broken().unwrap();
    assert_snapshot!(told, @"
    6 of the ids did not happen exactly once:
      1: acknowledged (process 0, 1.000000s to 1.000000s), and not there
      2: there 2 times, asked for once (process 0, 1.000000s to 1.000000s)
      3: refused (process 0, 1.000000s to 1.000000s), and there all the same
      4: acknowledged (process 0, 1.000000s to 2.000000s), and not there
      7: there, and nobody asked for it
      8: there 2 times, never asked for
    ");
}

#[test]
fn a_process_has_the_guarantees_that_were_asked_for() {
    let judge = |text: &str, guarantees: &[Guarantee]| {
        let history: History = text.parse().unwrap();
        session(&history, guarantees).unwrap().broken().map(|breach| breach.to_string())
    };
    let own = "0 invoke write x 1\n0 ok 5\n1 invoke read x\n1 ok 4\n0 invoke read x\n0 ok {\"version\": 4}";
    assert_snapshot!(judge(own, &Guarantee::ALL).unwrap(), @r#"
    process 0 does not have "read your writes" (1 times):

      0.000000s  write x 1 → 5  (version 5)
      0.000000s  read x → {"version":4}  (version 4)

      it wrote version 5 of x and then read version 4
    "#);
    assert_eq!(judge(own, &[Guarantee::MonotonicReads]), None);
    let reads =
        "0 invoke read x\n0 ok 2\n0 invoke read y\n0 ok 1\n0 invoke read x\n0 ok 1\n0 invoke read x\n0 ok 1";
    assert_snapshot!(judge(reads, &Guarantee::ALL).unwrap(), @r#"
    process 0 does not have "monotonic reads" (2 times):

      0.000000s  read x → 2  (version 2)
      0.000000s  read x → 1  (version 1)

      it read version 2 of x and then read version 1
    "#);
    let writes = "@1s 0 invoke write x a\n@2s 0 ok 2\n0 invoke write x b\n0 ok 1";
    assert_snapshot!(judge(writes, &Guarantee::ALL).unwrap(), @r#"
    process 0 does not have "monotonic writes" (1 times):

      1.000000s  write x a → 2  (version 2)
      2.000000s  write x b → 1  (version 1)

      it wrote version 2 of x and then wrote version 1
    "#);
    let follows = "0 invoke read x\n0 ok 3\n0 invoke write x b\n0 ok 3";
    assert_snapshot!(judge(follows, &Guarantee::ALL).unwrap(), @r#"
    process 0 does not have "writes follow reads" (1 times):

      0.000000s  read x → 3  (version 3)
      0.000000s  write x b → 3  (version 3)

      it read version 3 of x and then wrote version 3
    "#);
    let good = "0 invoke read x\n0 ok 3\n0 invoke write x b\n0 ok 4\n0 invoke read x\n0 ok 4\n1 invoke read x\n1 ok 1\n0 invoke write x c\n0 unknown";
    assert_eq!(judge(good, &Guarantee::ALL), None);
    let mistake = session(&"0 invoke read x\n0 ok a".parse().unwrap(), &Guarantee::ALL).unwrap_err();
    assert_snapshot!(mistake, @r#"read x → a of process 0 at 0.000000s answers no version: it must be a whole number or have one in the field "version""#);
}

fn millis(times: impl IntoIterator<Item = u64>) -> Vec<Time> {
    times.into_iter().map(|at| Time(at * 1_000_000)).collect()
}

#[test]
fn requests_without_anything_done_are_a_livelock() {
    let mut seen =
        Progressed { requests: millis((0..5000).step_by(50)), done: millis((0..5000).step_by(200)) };
    let rule = Progress::default();
    assert!(progresses(&seen, &rule).holds());
    seen.done.retain(|at| *at < Time(1_000_000_000) || *at > Time(3_500_000_000));
    assert_snapshot!(progresses(&seen, &rule).broken().unwrap(), @"livelock: from 0.850000s to 1.850000s there were 20 requests and nothing was done");
    seen.requests.retain(|at| *at < Time(1_000_000_000) || *at > Time(3_500_000_000));
    assert!(progresses(&seen, &rule).holds(), "nobody asked");
}

#[test]
fn too_many_requests_for_what_is_done_are_a_retry_storm() {
    let seen = Progressed { requests: millis((0..3000).step_by(10)), done: millis((0..3000).step_by(100)) };
    let rule = |max| Progress { requests_per_done_max: max, ..Progress::default() };
    assert!(progresses(&seen, &rule(10)).holds());
    assert_snapshot!(progresses(&seen, &rule(5)).broken().unwrap(), @"retry storm: from 0.000000s to 1.000000s there were 100 requests for 10 things that were done, 10 for each; at most 5 were allowed");
}

#[test]
fn a_system_converges_in_time_and_stays_there() {
    let sample = |at: u64, has_converged| Sample {
        at: Time(at * 1_000_000_000),
        has_converged,
        seen: format!("{at}"),
    };
    let judge = |samples: &[Sample]| converges(samples, Time(10_000_000_000), Duration::from_secs(5));
    assert!(judge(&[sample(9, false), sample(11, false), sample(14, true), sample(16, true)]).holds());
    let late = [sample(11, false), sample(14, false), sample(16, true)];
    assert_snapshot!(judge(&late).broken().unwrap(), @"has not converged 5 s after 10.000000s; at 14.000000s: 14");
    let again = [sample(11, true), sample(14, true), sample(16, false)];
    assert_snapshot!(judge(&again).broken().unwrap(), @"has not converged 5 s after 10.000000s; at 16.000000s: 16");
    assert_snapshot!(judge(&[sample(9, true)]).broken().unwrap(), @"nobody looked within 5 s after 10.000000s");
}
