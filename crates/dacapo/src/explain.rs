//! A failing run, explained: its diagram and the source beside it, for the terminal and as a page.

use std::path::{Component, Path, PathBuf};

use dacapo::project::is_project;
use dacapo_trace::diagram::{Diagram, Inevitability, Options, Page};
use dacapo_trace::print::Line;
use dacapo_trace::{Identity, Trace};

/// How many columns a diagram has unless somebody says otherwise.
pub(crate) const WIDTH: usize = 100;
/// How many rows a page has, and how many lanes: there is more room than on a terminal.
const PAGE: Options = Options { rows: Some(100), lanes: 12 };
/// A source file that is longer is not quoted.
const SOURCE_MAX: u64 = 4 << 20;

/// How to explain.
pub(crate) struct Explain<'a> {
    /// How many columns the text has.
    pub(crate) width: usize,
    /// Whether the whole run is shown.
    pub(crate) is_all: bool,
    /// Where the project is now, if not where the recording says.
    pub(crate) project: Option<&'a Path>,
}

impl Default for Explain<'_> {
    fn default() -> Self {
        Explain { width: WIDTH, is_all: false, project: None }
    }
}

/// What the caller knows beside the recording.
#[derive(Default)]
pub(crate) struct Extra<'a> {
    /// The command that repeats the run.
    pub(crate) repeat: &'a str,
    /// How the seed was searched for.
    pub(crate) strategy: &'a str,
    /// The decisions that matter.
    pub(crate) decisions: &'a [String],
    /// How probable the failure was at each moment.
    pub(crate) inevitability: Option<&'a Inevitability>,
}

/// The diagram and the source of the broken check, as lines.
pub(crate) fn text(trace: &Trace, explain: &Explain<'_>) -> Vec<Line> {
    let width = explain.width.clamp(60, 1000);
    let lanes = Diagram::lanes_in(width);
    let options = match explain.is_all {
        true => Options { rows: None, lanes },
        false => Options { lanes, ..Options::default() },
    };
    let diagram = Diagram::of(trace, &options);
    let mut lines = diagram.text(width);
    let sources = Sources::of(&trace.identity, explain.project);
    let source = diagram.source(&|file| sources.read(file));
    if !source.is_empty() {
        lines.push(Line::default());
        lines.extend(source);
    }
    lines
}

/// The page.
pub(crate) fn page(trace: &Trace, explain: &Explain<'_>, extra: &Extra<'_>) -> String {
    let options = if explain.is_all { Options { rows: None, ..PAGE } } else { PAGE };
    let diagram = Diagram::of(trace, &options);
    let sources = Sources::of(&trace.identity, explain.project);
    let page = Page {
        repeat: extra.repeat,
        strategy: extra.strategy,
        decisions: extra.decisions,
        inevitability: extra.inevitability,
        source: Some(&|file| sources.read(file)),
    };
    page.html(&diagram)
}

/// Where the source of the guests is. A recording may come from anybody, so it names a folder and files
/// at most; only files of a project are read, and nothing beyond its folder.
struct Sources {
    folder: Option<PathBuf>,
}

impl Sources {
    fn of(identity: &Identity, project: Option<&Path>) -> Sources {
        let folder = match project {
            Some(project) => Some(project.to_owned()),
            None if identity.project.is_empty() => Some(PathBuf::from(".")),
            None => Some(PathBuf::from(&identity.project)).filter(|folder| is_project(folder)),
        };
        Sources { folder: folder.and_then(|folder| std::fs::canonicalize(folder).ok()) }
    }

    fn read(&self, file: &str) -> Option<String> {
        let folder = self.folder.as_ref()?;
        let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(file).components().all(is_plain) {
            return None;
        }
        // What a link leads to elsewhere is not of the project.
        let path = std::fs::canonicalize(folder.join(file)).ok().filter(|path| path.starts_with(folder))?;
        let is_short = std::fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= SOURCE_MAX);
        is_short.then(|| std::fs::read_to_string(&path).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_project_are_quoted() {
        let temp = tempfile::tempdir().expect("a folder");
        let project = temp.path().join("project");
        std::fs::create_dir(&project).expect("a folder");
        std::fs::write(project.join("a.hcl"), "").expect("a file");
        std::fs::write(project.join("a.ts"), "source").expect("a file");
        std::fs::write(temp.path().join("secret.ts"), "secret").expect("a file");
        #[cfg(unix)]
        std::os::unix::fs::symlink(temp.path().join("secret.ts"), project.join("link.ts")).expect("a link");
        let identity =
            |folder: &Path| Identity { project: folder.display().to_string(), ..Identity::default() };
        let sources = Sources::of(&identity(&project), None);
        assert_eq!(sources.read("a.ts").as_deref(), Some("source"));
        assert_eq!(sources.read("../secret.ts"), None);
        assert_eq!(sources.read("link.ts"), None);
        let absolute = temp.path().join("secret.ts").display().to_string();
        assert_eq!(sources.read(&absolute), None);
        // A folder that is no project is nobody's source, whatever the recording says.
        assert_eq!(Sources::of(&identity(temp.path()), None).read("secret.ts"), None);
    }
}
