//! The same modules in npm's workerd and in Dacapo: whatever a guest observes is compared.
//!
//! Queues, KV and workflows are services beside workerd at Cloudflare, and workerd alone has only the bindings of them: their
//! cases run in npm's miniflare, which simulates them on workerd.
//!
//! The cases stand in `xtask/oracle`, and so does the list of differences that have a reason.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::process;
use crate::project::{self, Project};

/// The groups of cases that workerd alone cannot run.
const SIMULATED: [&str; 3] = ["kv", "queues", "workflows"];

/// Runs every case whose name contains `filter` in both; `false` if something differs without a reason.
pub(crate) fn run(project: &Project, filter: &str) -> Result<bool, String> {
    let home = project.root.join("xtask/oracle");
    let has_all = home.join("node_modules/miniflare").is_dir();
    let workerd = workerd(&home).ok().filter(|_| has_all).map_or_else(|| install(&home), Ok)?;
    if !project::build_dacapo(project)? {
        return Ok(false);
    }
    let mut excused = differences(&home.join("differences.txt"))?;
    let data = project.target().join("oracle");
    let _ = fs::remove_dir_all(&data);
    let ours = Server::start(
        "dacapo",
        &home,
        &data,
        |command, port, data| {
            command.args(["serve", ".", "--host", "127.0.0.1", "--listen"]);
            command.arg(format!("127.0.0.1:{port}")).arg("--data").arg(data);
        },
        &project.dacapo(),
    )?;
    let theirs = Server::start(
        "workerd",
        &home,
        &data,
        |command, port, data| {
            command.args(["serve", "workerd.capnp"]).arg(format!("--socket-addr=http=127.0.0.1:{port}"));
            command.arg(format!("--directory-path=data={}", data.display()));
        },
        &workerd,
    )?;

    let simulated = Server::start(
        "miniflare",
        &home,
        &data,
        |command, port, _| {
            command.arg("miniflare.mjs").arg(port.to_string());
        },
        Path::new("node"),
    )?;

    let names = theirs.get("")?;
    let (mut same, mut known, mut wrong) = (0, 0, 0);
    for name in names.lines().filter(|name| name.contains(filter)) {
        let path = path_of(name);
        let is_simulated = SIMULATED.iter().any(|group| name.split('/').next() == Some(group));
        let theirs = if is_simulated { &simulated } else { &theirs };
        let (one, two) = (ours.get(&path)?, theirs.get(&path)?);
        match (one == two, excused.remove(name)) {
            (true, None) => same += 1,
            (false, Some(reason)) => {
                known += 1;
                println!("differs   {name}: {reason}");
            }
            (true, Some(_)) => {
                wrong += 1;
                println!("AGREES    {name}: strike it from xtask/oracle/differences.txt");
            }
            (false, None) => {
                wrong += 1;
                println!("DIFFERS   {name}");
                print_difference(&one, &two);
            }
        }
    }
    if filter.is_empty() {
        for name in excused.keys() {
            wrong += 1;
            println!("UNKNOWN   {name}: xtask/oracle/differences.txt names a case that is not there");
        }
    }
    println!("oracle: {same} cases agree, {known} differ for a reason, {wrong} to mend");
    Ok(wrong == 0)
}

/// The cases that may differ, with their reasons.
fn differences(file: &Path) -> Result<BTreeMap<String, String>, String> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &str| line.split_once(": ").map(|(name, why)| (name.to_owned(), why.to_owned()));
    lines
        .map(|line| split(line).ok_or_else(|| format!("{}: no reason in {line:?}", file.display())))
        .collect()
}

/// The names of cases are words for people; a URL wants some letters otherwise.
fn path_of(name: &str) -> String {
    let keeps = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    name.bytes().map(|b| if keeps(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The lines that only one of them has.
fn print_difference(ours: &str, theirs: &str) {
    let lines = ours.lines().count().max(theirs.lines().count());
    let line = |text: &str, at| text.lines().nth(at).map(str::to_owned);
    for at in 0..lines {
        let (one, two) = (line(ours, at), line(theirs, at));
        if one != two {
            println!("  dacapo   {}", one.as_deref().unwrap_or("(nothing)"));
            println!("  workerd  {}", two.as_deref().unwrap_or("(nothing)"));
        }
    }
}

/// Installs the workerd that `package.json` names. (Without a lock file: npm writes into it what it finds for its own
/// kind of machine, and refuses it on another.)
fn install(home: &Path) -> Result<PathBuf, String> {
    println!("setup: npm install in xtask/oracle");
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(home);
    match process::asks(&mut npm)? {
        (true, _) => workerd(home),
        (false, said) => Err(format!(
            "npm install failed in xtask/oracle; can this machine reach its npm registry?\n{said}"
        )),
    }
}

/// The program itself and not npm's script for it, which would outlive its end.
fn workerd(home: &Path) -> Result<PathBuf, String> {
    let packages = home.join("node_modules/@cloudflare");
    let entries = fs::read_dir(&packages).into_iter().flatten().flatten();
    let mut programs = entries.map(|entry| entry.path().join("bin/workerd")).filter(|path| path.is_file());
    programs.next().ok_or_else(|| format!("npm has no workerd for this machine in {}", packages.display()))
}

/// A server that ends with its value.
struct Server {
    name: &'static str,
    child: Child,
    port: u16,
}

impl Server {
    fn start(
        name: &'static str,
        home: &Path,
        data: &Path,
        arguments: impl Fn(&mut Command, u16, &Path),
        program: &Path,
    ) -> Result<Server, String> {
        let data = data.join(name);
        fs::create_dir_all(&data).map_err(|error| format!("cannot make {}: {error}", data.display()))?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| format!("this machine has no free port: {error}"))?.port();
        let mut command = Command::new(program);
        arguments(&mut command, port, &data);
        command.current_dir(home).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| process::cannot_start(&command, &error))?;
        Ok(Server { name, child, port })
    }

    fn get(&self, path: &str) -> Result<String, String> {
        let url = format!("http://127.0.0.1:{}/{path}", self.port);
        let mut curl = Command::new("curl");
        // A server that has just been started may not listen yet.
        curl.args([
            "--silent",
            "--show-error",
            "--max-time",
            "30",
            "--retry",
            "5",
            "--retry-connrefused",
            &url,
        ]);
        match process::asks(&mut curl)? {
            (true, text) => Ok(text),
            (false, _) => Err(format!("{} does not answer {url}", self.name)),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Miniflare has a program of its own to end, and does, soon after its input has ended.
        drop(self.child.stdin.take());
        if self.name == "miniflare" {
            let _ = self.child.wait();
            return;
        }
        // One that is gone already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_path() {
        assert_eq!(path_of("web/the order of tasks"), "web/the%20order%20of%20tasks");
    }

    #[test]
    fn every_known_difference_has_a_reason() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/differences.txt");
        assert!(differences(&file).unwrap().values().all(|reason| reason.len() > 20));
    }
}
