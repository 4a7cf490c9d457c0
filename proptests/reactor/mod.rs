//! Random programs on one thread: the reactor's trace is the one that the reference expects.

mod known;
mod strategy;

use proptest::prelude::*;

use crate::codec::{decode, encode, read};
use crate::reactor_script::check;
use crate::reactor_script::program::Program;
use crate::regressions;
use strategy::program;

proptest! {
    #![proptest_config(regressions::config("reactor", 6_000))]

    // Checks: B2, B3, B5, B6, B7, B8, B10, B11, B13, B15, B16, B17, B18, B19, B20, B21, B22, B23, B24, B25, B46, B60
    #[test]
    fn every_program_comes_to_what_the_reference_says(program in program()) {
        check(&program).map_err(TestCaseError::fail)?;
    }

    // Checks: B6, B15
    #[test]
    fn a_program_survives_being_written_as_bytes_and_as_text(program in program()) {
        prop_assert_eq!(&decode::<Program>(&encode(&program)), &program);
        prop_assert_eq!(&read::<Program>(&program.to_string()), &program);
    }
}
