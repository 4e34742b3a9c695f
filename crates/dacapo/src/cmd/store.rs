//! `dacapo store`: look after what durable objects have stored.

use std::path::PathBuf;
use std::process::ExitCode;

use dacapo_host::FileDisk;
use dacapo_store::Store;
use miette::miette;

use crate::output::{BAD, BROKEN, FAINT, GOOD, STRONG, grouped};

/// Look after what durable objects have stored.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Read everything, and tell what is not as it was written
    Check {
        /// The folder: what `dacapo serve --data` was given
        #[arg(default_value = ".dacapo/data")]
        folder: PathBuf,
        /// Name each object
        #[arg(long)]
        list: bool,
    },
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let Command::Check { folder, list } = &args.command;
    // Opening a folder makes one; whoever mistypes a name shall hear of it instead.
    if !folder.is_dir() {
        return Err(miette!(
            help = "`dacapo serve PROJECT` keeps it in PROJECT/.dacapo/data, or where --data says",
            "{} is not a folder",
            folder.display()
        ));
    }
    let disk = FileDisk::open(folder).map_err(|e| miette!("{}: {e}", folder.display()))?;
    let (mut store, _) = Store::open(Box::new(disk)).map_err(|e| miette!("{}: {e}", folder.display()))?;
    let damages = store.check().map_err(|e| miette!("{}: {e}", folder.display()))?;
    let keys: Vec<_> = store.keys().cloned().collect();
    let mut unreadable = 0;
    for key in &keys {
        let (mark, style, text) = match store.load(key) {
            Ok(image) => {
                let bytes = image.map_or(0, |image| image.bytes.len() as u64);
                ("ok", FAINT, format!("{} bytes", grouped(bytes)))
            }
            Err(error) => {
                unreadable += 1;
                ("BAD", BAD, error.to_string())
            }
        };
        if *list || mark == "BAD" {
            anstream::println!("{style}{mark:3}{style:#} {}/{} {text}", key.namespace, key.id);
        }
    }
    for damage in &damages {
        anstream::println!("{BAD}damage{BAD:#} {damage}");
    }
    let count = grouped(keys.len() as u64);
    if damages.is_empty() && unreadable == 0 {
        anstream::println!("{GOOD}ok{GOOD:#} {}: {count} objects", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    anstream::println!(
        "{BAD}DAMAGED{BAD:#} {}: {count} objects, {unreadable} of them cannot be read\n{STRONG}note{STRONG:#}: the \
         others can be used; bring back {} from a copy to have all",
        folder.display(),
        folder.display()
    );
    Ok(BROKEN.into())
}
