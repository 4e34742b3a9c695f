//! Ranges of seeds in a PostgreSQL table, for as many machines as there are.
//!
//! A machine takes a range by a lease, which it renews while it is at work. Once a lease is over its machine is believed
//! dead, and another one takes the range, with what was already found of it. If the machine was only slow, then some
//! attempts are made twice: what comes of an attempt does not depend on who makes it, so nothing else is needed.

use std::collections::BTreeSet;
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, WrapErr, miette};
use postgres::config::{Host, SslMode};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config, NoTls, Transaction};

use super::identity::Identity;
use super::results::Batch;

const SCHEMA: &str = include_str!("queue.sql");
/// Whoever makes the tables holds this lock, since PostgreSQL does not bear two who do at once.
const SCHEMA_LOCK: i64 = 0xdaca_9000;
/// A connection that broke is made again so often, and this long is waited in between.
const TRIES: u32 = 12;
const TRY_EVERY: Duration = Duration::from_secs(5);
/// A lease is renewed after this part of its length.
const RENEWALS: u32 = 4;

/// A server, a database, and how to reach it.
pub(crate) struct Server {
    config: Config,
    roots: Vec<Vec<u8>>,
    client: Client,
}

impl Server {
    /// Connects, and makes the tables if they are not there.
    pub(crate) fn connect(url: &str) -> miette::Result<Server> {
        let (config, roots) = parse(url)?;
        let client = connect(&config, &roots)?;
        let mut server = Server { config, roots, client };
        server.transact(|tables| {
            tables.execute("SELECT pg_advisory_xact_lock($1)", &[&SCHEMA_LOCK])?;
            tables.batch_execute(SCHEMA)
        })?;
        Ok(server)
    }

    /// Does all of this or nothing, on another connection if this one is broken.
    fn transact<T>(
        &mut self,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, postgres::Error>,
    ) -> miette::Result<T> {
        for left in (0..TRIES).rev() {
            let mut attempt = || {
                let mut transaction = self.client.transaction()?;
                let result = work(&mut transaction)?;
                transaction.commit().map(|()| result)
            };
            match attempt() {
                Ok(result) => return Ok(result),
                Err(error) if left == 0 || is_final(&error) => {
                    return Err(refused(&self.config, &error));
                }
                Err(_) => {
                    // Nobody wakes this thread.
                    thread::park_timeout(TRY_EVERY);
                    if let Ok(client) = connect(&self.config, &self.roots) {
                        self.client = client;
                    }
                }
            }
        }
        unreachable!("the last try returns")
    }

    /// All campaigns, the latest one last.
    pub(crate) fn campaigns(&mut self) -> miette::Result<Vec<(String, Identity)>> {
        let rows = self
            .transact(|tables| tables.query("SELECT id, head FROM dacapo_campaigns ORDER BY begun", &[]))?;
        let campaign = |row: &postgres::Row| -> miette::Result<(String, Identity)> {
            let head: String = row.get(1);
            let identity = serde_json::from_str(&head).into_diagnostic();
            Ok((row.get(0), identity.wrap_err("a campaign in the queue is of another version of Dacapo")?))
        };
        rows.iter().map(campaign).collect()
    }

    /// Each batch of a campaign.
    pub(crate) fn batches(&mut self, campaign: &str, tell: &mut dyn FnMut(Batch)) -> miette::Result<()> {
        let select = "SELECT line FROM dacapo_batches WHERE campaign = $1 ORDER BY first, holder, number";
        let read = |error: postgres::Error| refused(&self.config, &error);
        let mut rows = self.client.query_raw(select, [&campaign]).map_err(read)?;
        while let Some(row) = rows.next().map_err(read)? {
            tell(batch_of(row.get(0))?);
        }
        Ok(())
    }

    /// How many ranges a campaign has.
    pub(crate) fn ranges(&mut self, campaign: &str) -> miette::Result<Ranges> {
        let select = "SELECT count(*), count(*) FILTER (WHERE done), \
             count(*) FILTER (WHERE NOT done AND held_until >= now()), \
             count(*) FILTER (WHERE NOT done AND held_until < now()) FROM dacapo_ranges WHERE campaign = $1";
        let row = self.transact(|tables| tables.query_one(select, &[&campaign]))?;
        Ok(Ranges { all: row.get(0), done: row.get(1), held: row.get(2), abandoned: row.get(3) })
    }
}

/// Ranges, counted.
pub(crate) struct Ranges {
    pub(crate) all: i64,
    pub(crate) done: i64,
    pub(crate) held: i64,
    /// Those whose machine is believed dead.
    pub(crate) abandoned: i64,
}

/// What a machine may do next.
pub(crate) enum Claim {
    /// Make these attempts; those of the batches are made already.
    Range(Range<u64>, Vec<Batch>),
    /// Wait: others are at work, and may die.
    Wait,
    /// There is nothing left.
    Over,
}

/// The ranges of one campaign.
pub(crate) struct Queue {
    server: Server,
    campaign: String,
    /// The name of this process among all.
    holder: String,
    lease: Duration,
    renewed: Instant,
    held: BTreeSet<u64>,
    sent: i64,
}

impl Queue {
    /// Takes part in a campaign, and adds these seeds to it in ranges of so many; without seeds, only if there are none.
    pub(crate) fn join(
        url: &str,
        identity: &Identity,
        seeds: &Range<u64>,
        adds: bool,
        size: u64,
        lease: Duration,
    ) -> miette::Result<Queue> {
        let mut server = Server::connect(url)?;
        let campaign = identity.digest().to_string();
        let head = serde_json::to_string(identity).into_diagnostic()?;
        let ranges = ranges(seeds, size)?;
        let holder = server.transact(|tables| {
            tables.execute("INSERT INTO dacapo_campaigns (id, head) VALUES ($1, $2) ON CONFLICT DO NOTHING", &[&campaign, &head])?;
            let any = tables.query_opt("SELECT 1 FROM dacapo_ranges WHERE campaign = $1 LIMIT 1", &[&campaign])?;
            if adds || any.is_none() {
                let (first, past): (Vec<i64>, Vec<i64>) = ranges.iter().copied().unzip();
                // A range that becomes longer is not done any more.
                let insert = "INSERT INTO dacapo_ranges AS old (campaign, first, past) \
                     SELECT $1, * FROM unnest($2::bigint[], $3::bigint[]) ON CONFLICT (campaign, first) DO UPDATE \
                     SET past = greatest(old.past, excluded.past), done = old.done AND old.past >= excluded.past";
                tables.execute(insert, &[&campaign, &first, &past])?;
            }
            let name = "SELECT coalesce(host(inet_client_addr()), 'local') || ' ' || gen_random_uuid()";
            tables.query_one(name, &[]).map(|row| row.get::<_, String>(0))
        })?;
        let renewed = Instant::now();
        Ok(Queue { server, campaign, holder, lease, renewed, held: BTreeSet::new(), sent: 0 })
    }

    /// Takes a range, if there is one that nobody has.
    pub(crate) fn claim(&mut self) -> miette::Result<Claim> {
        let seconds = self.lease.as_secs_f64();
        let (campaign, holder) = (&self.campaign, &self.holder);
        let claimed = self.server.transact(|tables| {
            let update = "UPDATE dacapo_ranges SET holder = $2, held_until = now() + make_interval(secs => $3) \
                 WHERE campaign = $1 AND first = (SELECT first FROM dacapo_ranges WHERE campaign = $1 AND NOT done \
                 AND (held_until IS NULL OR held_until < now()) ORDER BY first LIMIT 1 FOR UPDATE SKIP LOCKED) \
                 RETURNING first, past";
            let Some(range) = tables.query_opt(update, &[campaign, holder, &seconds])? else {
                let left = "SELECT count(*) FROM dacapo_ranges WHERE campaign = $1 AND NOT done";
                let left: i64 = tables.query_one(left, &[campaign])?.get(0);
                return Ok(Err(left));
            };
            let (first, past): (i64, i64) = (range.get(0), range.get(1));
            let known = "SELECT line FROM dacapo_batches WHERE campaign = $1 AND first = $2 ORDER BY holder, number";
            let lines = tables.query(known, &[campaign, &first])?;
            Ok(Ok((first, past, lines.iter().map(|row| row.get(0)).collect::<Vec<String>>())))
        })?;
        Ok(match claimed {
            Ok((first, past, lines)) => {
                let range = first.unsigned_abs()..past.unsigned_abs();
                self.held.insert(range.start);
                let batches: Vec<Batch> =
                    lines.iter().map(|line| batch_of(line)).collect::<Result<_, _>>()?;
                Claim::Range(range, batches)
            }
            Err(0) => Claim::Over,
            Err(_) => Claim::Wait,
        })
    }

    /// Writes what was found of a range.
    pub(crate) fn append(&mut self, first: u64, batch: &Batch) -> miette::Result<()> {
        self.sent += 1;
        let (first, line) = (first as i64, batch.to_line());
        let failed = batch.attempts.iter().filter_map(|it| Some((it.name, it.failure.as_ref()?)));
        let failed: Vec<(String, i64, String, String)> = failed
            .map(|(name, failure)| {
                // PostgreSQL has no zero in texts.
                let plain = |text: &str| text.replace('\0', "\u{fffd}");
                let (signature, text) = (plain(&failure.signature), plain(&failure.text));
                (name.strategy.to_string(), name.number as i64, signature, text)
            })
            .collect();
        let (campaign, holder, sent) = (&self.campaign, &self.holder, &self.sent);
        self.server.transact(|tables| {
            let insert = "INSERT INTO dacapo_batches VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
            tables.execute(insert, &[campaign, &first, holder, sent, &line])?;
            let insert = "INSERT INTO dacapo_failures VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
            for (strategy, number, signature, text) in &failed {
                tables.execute(insert, &[campaign, strategy, number, signature, text])?;
            }
            Ok(())
        })
    }

    /// All attempts of a range are made.
    pub(crate) fn finish(&mut self, range: &Range<u64>) -> miette::Result<()> {
        let (first, past) = (range.start as i64, range.end as i64);
        self.held.remove(&range.start);
        let campaign = &self.campaign;
        // Somebody may have made it longer meanwhile; what is new is then for whoever takes it.
        let update = "UPDATE dacapo_ranges SET done = past <= $3, holder = NULL, held_until = NULL \
             WHERE campaign = $1 AND first = $2";
        self.server.transact(|tables| tables.execute(update, &[campaign, &first, &past])).map(drop)
    }

    /// Gives a sign of life, if it is time for one.
    pub(crate) fn renew(&mut self) -> miette::Result<()> {
        if self.held.is_empty() || self.renewed.elapsed() < self.lease / RENEWALS {
            return Ok(());
        }
        self.renewed = Instant::now();
        let seconds = self.lease.as_secs_f64();
        let (campaign, holder) = (&self.campaign, &self.holder);
        let update = "UPDATE dacapo_ranges SET held_until = now() + make_interval(secs => $3) \
             WHERE campaign = $1 AND holder = $2 AND NOT done";
        self.server.transact(|tables| tables.execute(update, &[campaign, holder, &seconds])).map(drop)
    }

    /// Gives back what it holds, so that nobody has to wait for its lease to end.
    pub(crate) fn leave(&mut self) -> miette::Result<()> {
        let (campaign, holder) = (&self.campaign, &self.holder);
        if std::mem::take(&mut self.held).is_empty() {
            return Ok(());
        }
        let update = "UPDATE dacapo_ranges SET holder = NULL, held_until = NULL \
             WHERE campaign = $1 AND holder = $2 AND NOT done";
        self.server.transact(|tables| tables.execute(update, &[campaign, holder])).map(drop)
    }
}

/// Whether the server would refuse it again: not so if it is being restarted (57P), has no room (53) or met another who
/// did the same at once (40).
fn is_final(error: &postgres::Error) -> bool {
    let code = error.code().map_or("", |code| code.code());
    !code.is_empty() && !["08", "40", "53", "57P"].iter().any(|class| code.starts_with(class))
}

fn batch_of(line: &str) -> miette::Result<Batch> {
    Batch::from_line(line).into_diagnostic().wrap_err("a batch in the queue is of another version of Dacapo")
}

/// Seeds in ranges that begin at multiples of a size, so that whoever adds them adds the same.
fn ranges(seeds: &Range<u64>, size: u64) -> miette::Result<Vec<(i64, i64)>> {
    /// So many ranges are added at once.
    const RANGES_MAX: u64 = 1_000_000;
    let fits = i64::try_from(seeds.end).is_ok() && (seeds.end - seeds.start) / size <= RANGES_MAX;
    if !fits {
        return Err(miette!(
            help = "give --seeds, and larger ranges by --range",
            "a queue takes up to {RANGES_MAX} ranges at once"
        ));
    }
    let mut ranges = Vec::new();
    let mut first = seeds.start;
    while first < seeds.end {
        let past = seeds.end.min((first / size + 1) * size);
        ranges.push((first as i64, past as i64));
        first = past;
    }
    Ok(ranges)
}

/// The settings of a URL, and the certificates that it says to trust.
fn parse(url: &str) -> miette::Result<(Config, Vec<Vec<u8>>)> {
    let mut roots = Vec::new();
    let mut text = url.to_owned();
    // Two things that libpq knows and the client library does not: verifying is what it always does.
    if let Ok(mut parsed) = url::Url::parse(url) {
        let pairs: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
        let mut kept = Vec::new();
        for (key, value) in pairs {
            match (key.as_str(), value.as_str()) {
                ("sslrootcert", path) => {
                    let pem = std::fs::read(path).into_diagnostic();
                    roots.push(pem.wrap_err_with(|| format!("cannot read the certificate {path}"))?);
                }
                ("sslmode", "verify-ca" | "verify-full") => kept.push((key, "require".to_owned())),
                _ => kept.push((key, value)),
            }
        }
        parsed.set_query(None);
        if !kept.is_empty() {
            parsed.query_pairs_mut().extend_pairs(kept);
        }
        text = parsed.to_string();
    }
    let mut config = text.parse::<Config>().map_err(|error| {
        miette!(
            help = "it is one, for example, as in  postgres://user@host/database?sslmode=require",
            "DC0085: the queue has no URL that can be used: {error}"
        )
    })?;
    // As other clients do: a password in a command line can be read by whoever is on the machine.
    if config.get_password().is_none()
        && let Ok(password) = std::env::var("PGPASSWORD")
    {
        config.password(password);
    }
    Ok((config, roots))
}

fn connect(config: &Config, roots: &[Vec<u8>]) -> miette::Result<Client> {
    let client = if config.get_ssl_mode() == SslMode::Require {
        let tls = dacapo_host::client_tls(roots).map_err(|error| miette!("{error}"))?;
        config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls))
    } else {
        config.connect(NoTls)
    };
    client.map_err(|error| refused(config, &error))
}

/// What a person is told if the server cannot be used. The password is no part of it.
fn refused(config: &Config, error: &postgres::Error) -> miette::Report {
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    };
    let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        why = format!("{why}: {cause}");
        source = cause.source();
    }
    miette!(
        help = "try  psql URL  from this machine; TLS is used if the URL says sslmode=require, and then the server's \
                certificate has to be one that browsers trust, or that of  sslrootcert=FILE",
        "DC0085: the queue at {} cannot be used: {why}",
        hosts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_cut_at_the_same_places_whoever_adds_them() {
        assert_eq!(ranges(&(0..25), 10).unwrap(), [(0, 10), (10, 20), (20, 25)]);
        assert_eq!(ranges(&(5..25), 10).unwrap(), [(5, 10), (10, 20), (20, 25)]);
        assert!(ranges(&(0..u64::MAX), 500).is_err());
    }

    #[test]
    fn an_error_never_tells_the_password() {
        let refusal = |url: &str| format!("{:?}", Server::connect(url).map(drop).unwrap_err());
        // Nobody listens at port 1.
        let text = refusal("postgres://ann:secret@127.0.0.1:1/db?connect_timeout=1");
        assert!(text.contains("127.0.0.1") && text.contains("DC0085") && !text.contains("secret"), "{text}");
        assert!(refusal("postgres://ann:secret@h/db?sslmode=maybe").contains("no URL that can be used"));
        assert!(refusal("postgres://h/db?sslrootcert=/nowhere.pem").contains("/nowhere.pem"));
    }

    #[test]
    fn words_of_other_clients_are_understood() {
        let (config, _) = parse("postgres://ann@h/db?sslmode=verify-full&connect_timeout=3").unwrap();
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(parse("host=/run/postgresql dbname=db").unwrap().0.get_dbname(), Some("db"));
    }
}
