//! Durable objects: what is read, and how mistakes are told.

use dacapo_config::parse;

use super::{in_short, mistakes};

#[test]
fn a_right_to_a_class_that_does_not_exist_says_how_to_declare_it() {
    let text = "service \"bank\" {\n  module = \"b.js\"\n  objects = [\"Account\"]\n}\n\
                service \"shop\" {\n  module = \"s.js\"\n  calls = { A = \"bank.Acount\", B = \"bank.Vault\" }\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::unknown_class (DC0025)

      × service "bank" has no class "Acount"
       ╭─[dacapo.hcl:7:17]
     6 │   module = "s.js"
     7 │   calls = { A = "bank.Acount", B = "bank.Vault" }
       ·                 ──────┬──────
       ·                       ╰── unknown class
     8 │ }
       ╰────
      help: Did you mean "Account"?
    dacapo::config::unknown_class (DC0025)

      × service "bank" has no class "Vault"
       ╭─[dacapo.hcl:7:36]
     6 │   module = "s.js"
     7 │   calls = { A = "bank.Acount", B = "bank.Vault" }
       ·                                    ──────┬─────
       ·                                          ╰── unknown class
     8 │ }
       ╰────
      help: Add  objects = ["Vault"]  to service "bank", whose module exports it.
    "#);
}

#[test]
fn two_classes_cannot_own_one_state() {
    let text = "service \"bank\" {\n  module = \"b.js\"\n  objects = [\"Account\"]\n}\n\
                service \"shop\" {\n  module = \"s.js\"\n  object \"Konto\" {\n    was = \"bank.Account\"\n  }\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::contradiction (DC0024)

      × two classes keep their state as "bank.Account"
       ╭─[dacapo.hcl:3:14]
     2 │   module = "b.js"
     3 │   objects = ["Account"]
       ·              ────┬────
       ·                  ╰── first here
     4 │ }
       ╰────
       ╭─[dacapo.hcl:8:11]
     7 │   object "Konto" {
     8 │     was = "bank.Account"
       ·           ───────┬──────
       ·                  ╰── again here
     9 │   }
       ╰────
      help: One class owns a state. `was` names what a class was called before: the old class must be gone.
    "#);
}

#[test]
fn a_class_is_declared_once_and_not_deleted_as_well() {
    let text = "service \"bank\" {\n  module = \"b.js\"\n  objects = [\"Account\", \"Account\", \"1st\"]\n  \
                deleted_objects = [\"Account\"]\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::repeated (DC0005)

      × "Account" stands twice in `objects`
       ╭─[dacapo.hcl:3:14]
     2 │   module = "b.js"
     3 │   objects = ["Account", "Account", "1st"]
       ·              ────┬────  ────┬────
       ·                  │          ╰── again here
       ·                  ╰── first here
     4 │   deleted_objects = ["Account"]
       ╰────
      help: Remove one of them.
    dacapo::config::name (DC0009)

      × "1st" cannot be the name of a class
       ╭─[dacapo.hcl:3:36]
     2 │   module = "b.js"
     3 │   objects = ["Account", "Account", "1st"]
       ·                                    ──┬──
       ·                                      ╰── this name
     4 │   deleted_objects = ["Account"]
       ╰────
      help: It is the name by which the module exports the class: use letters, digits, `_` and `$`, not a digit first.
    dacapo::config::contradiction (DC0024)

      × "bank.Account" is deleted and declared
       ╭─[dacapo.hcl:3:14]
     2 │   module = "b.js"
     3 │   objects = ["Account", "Account", "1st"]
       ·              ────┬────
       ·                  ╰── declared here
     4 │   deleted_objects = ["Account"]
       ·                      ────┬────
       ·                          ╰── deleted here
     5 │ }
       ╰────
      help: A class is there, or it is no more: take it out of one of the two.
    "#);
}

#[test]
fn what_a_setting_of_a_class_may_not_be_is_told() {
    let text = r#"
service "bank" {
  module = "b.js"
  objects = "Account"
  object "Room" {
    idle = "soon"
  }
  object "Hall" {
    idle = "0s"
    was  = "Halle"
  }
  object "Nook" {
    idle  = 10
    sleep = "1s"
    was   = "Hotel.Nook"
  }
  object "Bar" { was = "hotel.Bar.Bar" }
  object { }
}
"#;
    insta::assert_snapshot!(in_short(text), @r#"
    4: DC0006 `objects` takes a list, and this is a text
    6: DC0019 `idle` is a length of time, and "soon" is not: expected number at 0
    9: DC0021 `idle` is too short
    10: DC0009 "Halle" does not say of which service the class was
    13: DC0019 `idle` is a length of time, and 10 has no unit
    14: DC0003 object "Nook" has no attribute `sleep`
    15: DC0009 "Hotel" cannot be the name of a service
    17: DC0009 "Bar.Bar" cannot be the name of a class
    18: DC0008 an `object` block has one name, and this one has 0
    "#);
}

#[test]
fn a_class_has_one_declaration_in_whichever_form() {
    let text =
        "service \"bank\" {\n  module = \"b.js\"\n  objects = [\"Account\"]\n  object \"Account\" {}\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::repeated (DC0005)

      × the class "Account" is declared twice
       ╭─[dacapo.hcl:3:14]
     2 │   module = "b.js"
     3 │   objects = ["Account"]
       ·              ────┬────
       ·                  ╰── first here
     4 │   object "Account" {}
       ·          ────┬────
       ·              ╰── again here
     5 │ }
       ╰────
      help: Remove one of them.
    "#);
}

#[test]
fn a_deleted_class_is_a_class_and_deleted_once() {
    let text = r#"
service "bank" {
  module          = "b.js"
  deleted_objects = ["Basket", "bank.Basket", "1st", "shop.", "Shop.Thing", "shop.Thing"]
}
service "shop" {
  module          = "s.js"
  deleted_objects = ["Thing"]
}
"#;
    insta::assert_snapshot!(in_short(text), @r#"
    4: DC0005 "bank.Basket" is deleted twice
    4: DC0009 "1st" cannot be the name of a class
    4: DC0009 "" cannot be the name of a class
    4: DC0009 "Shop" cannot be the name of a service
    8: DC0005 "shop.Thing" is deleted twice
    "#);
}

#[test]
fn a_right_names_a_service_and_a_class_of_it() {
    let text = r#"
service "bank" {
  module  = "b.js"
  objects = ["Account"]
  calls   = { A = "bank.Account", B = "bnak.Account", C = "bank.", D = "bank.Account.x", E = "shop.Account", F = ".Account" }
}
service "shop" { module = "s.js" }
"#;
    insta::assert_snapshot!(in_short(text), @r#"
    5: DC0010 `calls` names a service "bnak", and there is none
    5: DC0009 "" cannot be the name of a class
    5: DC0009 "Account.x" cannot be the name of a class
    5: DC0025 service "shop" has no class "Account"
    5: DC0010 `calls` names a service "", and there is none
    "#);
}

#[test]
fn a_class_may_stand_where_the_reader_could_not_look() {
    let text = r#"
service "bank" {
  module = "b.js"
  object "Account" "Konto" { }
  calls  = { A = "bank.Account" }
}
"#;
    insta::assert_snapshot!(in_short(text), @"4: DC0008 an `object` block has one name, and this one has 2");
}

#[test]
fn two_classes_may_change_names_with_each_other() {
    let text = r#"
service "bank" {
  module = "b.js"
  object "Account" { was = "bank.Vault" }
  object "Vault" { was = "bank.Account" }
}
"#;
    let plan = parse("dacapo.hcl", text).unwrap().plan;
    let namespaces: Vec<&str> = plan.services[0].objects.iter().map(|class| &class.namespace[..]).collect();
    assert_eq!(namespaces, ["bank.Vault", "bank.Account"]);
}

#[test]
fn a_workflow_is_a_class_with_a_block_of_its_own() {
    let text = "service \"booking\" {\n  module = \"b.js\"\n  calls = { TRIPS = \"booking.Trip\" }\n  \
                workflow \"Trip\" {\n    version = \"2\"\n  }\n  workflow \"Stay\" {}\n}\n";
    let plan = parse("dacapo.hcl", text).unwrap().plan;
    let classes: Vec<_> =
        plan.services[0].objects.iter().map(|class| (&*class.name, &class.workflow)).collect();
    insta::assert_debug_snapshot!(classes, @r#"
    [
        (
            "Trip",
            Some(
                Workflow {
                    version: Some(
                        "2",
                    ),
                },
            ),
        ),
        (
            "Stay",
            Some(
                Workflow {
                    version: None,
                },
            ),
        ),
    ]
    "#);
}

#[test]
fn a_class_is_an_object_or_a_workflow_and_its_version_has_a_length() {
    let text = "service \"booking\" {\n  module = \"b.js\"\n  objects = [\"Trip\"]\n  \
                workflow \"Trip\" {\n    version = \"\"\n    steps = 3\n  }\n  workflows = [\"Stay\"]\n}\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    dacapo::config::repeated (DC0005)

      × the class "Trip" is declared twice
       ╭─[dacapo.hcl:3:14]
     2 │   module = "b.js"
     3 │   objects = ["Trip"]
       ·              ───┬──
       ·                 ╰── first here
     4 │   workflow "Trip" {
       ·            ───┬──
       ·               ╰── again here
     5 │     version = ""
       ╰────
      help: Remove one of them.
    dacapo::config::range (DC0021)

      × a version has 1 to 100 bytes, not 0
       ╭─[dacapo.hcl:5:15]
     4 │   workflow "Trip" {
     5 │     version = ""
       ·               ─┬
       ·                ╰── this version
     6 │     steps = 3
       ╰────
      help: For example: version = "2"
    dacapo::config::unknown_attribute (DC0003)

      × workflow "Trip" has no attribute `steps`
       ╭─[dacapo.hcl:6:5]
     5 │     version = ""
     6 │     steps = 3
       ·     ──┬──
       ·       ╰── unknown attribute
     7 │   }
       ╰────
      help: There are: idle, version, was.
    dacapo::config::unknown_attribute (DC0003)

      × service "booking" has no attribute `workflows`
       ╭─[dacapo.hcl:8:3]
     7 │   }
     8 │   workflows = ["Stay"]
       ·   ────┬────
       ·       ╰── unknown attribute
     9 │ }
       ╰────
      help: A class of workflows has a block of its own:  workflow "Booking" {}
    "#);
}
