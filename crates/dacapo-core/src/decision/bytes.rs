//! Decisions as bytes: what a fuzzer changes.
//!
//! A fuzzer changes one byte here and there, so one byte should be one decision, and each decision should be within its
//! reach. Hence most decisions take one byte: 0 is the calmest choice, larger ones go through the choices in the
//! proportions in which a seed would draw them, and 255 stands for what is rare: it makes happen what happens with any
//! probability, and a number behind it (LEB128) names one choice exactly. So every run can be written as bytes.
//! Past the end everything is calm.

use super::{Decision, DecisionKind};

/// A choice follows that is named exactly; of a question that has only two answers, it is the second.
const RARE: u8 = 255;

/// Where a fuzzer's bytes have got to.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    used: usize,
}

impl Reader {
    fn next(&mut self, bytes: &[u8]) -> u8 {
        let byte = bytes.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        byte
    }

    /// The next decision: one of `uniform` numbers, of which `shape` makes a value below `range`.
    pub(super) fn take(&mut self, bytes: &[u8], uniform: u64, range: u64, shape: impl Fn(u64) -> u64) -> u64 {
        match self.next(bytes) {
            RARE if range == 2 => 1,
            // Bytes decide nothing that a seed could not: the last of the numbers makes the largest value.
            RARE => self.number(bytes).min(shape(uniform - 1)).min(range - 1),
            byte if uniform < 256 => shape(u64::from(byte) % uniform),
            // Not more than `uniform`, which may be all 64 bits long.
            byte => shape(((u128::from(uniform) * u128::from(byte)) >> 8) as u64),
        }
    }

    fn number(&mut self, bytes: &[u8]) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.next(bytes);
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }
}

/// The bytes that lead to these decisions, which are all of a run in order.
///
/// That holds for a run under a seed. A script may ask for what a run by itself never asks for, and may tell faults by
/// turns instead of times: its run, as bytes, is another one.
pub fn decisions_to_bytes(log: &[Decision]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // (What the workload draws is not read from bytes.)
    for Decision { chosen, range, .. } in log.iter().filter(|d| d.kind != DecisionKind::Input) {
        match (*chosen, *range) {
            (0, _) => bytes.push(0),
            (_, 2) => bytes.push(RARE),
            (chosen, _) => {
                bytes.push(RARE);
                let mut rest = chosen;
                while rest >= 0x80 {
                    bytes.push(rest as u8 | 0x80);
                    rest >>= 7;
                }
                bytes.push(rest as u8);
            }
        }
    }
    // Past the end everything is 0.
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
