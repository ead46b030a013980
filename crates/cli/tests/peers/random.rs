//! Random numbers that follow from a seed, which is printed.

/// SplitMix64: small, and the same everywhere.
pub struct Random(u64);

impl Random {
    /// From `TOUCHMARK_SEED` if it is set, else from the purpose; says which.
    pub fn seeded(purpose: &str) -> Self {
        let of_purpose =
            || purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let seed = std::env::var("TOUCHMARK_SEED").map_or_else(|_| of_purpose(), |seed| seed.parse().unwrap());
        eprintln!("{purpose}: TOUCHMARK_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }
}
