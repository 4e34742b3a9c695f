//! Histories that are known to be linearizable or not, and how the latter are shown.

use dacapo_check::linear::models::{Counter, List, Queue, Register, Set};
use dacapo_check::{History, Limits, Model, Verdict, linearizable};
use insta::assert_snapshot;

fn judge<M: Model>(model: &M, text: &str) -> String {
    let history: History = text.parse().unwrap();
    match linearizable(&history, model, &Limits::default()).unwrap() {
        Verdict::Holds => "linearizable".to_owned(),
        Verdict::Broken(counterexample) => counterexample.to_string(),
        Verdict::Unknown(why) => format!("unknown: {why}"),
    }
}

#[test]
fn a_stale_read_is_shown_with_what_it_missed() {
    let text = "@1s 0 invoke write x 1
        0 ok
        1 invoke read x
        1 ok 1
        1 invoke write y 5
        1 ok
        2 invoke write x 2
        @1.5s 1 invoke read x
        1 ok 1
        2 ok
        @2s 1 invoke read x
        0 invoke read x
        @3s 1 ok 1
        0 ok 2";
    assert_snapshot!(judge(&Register::default(), text), @"
    key x: not linearizable as a register (3 of 6 operations suffice):

      0  ├ write 1 ┤
      1                          ├ read → 1 ┤ ✗
      2              ├ write 2 ┤

      the longest order: write 1, write 2; then it holds 2,
      and ✗ read → 1 of process 1 (2.000000s to 3.000000s) must have come by now and cannot
    ");
}

#[test]
fn concurrent_operations_may_come_in_any_order() {
    let text = "0 invoke write x 1
        1 invoke write x 2
        2 invoke read x
        2 ok 2
        2 invoke read x
        2 ok 1
        0 ok
        1 ok";
    assert_eq!(judge(&Register::default(), text), "linearizable");
}

#[test]
fn a_read_may_not_go_back_while_a_write_is_under_way() {
    let text = "0 invoke write x 1
        1 invoke read x
        1 ok 1
        1 invoke read x
        1 ok
        0 ok";
    assert_snapshot!(judge(&Register::default(), text), @"
    key x: not linearizable as a register (3 of 3 operations suffice):

      0  ├ write 1 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
      1    ├ read → 1 ┤ ├ read → null ┤ ✗

      the longest order: write 1, read → 1; then it holds 1,
      and ✗ read → null of process 1 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}

#[test]
fn an_unknown_write_may_show_late_and_not_after_it_was_overwritten() {
    let text = "0 invoke write x 1
        0 unknown
        1 invoke write x 2
        1 ok
        1 invoke read x
        1 ok 1";
    assert_eq!(judge(&Register::default(), text), "linearizable");
    let twice = "1 invoke read x
        1 ok 2
        2 invoke read x
        2 ok 1";
    assert_snapshot!(judge(&Register::default(), &format!("{text}\n{twice}")), @"
    key x: not linearizable as a register (4 of 5 operations suffice):

      0  ├ write 1 ? ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
      1    ├ write 2 ┤ ├ read → 1 ┤ ├ read → 2 ┤ ✗

      the longest order: write 2, write 1 ?, read → 1; then it holds 1,
      and ✗ read → 2 of process 1 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}

#[test]
fn a_failed_write_never_shows() {
    let text = "0 invoke write x 1
        0 failed
        1 invoke read x
        1 ok 1";
    assert_snapshot!(judge(&Register::default(), text), @"
    key x: not linearizable as a register (1 of 1 operations suffice):

      1  ├ read → 1 ┤ ✗

      nothing can come first, and then it holds null:
      and ✗ read → 1 of process 1 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}

#[test]
fn two_may_not_win_the_same_swap() {
    let text = "9 invoke write x free
        9 ok
        0 invoke cas x [\"free\", \"a\"]
        1 invoke cas x [\"free\", \"b\"]
        0 ok true
        1 ok true";
    assert_snapshot!(judge(&Register::default(), text), @"
    key x: not linearizable as a register (3 of 3 operations suffice):

      0                 ├ cas [free a] → true ┤
      1                   ├ cas [free b] → true ┤ ✗
      9  ├ write free ┤

      the longest order: write free, cas [free a] → true; then it holds a,
      and ✗ cas [free b] → true of process 1 (0.000000s to 0.000000s) must have come by now and cannot
    ");
    assert_eq!(judge(&Register::default(), &text.replace("1 ok true", "1 ok false")), "linearizable");
}

#[test]
fn a_swap_that_failed_may_need_a_value_that_nobody_reads() {
    // Only if 3 comes after 2 the swap did not find 2, though 3 was the first to be acknowledged.
    let text = "0 invoke write x 2
        1 invoke write x 3
        1 ok
        0 ok
        2 invoke cas x [2, 9]
        2 ok false";
    assert_eq!(judge(&Register::default(), text), "linearizable");
}

#[test]
fn a_queue_gives_each_value_once_and_in_order() {
    let text = "0 invoke enqueue null a
        0 ok
        0 invoke enqueue null b
        0 ok
        1 invoke enqueue null c
        1 ok
        1 invoke dequeue
        1 ok b
        0 invoke dequeue
        0 ok a";
    assert_snapshot!(judge(&Queue, text), @"
    not linearizable as a queue (3 of 5 operations suffice):

      0  ├ enqueue a ┤ ├ enqueue b ┤
      1                              ├ dequeue → b ┤ ✗

      the longest order: enqueue a, enqueue b; then a is first of [a b],
      and ✗ dequeue → b of process 1 (0.000000s to 0.000000s) must have come by now and cannot
    ");
    let twice = "0 invoke enqueue null a
        0 ok
        1 invoke dequeue
        2 invoke dequeue
        1 ok a
        2 ok a";
    assert_snapshot!(judge(&Queue, twice), @"
    not linearizable as a queue (3 of 3 operations suffice):

      0  ├ enqueue a ┤
      1                ├ dequeue → a ┤
      2                  ├ dequeue → a ┤ ✗

      the longest order: enqueue a, dequeue → a; then it is empty,
      and ✗ dequeue → a of process 2 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}

#[test]
fn a_set_forgets_nothing_that_was_added() {
    let text = "0 invoke add null 1
        0 ok
        1 invoke add null 2
        2 invoke read
        2 ok [2, 1]
        2 invoke has null 2
        2 ok false
        1 ok";
    assert_snapshot!(judge(&Set, text), @"
    not linearizable as a set (4 of 4 operations suffice):

      0  ├ add 1 ┤
      1            ├ add 2 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
      2              ├ read → [2 1] ┤ ├ has 2 → false ┤ ✗

      the longest order: add 1, add 2, read → [2 1]; then it holds [1 2],
      and ✗ has 2 → false of process 2 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}

#[test]
fn a_counter_loses_no_update() {
    let text = "0 invoke add n
        1 invoke add n
        0 ok 1
        1 ok 1
        2 invoke read n
        2 ok 1";
    assert_snapshot!(judge(&Counter::default(), text), @"
    key n: not linearizable as a counter (2 of 3 operations suffice):

      0  ├ add → 1 ┤
      1    ├ add → 1 ┤ ✗

      the longest order: add → 1; then it stands at 1,
      and ✗ add → 1 of process 1 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}

#[test]
fn a_list_only_grows() {
    let text = "0 invoke append l 1
        1 invoke append l 2
        0 ok [1]
        1 ok [1, 2]
        0 invoke append l 3
        2 invoke read l
        0 ok [1, 3]
        2 ok [1, 2]";
    assert_snapshot!(judge(&List::default(), text), @"
    key l: not linearizable as a list (3 of 4 operations suffice):

      0  ├ append 1 → [1] ┤     ├ append 3 → [1 3] ┤ ✗
      1    ├ append 2 → [1 2] ┤

      the longest order: append 1 → [1], append 2 → [1 2]; then it is [1 2],
      and ✗ append 3 → [1 3] of process 0 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}

#[test]
fn what_a_judge_cannot_read_is_named() {
    let history: History = "@1s 7 invoke cas x 1\n7 ok".parse().unwrap();
    let mistake = linearizable(&history, &Register::default(), &Limits::default()).unwrap_err();
    assert_snapshot!(mistake, @"a register judges the operation of process 7 at 1.000000s and cannot: cas takes a list of two, [from to], not 1");
}

#[test]
fn a_judge_that_runs_out_of_steps_says_so() {
    let text: String = (0..20).map(|client| format!("{client} invoke enqueue null {client}\n")).collect();
    let ends: String = (0..20).map(|client| format!("{client} ok\n")).collect();
    let reads = "0 invoke dequeue\n0 ok 7\n1 invoke dequeue\n1 ok 99\n";
    let history: History = format!("{text}{ends}{reads}").parse().unwrap();
    let limits = Limits { steps: 10_000, ..Limits::default() };
    let Verdict::Unknown(why) = linearizable(&history, &Queue, &limits).unwrap() else { panic!("too fast") };
    assert_snapshot!(why, @"key null: 22 operations could not be judged in 10000 steps (`steps`): use more keys, fewer clients at a time or fewer operations whose outcome is unknown");
}

#[test]
fn a_stale_read_among_hundreds_of_concurrent_writes_is_shown_alone() {
    let mut text = String::new();
    for block in 0..40 {
        let all = |what: &dyn Fn(u32) -> String| (0..12).map(what).collect::<String>();
        text += &all(&|client| format!("{client} invoke write x {}\n", block * 12 + client));
        if block == 20 {
            text += "12 invoke write x 1000\n12 ok\n12 invoke write x 2000\n12 ok\n12 invoke read x\n12 ok 1000\n";
        }
        text += &all(&|client| format!("{client} ok\n"));
    }
    // Too few to refute all of it: the writes of a block come in millions of orders.
    let limits = Limits { steps: 20_000, ..Limits::default() };
    let verdict = linearizable(&text.parse().unwrap(), &Register::default(), &limits).unwrap();
    let Verdict::Broken(counterexample) = verdict else { panic!("{verdict:?}") };
    assert_snapshot!(counterexample, @"
    key x: not linearizable as a register (3 of 483 operations suffice):

      12  ├ write 1000 ┤ ├ write 2000 ┤ ├ read → 1000 ┤ ✗

      the longest order: write 1000, write 2000; then it holds 2000,
      and ✗ read → 1000 of process 12 (0.000000s to 0.000000s) must have come by now and cannot
    ");
}
