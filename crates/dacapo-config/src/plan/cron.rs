//! Cron lines and their time zone, in the `service` block.

use chrono_tz::{TZ_VARIANTS, Tz};
use croner::parser::{CronParser, Seconds, Year};
use dacapo_core::WallTime;
use dacapo_core::plan::Cron;

use crate::Code;
use crate::read::{Fields, Reader};

/// The cron lines of a service.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Cron> {
    let zone = zone(reader, fields);
    let Some(value) = fields.get("cron") else { return Vec::new() };
    let mut crons = Vec::new();
    for line in reader.strings(value, "`cron`", "cron = [\"*/5 * * * *\"]") {
        match error_of(&line.value, zone) {
            None => crons.push(Cron { line: line.value, zone: zone.name().to_owned() }),
            Some(Mistake::Never) => {
                let message = format!("{:?} is never due", line.value);
                let help =
                    "No date fits it, so nothing would ever run: look at the day of the month and the month.";
                reader.report(Code::Cron, message, &line.place, "this line", help);
            }
            Some(Mistake::No(why)) => {
                let message = format!("{:?} is not a cron line: {why}", line.value);
                let help = "Five fields: minute, hour, day of the month, month, day of the week. \
                            \"*/5 * * * *\" is every five minutes, \"0 9 * * MON-FRI\" is nine on workdays.";
                reader.report(Code::Cron, message, &line.place, "this line", help);
            }
        }
    }
    crons
}

fn zone(reader: &mut Reader, fields: &Fields<'_>) -> Tz {
    let Some(value) = fields.get("zone") else { return Tz::UTC };
    let Some(name) = reader.string(value, "`zone`", "zone = \"Europe/Berlin\"") else { return Tz::UTC };
    if let Ok(zone) = name.value.parse() {
        if fields.get("cron").is_none() {
            let help = "It says in which zone `cron` lines are meant: add some, or remove it.";
            let message = format!("{} has a `zone` and no `cron`", fields.owner);
            reader.report(Code::Contradiction, message, &name.place, "for nothing", help);
        }
        return zone;
    }
    let message = format!("there is no time zone {:?}", name.value);
    let meant = reader.did_you_mean(&name.value, TZ_VARIANTS.iter().map(|zone| zone.name()));
    let help = "Zones have the names of the tz database: \"Europe/Berlin\", \"America/New_York\", \"UTC\".";
    let help = if meant.starts_with("Did") { format!("{meant} {help}") } else { help.to_owned() };
    reader.report(Code::Zone, message, &name.place, "unknown time zone", help);
    Tz::UTC
}

/// What is wrong with a line.
enum Mistake {
    /// It is no cron line, and why.
    No(String),
    /// It is one, and no date fits it.
    Never,
}

/// The fields: what each is called, and what may stand there.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or L for the last"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7, or SUN to SAT"),
];

fn error_of(line: &str, zone: Tz) -> Option<Mistake> {
    // The library knows nicknames such as @daily and counts them as one field; we promise five.
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.len() != 5 || line.contains('@') {
        let count = fields.len();
        return Some(Mistake::No(format!("it has {count} field{}", if count == 1 { "" } else { "s" })));
    }
    if !line.is_ascii() {
        return Some(Mistake::No("it has a letter that no cron line has".to_owned()));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = match parser.parse(line) {
        Ok(cron) => cron,
        Err(error) => {
            // The library does not say which field it means.
            let is_wrong = |at: usize| {
                let alone: Vec<&str> =
                    (0..5).map(|field| if field == at { fields[at] } else { "*" }).collect();
                parser.parse(&alone.join(" ")).is_err()
            };
            return Some(Mistake::No(match (0..5).find(|at| is_wrong(*at)) {
                Some(at) => format!("{:?} is no {}, which is {}", fields[at], FIELDS[at].0, FIELDS[at].1),
                None => error.to_string().trim_end_matches('.').to_owned(),
            }));
        }
    };
    let start = chrono::DateTime::from_timestamp_nanos(WallTime::SIM_START.0).with_timezone(&zone);
    cron.find_next_occurrence(&start, false).err().map(|_| Mistake::Never)
}
