//! The V8 library: what the `v8` crate will look for, and whether it will find it.
//!
//! The crate downloads its library while it is built. A machine that cannot reach the release page
//! keeps the files in `.v8/`, which `.cargo/config.toml` names as a mirror.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::process;
use crate::project::Project;

/// What the crate's build script says when every source has failed.
const FETCH_FAILED: &str = "Failed to fetch the V8 prebuilt artifact";

/// Where the library will come from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Both files are in this folder of the mirror.
    Here(PathBuf),
    /// The environment names a source of its own.
    Environment(&'static str),
    /// The crate will have to download it.
    Release,
}

/// The version of the `v8` crate that the workspace pins.
pub(crate) fn pinned_version(root: &Path) -> Result<String, String> {
    let manifest = read(&root.join("Cargo.toml"))?;
    version_in(&manifest).ok_or_else(|| "Cargo.toml does not pin `v8 = \"=…\"`".to_owned())
}

fn version_in(manifest: &str) -> Option<String> {
    let line = manifest.lines().find(|line| line.split('=').next().is_some_and(|key| key.trim() == "v8"))?;
    let (_, rest) = line.split_once("\"=")?;
    rest.split_once('"').map(|(version, _)| version.to_owned())
}

/// The folder that the build reads before it asks the release page.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join(".v8")
}

/// The files that the crate's build wants on this machine: the library, and its generated binding.
pub(crate) fn files(project: &Project) -> Result<[String; 2], String> {
    let (ok, said) = process::asks(project.command("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).filter(|_| ok);
    let host = host.ok_or_else(|| format!("`rustc -vV` does not name the host: {said}"))?;
    let library = if host.contains("windows") {
        format!("rusty_v8_release_{host}.lib.gz")
    } else {
        format!("librusty_v8_release_{host}.a.gz")
    };
    Ok([library, format!("src_binding_release_{host}.rs")])
}

/// Finds out where a build would take the library from, without starting one.
pub(crate) fn source(project: &Project) -> Result<Source, String> {
    for name in ["V8_FROM_SOURCE", "RUSTY_V8_ARCHIVE"] {
        if std::env::var_os(name).is_some_and(|value| !value.is_empty()) {
            return Ok(Source::Environment(name));
        }
    }
    let ours = folder(&project.root);
    let mirror = std::env::var_os("RUSTY_V8_MIRROR").map_or(ours.clone(), PathBuf::from);
    // Cargo sets the variable to our folder; another value is the user's own.
    if mirror != ours && fs::canonicalize(&mirror).ok() != fs::canonicalize(&ours).ok() {
        return Ok(Source::Environment("RUSTY_V8_MIRROR"));
    }
    let (version, files) = (pinned_version(&project.root)?, files(project)?);
    let places = [ours.join(format!("v{version}")), ours];
    let complete = places.into_iter().find(|place| files.iter().all(|file| place.join(file).is_file()));
    Ok(complete.map_or(Source::Release, Source::Here))
}

/// Lets the crate fetch its library, and says in one sentence what to do where it cannot.
pub(crate) fn fetch(project: &Project) -> Result<(), String> {
    println!("setup: building the `v8` crate, which fetches its library (a minute or two the first time)");
    let (ok, said) = process::asks(&mut project.cargo(&["check", "--quiet", "--package", "v8"]))?;
    if ok {
        return Ok(());
    }
    if said.contains(FETCH_FAILED) {
        let (version, [library, binding]) = (pinned_version(&project.root)?, files(project)?);
        return Err(format!(
            "the V8 library is missing and could not be fetched: put {library} and {binding} of rusty_v8 {version} \
             into .v8/v{version}/, or name a folder that holds them in RUSTY_V8_ARCHIVE, or pass --no-js to do \
             without JavaScript"
        ));
    }
    Err(format!("the `v8` crate does not build:\n{said}"))
}

/// The files of a mirror with their SHA-256, from its `SHA256SUMS`.
pub(crate) fn sums(mirror: &Path) -> Result<Vec<(String, String)>, String> {
    let path = mirror.join("SHA256SUMS");
    let text = read(&path)?;
    let sums: Vec<_> = text.lines().filter_map(sum).collect();
    if sums.is_empty() { Err(format!("{} lists no file", path.display())) } else { Ok(sums) }
}

/// One line as `sha256sum` writes it; a name that is a path could lead out of the folder and is left out.
fn sum(line: &str) -> Option<(String, String)> {
    let (sum, name) = line.split_once(char::is_whitespace)?;
    let name = name.trim_start().trim_start_matches('*');
    let plain = !name.is_empty() && !name.contains(['/', '\\']);
    (plain && sum.len() == 64).then(|| (name.to_owned(), sum.to_lowercase()))
}

/// Whether the file is there with that content.
pub(crate) fn matches(path: &Path, sum: &str) -> Result<bool, String> {
    if !path.is_file() {
        return Ok(false);
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(found == sum)
}

/// The version of the crate that a mirror's page says its library belongs to, where it says one.
pub(crate) fn version_of_mirror(mirror: &Path) -> Option<String> {
    let page = fs::read_to_string(mirror.join("README.md")).ok()?;
    let (_, rest) = page.split_once("`v8` ")?;
    let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let version = version.trim_end_matches('.');
    (version.split('.').count() == 3).then(|| version.to_owned())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_read_from_the_manifest() {
        assert_eq!(version_in("url = \"2\"\nv8 = \"=152.2.0\"\n").as_deref(), Some("152.2.0"));
        assert_eq!(version_in("v8 = \"152\"\n"), None);
        assert!(pinned_version(&crate::root()).is_ok());
    }

    #[test]
    fn a_sum_is_compared_with_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let sum_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(matches(&path, sum_of_abc), Ok(false));
        fs::write(&path, "abc").unwrap();
        assert_eq!(matches(&path, sum_of_abc), Ok(true));
        fs::write(&path, "abd").unwrap();
        assert_eq!(matches(&path, sum_of_abc), Ok(false));
    }

    #[test]
    fn a_list_of_sums_cannot_lead_out_of_the_mirror() {
        let digits = "0".repeat(64);
        assert_eq!(sum(&format!("{digits}  a.gz")), Some(("a.gz".to_owned(), digits.clone())));
        assert_eq!(sum(&format!("{digits} *a.gz")), Some(("a.gz".to_owned(), digits.clone())));
        assert_eq!(sum(&format!("{digits}  ../a.gz")), None);
        assert_eq!(sum("short  a.gz"), None);
    }
}
