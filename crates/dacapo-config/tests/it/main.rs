//! The promises of the configuration: what is read, and how mistakes are told.

mod docs;
mod laws;
mod mistakes;
mod objects;
mod project;
mod queues;
mod seeds;

use dacapo_config::Errors;
use miette::{GraphicalReportHandler, GraphicalTheme};

/// What a person sees of these errors, without colours.
fn shown(errors: &Errors) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .with_wrap_lines(false);
    let mut out = String::new();
    for error in errors.iter() {
        handler.render_report(&mut out, error).expect("a report can be written");
    }
    out
}

/// What a person sees of the mistakes in this project.
fn mistakes(text: &str) -> String {
    match dacapo_config::parse("dacapo.hcl", text) {
        Ok(config) => format!("no mistake: {:?}", config.plan),
        Err(errors) => shown(&errors),
    }
}

/// One line for each mistake.
fn in_short(text: &str) -> String {
    match dacapo_config::parse("dacapo.hcl", text) {
        Ok(_) => "no mistake".to_owned(),
        Err(errors) => {
            let lines = errors.iter().map(|e| {
                let line = e.place().map_or(0, |(_, at)| text[..at].matches('\n').count() + 1);
                format!("{line}: {} {e}", e.code().number())
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}
