//! Queues, KV namespaces and cron zones: what is read, and how mistakes are told.

use std::time::Duration;

use dacapo_config::parse;

use super::{in_short, mistakes};

const SHOP: &str = r#"
queue "jobs" {
  consumer    = "worker"
  batch       = 20
  wait        = "2s"
  retries     = 5
  delay       = "1m"
  retry_delay = "10s"
  concurrency = 1
  dead_letter = "dead"
}
queue "dead" {
  consumer = "worker"
}
kv "sessions" {}

service "worker" {
  module = "worker.ts"
  queues = { JOBS = "jobs" }
  kv     = { SESSIONS = "sessions" }
  cron   = ["0 9 * * MON-FRI"]
  zone   = "Europe/Berlin"
}
"#;

#[test]
fn every_setting_of_a_queue_reaches_the_plan() {
    let plan = parse("dacapo.hcl", SHOP).unwrap().plan;
    insta::assert_debug_snapshot!(plan.queues, @r#"
    [
        Queue {
            name: "jobs",
            consumer: "worker",
            batch: 20,
            wait: 2s,
            retries: 5,
            delay: 60s,
            retry_delay: 10s,
            concurrency: 1,
            dead_letter: Some(
                "dead",
            ),
        },
        Queue {
            name: "dead",
            consumer: "worker",
            batch: 10,
            wait: 5s,
            retries: 3,
            delay: 0ns,
            retry_delay: 0ns,
            concurrency: 10,
            dead_letter: None,
        },
    ]
    "#);
    assert_eq!(plan.kv, ["sessions"]);
    let worker = &plan.services[0];
    assert_eq!((worker.queues["JOBS"].as_str(), worker.kv["SESSIONS"].as_str()), ("jobs", "sessions"));
    assert_eq!(
        (worker.cron[0].line.as_str(), worker.cron[0].zone.as_str()),
        ("0 9 * * MON-FRI", "Europe/Berlin")
    );
}

#[test]
fn the_platform_adds_what_keeps_queues_and_kv_and_only_then() {
    let plan = parse("dacapo.hcl", SHOP).unwrap().plan;
    let names: Vec<&str> = plan.services.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["worker", "dacapo:queues", "dacapo:kv"]);
    insta::assert_snapshot!(plan.services[1].vars["queues"], @r#"{"jobs":{"consumer":"worker","batch":20,"wait":2000,"retries":5,"delay":60000,"retryDelay":10000,"concurrency":1,"deadLetter":"dead"},"dead":{"consumer":"worker","batch":10,"wait":5000,"retries":3,"delay":0,"retryDelay":0,"concurrency":10,"deadLetter":null}}"#);
    assert_eq!(plan.services[1].objects[0].idle, Duration::from_secs(10));
    let plan = parse("dacapo.hcl", "service \"worker\" { module = \"worker.ts\" }").unwrap().plan;
    assert_eq!(plan.services.len(), 1);
}

#[test]
fn a_queue_without_a_consumer_says_what_one_is() {
    insta::assert_snapshot!(mistakes("service \"a\" { module = \"a.ts\" }\nqueue \"jobs\" {\n  batch = 5\n}\n"), @r#"
    dacapo::config::missing (DC0004)

      × queue "jobs" has no `consumer`
       ╭─[dacapo.hcl:2:7]
     1 │ service "a" { module = "a.ts" }
     2 │ queue "jobs" {
       ·       ───┬──
       ·          ╰── `consumer` is missing here
     3 │   batch = 5
       ╰────
      help: Add a line such as  consumer = "worker"  (a service with a `queue` handler)
    "#);
}

#[test]
fn a_dead_letter_queue_is_another_one_that_exists() {
    let text = "service \"a\" { module = \"a.ts\" }\n\
                queue \"jobs\" {\n  consumer = \"a\"\n  dead_letter = \"jobs\"\n}\n\
                queue \"mail\" {\n  consumer = \"a\"\n  dead_letter = \"ded\"\n}\n\
                queue \"dead\" { consumer = \"a\" }\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::contradiction (DC0024)

      × queue "jobs" is its own dead-letter queue
       ╭─[dacapo.hcl:4:17]
     3 │   consumer = "a"
     4 │   dead_letter = "jobs"
       ·                 ───┬──
       ·                    ╰── itself
     5 │ }
       ╰────
      help: What cannot be handled would come back for ever: name another queue, or none, and what was tried too often is dropped.
    dacapo::config::unknown_queue (DC0026)

      × there is no queue "ded"
       ╭─[dacapo.hcl:8:17]
     7 │   consumer = "a"
     8 │   dead_letter = "ded"
       ·                 ──┬──
       ·                   ╰── unknown queue
     9 │ }
       ╰────
      help: Did you mean "dead"?
    "#);
}

#[test]
fn a_time_zone_that_does_not_exist_names_the_one_that_was_meant() {
    let text =
        "service \"a\" {\n  module = \"a.ts\"\n  cron = [\"* * * * *\"]\n  zone = \"Europe/Berln\"\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::zone (DC0027)

      × there is no time zone "Europe/Berln"
       ╭─[dacapo.hcl:4:10]
     3 │   cron = ["* * * * *"]
     4 │   zone = "Europe/Berln"
       ·          ───────┬──────
       ·                 ╰── unknown time zone
     5 │ }
       ╰────
      help: Did you mean "Europe/Berlin"? Zones have the names of the tz database: "Europe/Berlin", "America/New_York", "UTC".
    "#);
}

#[test]
fn what_queues_kv_and_zones_may_not_be_is_told() {
    let text = r#"
queue "Jobs" {
  consumer    = "worker"
  batch       = 101
  wait        = "2m"
  delay       = "13h"
  retries     = -1
  max_retries = 3
  concurrency = 0
}
queue "one" {
  consumer    = "worker"
  dead_letter = "two"
}
queue "two" {
  consumer    = "wroker"
  dead_letter = "one"
}
queue "two" {
  consumer = "worker"
}
kv "sessions" {
  ttl = "1h"
}
kv "sessions" {}

service "worker" {
  module = "worker.ts"
  calls  = { X = "dacapo:queues", Y = "dacapo:kv.Shard", JOBS = "one", KEPT = "sessions" }
  queues = { X = "thre", 1 = "one" }
  kv     = { SESSIONS = "session", FILES = "files" }
  zone   = "UTC"
}
"#;
    insta::assert_snapshot!(in_short(text), @r#"
    2: DC0009 "Jobs" cannot be the name of a queue
    4: DC0021 `batch` is a whole number from 1 to 100, and not 101
    5: DC0021 `wait` is too long
    6: DC0021 `delay` is too long
    7: DC0021 `retries` is a whole number from 0 to 100, and not -1
    8: DC0003 queue "Jobs" has no attribute `max_retries`
    9: DC0021 `concurrency` is a whole number from 1 to 250, and not 0
    16: DC0010 `consumer` names a service "wroker", and there is none
    17: DC0024 dead letters go round: one → two → one
    19: DC0005 there are two queues "two"
    23: DC0003 kv "sessions" has no attribute `ttl`
    25: DC0005 there are two KV namespaces "sessions"
    29: DC0010 `calls` names a service "dacapo:queues", and there is none
    29: DC0010 `calls` names a service "dacapo:kv", and there is none
    29: DC0010 `calls` names a service "one", and that is a queue
    29: DC0010 `calls` names a service "sessions", and that is a KV namespace
    30: DC0024 `env.X` would be two things
    30: DC0026 there is no queue "thre"
    30: DC0006 a key takes a text, and this is a number
    31: DC0026 there is no KV namespace "session"
    31: DC0026 there is no KV namespace "files"
    32: DC0024 service "worker" has a `zone` and no `cron`
    "#);
}
