//! Random programs on one thread: the reactor's trace is the one that the reference expects.

mod known;
mod strategy;

use proptest::prelude::*;

use crate::reactor_script::check;
use crate::regressions;
use crate::written::survives_being_written;
use strategy::program;

proptest! {
    #![proptest_config(regressions::config("reactor", 6_000))]

    // Checks: B2, B3, B5, B6, B7, B8, B10, B11, B13, B15, B16, B17, B18, B19, B20, B21, B22, B23, B24, B25, B46, B60
    #[test]
    fn every_program_comes_to_what_the_reference_says(program in program()) {
        check(&program).and_then(|()| survives_being_written(&program)).map_err(TestCaseError::fail)?;
    }
}
