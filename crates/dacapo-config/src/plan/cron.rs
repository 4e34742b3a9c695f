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
            Some(why) => {
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

fn error_of(line: &str, zone: Tz) -> Option<String> {
    // The library knows nicknames such as @daily and counts them as one field; we promise five.
    let fields = line.split_whitespace().count();
    if fields != 5 || line.contains('@') {
        return Some(format!("it has {fields} field{}", if fields == 1 { "" } else { "s" }));
    }
    if !line.is_ascii() {
        return Some("it has a letter that no cron line has".to_owned());
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = match parser.parse(line) {
        Ok(cron) => cron,
        Err(error) => return Some(error.to_string().trim_end_matches('.').to_owned()),
    };
    let start = chrono::DateTime::from_timestamp_nanos(WallTime::SIM_START.0).with_timezone(&zone);
    cron.find_next_occurrence(&start, false).err().map(|_| "it is never due".to_owned())
}
