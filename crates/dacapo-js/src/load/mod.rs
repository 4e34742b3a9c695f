//! Loading: from an entry module to a bundle of everything that it imports, checked and linked.
//! None of it runs.

mod builtin;
mod cover;
mod link;
mod position;
mod probe;
mod quote;
mod resolve;
mod transform;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use bytestring::ByteString;
use dacapo_core::{Code, Digest, LoadError, Location, Point, digest_of};

pub(crate) use self::quote::{clone_error, without_probes};

use self::position::Positions;
use self::resolve::{Resolver, Target};
use crate::coverage::Coverage;
use crate::host::isolate::Pool;
use crate::instance::context::Parts;

/// What stands before the path of a project's file in the name of its module.
const SCHEME: &str = "app:///";

/// A program: every module that its entry reaches, by literal specifiers.
pub(crate) struct Bundle {
    /// The entry is the first.
    pub(crate) modules: Vec<Module>,
    by_specifier: BTreeMap<String, usize>,
    pub(crate) digest: Digest,
    /// Of what the project itself has written: a new release of Dacapo does not change it.
    pub(crate) source: Digest,
    /// The parts of the platform library that its modules come from.
    pub(crate) parts: Parts,
    /// What its code notes of itself, if it is to.
    pub(crate) coverage: Option<Coverage>,
}

/// One module.
pub(crate) struct Module {
    /// Its name: `app:///path` or `dacapo:name`.
    pub(crate) specifier: String,
    /// What V8 compiles.
    pub(crate) code: String,
    /// V8's compiled form of it, made at load.
    pub(crate) cache: RefCell<Option<Vec<u8>>>,
    origin: Option<Origin>,
}

/// Where a module comes from.
struct Origin {
    path: ByteString,
    text: ByteString,
    positions: Positions,
}

impl Bundle {
    /// The module with this name.
    pub(crate) fn index_of(&self, specifier: &str) -> Option<usize> {
        self.by_specifier.get(specifier).copied()
    }

    /// The module that a specifier means that was not known at load: a name, or a relative path.
    pub(crate) fn index_from(&self, referrer: &str, specifier: &str) -> Option<usize> {
        self.index_of(specifier).or_else(|| {
            if !specifier.starts_with(['.', '/']) {
                return None;
            }
            let url = url::Url::parse(referrer).and_then(|base| base.join(specifier)).ok()?;
            self.index_of(url.as_str())
        })
    }

    /// The place in the source for a place in the code of the module with this name. Lines and
    /// columns count from 1.
    pub(crate) fn location(&self, specifier: &str, line: u32, column: u32) -> Option<Location> {
        let origin = self.modules[self.index_of(specifier)?].origin.as_ref()?;
        let (line, column) = origin.positions.original(line.saturating_sub(1), column.saturating_sub(1));
        Some(Location { file: origin.path.clone(), line: line + 1, column: column + 1 })
    }

    /// The text of the file at a place.
    fn text_at(&self, location: &Location) -> Option<ByteString> {
        let origins = self.modules.iter().filter_map(|module| module.origin.as_ref());
        origins.into_iter().find(|origin| origin.path == location.file).map(|origin| origin.text.clone())
    }
}

/// Loads a program.
pub(crate) fn load(pool: &Rc<Pool>, code: &Code<'_>) -> Result<Rc<Bundle>, LoadError> {
    let resolver = Resolver::new(code.files);
    let entry = match builtin::is_service(code.entry) {
        true => Target::Builtin(code.entry.to_owned()),
        false => Target::File(resolver.entry(code.entry)?),
    };
    let mut gathered = Gathered { points: pool.covers.then(Vec::new), ..Gathered::default() };
    gathered.want(entry);
    while let Some(target) = gathered.queue.pop_front() {
        let (module, plain) = match &target {
            Target::File(path) => read(code, &resolver, path, &mut gathered)?,
            Target::Builtin(name) => (builtin::module(pool, name), None),
        };
        gathered.modules.push(module);
        gathered.plain.push(plain);
    }
    let Gathered { modules, by_specifier, plain, points, .. } = gathered;
    // The program is the same whether it notes what is reached or not.
    let sources: Vec<_> = modules
        .iter()
        .zip(&plain)
        .map(|(module, plain)| {
            let code = plain.as_ref().unwrap_or(&module.code);
            (&module.specifier, code, module.origin.as_ref().map(|origin| &origin.text))
        })
        .collect();
    let digest = digest_of(&(pool.snapshot.digest, sources));
    let texts: Vec<_> = modules
        .iter()
        .filter_map(|module| Some((&module.specifier, &module.origin.as_ref()?.text)))
        .collect();
    let source = digest_of(&texts);
    let parts = modules.iter().filter_map(|module| builtin::part(&module.specifier)).collect();
    let coverage = points.map(Coverage::new);
    let bundle = Rc::new(Bundle { modules, by_specifier, digest, source, parts, coverage });
    link::link(pool, &bundle)?;
    Ok(bundle)
}

#[derive(Default)]
struct Gathered {
    modules: Vec<Module>,
    by_specifier: BTreeMap<String, usize>,
    queue: VecDeque<Target>,
    /// The code of each module without notes of coverage, if it has some.
    plain: Vec<Option<String>>,
    /// The points of all modules, if they are to be noted.
    points: Option<Vec<Point>>,
}

impl Gathered {
    /// Notes that the program needs a module, and says by which name.
    fn want(&mut self, target: Target) -> String {
        let specifier = match &target {
            Target::File(path) => format!("{SCHEME}{path}"),
            Target::Builtin(name) => name.clone(),
        };
        if !self.by_specifier.contains_key(&specifier) {
            // Modules are read in the order of the queue, and pushed in it.
            self.by_specifier.insert(specifier.clone(), self.by_specifier.len());
            self.queue.push_back(target);
        }
        specifier
    }
}

fn read(
    code: &Code<'_>,
    resolver: &Resolver<'_>,
    path: &str,
    gathered: &mut Gathered,
) -> Result<(Module, Option<String>), LoadError> {
    let bytes = code.files.read(path).map_err(|error| plain(format!("cannot read {path}: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before =
            String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let (line, column) = position::of_offset(&before, before.len());
        LoadError {
            message: format!("{path} is not UTF-8"),
            location: Some(Location { file: path.into(), line, column }),
            source_text: None,
            help: Some("save the file as UTF-8".to_owned()),
        }
    })?;
    let specifier = format!("{SCHEME}{path}");
    let covers = gathered.points.as_ref().map(Vec::len);
    let made = if path.ends_with(".json") {
        transform::json(path, &text)?
    } else {
        let mut resolve = |specifier: &str, is_dynamic: bool| -> Result<String, transform::Unresolved> {
            match resolver.resolve(path, specifier) {
                Ok(Target::Builtin(name)) if !builtin::exists(&name) => {
                    Err(resolve::no_builtin(&name)).or_else(|error| later(is_dynamic, specifier, error))
                }
                Ok(target) => Ok(gathered.want(target)),
                Err(error) => later(is_dynamic, specifier, error),
            }
        };
        transform::script(path, &text, covers, &mut resolve)?
    };
    let transform::Made { code, positions, plain, points } = made;
    if let Some(all) = &mut gathered.points {
        all.extend(points);
    }
    let origin = Origin { path: path.into(), text: text.into(), positions };
    Ok((Module { specifier, code, cache: RefCell::default(), origin: Some(origin) }, plain))
}

/// An `import()` that cannot be resolved fails when it runs, as everywhere.
fn later(
    is_dynamic: bool,
    specifier: &str,
    error: transform::Unresolved,
) -> Result<String, transform::Unresolved> {
    if is_dynamic { Ok(specifier.to_owned()) } else { Err(error) }
}

fn plain(message: String) -> LoadError {
    LoadError { message, location: None, source_text: None, help: None }
}
