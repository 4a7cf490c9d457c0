//! Random programs over Deferreds: their traces are the ones that Twisted's rules give.

mod known;
mod strategy;
mod twisted;

use proptest::prelude::*;

use crate::codec::{decode, encode, read};
use crate::deferred_script::check;
use crate::deferred_script::program::Program;
use crate::regressions;
use strategy::program;

proptest! {
    #![proptest_config(regressions::config("deferred", 12_000))]

    // Checks: B49, B50, B51, B52, B53, B54, B56, B57, B58, B59, B60, B61, B62, B63, P9
    #[test]
    fn every_program_comes_to_what_the_rules_say(program in program()) {
        check(&program).map_err(TestCaseError::fail)?;
    }

    // Checks: B51
    #[test]
    fn a_program_survives_being_written_as_bytes_and_as_text(program in program()) {
        prop_assert_eq!(&decode::<Program>(&encode(&program)), &program);
        prop_assert_eq!(&read::<Program>(&program.to_string()), &program);
    }
}
