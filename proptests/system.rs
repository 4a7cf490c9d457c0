//! Random programs over the whole system: what is promised holds in every schedule.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::codec::decode;
use crate::regressions;
use crate::system_script::program::Program;
use crate::system_script::{check_in_steps, check_on_threads, trace};
use crate::written::survives_being_written;

/// Any bytes are a program.
fn program() -> impl Strategy<Value = Program> {
    vec(any::<u8>(), 0..600).prop_map(|bytes| decode(&bytes))
}

proptest! {
    #![proptest_config(regressions::config("system", 3_000))]

    // Checks: B5, B6, B28, B35, B38, B40, P78, P12
    #[test]
    fn in_every_order_of_steps_each_promise_is_kept(program in program()) {
        check_in_steps(&program).and_then(|()| survives_being_written(&program)).map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(regressions::config("system_steps", 500))]

    // Checks: P12
    #[test]
    fn a_program_that_runs_in_steps_does_the_same_each_time(program in program()) {
        let (first, second) = (trace(&program), trace(&program));
        prop_assert!(first == second, "{:?}\n{:?}", first, second);
    }
}

proptest! {
    #![proptest_config(regressions::config("system_threads", 300))]

    // Checks: B5, B6, B28, B35, B38, B40, P78
    #[test]
    fn on_threads_each_promise_is_kept(program in program()) {
        check_on_threads(&program).map_err(TestCaseError::fail)?;
    }
}
