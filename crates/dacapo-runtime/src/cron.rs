//! When a cron line is due next.

use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use dacapo_core::WallTime;
use dacapo_core::plan;

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

/// The first moment after `wall` at which a five-field cron line is due in its time zone.
///
/// Where the clocks go forward, a line that names an hour which is left out is due when the clocks have gone
/// forward. Where they go back, a line that names an hour is due in the first of the two; one that is
/// due every hour, or every few minutes, goes on through both.
pub fn next_after(cron: &plan::Cron, wall: WallTime) -> Result<WallTime, CronError> {
    let line = &cron.line;
    let never = || CronError(format!("\"{line}\" is never due"));
    let zone: Tz =
        cron.zone.parse().map_err(|_| CronError(format!("there is no time zone \"{}\"", cron.zone)))?;
    let now = chrono::DateTime::from_timestamp_nanos(wall.0).with_timezone(&zone);
    let next = parse(line)?.find_next_occurrence(&now, false).map_err(|_| never())?;
    next.timestamp_nanos_opt().map(WallTime).ok_or_else(never)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(line: &str, zone: &str) -> plan::Cron {
        plan::Cron { line: line.to_owned(), zone: zone.to_owned() }
    }

    /// When a line is due `count` times after a moment, in UTC.
    fn due(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let after = chrono::DateTime::parse_from_rfc3339(after).expect("a date");
        let mut wall = WallTime(after.timestamp_nanos_opt().expect("in range"));
        let mut all = Vec::new();
        for _ in 0..count {
            wall = next_after(&cron(line, zone), wall).expect("it is due");
            all.push(chrono::DateTime::from_timestamp_nanos(wall.0).to_rfc3339());
        }
        all
    }

    #[test]
    fn a_line_is_due_at_its_next_minute() {
        let next = next_after(&cron("*/5 * * * *", "UTC"), WallTime::SIM_START).unwrap();
        assert_eq!((next.0 - WallTime::SIM_START.0) / 1_000_000_000, 300);
    }

    #[test]
    fn a_line_that_is_never_due_is_an_error_and_not_a_hang() {
        assert_eq!(
            next_after(&cron("0 0 30 2 *", "UTC"), WallTime::SIM_START),
            Err(CronError("\"0 0 30 2 *\" is never due".into()))
        );
        assert!(next_after(&cron("hello", "UTC"), WallTime::SIM_START).is_err());
        assert_eq!(
            next_after(&cron("* * * * *", "Europe/Atlantis"), WallTime::SIM_START),
            Err(CronError("there is no time zone \"Europe/Atlantis\"".into()))
        );
    }

    #[test]
    fn a_line_is_due_by_the_clock_of_its_zone_in_summer_and_winter() {
        insta::assert_debug_snapshot!(due("0 9 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3), @r#"
        [
            "2026-03-28T08:00:00+00:00",
            "2026-03-29T07:00:00+00:00",
            "2026-03-30T07:00:00+00:00",
        ]
        "#);
        insta::assert_debug_snapshot!(due("0 9 * * *", "America/New_York", "2026-10-31T00:00:00Z", 2), @r#"
        [
            "2026-10-31T13:00:00+00:00",
            "2026-11-01T14:00:00+00:00",
        ]
        "#);
    }

    #[test]
    fn an_hour_that_is_left_out_is_made_up_for_when_the_clocks_have_gone_forward() {
        insta::assert_debug_snapshot!(due("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3), @r#"
        [
            "2026-03-28T01:30:00+00:00",
            "2026-03-29T01:00:00+00:00",
            "2026-03-30T00:30:00+00:00",
        ]
        "#);
    }

    #[test]
    fn an_hour_that_comes_twice_counts_once_for_a_line_that_names_it() {
        insta::assert_debug_snapshot!(due("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), @r#"
        [
            "2026-10-25T00:30:00+00:00",
            "2026-10-26T01:30:00+00:00",
        ]
        "#);
    }

    #[test]
    fn a_line_that_is_due_every_so_often_goes_on_through_both_hours() {
        insta::assert_debug_snapshot!(due("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 6), @r#"
        [
            "2026-10-25T00:00:00+00:00",
            "2026-10-25T00:30:00+00:00",
            "2026-10-25T01:00:00+00:00",
            "2026-10-25T01:30:00+00:00",
            "2026-10-25T02:00:00+00:00",
            "2026-10-25T02:30:00+00:00",
        ]
        "#);
        insta::assert_debug_snapshot!(due("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 4), @r#"
        [
            "2026-03-29T00:30:00+00:00",
            "2026-03-29T01:00:00+00:00",
            "2026-03-29T01:30:00+00:00",
            "2026-03-29T02:00:00+00:00",
        ]
        "#);
    }
}
