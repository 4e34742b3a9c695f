//! Writes the histories of `checkers.rs` into files, and judges one of them: for `checkers/run.sh`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use dacapo_benches::histories::{Shape, registers};
use dacapo_check::linear::models::Register;
use dacapo_check::{History, Limits, Verdict, linearizable};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("write"), Some(folder)) => write(Path::new(&folder)),
        (Some("judge"), Some(file)) => judge(Path::new(&file)),
        _ => Err("say `write FOLDER` or `judge FILE`".into()),
    }
}

fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (keys, clients, unknown) in
        [(1000, 50, 0), (1000, 50, 5), (10, 10, 0), (10, 50, 0), (10, 50, 5), (1, 10, 0), (1, 50, 0)]
    {
        let shape = Shape { operations: 100_000, keys, clients, unknown };
        fs::write(folder.join(shape.name()).with_extension("txt"), registers(shape).to_string())?;
    }
    Ok(())
}

fn judge(file: &Path) -> Result<(), Box<dyn Error>> {
    let history: History = fs::read_to_string(file)?.parse()?;
    let begin = Instant::now();
    let verdict = match linearizable(&history, &Register::default(), &Limits::default())? {
        Verdict::Holds => "Ok",
        Verdict::Broken(_) => "Illegal",
        Verdict::Unknown(_) => "Unknown",
    };
    let taken = begin.elapsed();
    println!("{verdict} in {:.3} s", taken.as_secs_f64());
    Ok(())
}
