//! When a cron line is due next.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use dacapo_core::WallTime;

/// A cron line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronError(pub String);

impl std::fmt::Display for CronError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

fn parse(line: &str) -> Result<Cron, CronError> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(line).map_err(|e| CronError(format!("\"{line}\" is not a cron line: {e}")))
}

/// The first moment after `wall` at which a five-field cron line (UTC) is due.
pub fn next_after(line: &str, wall: WallTime) -> Result<WallTime, CronError> {
    let never = || CronError(format!("\"{line}\" is never due"));
    let now = chrono::DateTime::from_timestamp_nanos(wall.0);
    let next = parse(line)?.find_next_occurrence(&now, false).map_err(|_| never())?;
    next.timestamp_nanos_opt().map(WallTime).ok_or_else(never)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_at_its_next_minute() {
        let next = next_after("*/5 * * * *", WallTime::SIM_START).unwrap();
        assert_eq!((next.0 - WallTime::SIM_START.0) / 1_000_000_000, 300);
    }

    #[test]
    fn a_line_that_is_never_due_is_an_error_and_not_a_hang() {
        assert_eq!(
            next_after("0 0 30 2 *", WallTime::SIM_START),
            Err(CronError("\"0 0 30 2 *\" is never due".into()))
        );
        assert!(next_after("hello", WallTime::SIM_START).is_err());
    }
}
