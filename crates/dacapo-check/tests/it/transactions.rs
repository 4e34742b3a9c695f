//! Histories of transactions with one anomaly each, and how it is shown.

use dacapo_check::History;
use dacapo_check::Verdict;
use dacapo_check::transaction::{AnomalyKind, Data, Level, isolated};
use insta::assert_snapshot;

/// Transactions one a line: `process: list`, all at the same time; `!` marks one that failed, `?` one of which
/// nobody heard.
fn history(text: &str) -> History {
    let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.trim().split_once(' ')).collect();
    let asked: String =
        lines.iter().map(|(name, list)| format!("{} invoke txn null {list}\n", process(name))).collect();
    let ends = lines.iter().map(|(name, list)| match name.chars().last() {
        Some('!') => format!("{} failed\n", process(name)),
        Some('?') => format!("{} unknown\n", process(name)),
        _ => format!("{} ok {list}\n", process(name)),
    });
    format!("{asked}{}", ends.collect::<String>()).parse().unwrap()
}

fn process(name: &str) -> &str {
    name.trim_end_matches(['!', '?'])
}

fn kinds(history: &History, data: Data, level: Level) -> Vec<AnomalyKind> {
    match isolated(history, data, level).unwrap() {
        Verdict::Holds => Vec::new(),
        Verdict::Broken(anomalies) => anomalies.found.iter().map(|found| found.kind).collect(),
        Verdict::Unknown(why) => panic!("{why}"),
    }
}

fn told(text: &str, data: Data, level: Level) -> String {
    isolated(&history(text), data, level).unwrap().broken().map_or("holds".to_owned(), |it| it.to_string())
}

/// The weakest level that does not hold any more, and why.
fn first_broken(text: &str, data: Data) -> Option<(Level, Vec<AnomalyKind>)> {
    let levels = Level::ALL.into_iter().map(|level| (level, kinds(&history(text), data, level)));
    levels.into_iter().find(|(_, kinds)| !kinds.is_empty())
}

#[test]
fn the_example_of_elles_paper_is_a_g_single_that_data_alone_show() {
    // Section 3: T3 reads what T1 appended, and misses what T2 did, whom T1 follows.
    let text = r#"0 [["append",253,1],["append",253,3],["append",253,4],["append",255,2],["append",255,3],["append",255,4],["append",255,5],["append",256,1],["append",256,2]]
        1 [["append",255,8],["r",253,[1,3,4]]]
        2 [["append",256,4],["r",255,[2,3,4,5,8]],["r",256,[1,2,4]],["r",253,[1,3,4]]]
        3 [["append",250,10],["r",253,[1,3,4]],["r",255,[2,3,4,5]],["append",256,3]]"#;
    assert_snapshot!(told(text, Data::Lists, Level::Serializable), @"
    not serializable

    G-single (read skew): rules out snapshot isolation, repeatable read, serializable, strong session serializable, strict serializable

      T1 = [[append 250 10] [r 253 [1 3 4]] [r 255 [2 3 4 5]] [append 256 3]]  (process 3, 0.000000s to 0.000000s)
      T2 = [[append 255 8] [r 253 [1 3 4]]]  (process 1, 0.000000s to 0.000000s)
      T3 = [[append 256 4] [r 255 [2 3 4 5 8]] [r 256 [1 2 4]] [r 253 [1 3 4]]]  (process 2, 0.000000s to 0.000000s)

      T1 ──rw──▶ T2 ──wr──▶ T3 ──ww──▶ T1
      ▲                                │
      └────────────────────────────────┘ the same

      T1 rw T2: T1 saw 255 as it was before T2 wrote 8
      T2 wr T3: T3 saw 8 in 255, which T2 wrote
      T3 ww T1: T1 wrote 3 to 256, after what T3 had written
    ");
}

#[test]
fn write_skew_breaks_serializability_and_not_snapshot_isolation() {
    let text = r#"0 [["r","x",[]],["append","y",1]]
        1 [["r","y",[]],["append","x",1]]
        2 [["r","x",[1]],["r","y",[1]]]"#;
    assert_eq!(kinds(&history(text), Data::Lists, Level::SnapshotIsolation), []);
    assert_snapshot!(told(text, Data::Lists, Level::Serializable), @"
    not serializable

    G2-item (write skew): rules out repeatable read, serializable, strong session serializable, strict serializable

      T1 = [[r x []] [append y 1]]  (process 0, 0.000000s to 0.000000s)
      T2 = [[r y []] [append x 1]]  (process 1, 0.000000s to 0.000000s)

      T1 ──rw──▶ T2 ──rw──▶ T1
      ▲                     │
      └─────────────────────┘ the same

      T1 rw T2: T1 saw x as it was before T2 wrote 1
      T2 rw T1: T2 saw y as it was before T1 wrote 1
    ");
}

#[test]
fn write_skew_is_seen_though_nobody_reads_afterwards() {
    let text = r#"0 [["r","x",[]],["append","y",1]]
        1 [["r","y",[]],["append","x",1]]"#;
    assert_eq!(kinds(&history(text), Data::Lists, Level::Serializable), [AnomalyKind::G2Item]);
}

#[test]
fn each_anomaly_of_lists_is_named() {
    let first = |text| first_broken(text, Data::Lists);
    let lost = r#"0 [["r","x",[]],["append","x",1]]
        1 [["r","x",[]],["append","x",2]]
        2 [["r","x",[1,2]]]"#;
    assert_eq!(
        first(lost),
        Some((Level::SnapshotIsolation, vec![AnomalyKind::LostUpdate, AnomalyKind::GSingle]))
    );
    let skew = r#"0 [["append","x",1],["append","y",1]]
        1 [["r","x",[1]],["r","y",[]]]
        2 [["r","y",[1]]]"#;
    assert_eq!(first(skew), Some((Level::SnapshotIsolation, vec![AnomalyKind::GSingle])));
    let g0 = r#"0 [["append","x",1],["append","y",1]]
        1 [["append","x",2],["append","y",2]]
        2 [["r","x",[1,2]],["r","y",[2,1]]]"#;
    assert_eq!(first(g0), Some((Level::ReadUncommitted, vec![AnomalyKind::G0])));
    let g1c = r#"0 [["append","x",1],["r","y",[1]]]
        1 [["append","y",1],["r","x",[1]]]"#;
    assert_eq!(first(g1c), Some((Level::ReadCommitted, vec![AnomalyKind::G1c])));
    let aborted = r#"0! [["append","x",1]]
        1 [["r","x",[1]]]"#;
    assert_eq!(first(aborted), Some((Level::ReadCommitted, vec![AnomalyKind::G1a])));
    let dirty = r#"0! [["append","x",1]]
        1 [["append","x",2]]
        2 [["r","x",[1, 2]]]"#;
    assert_eq!(first(dirty), Some((Level::ReadCommitted, vec![AnomalyKind::G1a, AnomalyKind::DirtyUpdate])));
    let halfway = r#"0 [["append","x",1],["append","x",2]]
        1 [["r","x",[1]]]
        2 [["r","x",[1, 2]]]"#;
    assert_eq!(first(halfway).unwrap().1[0], AnomalyKind::G1b);
    let nobody = r#"1 [["r","x",[7]]]"#;
    assert_eq!(first(nobody), Some((Level::ReadCommitted, vec![AnomalyKind::GarbageRead])));
    let orders = r#"0 [["append","x",1]]
        1 [["append","x",2]]
        2 [["r","x",[1, 2]]]
        3 [["r","x",[2]]]"#;
    assert_eq!(first(orders), Some((Level::ReadCommitted, vec![AnomalyKind::IncompatibleOrder])));
    let twice = r#"0 [["append","x",1]]
        1 [["r","x",[1, 1]]]"#;
    assert_eq!(first(twice).unwrap(), (Level::ReadUncommitted, vec![AnomalyKind::DuplicateElements]));
    let itself = r#"0 [["append","x",1],["r","x",[]]]"#;
    assert_eq!(first(itself), Some((Level::ReadAtomic, vec![AnomalyKind::Internal])));
    let changed = r#"0 [["append","x",1]]
        1 [["r","x",[]],["r","x",[1]]]"#;
    assert_eq!(first(changed), Some((Level::ReadAtomic, vec![AnomalyKind::Internal])));
}

#[test]
fn snapshot_isolation_forbids_missed_writes_that_are_not_adjacent() {
    let text = r#"0 [["append","x",1],["r","y",[]]]
        1 [["append","y",1],["r","z",[1]]]
        2 [["append","z",1],["r","w",[]]]
        3 [["append","w",1],["r","x",[1]]]"#;
    // 0 -rw y-> 1, 1 saw z of 2: 2 -wr-> 1. Reversed, that is no circle.
    assert_eq!(first_broken(text, Data::Lists), None);
    let circle = r#"0 [["r","y",[]],["r","a",[1]]]
        1 [["append","y",1],["append","z",1]]
        2 [["r","z",[1]],["r","w",[]]]
        3 [["append","w",1],["append","a",1]]"#;
    assert_eq!(
        first_broken(circle, Data::Lists),
        Some((Level::SnapshotIsolation, vec![AnomalyKind::GNonadjacent]))
    );
}

#[test]
fn a_stale_snapshot_is_serializable_and_not_strictly() {
    let text = r#"0 invoke txn null [["append","x",1]]
        0 ok [["append","x",1]]
        1 invoke txn null [["r","x",null]]
        1 ok [["r","x",[]]]
        2 invoke txn null [["r","x",null]]
        2 ok [["r","x",[1]]]"#;
    let history: History = text.parse().unwrap();
    assert_eq!(kinds(&history, Data::Lists, Level::StrongSessionSerializable), []);
    let told =
        isolated(&history, Data::Lists, Level::StrictSerializable).unwrap().broken().unwrap().to_string();
    assert_snapshot!(told, @"
    not strict serializable

    G-single-realtime (read skew): rules out strict serializable

      T1 = [[r x []]]  (process 1, 0.000000s to 0.000000s)
      T2 = [[append x 1]]  (process 0, 0.000000s to 0.000000s)

      T1 ──rw──▶ T2 ──time──▶ T1
      ▲                       │
      └───────────────────────┘ the same

      T1 rw T2: T1 saw x as it was before T2 wrote 1
      T2 time T1: T2 had ended when T1 began
    ");
    let own: History = text.replace("1 invoke", "0 invoke").replace("1 ok", "0 ok").parse().unwrap();
    assert_eq!(kinds(&own, Data::Lists, Level::Serializable), []);
    assert_eq!(kinds(&own, Data::Lists, Level::StrongSessionSerializable), [AnomalyKind::GSingle]);
}

#[test]
fn a_transaction_of_which_nobody_heard_counts_if_it_was_seen() {
    let text = r#"0? [["append","x",1],["append","y",1]]
        1 [["r","x",[1]],["r","y",[]]]
        2 [["r","y",[1]]]"#;
    assert_eq!(kinds(&history(text), Data::Lists, Level::Serializable), [AnomalyKind::GSingle]);
    let unseen = r#"0? [["append","x",1],["append","y",1]]
        1 [["r","x",[]],["r","y",[]]]"#;
    assert_eq!(first_broken(unseen, Data::Lists), None);
}

#[test]
fn each_anomaly_of_registers_is_named() {
    let first = |text| first_broken(text, Data::Registers);
    let skew = r#"0 [["r","x",null],["w","y",1]]
        1 [["r","y",null],["w","x",1]]"#;
    assert_eq!(first(skew), Some((Level::RepeatableRead, vec![AnomalyKind::G2Item])));
    let lost = r#"9 [["w","x",1]]
        0 [["r","x",1],["w","x",2]]
        1 [["r","x",1],["w","x",3]]"#;
    assert_eq!(first(lost).unwrap().0, Level::SnapshotIsolation);
    assert_eq!(first(lost).unwrap().1[0], AnomalyKind::LostUpdate);
    let g1c = r#"0 [["w","x",1],["r","y",1]]
        1 [["w","y",1],["r","x",1]]"#;
    assert_eq!(first(g1c), Some((Level::ReadCommitted, vec![AnomalyKind::G1c])));
    let half = r#"0 [["w","x",1],["w","y",1]]
        1 [["r","x",1],["r","y",null]]"#;
    assert_eq!(first(half), Some((Level::SnapshotIsolation, vec![AnomalyKind::GSingle])));
    let aborted = r#"0! [["w","x",1]]
        1 [["r","x",1]]"#;
    assert_eq!(first(aborted), Some((Level::ReadCommitted, vec![AnomalyKind::G1a])));
    let halfway = r#"0 [["w","x",1],["w","x",2]]
        1 [["r","x",1]]"#;
    assert_eq!(first(halfway).unwrap().1, [AnomalyKind::G1b]);
    let itself = r#"0 [["w","x",1],["r","x",null]]"#;
    assert_eq!(first(itself), Some((Level::ReadAtomic, vec![AnomalyKind::Internal])));
    let circle = r#"0 [["r","x",2],["w","x",1]]
        1 [["r","x",1],["w","x",2]]"#;
    assert_eq!(first(circle).unwrap(), (Level::ReadUncommitted, vec![AnomalyKind::CyclicVersions]));
    let nobody = r#"1 [["r","x",7]]"#;
    assert_eq!(first(nobody), Some((Level::ReadCommitted, vec![AnomalyKind::GarbageRead])));
}

#[test]
fn what_is_no_transaction_is_named() {
    let why =
        |text: &str| isolated(&history(text), Data::Lists, Level::Serializable).unwrap_err().to_string();
    assert_snapshot!(why(r#"0 [["w","x",1]]"#), @r#"the transaction of process 0 at 0.000000s cannot be judged: "w" is neither r nor append"#);
    assert_snapshot!(why(r#"0 [["append","x",1]]
        1 [["append","x",1]]"#), @"the transaction of process 1 at 0.000000s cannot be judged: [append x 1] writes a value that was written before; each must be written once");
    assert_snapshot!(why(r#"0 [["r","x",1]]"#), @"a read of a list answers a list, not 1");
    assert_snapshot!(why("0 7"), @"the transaction of process 0 at 0.000000s cannot be judged: it must be a list of reads and writes, not 7");
}
