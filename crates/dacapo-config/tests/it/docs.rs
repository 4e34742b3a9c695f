//! `docs/configuration.md` says what the code does. `DACAPO_DOCS=write cargo test -p dacapo-config`
//! rewrites its tables.

use dacapo_config::{Code, parse, parse_seed};
use dacapo_core::fault::{CATALOGUE, Param};
use dacapo_core::plan::Limits;

const DOCS: &str = include_str!("../../../../docs/configuration.md");

fn faults() -> String {
    let mut out = String::new();
    let mut group = "";
    for kind in CATALOGUE {
        if kind.group != group {
            group = kind.group;
            out.push_str(&format!(
                "\nGroup `{group}`:\n\n| Fault | What happens | Parameters |\n|---|---|---|\n"
            ));
        }
        let param = |p: &dacapo_core::fault::ParamSpec| match p.default {
            Param::Duration(_) => format!("`{} = \"{}\"` {}", p.name, p.default, p.doc),
            Param::Number(_) | Param::Flag(_) => format!("`{} = {}` {}", p.name, p.default, p.doc),
        };
        let params: Vec<String> = kind.params.iter().map(param).collect();
        out.push_str(&format!("| `{}` | {} | {} |\n", kind.name, kind.doc, params.join("<br>")));
    }
    out + "\n"
}

fn codes() -> String {
    let line = |code: &Code| format!("| {} | `{}` | {} |\n", code.number(), code.name(), code.doc());
    format!(
        "\n| Code | Name | Meaning |\n|---|---|---|\n{}\n",
        Code::ALL.iter().map(line).collect::<String>()
    )
}

/// The text with the lines between two marks replaced.
fn with_section(text: &str, name: &str, section: &str) -> String {
    let start = text.find(&format!("<!-- {name}:")).expect("the docs have the mark");
    let start = start + text[start..].find('\n').expect("a line follows the mark") + 1;
    let end = text.find(&format!("<!-- end of {name} -->")).expect("the docs have the end mark");
    format!("{}{section}{}", &text[..start], &text[end..])
}

#[test]
#[allow(clippy::disallowed_methods, reason = "who sets the variable asks for the docs to be written")]
fn the_tables_of_the_docs_say_what_the_code_says() {
    let right = with_section(&with_section(DOCS, "faults", &faults()), "codes", &codes());
    if std::env::var_os("DACAPO_DOCS").is_some_and(|value| value == "write") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        std::fs::write(path, &right).expect("the docs can be written");
        return;
    }
    assert!(
        DOCS == right,
        "docs/configuration.md is stale: run DACAPO_DOCS=write cargo test -p dacapo-config"
    );
}

#[test]
fn the_examples_of_the_docs_can_be_read() {
    let examples: Vec<&str> =
        DOCS.split("```hcl\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 8);
    for text in examples {
        let errors = match dacapo_config::is_seed(text) {
            true => parse_seed("example.hcl", text).err(),
            false => parse("example.hcl", text).err(),
        };
        assert!(errors.is_none(), "{}", super::shown(&errors.unwrap()));
    }
}

#[test]
fn the_defaults_of_the_docs_are_the_defaults() {
    let limits = Limits::default();
    let config = parse(
        "a.hcl",
        "service \"a\" {\nmodule = \"a.ts\"\nobjects = [\"A\"]\n}\nqueue \"q\" { consumer = \"a\" }\nscenario \"s\" { workload = \"s.ts\" }",
    )
    .unwrap();
    let (scenario, queue) = (&config.plan.scenarios[0], &config.plan.queues[0]);
    let rows = [
        format!("| `turn_budget` | `{}` |", limits.turn_budget),
        format!("| `memory` | `\"{}MiB\"` |", limits.memory_max >> 20),
        format!("| `request_body` | `\"{}MiB\"` |", limits.request_body_max >> 20),
        format!("| `idle` | `\"{:?}\"` |", config.plan.services[0].objects[0].idle),
        format!("| `batch` | `{}` |", queue.batch),
        format!("| `wait` | `\"{:?}\"` |", queue.wait),
        format!("| `concurrency` | `{}` |", queue.concurrency),
        format!("| `retries` | `{}` |", queue.retries),
        format!("| `retry_delay` | `\"{}s\"` |", queue.retry_delay.as_secs()),
        format!("| `delay` | `\"{}s\"` |", queue.delay.as_secs()),
        format!("| `nodes` | `{}` |", scenario.nodes),
        format!("| `lasts` | `\"{:?}\"` |", scenario.lasts),
        format!("| `settles` | `\"{:?}\"` |", scenario.settles),
        format!("| `seeds` | `{}` |", scenario.seeds),
    ];
    for row in rows {
        assert!(DOCS.contains(&row), "the docs lack {row}");
    }
}

#[test]
fn every_default_of_a_fault_can_be_written_down() {
    for kind in CATALOGUE {
        for param in kind.params {
            let value = match param.default {
                Param::Duration(_) => format!("\"{}\"", param.default),
                Param::Number(_) | Param::Flag(_) => param.default.to_string(),
            };
            let text = format!(
                "service \"a\" {{\n  module = \"a.ts\"\n  next = \"b.ts\"\n  objects = [\"A\"]\n  replicas = 3\n}}\nscenario \"s\" {{\n  workload = \"s.ts\"\n  fault \"{}\" {{ {} = {value} }}\n}}\n",
                kind.name, param.name
            );
            let plan = parse("a.hcl", &text).unwrap_or_else(|e| panic!("{}", super::shown(&e))).plan;
            assert_eq!(plan.scenarios[0].faults[0].params[param.name], param.default);
        }
    }
}
