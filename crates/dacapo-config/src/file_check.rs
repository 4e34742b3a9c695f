//! Whether the modules that a configuration names exist.

use dacapo_core::{FileKind, Files};

use crate::error::Place;
use crate::{Code, Config, Error, Errors};

/// A module that a block names.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    /// Its path, relative to the project.
    pub(crate) path: String,
    /// Where it is named.
    pub(crate) place: Place,
    /// By which block.
    pub(crate) of: String,
}

/// Tells of every module of the configuration that is not a file of the project.
pub fn check_files(config: &Config, files: &dyn Files) -> Result<(), Errors> {
    let errors = config.modules.iter().filter_map(|module| {
        let (message, label) = match files.kind(&module.path) {
            Some(FileKind::File) => return None,
            Some(FileKind::Folder) => ("is a folder", "a folder"),
            None => ("does not exist", "no such file"),
        };
        let message = format!("{}: the module {:?} {message}", module.of, module.path);
        let error = Error::new(Code::NoFile, message).at(&config.sources, &module.place, label);
        Some(error.help(help(module, files)))
    });
    Errors::check(errors.collect())
}

fn help(module: &Module, files: &dyn Files) -> String {
    let base = "Paths are relative to the folder of the configuration.";
    let stem = match module.path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => stem,
        _ => module.path.as_str(),
    };
    let endings = [".ts", ".js", ".mts", ".mjs", "/index.ts", "/index.js"];
    let others = endings.iter().map(|ending| format!("{stem}{ending}"));
    match others.into_iter().find(|path| files.kind(path) == Some(FileKind::File)) {
        Some(path) => format!("Did you mean {path:?}? {base}"),
        None => format!("Create the file, or correct the path. {base}"),
    }
}
