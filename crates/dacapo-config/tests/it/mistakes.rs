//! How each mistake is told.

use super::{in_short, mistakes, shown};

#[test]
fn a_misspelt_attribute_names_the_one_that_was_meant() {
    insta::assert_snapshot!(mistakes("service \"a\" {\n  modul = \"a.js\"\n}\n"), @r#"
        dacapo::config::missing (DC0004)

          × service "a" has no `module`
           ╭─[dacapo.hcl:1:9]
         1 │ service "a" {
           ·         ─┬─
           ·          ╰── `module` is missing here
         2 │   modul = "a.js"
           ╰────
          help: Add a line such as  module = "main.ts"
        dacapo::config::unknown_attribute (DC0003)

          × service "a" has no attribute `modul`
           ╭─[dacapo.hcl:2:3]
         1 │ service "a" {
         2 │   modul = "a.js"
           ·   ──┬──
           ·     ╰── unknown attribute
         3 │ }
           ╰────
          help: Did you mean "module"?
        "#);
}

#[test]
fn a_call_to_an_unknown_service_names_the_one_that_was_meant() {
    let text = "service \"ledger\" { module = \"l.js\" }\nservice \"shop\" {\n  module = \"s.js\"\n  calls = { L = \"leger\" }\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
        dacapo::config::unknown_service (DC0010)

          × `calls` names a service "leger", and there is none
           ╭─[dacapo.hcl:4:17]
         3 │   module = "s.js"
         4 │   calls = { L = "leger" }
           ·                 ───┬───
           ·                    ╰── unknown service
         5 │ }
           ╰────
          help: Did you mean "ledger"?
        "#);
}

#[test]
fn a_route_that_two_services_claim_is_shown_at_both() {
    let text = "service \"a\" {\n  module = \"a.js\"\n  routes = [\"https://shop.example/*\"]\n}\n\
                service \"b\" {\n  module = \"b.js\"\n  routes = [\"shop.example/*\"]\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::route_taken (DC0013)

      × services "a" and "b" claim the same route
       ╭─[dacapo.hcl:3:13]
     2 │   module = "a.js"
     3 │   routes = ["https://shop.example/*"]
       ·             ────────────┬───────────
       ·                         ╰── claimed here
     4 │ }
     5 │ service "b" {
     6 │   module = "b.js"
     7 │   routes = ["shop.example/*"]
       ·             ────────┬───────
       ·                     ╰── claimed again here
     8 │ }
       ╰────
      help: A request goes to one service: remove one route, or make one more exact, with a longer path, another host or another scheme.
    "#);
}

#[test]
fn two_places_in_two_files_are_both_shown() {
    let errors = dacapo_config::parse_files(&[
        ("a.hcl", "service \"shop\" { module = \"a.js\" }"),
        ("b.hcl", "\n\nservice \"shop\" { module = \"b.js\" }"),
    ]);
    insta::assert_snapshot!(shown(&errors.unwrap_err()), @r#"
        dacapo::config::repeated (DC0005)

          × there are two services "shop"
           ╭─[b.hcl:3:9]
         2 │ 
         3 │ service "shop" { module = "b.js" }
           ·         ───┬──
           ·            ╰── again here
           ╰────
          help: Give one of them another name.

        Advice: 
          ☞ the other place
           ╭─[a.hcl:1:9]
         1 │ service "shop" { module = "a.js" }
           ·         ───┬──
           ·            ╰── first here
           ╰────
        "#);
}

#[test]
fn a_group_of_faults_that_is_not_known_says_which_are() {
    let text = "service \"a\" { module = \"a.js\" }\nscenario \"s\" {\n  workload = \"w.ts\"\n  faults = [\"weather\"]\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::unknown_fault (DC0022)

      × there is no fault and no group of faults "weather" in this version
       ╭─[dacapo.hcl:4:13]
     3 │   workload = "w.ts"
     4 │   faults = ["weather"]
       ·             ────┬────
       ·                 ╰── unknown fault
     5 │ }
       ╰────
      help: The groups are: network, process, clock, lease, disk, damage, platform. The faults are: net.delay, net.loss, net.duplicate, net.partition, net.clog, net.reset, net.bandwidth, process.crash, process.pause, process.stop, process.slow, clock.skew, clock.drift, clock.jump, lease.slow, lease.unavailable, lease.early, disk.torn, disk.eio, disk.full, disk.short_read, disk.latency, disk.stall, disk.bitrot, disk.misdirected, disk.lying_sync, disk.lost, cron.skipped, cron.doubled, alarm.late, alarm.duplicated, queue.redelivered, queue.split, object.evicted, object.moved, object.doubled, wait_until.cut, deploy.rolling, cpu.killed.
    "#);
}

#[test]
fn a_text_that_is_not_hcl_is_shown_where_it_ends_to_be() {
    insta::assert_snapshot!(mistakes("service \"a\" {\n  module: \"a.js\"\n}\n"), @r#"
    dacapo::config::syntax (DC0001)

      × this is not HCL: invalid structure; expected `{`, `=`, `"` or identifier
       ╭─[dacapo.hcl:2:9]
     1 │ service "a" {
     2 │   module: "a.js"
       ·         ┬
       ·         ╰── the reader stops here
     3 │ }
       ╰────
      help: An attribute is  name = value  on a line of its own, a block is  name "label" { … }; texts stand in double quotes, and elements of a list are separated by commas. The cause may stand just before this place.
    "#);
}

#[test]
fn a_value_that_would_be_computed_is_refused() {
    let text =
        "service \"a\" {\n  module = \"${dir}/a.js\"\n  hosts = concat(\"a.b\")\n  secrets = [KEY]\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::not_literal (DC0007)

      × a text with a `${…}` in it cannot stand in the configuration
       ╭─[dacapo.hcl:2:12]
     1 │ service "a" {
     2 │   module = "${dir}/a.js"
       ·            ──────┬──────
       ·                  ╰── not a plain value
     3 │   hosts = concat("a.b")
       ╰────
      help: If you mean the two characters themselves, write `$${` (or `%%{`).
    dacapo::config::not_literal (DC0007)

      × a function call cannot stand in the configuration
       ╭─[dacapo.hcl:3:11]
     2 │   module = "${dir}/a.js"
     3 │   hosts = concat("a.b")
       ·           ──────┬──────
       ·                 ╰── not a plain value
     4 │   secrets = [KEY]
       ╰────
      help: Write the value itself. The configuration says the same on every machine, so nothing in it is computed.
    dacapo::config::not_literal (DC0007)

      × a variable cannot stand in the configuration
       ╭─[dacapo.hcl:4:14]
     3 │   hosts = concat("a.b")
     4 │   secrets = [KEY]
       ·              ─┬─
       ·               ╰── not a plain value
     5 │ }
       ╰────
      help: If it is a text, quote it: "KEY"
    "#);
}

#[test]
fn settings_that_contradict_each_other_are_shown_together() {
    let text = "service \"a\" {\n  module = \"a.js\"\n  instances = 5\n}\nservice \"b\" { module = \"b.js\" }\n\
                scenario \"s\" {\n  workload = \"w.ts\"\n  fault \"process.crash\" { spare = [\"b\"] }\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
        dacapo::config::contradiction (DC0024)

          × scenario "s" has 3 nodes, too few for the 5 instances of service "a"
           ╭─[dacapo.hcl:3:15]
         2 │   module = "a.js"
         3 │   instances = 5
           ·               ┬
           ·               ╰── the instances
         4 │ }
         5 │ service "b" { module = "b.js" }
         6 │ scenario "s" {
           ·          ─┬─
           ·           ╰── the nodes
         7 │   workload = "w.ts"
           ╰────
          help: A node runs one instance of a service: set  nodes = 5  or more.
        dacapo::config::contradiction (DC0024)

          × fault "process.crash" never happens: it spares "b", which runs on every one of the 3 nodes
           ╭─[dacapo.hcl:5:9]
         4 │ }
         5 │ service "b" { module = "b.js" }
           ·         ─┬─
           ·          ╰── no `instances`: it runs on every node
         6 │ scenario "s" {
         7 │   workload = "w.ts"
         8 │   fault "process.crash" { spare = ["b"] }
           ·                                    ─┬─
           ·                                     ╰── spared here
         9 │ }
           ╰────
          help: Give service "b" fewer  instances  than the scenario has nodes, or do not spare it.
        "#);
}

#[test]
fn all_mistakes_of_a_service_are_told_at_once() {
    let text = r#"
queue "x" {}
answer = 42
service "Shop" {
  module    = "../shop.ts"
  module    = "shop.ts"
}
"#;
    insta::assert_snapshot!(in_short(text), @r#"6: DC0005 this stands twice in the same block"#);
    let text = r#"
queue "x" {}
answer = 42
service {
  module = "nameless.ts"
}
service "Shop" {
  module    = "../shop.ts"
  routes    = ["shop.example", 7]
  calls     = { "my-ledger" = "ledger", KEY = 1 }
  hosts     = ["https://a.example", "*"]
  vars      = { KEY = "x" }
  secrets   = ["KEY", "KEY"]
  cron      = ["* * * *", "@daily", "61 * * * *", "0 0 30 2 *"]
  instances = 0
  env       = {}
  limits "x" {
    memory       = "128 miles"
    request_body = "2TiB"
    turn_budget  = "much"
    cpu          = 1
  }
}
"#;
    insta::assert_snapshot!(in_short(text), @r#"
    2: DC0004 queue "x" has no `consumer`
    3: DC0003 the top of a file has no attribute `answer`
    4: DC0008 a `service` block has one name, and this one has 0
    7: DC0009 "Shop" cannot be the name of a service
    8: DC0017 `module` cannot be "../shop.ts": it leaves the project
    9: DC0012 "shop.example" is not a route: it has no path: end it with /* for every path, as in "shop.example/*", or with / for this one
    9: DC0006 an element of `routes` takes a text, and this is a number
    10: DC0009 "my-ledger" cannot be the name of a binding
    10: DC0006 a binding in `calls` takes a text, and this is a number
    11: DC0014 "https://a.example" is not a host: it has a scheme: a host stands alone, as in "api.example.com"
    11: DC0014 "*" is not a host: a right to call every host is none: name the hosts, or all under one with *.example.com
    13: DC0024 `env.KEY` would be two things
    13: DC0005 "KEY" stands twice in `secrets`
    14: DC0016 "* * * *" is not a cron line: it has 4 fields
    14: DC0016 "@daily" is not a cron line: it has 1 field
    14: DC0016 "61 * * * *" is not a cron line: "61" is no minute, which is 0 to 59
    14: DC0016 "0 0 30 2 *" is never due
    15: DC0021 `instances` is a whole number from 1 to 500, and not 0
    16: DC0003 service "Shop" has no attribute `env`
    17: DC0008 a `limits` block has no name
    18: DC0020 `memory` is a size, and "128 miles" is not: invalid digit found in string
    19: DC0021 `request_body` goes from 0 to 1099511627776 bytes, and this is 2199023255552
    20: DC0006 `turn_budget` takes a whole number, and this is a text
    21: DC0003 `limits` has no attribute `cpu`
    "#);
}

#[test]
fn all_mistakes_of_a_scenario_are_told_at_once() {
    let text = r#"
service "a" {
  module = "a.ts"
  hosts  = ["api.pay.example"]
}
scenario "s" { workload = "s.ts" }
scenario "s" {
  nodes   = 501
  lasts   = 60
  settles = "soon"
  seeds   = 1.5
  stubs   = { "api.pya.example" = "/pay.ts" , "api.pya.example:1" = "pay.ts" }
  faults  = ["netwrok", "net.loss", "net.loss"]
  fault "net.loss" {
    rate  = 1.5
    every = "1s"
    spare = ["b"]
  }
  fault "net.loss" {}
  fault "network" {}
  fault "process.crash" {
    every = "0s"
    down  = "100y"
    x {}
  }
  fault "clock.drift" { max = 0.9 }
  fault "net.bandwidth" { bytes_per_second = 0 }
}
"#;
    insta::assert_snapshot!(in_short(text), @r#"
        7: DC0004 scenario "s" has no `workload`
        7: DC0005 there are two scenarios "s"
        8: DC0021 `nodes` is a whole number from 1 to 500, and not 501
        9: DC0019 `lasts` is a length of time, and 60 has no unit
        10: DC0019 `settles` is a length of time, and "soon" is not: expected number at 0
        11: DC0021 `seeds` is a whole number from 1, and not 1.5
        12: DC0017 a stub cannot be "/pay.ts": it is absolute
        12: DC0015 no service may call "api.pya.example:1", so its stub is never called
        13: DC0022 there is no fault and no group of faults "netwrok" in this version
        13: DC0005 "net.loss" stands twice in `faults`
        15: DC0021 `rate` is a number from 0 to 1, and not 1.5
        16: DC0023 fault "net.loss" has no parameter `every`
        19: DC0005 two blocks for the fault "net.loss"
        20: DC0022 "network" is a group of faults, and a block is for one fault
        22: DC0021 `every` is too short
        23: DC0021 `down` is too long
        24: DC0002 fault "process.crash" has no block `x`
        26: DC0021 `max` is a number from 0 to 0.5, and not 0.9
        27: DC0021 `bytes_per_second` is a number from 1 to 1000000000000000, and not 0
        "#);
}

#[test]
fn a_project_without_a_service_is_told_so() {
    insta::assert_snapshot!(mistakes(""), @r#"
        dacapo::config::no_service (DC0011)

          × the project has no service
          help: Add one:  service "shop" { module = "shop.ts" }  in dacapo.hcl
        "#);
}

#[test]
fn what_may_stand_in_a_broken_part_is_not_called_missing() {
    let errors = dacapo_config::parse_files(&[
        ("a.hcl", "service \"shop\" {\n  module = \"a.js\"\n  calls = { L = \"ledger\" }\n}"),
        ("b.hcl", "service \"ledger\" {"),
    ]);
    let errors: Vec<String> =
        errors.unwrap_err().iter().map(|e| format!("{} {e}", e.code().number())).collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"DC0001 this is not HCL: invalid block body; expected `}`, newline or identifier"#);
}

#[test]
fn a_file_full_of_mistakes_does_not_fill_the_screen() {
    let text = "x {}\n".repeat(20_000);
    let errors = dacapo_config::parse("dacapo.hcl", &text).unwrap_err();
    assert_eq!(errors.iter().count(), 50);
    assert_eq!(errors.to_string(), "the configuration has 20001 errors, of which these are the first");
}

#[test]
fn replicas_are_of_objects() {
    let text = "service \"a\" {\n  module = \"a.js\"\n  replicas = 3\n}\n\
                service \"b\" {\n  module = \"b.js\"\n  objects = [\"B\"]\n  replicas = 10\n}\n";
    insta::assert_snapshot!(in_short(text), @"
    3: DC0024 service \"a\" has replicas and no objects
    8: DC0021 `replicas` is a whole number from 1 to 9, and not 10
    ");
}

#[test]
fn faults_that_cannot_happen_are_told_to_who_asks_for_them_by_name() {
    let service = "service \"a\" {\n  module = \"a.js\"\n  objects = [\"A\"]\n}\n";
    let scenario = |faults: &str| {
        format!("{service}scenario \"s\" {{\n  workload = \"s.js\"\n  faults = [{faults}]\n}}\n")
    };
    insta::assert_snapshot!(in_short(&scenario("\"deploy.rolling\", \"object.moved\", \"platform\"")), @r#"
    7: DC0024 fault "deploy.rolling" never happens: no service has a next version
    7: DC0024 fault "object.moved" never happens: no service keeps its objects on several nodes
    "#);
    assert!(dacapo_config::parse("dacapo.hcl", &scenario("\"platform\"")).is_ok());
    let block =
        format!("{service}scenario \"s\" {{\n  workload = \"s.js\"\n  fault \"deploy.rolling\" {{}}\n}}\n");
    insta::assert_snapshot!(in_short(&block), @r#"7: DC0024 fault "deploy.rolling" never happens: no service has a next version"#);
}
