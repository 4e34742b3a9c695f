//! From a source file to the code that V8 compiles: types stripped, specifiers resolved, probes
//! put in.

use std::path::Path;

use dacapo_core::{LoadError, Location, Point};
use oxc::allocator::Allocator;
use oxc::ast::ast::{Program, Statement, StringLiteral};
use oxc::ast::builder::AstBuilder;
use oxc::ast_visit::VisitMut as _;
use oxc::codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc::diagnostics::{OxcDiagnostic, Severity};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{TransformOptions, Transformer};

use super::cover::Cover;
use super::position::{self, Positions};
use super::probe::{Probes, RESERVED};

/// Why a specifier means nothing.
pub(super) struct Unresolved {
    pub(super) message: String,
    pub(super) help: String,
}

/// Resolves a specifier; the flag says whether it stands in an `import()`.
pub(super) type Resolve<'r> = &'r mut dyn FnMut(&str, bool) -> Result<String, Unresolved>;

/// What a source file becomes.
pub(super) struct Made {
    /// What V8 compiles.
    pub(super) code: String,
    pub(super) positions: Positions,
    /// The code as it is without notes of coverage, if it has some.
    pub(super) plain: Option<String>,
    /// The points that it notes.
    pub(super) points: Vec<Point>,
}

/// A module in JavaScript or TypeScript. `covers`: it is to note what is reached, the first point with this number.
pub(super) fn script(
    path: &str,
    text: &str,
    covers: Option<usize>,
    resolve: Resolve<'_>,
) -> Result<Made, LoadError> {
    let source_type = SourceType::from_path(path).map_err(|_| LoadError {
        message: format!("{path} is no module: its extension is not known"),
        location: None,
        source_text: None,
        help: Some("import .ts, .tsx, .mts, .js, .mjs, .jsx or .json".to_owned()),
    })?;
    if source_type.is_typescript_definition() {
        let help = "import the module that it describes".to_owned();
        return Err(at(path, text, 0, format!("{path} holds declarations only, and no code"), Some(help)));
    }
    let source_type = source_type.with_module(true);
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type).parse();
    first_error(path, text, parsed.diagnostics.iter())?;
    let mut program = parsed.program;
    let checked = SemanticBuilder::new().with_check_syntax_error(true).with_enum_eval(true).build(&program);
    let semantic_errors = checked.diagnostics;
    let scoping = checked.semantic.into_scoping();
    if !parsed.module_record.has_module_syntax {
        let free = scoping.root_unresolved_references();
        let is_commonjs = ["module", "exports", "require"]
            .iter()
            .any(|name| free.keys().any(|free| free.as_str() == *name));
        if is_commonjs {
            return Err(commonjs(path, text));
        }
    }
    first_error(path, text, semantic_errors.iter())?;
    if source_type.is_typescript() || source_type.is_jsx() {
        let options = TransformOptions::default();
        let made =
            Transformer::new(&allocator, Path::new(path), &options).build_with_scoping(scoping, &mut program);
        first_error(path, text, made.diagnostics.iter())?;
    }
    resolve_imports(path, text, &allocator, &mut program, resolve)?;
    let mut resolve_dynamic =
        |specifier: &str| resolve(specifier, true).unwrap_or_else(|_| specifier.to_owned());
    let mut probes =
        Probes { ast: AstBuilder::new(&allocator), resolve: &mut resolve_dynamic, reserved: None };
    probes.visit_program(&mut program);
    if let Some(span) = probes.reserved {
        let message = format!("names that start with {RESERVED} belong to Dacapo");
        return Err(at(path, text, span.start, message, Some("choose another name".to_owned())));
    }
    let generate = |program: &Program<'_>| {
        let options = CodegenOptions {
            source_map_path: Some(path.into()),
            comments: CommentOptions::disabled(),
            ..CodegenOptions::default()
        };
        let generated = Codegen::new().with_options(options).with_source_text(text).build(program);
        let positions = Positions::of(&generated);
        (generated.code, positions)
    };
    let (code, positions) = generate(&program);
    let Some(first) = covers else { return Ok(Made { code, positions, plain: None, points: Vec::new() }) };
    let mut cover = Cover::new(AstBuilder::new(&allocator), first);
    cover.visit_program(&mut program);
    let (plain, (code, positions)) = (Some(code), generate(&program));
    Ok(Made { code, positions, plain, points: cover.points(path, text) })
}

/// A module in JSON: its value is the default export.
pub(super) fn json(path: &str, text: &str) -> Result<Made, LoadError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        // The message repeats the place.
        let full = error.to_string();
        let what = full.split(" at line ").next().unwrap_or(&full);
        LoadError {
            message: format!("{path} is not JSON: {what}"),
            location: Some(Location {
                file: path.into(),
                line: error.line().max(1) as u32,
                column: error.column().max(1) as u32,
            }),
            source_text: Some(text.into()),
            help: Some("correct the file; JSON has neither comments nor trailing commas".to_owned()),
        }
    })?;
    drop(value);
    let literal = serde_json::Value::from(text).to_string();
    let code = format!("export default JSON.parse({literal});\n");
    Ok(Made { code, positions: Positions::default(), plain: None, points: Vec::new() })
}

fn resolve_imports<'a>(
    path: &str,
    text: &str,
    allocator: &'a Allocator,
    program: &mut Program<'a>,
    resolve: Resolve<'_>,
) -> Result<(), LoadError> {
    for statement in &mut program.body {
        // The extension says what a module is; V8 need not be told by attributes.
        let source = match statement {
            Statement::ImportDeclaration(import) => {
                import.with_clause = None;
                &mut import.source
            }
            Statement::ExportAllDeclaration(export) => {
                export.with_clause = None;
                &mut export.source
            }
            Statement::ExportFromDeclaration(export) => {
                export.with_clause = None;
                &mut export.source
            }
            _ => continue,
        };
        let name = resolve(&source.value, false).map_err(|unresolved| {
            at(path, text, source.span.start, unresolved.message, Some(unresolved.help))
        })?;
        rename(source, &name, allocator);
    }
    Ok(())
}

fn rename<'a>(source: &mut StringLiteral<'a>, name: &str, allocator: &'a Allocator) {
    source.value = oxc::str::Str::from_str_in(name, &AstBuilder::new(allocator));
    source.raw = None;
}

fn commonjs(path: &str, text: &str) -> LoadError {
    let package = path.rsplit_once("node_modules/").map(|(_, rest)| {
        let parts = if rest.starts_with('@') { 2 } else { 1 };
        rest.split('/').take(parts).collect::<Vec<_>>().join("/")
    });
    let (who, help) = match package {
        Some(package) => (
            format!("the package {package} is CommonJS"),
            "use a version or a package that has ES modules, or bundle it, for example with \
             `esbuild --bundle --format=esm`",
        ),
        None => (
            format!("{path} is CommonJS"),
            "write `import` and `export` instead of `require` and `module.exports`",
        ),
    };
    at(path, text, 0, format!("{who}, and Dacapo runs ES modules only"), Some(help.to_owned()))
}

fn first_error<'d>(
    path: &str,
    text: &str,
    diagnostics: impl IntoIterator<Item = &'d OxcDiagnostic>,
) -> Result<(), LoadError> {
    let Some(error) = diagnostics.into_iter().find(|diagnostic| diagnostic.severity == Severity::Error)
    else {
        return Ok(());
    };
    let offset = error.labels.first().map_or(0, |label| label.offset());
    let help = error.help.as_ref().map(ToString::to_string);
    let mut message = error.message.to_string();
    if let Some(label) = error.labels.first().and_then(|label| label.label()) {
        message = format!("{message}: {label}");
    }
    Err(at(path, text, offset, message, help))
}

/// An error at an offset in bytes.
fn at(path: &str, text: &str, offset: u32, message: String, help: Option<String>) -> LoadError {
    let (line, column) = position::of_offset(text, offset as usize);
    LoadError {
        message,
        location: Some(Location { file: path.into(), line, column }),
        source_text: Some(text.into()),
        help,
    }
}
