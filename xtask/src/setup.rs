//! What a build needs and cargo does not bring. Running it twice does nothing twice.

use std::fs;
use std::path::Path;

use crate::npm;
use crate::project::{Engines, Project};
use crate::v8_library::{self, Source};

/// Beside the project, on machines that cannot reach the release page.
const MIRROR: &str = "../shared/v8";

/// Fills `.v8/` where a mirror lies beside the project, and installs the npm packages of the examples.
pub(crate) fn run(project: &Project) -> Result<(), String> {
    if project.engines == Engines::WithoutJs {
        println!("setup: nothing to do without JavaScript");
        return Ok(());
    }
    let mirror = project.root.join(MIRROR);
    let copied = if mirror.join("SHA256SUMS").is_file() {
        let version = v8_library::pinned_version(&project.root)?;
        copy_library(&mirror, &v8_library::folder(&project.root), &version, &v8_library::files(project)?)?
    } else {
        0
    };
    match v8_library::source(project)? {
        Source::Here(_) if copied > 0 => println!("setup: copied the V8 library into .v8/"),
        Source::Here(_) => println!("setup: the V8 library is in .v8/"),
        Source::Environment(name) => println!("setup: {name} says where the V8 library comes from"),
        Source::Release => println!("setup: the `v8` crate will download its library by itself"),
    }
    npm::install(project)
}

/// Makes sure that the engine's library can be had, before a long build finds out that it cannot.
pub(crate) fn check_engine(project: &Project) -> Result<(), String> {
    if project.engines == Engines::WithoutJs {
        return Ok(());
    }
    match v8_library::source(project)? {
        Source::Here(_) | Source::Environment("V8_FROM_SOURCE") => Ok(()),
        Source::Release | Source::Environment(_) => v8_library::fetch(project),
    }
}

/// Copies what is missing or differs, and checks it; how many files were copied.
fn copy_library(mirror: &Path, folder: &Path, version: &str, wanted: &[String]) -> Result<usize, String> {
    if let Some(offered) = v8_library::version_of_mirror(mirror).filter(|offered| offered != version) {
        return Err(format!(
            "{MIRROR} holds the library of v8 {offered}, and Cargo.toml pins v8 {version}: \
             pin `v8 = \"={offered}\"`, or put the library of {version} there"
        ));
    }
    let sums = v8_library::sums(mirror)?;
    if !wanted.iter().all(|file| sums.iter().any(|(name, _)| name == file)) {
        // A mirror for another kind of machine is of no use here, and no reason to stop.
        return Ok(0);
    }
    // In a folder named by the version, so that another version of the crate never takes this library.
    let folder = folder.join(format!("v{version}"));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let mut copied = 0;
    for (name, sum) in &sums {
        let (from, to) = (mirror.join(name), folder.join(name));
        if v8_library::matches(&to, sum)? {
            continue;
        }
        if !v8_library::matches(&from, sum)? {
            return Err(format!(
                "{} does not have the SHA-256 that SHA256SUMS beside it says: copy it again",
                from.display()
            ));
        }
        // Written beside and then renamed: an interrupted copy is never taken for the library.
        let part = folder.join(format!("{name}.part"));
        fs::read(&from)
            .and_then(|bytes| fs::write(&part, bytes))
            .and_then(|()| fs::rename(&part, &to))
            .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))?;
        copied += 1;
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn mirror(content: &str) -> tempfile::TempDir {
        let mirror = tempfile::tempdir().unwrap();
        fs::write(mirror.path().join("lib.gz"), content).unwrap();
        fs::write(mirror.path().join("SHA256SUMS"), format!("{ABC}  lib.gz\n")).unwrap();
        fs::write(mirror.path().join("README.md"), "the crate `v8` 1.2.3 (V8 4.5)").unwrap();
        mirror
    }

    #[test]
    fn a_library_is_copied_once_and_mended_when_it_was_damaged() {
        let (mirror, home) = (mirror("abc"), tempfile::tempdir().unwrap());
        let copy = || copy_library(mirror.path(), home.path(), "1.2.3", &["lib.gz".to_owned()]);
        assert_eq!(copy(), Ok(1));
        assert_eq!(copy(), Ok(0));
        fs::write(home.path().join("v1.2.3/lib.gz"), "damaged").unwrap();
        assert_eq!(copy(), Ok(1));
        assert_eq!(fs::read_to_string(home.path().join("v1.2.3/lib.gz")).unwrap(), "abc");
    }

    #[test]
    fn a_damaged_mirror_and_one_of_another_version_are_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let refused =
            copy_library(mirror("abd").path(), home.path(), "1.2.3", &["lib.gz".to_owned()]).unwrap_err();
        assert!(refused.contains("does not have the SHA-256"), "{refused}");
        let refused =
            copy_library(mirror("abc").path(), home.path(), "2.0.0", &["lib.gz".to_owned()]).unwrap_err();
        assert!(refused.contains("holds the library of v8 1.2.3, and Cargo.toml pins v8 2.0.0"), "{refused}");
    }

    #[test]
    fn a_mirror_for_another_kind_of_machine_is_passed_over() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(copy_library(mirror("abc").path(), home.path(), "1.2.3", &["other.gz".to_owned()]), Ok(0));
    }
}
