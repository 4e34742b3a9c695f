//! `dacapo trace`: a recording, printed.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use dacapo_core::{ExchangeId, Time};
use dacapo_trace::print::{self, Filter, Printer, json_ending, json_identity};
use dacapo_trace::{Causes, Reader, Record, Trace};
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::explain;
use crate::output::{FAINT, STRONG, colored, create_private};

/// Print a recording: one line for each event, effect and fault.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// Only what happens on this node; may be given more than once
    #[arg(long)]
    node: Vec<String>,
    /// Only what happens to this service; may be given more than once
    #[arg(long)]
    service: Vec<String>,
    /// Only from this virtual second on
    #[arg(long, value_name = "SECONDS")]
    from: Option<f64>,
    /// Only up to this virtual second
    #[arg(long, value_name = "SECONDS")]
    to: Option<f64>,
    /// Only lines with this text
    #[arg(long)]
    text: Option<String>,
    /// Only what one request caused, as a tree: `x17`
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// A sequence diagram of what led to the failure
    #[arg(long, conflicts_with_all = ["request", "json", "node", "service", "from", "to", "text"])]
    diagram: bool,
    /// The diagram as a page of HTML, written to this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "json", "node", "service", "from", "to", "text"])]
    html: Option<PathBuf>,
    /// The whole run in the diagram, and not only what can have led to the failure
    #[arg(long)]
    all: bool,
    /// How many columns the diagram has
    #[arg(long, default_value_t = explain::WIDTH, value_name = "COLUMNS")]
    width: usize,
    /// Where the source is that the diagram quotes [default: the folder that the recording names]
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// JSON lines, for programs
    #[arg(long)]
    json: bool,
}

fn time(seconds: f64) -> Time {
    Time((seconds.max(0.0) * 1e9) as u64)
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let filter = Filter {
        nodes: args.node.clone(),
        services: args.service.clone(),
        from: args.from.map(time),
        until: args.to.map(time),
        text: args.text.clone(),
        ..Filter::default()
    };
    let file = File::open(&args.file)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot open the recording {}", args.file.display()))?;
    let reader = Reader::open(BufReader::new(file)).map_err(|e| miette!("{}: {e}", args.file.display()))?;
    if args.diagram || args.html.is_some() {
        return draw(args, reader);
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    let written = match &args.request {
        Some(id) => print_chain(reader, id, &mut out)?,
        None => print_all(reader, filter, args.json, &mut out)?,
    };
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => other.into_diagnostic().map(|()| ExitCode::SUCCESS),
    }
}

type Input = Reader<BufReader<File>>;

fn draw(args: &Args, mut reader: Input) -> miette::Result<ExitCode> {
    let records = reader.by_ref().collect::<Result<Vec<Record>, _>>().map_err(|e| miette!("{e}"))?;
    let (identity, ending) = reader.into_parts();
    let ending = ending.ok_or_else(|| miette!("{} has no end", args.file.display()))?;
    let trace = Trace { identity, records, ending };
    let options = explain::Explain { width: args.width, is_all: args.all, project: args.project.as_deref() };
    if let Some(path) = &args.html {
        let mut file = create_private(path).wrap_err_with(|| format!("cannot write {}", path.display()))?;
        let repeat = format!("dacapo replay {}", args.file.display());
        let extra = explain::Extra { repeat: &repeat, ..explain::Extra::default() };
        let page = explain::page(&trace, &options, &extra);
        file.write_all(page.as_bytes()).into_diagnostic()?;
        anstream::println!("{STRONG}written{STRONG:#} {}", path.display());
    }
    if args.diagram {
        let mut out = BufWriter::new(anstream::stdout().lock());
        for line in explain::text(&trace, &options) {
            match writeln!(out, "{}", colored(&line)) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                other => other.into_diagnostic()?,
            }
        }
        out.flush().into_diagnostic()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_all(
    mut reader: Input,
    filter: Filter,
    json: bool,
    out: &mut impl Write,
) -> miette::Result<std::io::Result<()>> {
    let identity = reader.identity().clone();
    let mut printer = Printer::new(&identity, filter);
    if json && let Err(error) = writeln!(out, "{}", json_identity(&identity)) {
        return Ok(Err(error));
    }
    for record in reader.by_ref() {
        // What stands before a damaged place was good, and has been printed.
        let record = record.map_err(|e| miette!("{e}"))?;
        let line = if json {
            printer.json(&record).map(|value| value.to_string())
        } else {
            printer.line(&record).map(|line| colored(&line))
        };
        if let Some(line) = line
            && let Err(error) = writeln!(out, "{line}")
        {
            return Ok(Err(error));
        }
    }
    let Some(ending) = reader.ending() else { return Ok(Ok(())) };
    let last = if json { json_ending(ending).to_string() } else { format!("{FAINT}{ending}{FAINT:#}") };
    Ok(writeln!(out, "{last}").and_then(|()| out.flush()))
}

fn print_chain(mut reader: Input, id: &str, out: &mut impl Write) -> miette::Result<std::io::Result<()>> {
    let number = id.trim_start_matches('x').parse();
    let number = number.map_err(|_| miette!("{id} is no request: they are called x1, x2, ..."))?;
    let identity = reader.identity().clone();
    let records: Vec<Record> = reader.by_ref().collect::<Result<_, _>>().map_err(|e| miette!("{e}"))?;
    let lines = print::chain(&identity, &records, &Causes::of(&records), ExchangeId(number));
    if lines.is_empty() {
        return Err(miette!("this recording has no request {id}"));
    }
    for line in lines {
        if let Err(error) = writeln!(out, "{}", colored(&line)) {
            return Ok(Err(error));
        }
    }
    Ok(out.flush())
}
