//! Picks one of the steps that a test may take next: always the first, or as a seed decides.

use std::cell::Cell;

/// Without a seed, always the first.
#[derive(Debug, Default)]
pub(super) struct Order(Option<Seeded>);

#[derive(Debug)]
struct Seeded {
    seed: u64,
    state: Cell<u64>,
}

impl Order {
    pub(super) fn of(seed: u64) -> Self {
        Self(Some(Seeded { seed, state: Cell::new(seed) }))
    }

    pub(super) fn seed(&self) -> Option<u64> {
        self.0.as_ref().map(|seeded| seeded.seed)
    }

    /// One of `choices`, which must not be zero.
    pub(super) fn pick(&self, choices: usize) -> usize {
        let Some(seeded) = &self.0 else { return 0 };
        // Of 64 random bits, the remainder by a small number is even enough.
        usize::try_from(seeded.next() % choices as u64).unwrap_or_default()
    }
}

impl Seeded {
    /// SplitMix64: equally good from every seed, small ones included.
    fn next(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Seeded};

    // Checks: P122
    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let seeded = Seeded { seed: 0, state: Cell::new(1_234_567) };
        let numbers: Vec<u64> = (0..5).map(|_| seeded.next()).collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(numbers, published);
    }
}
