//! Histograms against the sorted list of the recorded durations.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::pool::Histogram;

use crate::regressions;

/// Nanoseconds of every order of magnitude, and both sides of each power of two.
fn nanos() -> impl Strategy<Value = u64> {
    let magnitude = (0..64_u32, any::<u64>()).prop_map(|(power, bits)| bits >> power);
    let edge = (0..64_u32, 0..3_u64).prop_map(|(power, step)| (1_u64 << power).saturating_add(step).saturating_sub(1));
    prop_oneof![3 => magnitude, 1 => edge]
}

fn histogram(nanos: &[u64]) -> Histogram {
    nanos.iter().copied().map(Duration::from_nanos).collect()
}

proptest! {
    #![proptest_config(regressions::config("histogram", 2_000))]

    // Checks: P64
    #[test]
    fn a_quantile_is_never_below_the_one_of_the_list_nor_an_eighth_above(
        mut nanos in vec(nanos(), 1..200),
        share in 0.0..=1.0_f64,
    ) {
        let histogram = histogram(&nanos);
        nanos.sort_unstable();
        let rank = (share * nanos.len() as f64).ceil() as usize;
        let exact = u128::from(nanos[rank.max(1) - 1]);
        let quantile = histogram.quantile(share).unwrap().as_nanos();
        prop_assert!(quantile >= exact, "{quantile} for {exact}");
        prop_assert!(quantile <= exact + exact / 8, "{quantile} for {exact}");
    }

    // Checks: P64
    #[test]
    fn count_mean_and_maximum_are_those_of_the_list(nanos in vec(nanos(), 1..200)) {
        let histogram = histogram(&nanos);
        let sum: u128 = nanos.iter().copied().map(u128::from).sum();
        prop_assert_eq!(histogram.count(), nanos.len() as u64);
        prop_assert_eq!(histogram.max().unwrap().as_nanos(), u128::from(*nanos.iter().max().unwrap()));
        prop_assert_eq!(histogram.mean().unwrap().as_nanos(), sum / nanos.len() as u128);
    }

    // Checks: P64
    #[test]
    fn buckets_are_in_order_do_not_overlap_and_hold_each_what_fell_into_it(nanos in vec(nanos(), 0..200)) {
        let buckets: Vec<_> = histogram(&nanos).buckets().collect();
        prop_assert!(buckets.windows(2).all(|pair| pair[0].to < pair[1].from));
        for bucket in &buckets {
            let within = |nanos: &&u64| (bucket.from..=bucket.to).contains(&Duration::from_nanos(**nanos));
            prop_assert_eq!(nanos.iter().filter(within).count() as u64, bucket.count);
            prop_assert!((bucket.to - bucket.from) <= bucket.from / 8);
        }
        prop_assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), nanos.len() as u64);
    }

    // Checks: P64
    #[test]
    fn merged_histograms_are_that_of_both_lists(one in vec(nanos(), 0..100), other in vec(nanos(), 0..100)) {
        let mut merged = histogram(&one);
        merged.merge(&histogram(&other));
        prop_assert_eq!(merged, histogram(&[one, other].concat()));
    }
}
