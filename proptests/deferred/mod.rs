//! Random programs over Deferreds: whatever runs inside what, it comes to what Twisted's rules say.

mod known;
mod strategy;
mod text;
mod twisted;

use proptest::prelude::*;

use crate::regressions;
use crate::script::deferreds::bytes::{decode, encode};
use crate::script::deferreds::check;
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
        prop_assert_eq!(&decode(&encode(&program)), &program);
        prop_assert_eq!(&text::program(&program.to_string()), &program);
    }
}
