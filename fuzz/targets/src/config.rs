//! Any text as a project and as a saved seed: an answer or errors that can be shown, never a
//! panic, never a hang.

use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme};

fn show(errors: &dacapo_config::Errors) {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    let mut out = String::new();
    for error in errors.iter() {
        handler.render_report(&mut out, error).expect("a report can be written");
    }
}

/// Reads the text both ways.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(errors) = dacapo_config::parse("dacapo.hcl", text) {
        show(&errors);
    }
    match dacapo_config::parse_seed("seed.hcl", text) {
        Err(errors) => show(&errors),
        Ok(seed) => {
            let again =
                dacapo_config::parse_seed("seed.hcl", &seed.to_hcl()).expect("what is saved can be read");
            assert_eq!(again, seed);
        }
    }
}

/// Every configuration and every saved seed in the repository.
pub fn seeds(root: &Path) -> Vec<Vec<u8>> {
    crate::files(root, &["sim-scenarios", "examples"], "hcl")
}
