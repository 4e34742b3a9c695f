//! Workflows as a person meets them: crashes at every point, and histories that code no longer fits.

#![cfg(feature = "js")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dacapo::project::Project;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the command, and gives its exit code and what it printed.
fn dacapo(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dacapo")).current_dir(folder).args(args).output();
    let output = output.expect("the binary that cargo has built");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn a_workflow_survives_a_crash_at_every_point() {
    let project = Project::open(&root().join("sim-scenarios/fast/workflow-crashes")).unwrap();
    let experiment = project.experiment(project.scenario(Some("everywhere")).unwrap()).unwrap();
    let report = experiment.crash_everywhere(1);
    report.check();
    assert!(report.points > 100, "{report}");
}

#[test]
fn a_saga_without_compensation_is_found() {
    dacapo::scenario("sim-scenarios/negative/saga-without-compensation").seeds(0..100).finds();
}

const CONFIG: &str = r#"
service "shop" {
  module = "shop.ts"
  workflow "Order" {
    version = "VERSION"
  }
}
scenario "orders" {
  workload = "shop.sim.ts"
  nodes    = 1
  lasts    = "1s"
}
"#;

const SHOP: &str = r#"import { WorkflowEntrypoint } from "cloudflare:workers";

export class Order extends WorkflowEntrypoint {
  async run(event, step) {
    const { price } = event.payload;
    const paid = await step.do("charge", () => ({ price, when: new Map([["now", 1]]) }));
    // here
    await step.waitForEvent("packed", { type: "packed" });
    await step.do("ship", () => paid.price);
    return "sent";
  }
}
"#;

const WORKLOAD: &str = r#"
export const judgments = {
  async orders(env) {
    const orders = env["shop.Order"];
    for (const id of ["sent", "waiting"]) await orders.create({ id, params: { price: 7 } });
    await (await orders.get("sent")).sendEvent({ type: "packed" });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  },
};
"#;

fn project(home: &Path, version: &str, change: impl FnOnce(&str) -> String) {
    fs::write(home.join("dacapo.hcl"), CONFIG.replace("VERSION", version)).unwrap();
    fs::write(home.join("shop.sim.ts"), WORKLOAD).unwrap();
    let code = change(SHOP);
    assert!(code == SHOP || version != "1", "another code is another version");
    fs::write(home.join("shop.ts"), code).unwrap();
}

/// What `dacapo workflows check` says of code that was changed so, about histories of the first version.
fn checked(change: impl FnOnce(&str) -> String) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    project(home.path(), "1", str::to_owned);
    let recorded = dacapo(home.path(), &["workflows", "record", "--to", "histories"]);
    assert_eq!(recorded, (Some(0), "wrote 2 histories to histories\n".to_owned()));
    project(home.path(), "2", change);
    dacapo(home.path(), &["workflows", "check", "histories"])
}

#[test]
fn code_that_fits_all_histories_passes() {
    let (code, text) = checked(|code| code.replace("\"sent\"", "\"gone\""));
    assert_eq!((code, text.as_str()), (Some(0), "ok histories: the code fits all 2 histories\n"));
}

#[test]
fn a_new_step_is_told_with_both_sides() {
    let (code, text) = checked(|code| code.replace("// here", "await step.do(\"wrap\", () => {});"));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    shop.Order sent  histories/shop.Order.sent.json
      history  entry 2: step.waitForEvent("packed"), for an event of type "packed" at shop.ts:8:16
      code     step.do("wrap") at shop.ts:7:16
      version  1 began it, the code is 2
      help     keep the old way for instances that have passed here:  if (step.patched("packed-changed")) { the new way } else { the old one }
               or serve the old code until they have ended
      also     waiting

    FAILED histories: the code does not fit 2 of 2 histories
    "#);
}

#[test]
fn a_step_that_is_gone_is_told_with_both_sides() {
    let (code, text) = checked(|code| code.replace("await step.do(\"ship\", () => paid.price);", ""));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    shop.Order sent  histories/shop.Order.sent.json
      history  entry 4: step.do("ship") at shop.ts:9:16
      code     run() returned
      version  1 began it, the code is 2
      help     keep the old way for instances that have passed here:  if (step.patched("ship-changed")) { the new way } else { the old one }
               or serve the old code until they have ended

    FAILED histories: the code does not fit 1 of 2 histories
    "#);
}

#[test]
fn a_patch_lets_old_histories_pass() {
    let (code, text) = checked(|code| {
        code.replace("// here", "if (step.patched(\"wrap\")) await step.do(\"wrap\", () => {});")
    });
    assert_eq!((code, text.as_str()), (Some(0), "ok histories: the code fits all 2 histories\n"));
}

#[test]
fn what_cannot_be_compared_is_told() {
    let (code, text) = checked(|code| code.replace("class Order extends", "class Bill extends"));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @"
    shop.Order sent  histories/shop.Order.sent.json
      cannot be compared: the object was aborted: the module has no export class Order, which the configuration names
      also     waiting

    FAILED histories: the code does not fit 2 of 2 histories
    ");
    let home = tempfile::tempdir().unwrap();
    project(home.path(), "1", str::to_owned);
    let (code, text) = dacapo(home.path(), &["workflows", "check", "."]);
    assert!(code == Some(2) && text.contains("has no histories"), "{text}");
    let (code, text) = dacapo(home.path(), &["workflows", "export", "--to", "x"]);
    assert!(code == Some(2) && text.contains("is not a folder"), "{text}");
}
