//! Saved seeds.

use std::time::Duration;

use dacapo_config::{SavedSeed, is_seed, parse_seed};
use proptest::prelude::*;

fn lost_ack() -> SavedSeed {
    SavedSeed {
        name: "lost-ack".into(),
        project: "../../examples/bank".into(),
        scenario: "checkout".into(),
        seed: u64::MAX,
        rule: "no acknowledged write is lost".into(),
        found: "dacapo sim, after 12 seeds:\nthe \"primary\" crashes before it copies".into(),
        decisions: [("net.loss/hit n1 asks GET / #3".into(), vec![1]), ("rest".into(), vec![7, 0, 1, 0])]
            .into(),
        strategy: None,
        nodes: Some(2),
        lasts: Some(Duration::from_millis(1500)),
        program: Some("9c1f2ab0".into()),
    }
}

#[test]
fn a_saved_seed_reads_like_a_note() {
    let text = lost_ack().to_hcl();
    insta::assert_snapshot!(text, @r#"
        seed "lost-ack" {
          project   = "../../examples/bank"
          scenario  = "checkout"
          seed      = 18446744073709551615
          nodes     = 2
          lasts     = "1s 500ms"
          rule      = "no acknowledged write is lost"
          found     = "dacapo sim, after 12 seeds:\nthe \"primary\" crashes before it copies"
          program   = "9c1f2ab0"
          decisions = {
            "net.loss/hit n1 asks GET / #3" = 1
            "rest" = [7, 0, 1, 0]
          }
        }
        "#);
    assert!(is_seed(&text));
    assert!(!is_seed("service \"a\" {}"));
    assert_eq!(parse_seed("lost-ack.hcl", &text).unwrap(), lost_ack());
}

#[test]
fn mistakes_in_a_saved_seed_are_told_at_once() {
    let text = "seed \"lost ack\" {\n  project = \"/bank\"\n  seed = -1\n  rul = \"x\"\n  decisions = { a = [\"b\"] }\n}\nseed \"b\" {}\n";
    let errors = parse_seed("a.hcl", text).unwrap_err();
    let errors: Vec<String> = errors.iter().map(|e| format!("{} {e}", e.code().number())).collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
        DC0009 "lost ack" cannot be the name of a saved seed
        DC0004 seed "lost ack" has no `scenario`
        DC0004 seed "lost ack" has no `rule`
        DC0004 seed "lost ack" has no `found`
        DC0017 `project` cannot be "/bank": it is absolute
        DC0021 `seed` is a whole number up to 18446744073709551615, and not -1
        DC0003 seed "lost ack" has no attribute `rul`
        DC0006 a decision takes a whole number, and this is a text
        DC0005 there are two saved seeds in this file
        "#);
    let errors = parse_seed("a.hcl", "").unwrap_err();
    insta::assert_snapshot!(super::shown(&errors), @r#"
        dacapo::config::missing (DC0004)

          × there is no saved seed in this file
           ╭─[a.hcl:1:1]
           ╰────
          help: Write  seed "name" { project = "../..", … }, or let  dacapo sim  save one.
        "#);
}

proptest! {
    #[test]
    fn what_is_saved_is_what_is_read(
        name in "[A-Za-z0-9_]{1,20}",
        project in "(\\.\\./){0,3}[a-z]{1,8}(/[a-z]{1,8}){0,2}",
        texts in proptest::array::uniform3(prop_oneof![".*", "[$%{}\"\\\\a\n~]{0,12}"]),
        seed: u64,
        decisions in proptest::collection::btree_map(
            prop_oneof!["[a-z.]{1,12}", "[$%{}\"\\\\a\n]{0,6}"],
            proptest::collection::vec(any::<u64>(), 0..5),
            0..4,
        ),
        program in proptest::option::of("[0-9a-f]{32}"),
        strategy in proptest::option::of("[a-z0-9]{1,9}"),
        nodes in proptest::option::of(1u32..=500),
        lasts in proptest::option::of((1u64..1 << 38).prop_map(Duration::from_millis)),
    ) {
        let [scenario, rule, found] = texts;
        let saved = SavedSeed { name, project, scenario, seed, rule, found, decisions, program, strategy, nodes, lasts };
        let text = saved.to_hcl();
        match parse_seed("a.hcl", &text) {
            Ok(read) => prop_assert_eq!(read, saved),
            Err(errors) => prop_assert!(false, "{}\n{}", text, super::shown(&errors)),
        }
    }
}
