//! Random programs over Deferreds: their traces are the ones that Twisted's rules give.

mod known;
mod strategy;
mod twisted;

use proptest::prelude::*;

use crate::deferred_script::check;
use crate::regressions;
use crate::written::survives_being_written;
use strategy::program;

proptest! {
    #![proptest_config(regressions::config("deferred", 12_000))]

    // Checks: B49, B50, B51, B52, B53, B54, B56, B57, B58, B59, B60, B61, B62, B63, P9
    #[test]
    fn every_program_comes_to_what_the_rules_say(program in program()) {
        check(&program).and_then(|()| survives_being_written(&program)).map_err(TestCaseError::fail)?;
    }
}
