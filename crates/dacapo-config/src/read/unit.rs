//! Lengths of time and sizes, as people write them.

use std::ops::RangeInclusive;
use std::time::Duration;

use hcl_edit::expr::Expression;

use super::{Placed, Reader};
use crate::Code;

/// Longer runs do not fit into the nanoseconds of a virtual clock with room to spare.
pub(crate) const DURATION_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

const TIMES: &str = "A length of time is a text with units: \"250ms\", \"60s\", \"5m\", \"1h 30m\".";
const SIZES: &str = "A size is a text with a unit: \"64KiB\", \"128MiB\", \"1GiB\".";

impl Reader {
    /// A length of time from `min` to ten years.
    pub(crate) fn duration(&mut self, expr: &Expression, what: &str, min: Duration) -> Option<Duration> {
        let place = self.place_of(expr);
        let text = match self.text_or_number(expr)? {
            Ok(text) => text,
            Err(number) => {
                let message = format!("{what} is a length of time, and {number} has no unit");
                self.report(Code::Duration, message, &place, "which unit?", TIMES);
                return None;
            }
        };
        match humantime::parse_duration(&text) {
            Ok(value) if (min..=DURATION_MAX).contains(&value) => Some(value),
            Ok(value) => {
                let (message, help) = if value < min {
                    let min = humantime::format_duration(min);
                    (format!("{what} is too short"), format!("It is at least {min}."))
                } else {
                    (format!("{what} is too long"), "It is at most ten years.".to_owned())
                };
                self.report(Code::Range, message, &place, "out of range", help);
                None
            }
            Err(error) => {
                let message = format!("{what} is a length of time, and {text:?} is not: {error}");
                self.report(Code::Duration, message, &place, "not a length of time", TIMES);
                None
            }
        }
    }

    /// A size in bytes.
    pub(crate) fn size(
        &mut self,
        expr: &Expression,
        what: &str,
        bounds: RangeInclusive<u64>,
    ) -> Option<Placed<u64>> {
        let place = self.place_of(expr);
        let text = match self.text_or_number(expr)? {
            Ok(text) => text,
            Err(number) => number.to_string(),
        };
        match parse_size::parse_size(&text) {
            Ok(value) if bounds.contains(&value) => Some(Placed { value, place }),
            Ok(value) => {
                let message = format!(
                    "{what} goes from {} to {} bytes, and this is {value}",
                    bounds.start(),
                    bounds.end()
                );
                self.report(Code::Range, message, &place, "out of range", SIZES);
                None
            }
            Err(error) => {
                let message = format!("{what} is a size, and {text:?} is not: {error}");
                self.report(Code::Size, message, &place, "not a size", SIZES);
                None
            }
        }
    }
}
