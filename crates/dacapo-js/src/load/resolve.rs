//! Which file a specifier means: relative paths, packages in `node_modules` with `exports` and
//! `imports`, and the built-in modules.

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use dacapo_core::{FileKind, Files, LoadError};
use oxc_resolver::{FileMetadata, FileSystem, ResolveError, ResolveOptions, ResolverGeneric};

use super::transform::Unresolved;

/// Where the project lies for the resolver, which thinks in absolute paths. So deep that a path
/// may leave the project and still has a name.
const ROOT: &str = "/16/15/14/13/12/11/10/9/8/7/6/5/4/3/2/1";

/// The conditions of package `exports`, as bundlers for Workers set them.
const CONDITIONS: [&str; 5] = ["workerd", "worker", "browser", "import", "default"];

/// Extensions that may be left out, in their order.
const EXTENSIONS: [&str; 7] = [".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx", ".json"];

/// What a specifier means.
pub(super) enum Target {
    /// A file, by its path relative to the project.
    File(String),
    /// A module of the platform.
    Builtin(String),
}

pub(super) struct Resolver<'a> {
    resolver: ResolverGeneric<ProjectFiles>,
    files: &'a dyn Files,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Resolver<'a> {
        let alias = |from: &str, to: &[&str]| (from.to_owned(), to.iter().map(|&to| to.to_owned()).collect());
        let options = ResolveOptions {
            cwd: Some(PathBuf::from(ROOT)),
            condition_names: CONDITIONS.map(str::to_owned).to_vec(),
            extensions: EXTENSIONS.map(str::to_owned).to_vec(),
            // TypeScript has its authors write the name of the output.
            extension_alias: vec![
                alias(".js", &[".js", ".ts", ".tsx"]),
                alias(".mjs", &[".mjs", ".mts"]),
                alias(".jsx", &[".jsx", ".tsx"]),
            ],
            main_fields: vec!["module".to_owned(), "main".to_owned()],
            node_path: false,
            ..ResolveOptions::default()
        };
        Resolver { resolver: ResolverGeneric::new_with_file_system(ProjectFiles, options), files }
    }

    /// The entry module.
    pub(super) fn entry(&self, path: &str) -> Result<String, LoadError> {
        let path = project_path(&absolute(path)).unwrap_or_else(|| path.to_owned());
        match self.files.kind(&path) {
            Some(FileKind::File) => Ok(path),
            found => {
                let what = if found.is_some() { "is a folder" } else { "does not exist" };
                let help = "check the path of the module in the configuration; it is relative to the project";
                Err(LoadError {
                    message: format!("the module {path} {what}"),
                    location: None,
                    source_text: None,
                    help: Some(help.to_owned()),
                })
            }
        }
    }

    /// What `specifier` means in the file at `from`.
    pub(super) fn resolve(&self, from: &str, specifier: &str) -> Result<Target, Unresolved> {
        if specifier.starts_with("dacapo:") || specifier.starts_with("cloudflare:") {
            return Ok(Target::Builtin(specifier.to_owned()));
        }
        if specifier.starts_with("node:") {
            return Err(Unresolved {
                message: format!("there is no module {specifier}"),
                help: "Dacapo has the web platform, not the modules of Node.js; use a package that runs on Workers"
                    .to_owned(),
            });
        }
        let _files = Shared::share(self.files);
        let from = absolute(from);
        let folder = from.parent().unwrap_or(Path::new(ROOT));
        let resolved =
            self.resolver.resolve(folder, specifier).map_err(|error| unresolved(specifier, &error))?;
        match project_path(resolved.path()) {
            Some(path) => Ok(Target::File(path)),
            None => Err(Unresolved {
                message: format!("{specifier:?} leads out of the file system"),
                help: "check the number of `..` in the path".to_owned(),
            }),
        }
    }
}

/// No built-in module has this name.
pub(super) fn no_builtin(name: &str) -> Unresolved {
    Unresolved {
        message: format!("there is no built-in module {name:?}"),
        help: "the built-in modules are: dacapo:sim, dacapo:workers (also as cloudflare:workers)".to_owned(),
    }
}

fn unresolved(specifier: &str, error: &ResolveError) -> Unresolved {
    let is_relative = specifier.starts_with(['.', '/']);
    let help = match error {
        ResolveError::NotFound(_) if is_relative => {
            "check the path; it is relative to the importing file".to_owned()
        }
        ResolveError::NotFound(_) => {
            let mut parts = specifier.splitn(3, '/');
            let first = parts.next().unwrap_or_default();
            let package = match parts.next() {
                Some(second) if first.starts_with('@') => format!("{first}/{second}"),
                _ => first.to_owned(),
            };
            format!(
                "install the package, for example with `npm install {package}`, or write ./ before a file's name"
            )
        }
        _ => "check the `exports` and `imports` of the package.json that is named".to_owned(),
    };
    // The resolver names its own made-up root.
    let reason = error.to_string().replace(&format!("{ROOT}/"), "").replace(ROOT, ".");
    Unresolved { message: reason, help }
}

fn absolute(path: &str) -> PathBuf {
    let mut absolute = PathBuf::from(ROOT);
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                absolute.pop();
            }
            part => absolute.push(part),
        }
    }
    absolute
}

/// The path as [`Files`] want it.
fn project_path(path: &Path) -> Option<String> {
    let mut up = String::new();
    let mut root = Path::new(ROOT);
    loop {
        if let Ok(rest) = path.strip_prefix(root) {
            return Some(up + rest.to_str()?);
        }
        root = root.parent()?;
        up.push_str("../");
    }
}

thread_local! {
    static FILES: Cell<Option<*const dyn Files>> = const { Cell::new(None) };
}

/// Lends the files to [`ProjectFiles`], which cannot borrow: the resolver wants a file system that
/// lives for ever and may be sent to other threads.
struct Shared<'a> {
    before: Option<*const dyn Files>,
    _files: PhantomData<&'a dyn Files>,
}

impl<'a> Shared<'a> {
    fn share(files: &'a dyn Files) -> Shared<'a> {
        // SAFETY: only the lifetime is left out; the pointer goes when `Shared` does, within it.
        let files: *const (dyn Files + 'static) = unsafe { std::mem::transmute(std::ptr::from_ref(files)) };
        Shared { before: FILES.replace(Some(files)), _files: PhantomData }
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        FILES.set(self.before);
    }
}

struct ProjectFiles;

fn with_files<R>(path: &Path, f: impl FnOnce(&dyn Files, &str) -> io::Result<R>) -> io::Result<R> {
    let files = FILES.get().ok_or(io::ErrorKind::NotFound)?;
    let path = project_path(path).ok_or(io::ErrorKind::NotFound)?;
    // SAFETY: `Shared` takes the pointer back before the files can go.
    f(unsafe { &*files }, &path)
}

impl FileSystem for ProjectFiles {
    fn new() -> ProjectFiles {
        ProjectFiles
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        with_files(path, |files, path| files.read(path))
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?).map_err(io::Error::other)
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        with_files(path, |files, path| {
            let kind = files.kind(path).ok_or(io::ErrorKind::NotFound)?;
            Ok(FileMetadata::new(kind == FileKind::File, kind == FileKind::Folder, false))
        })
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let metadata = self.metadata(path)?;
        let is_link = with_files(path, |files, path| Ok(files.canonical(path)? != path))?;
        Ok(FileMetadata::new(metadata.is_file(), metadata.is_dir(), is_link))
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        Ok(self.canonicalize(path)?)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        with_files(path, |files, path| Ok(absolute(&files.canonical(path)?)))
    }
}
