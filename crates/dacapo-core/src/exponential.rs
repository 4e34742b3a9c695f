//! Exponentially distributed lengths of time, in whole numbers: the last bit is the same on every
//! machine, and there is no logarithm to wait for.

/// So many pieces of the logarithm are straight lines; none is off by more than 3·10⁻⁶.
const PIECES: usize = 256;
/// Binary logarithms from 1 to 2, with 32 bits behind the point.
static LOG2: [u64; PIECES + 1] = log2_table();
/// The natural logarithm of 2, with 32 bits behind the point.
const LN_2: u64 = 2_977_044_472;

/// A number of nanoseconds with this mean, out of 32 bits that are all equally likely. 0 is the shortest.
#[inline]
pub(crate) fn exponential(mean: u64, uniform: u32) -> u64 {
    // The inverse of the distribution: -ln(1 - u), with u = uniform / 2^32.
    let rest = (1u64 << 32) - u64::from(uniform);
    let binary = (32 << 32) - log2(rest);
    let natural = product(binary, LN_2);
    product(mean, natural)
}

/// The product of a number and one with 32 bits behind the point.
#[inline]
fn product(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b) + (1 << 31)) >> 32) as u64
}

/// The binary logarithm of a whole number from 1 on, with 32 bits behind the point.
#[inline]
fn log2(n: u64) -> u64 {
    let whole = n.ilog2();
    let fraction = (n << (63 - whole)) & (u64::MAX >> 1);
    let (piece, within) = ((fraction >> 55) as usize, (fraction >> 23) & 0xffff_ffff);
    let (from, to) = (LOG2[piece], LOG2[piece + 1]);
    (u64::from(whole) << 32) + from + (((to - from) * within) >> 32)
}

const fn log2_table() -> [u64; PIECES + 1] {
    let mut table = [1 << 32; PIECES + 1];
    let mut piece = 0;
    while piece < PIECES {
        // Squaring a number from 1 to 2 doubles its logarithm: one more bit is before the point.
        let mut n: u128 = ((PIECES + piece) as u128) << 54;
        let (mut log, mut bit) = (0u64, 1u64 << 32);
        while bit > 1 {
            bit >>= 1;
            n = (n * n) >> 62;
            if n >> 63 == 1 {
                n >>= 1;
                log |= bit;
            }
        }
        table[piece] = log;
        piece += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_is_the_logarithm() {
        for uniform in (0..1000).map(|i| i * 4_294_967).chain([1, u32::MAX - 1, u32::MAX]) {
            let exact = -(1.0 - f64::from(uniform) / 4_294_967_296.0).ln();
            let ours = exponential(SECOND, uniform) as f64 / 1e9;
            assert!((ours - exact).abs() < 3e-6, "{uniform}: {ours} is not {exact}");
        }
    }

    #[test]
    fn the_shortest_is_nothing_and_lengths_grow() {
        assert_eq!(exponential(SECOND, 0), 0);
        let mut last = 0;
        for uniform in (0..=u32::MAX).step_by(65_537) {
            let next = exponential(SECOND, uniform);
            assert!(next >= last);
            last = next;
        }
    }

    #[test]
    fn the_mean_is_the_mean() {
        let all = (0..1 << 16).map(|i| exponential(7_000_000, i << 16) as f64 / 1e9);
        let mean = all.sum::<f64>() / f64::from(1 << 16);
        assert!((mean - 0.007).abs() < 1e-6, "{mean}");
    }
}
