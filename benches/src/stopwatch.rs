//! The best of several runs, which is what a quiet machine would have shown.

use std::time::{Duration, Instant};

/// The shortest time of `runs` runs of `work`, whose result is kept from being optimised away.
pub(crate) fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    let time = |_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed()
    };
    (0..runs).map(time).min().unwrap_or_default()
}

/// The shortest times of two works that take turns, so that what disturbs one disturbs the other.
pub(crate) fn paired<T, U>(runs: usize, mut first: impl FnMut() -> T, mut second: impl FnMut() -> U) -> (Duration, Duration) {
    let turns = (0..runs).map(|_| (best(1, &mut first), best(1, &mut second)));
    turns.reduce(|(a, b), (c, d)| (a.min(c), b.min(d))).unwrap_or_default()
}

/// Bytes in a time, as MB/s.
pub(crate) fn rate(bytes: usize, time: Duration) -> f64 {
    let bytes = u32::try_from(bytes >> 10).map_or(f64::NAN, f64::from) * 1024.0;
    bytes / time.as_secs_f64() / 1e6
}
