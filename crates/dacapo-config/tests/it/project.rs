//! What a right configuration becomes.

use std::time::Duration;

use dacapo_config::{check_files, parse, parse_files};
use dacapo_core::MemoryFiles;
use dacapo_core::fault::{Param, group};

const SHOP: &str = r#"
service "shop" {
  module    = "./shop.ts"
  routes    = ["https://Shop.example/*", "*://shop.example/health"]
  calls     = { LEDGER = "ledger" }
  hosts     = ["api.pay.example"]
  vars      = { CURRENCY = "EUR", RATES = { eur = 1, usd = 1.1 }, DEBUG = false }
  secrets   = ["PAY_KEY"]
  cron      = ["*/5 * * * *"]

  limits {
    turn_budget  = 1000000
    memory       = "64MiB"
    request_body = "1MiB"
  }
}

service "ledger" {
  module    = "ledger.js"
  instances = 1
}

scenario "checkout" {
  workload = "checkout.sim.ts"
  nodes    = 5
  lasts    = "1h30m"
  faults   = ["network", "process.crash"]
  stubs    = { "api.pay.example" = "stubs/pay.ts" }

  fault "net.loss" {
    rate  = 0.2
    hangs = 0
  }
  fault "process.crash" {
    every = "250ms"
    spare = ["ledger"]
  }
  fault "clock.skew" {}
}
"#;

#[test]
fn every_setting_reaches_the_plan() {
    let plan = parse("dacapo.hcl", SHOP).unwrap().plan;
    insta::assert_debug_snapshot!(plan.services, @r#"
    [
        Service {
            name: "shop",
            module: "shop.ts",
            next: None,
            routes: [
                Route {
                    scheme: Some(
                        "https",
                    ),
                    host: "shop.example",
                    path: "/",
                    is_prefix: true,
                },
                Route {
                    scheme: None,
                    host: "shop.example",
                    path: "/health",
                    is_prefix: false,
                },
            ],
            calls: {
                "LEDGER": "ledger",
            },
            object_calls: {},
            objects: [],
            deleted_objects: [],
            queues: {},
            kv: {},
            hosts: [
                "api.pay.example",
            ],
            vars: {
                "CURRENCY": "\"EUR\"",
                "DEBUG": "false",
                "RATES": "{\"eur\":1,\"usd\":1.1}",
            },
            secrets: [
                "PAY_KEY",
            ],
            cron: [
                Cron {
                    line: "*/5 * * * *",
                    zone: "UTC",
                },
            ],
            instances: None,
            replicas: None,
            limits: Limits {
                turn_budget: 1000000,
                memory_max: 67108864,
                request_body_max: 1048576,
            },
        },
        Service {
            name: "ledger",
            module: "ledger.js",
            next: None,
            routes: [],
            calls: {},
            object_calls: {},
            objects: [],
            deleted_objects: [],
            queues: {},
            kv: {},
            hosts: [],
            vars: {},
            secrets: [],
            cron: [],
            instances: Some(
                1,
            ),
            replicas: None,
            limits: Limits {
                turn_budget: 50000000,
                memory_max: 134217728,
                request_body_max: 104857600,
            },
        },
    ]
    "#);
    let scenario = &plan.scenarios[0];
    assert_eq!((scenario.nodes, scenario.seeds), (5, 100));
    assert_eq!((scenario.lasts, scenario.settles), (Duration::from_secs(5400), Duration::from_secs(60)));
    assert_eq!(scenario.stubs["api.pay.example"], "stubs/pay.ts");
    let names: Vec<&str> = scenario.faults.iter().map(|f| f.name.as_str()).collect();
    let network: Vec<&str> = group("network").map(|f| f.name).collect();
    assert_eq!(names, [network, vec!["process.crash", "clock.skew"]].concat());
    let loss = scenario.faults.iter().find(|f| f.name == "net.loss").unwrap();
    assert_eq!(
        loss.params,
        [("hangs".into(), Param::Number(0.0)), ("rate".into(), Param::Number(0.2))].into()
    );
    let crash = scenario.faults.iter().find(|f| f.name == "process.crash").unwrap();
    assert_eq!(crash.params["every"], Param::Duration(Duration::from_millis(250)));
    assert_eq!(crash.spare, ["ledger"]);
}

#[test]
fn a_project_may_be_split_and_its_files_come_in_any_order() {
    let one = ("a.hcl", "service \"a\" { module = \"a.js\" }");
    let two = ("b.hcl", "service \"b\" {\n  module = \"b.js\"\n  calls = { A = \"a\" }\n}");
    let forwards = parse_files(&[one, two]).unwrap().plan;
    assert_eq!(forwards, parse_files(&[two, one]).unwrap().plan);
    assert_eq!(forwards.services[0].name, "a");
}

#[test]
fn a_module_that_does_not_exist_is_shown_where_it_is_named() {
    let config = parse("dacapo.hcl", SHOP).unwrap();
    let all = ["shop.ts", "ledger.js", "checkout.sim.ts", "stubs/pay.ts"];
    check_files(&config, &MemoryFiles::new(all.map(|path| (path, "")))).unwrap();
    let some = MemoryFiles::new([("shop.js", ""), ("ledger.js", ""), ("checkout.sim.ts/x", "")]);
    let errors = check_files(&config, &some).unwrap_err();
    insta::assert_snapshot!(super::shown(&errors), @r#"
    dacapo::config::no_file (DC0018)

      × service "shop": the module "shop.ts" does not exist
       ╭─[dacapo.hcl:3:15]
     2 │ service "shop" {
     3 │   module    = "./shop.ts"
       ·               ─────┬─────
       ·                    ╰── no such file
     4 │   routes    = ["https://Shop.example/*", "*://shop.example/health"]
       ╰────
      help: Did you mean "shop.js"? Paths are relative to the folder of the configuration.
    dacapo::config::no_file (DC0018)

      × scenario "checkout": the module "checkout.sim.ts" is a folder
        ╭─[dacapo.hcl:24:14]
     23 │ scenario "checkout" {
     24 │   workload = "checkout.sim.ts"
        ·              ────────┬────────
        ·                      ╰── a folder
     25 │   nodes    = 5
        ╰────
      help: Create the file, or correct the path. Paths are relative to the folder of the configuration.
    dacapo::config::no_file (DC0018)

      × scenario "checkout": the module "stubs/pay.ts" does not exist
        ╭─[dacapo.hcl:28:36]
     27 │   faults   = ["network", "process.crash"]
     28 │   stubs    = { "api.pay.example" = "stubs/pay.ts" }
        ·                                    ───────┬──────
        ·                                           ╰── no such file
     29 │ 
        ╰────
      help: Create the file, or correct the path. Paths are relative to the folder of the configuration.
    "#);
}

#[test]
fn classes_of_objects_reach_the_plan() {
    let text = r#"
        service "bank" {
          module          = "bank.js"
          objects         = ["Account"]
          deleted_objects = ["Basket", "old.Thing"]
          calls           = { ACCOUNTS = "bank.Account", LEDGER = "ledger" }
          object "Room" {
            was  = "hotel.Zimmer"
            idle = "1m"
          }
        }
        service "ledger" { module = "ledger.js" }
    "#;
    let plan = parse("dacapo.hcl", text).unwrap().plan;
    let bank = &plan.services[0];
    insta::assert_debug_snapshot!((&bank.objects, &bank.deleted_objects, &bank.calls, &bank.object_calls), @r#"
    (
        [
            ObjectClass {
                name: "Account",
                namespace: "bank.Account",
                idle: 10s,
                workflow: None,
            },
            ObjectClass {
                name: "Room",
                namespace: "hotel.Zimmer",
                idle: 60s,
                workflow: None,
            },
        ],
        [
            "bank.Basket",
            "old.Thing",
        ],
        {
            "LEDGER": "ledger",
        },
        {
            "ACCOUNTS": (
                "bank",
                "Account",
            ),
        },
    )
    "#);
}
