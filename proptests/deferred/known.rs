//! Programs over Deferreds that failed once, or that random generation seldom makes.

use crate::codec::read;
use crate::deferred_script::check;
use crate::deferred_script::program::Program;

fn comes_right(program: &str) {
    let script: Vec<&str> = program.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let program: Program = read(&script.join("; "));
    if let Err(difference) = check(&program) {
        panic!("{program}\n{difference}");
    }
}

// Checks: B59
#[test]
fn an_on_timeout_that_panics_when_it_is_dropped_loses_no_result() {
    comes_right(
        "new
         timeout 0 1 { } or { panic; } pass
         fire 0 value
         end abandon",
    );
}

// Checks: B49, B60
#[test]
fn what_a_timer_makes_after_the_end_is_dropped_too() {
    comes_right(
        "new
         new
         semaphore 0
         new
         new
         new
         run 0 { acquire 0; acquire 0; run 0 { } or { fail; } pass; } or { } await 6
         semaphore 0
         acquire 1
         run 1 { advance 1; } error
         timeout 5 1 { } pass
         end fire",
    );
}

// Checks: B58
#[test]
fn the_first_of_a_line_still_reaches_the_last_when_one_in_between_waits_again() {
    comes_right(
        "new
         new
         new
         new
         both 1 { } await 2
         both 1 { } await 3
         both 0 { } await 1
         fire 0 value
         fire 1 value
         fire 2 value
         cancel 0
         end abandon",
    );
}

// Checks: B54
#[test]
fn one_that_would_close_a_wait_cycle_of_three_fails() {
    comes_right(
        "new
         new
         new
         both 0 { } await 1
         both 1 { } await 2
         both 2 { } await 0
         fire 0 value
         fire 1 value
         fire 2 value
         end abandon",
    );
}

// Checks: B53
#[test]
fn what_ends_with_the_last_who_could_end_it_waits_for_an_end_that_is_under_way() {
    comes_right(
        "new
         new
         pause-handle 1
         handle-pause 0
         both 1 { } pass
         fire 1 value
         drop 1
         callback 0 { } or { drop-handle 0; } pass
         both 0 { } pass
         abandon 0
         end abandon",
    );
}

// Checks: B57, B60
#[test]
fn a_cancelled_deferred_to_which_nothing_was_added_is_reported_when_its_firing_half_is_gone_too() {
    comes_right(
        "new
         cancel 0
         drop 0
         new
         fire 0 value
         end forget",
    );
}

// Checks: B53, B62
#[test]
fn a_race_cancels_a_member_that_came_to_wait_when_its_pause_ended_by_itself() {
    comes_right(
        "new
         new { }
         new
         pause 0
         both 0 { } await 1
         fire 0 value
         race 0 2
         fire 2 value
         end forget",
    );
}

// Checks: B53, B59
#[test]
fn a_timer_still_finds_its_chain_when_the_pause_of_that_has_ended_by_itself() {
    comes_right(
        "new
         new { }
         pause 0
         both 0 { } await 1
         timeout 0 2
         fire 0 value
         drop 0
         advance 3
         end forget",
    );
}

// Checks: B54, B61
#[test]
fn a_member_that_would_wait_for_its_own_list_fails() {
    comes_right(
        "new
         both 0 { } await 1
         all 0
         fire 0 value
         end abandon",
    );
}

// Checks: B54, B61
#[test]
fn a_wait_cycle_through_two_lists_and_a_chain_is_found_by_whoever_closes_it() {
    comes_right(
        "new
         new
         both 0 { } await 3
         all 0
         both 1 { } await 2
         fire 1 value
         gather 1
         fire 0 value
         end forget",
    );
}

// Checks: B53, B54
#[test]
fn a_list_that_has_fired_keeps_nobody_paused() {
    comes_right(
        "new
         new
         new
         both 0 { } await 5
         both 2 { } await 4
         first 0 1
         pause 3
         all 3
         all 2
         end fire",
    );
}

// Checks: B64, P31, P32
#[test]
fn those_for_whom_there_will_be_nothing_are_told_in_the_order_of_asking() {
    comes_right(
        "semaphore 0
         acquire 0
         acquire 0
         acquire 0
         release 0
         run 0 { } pass
         queue 0 0
         get 0
         get 0
         put 0
         get 0
         end abandon",
    );
}

// Checks: B54, B62
#[test]
fn the_loser_of_a_race_may_wait_for_what_comes_after_that() {
    comes_right(
        "new { }
         new
         new
         both 0 { } await 3
         both 0 { } pass
         first 0 1
         both 3 { } await 2
         fire 1 value
         fire 0 value
         fire 2 value
         end abandon",
    );
}

// Checks: B57, B60
#[test]
fn a_waiter_cancelled_inside_an_effect_is_reported_as_soon_as_it_is_dropped() {
    comes_right(
        "semaphore 0
         queue 0 2
         put 0
         get 0
         new { } or { new; get 0; }
         new { }
         take 0
         both 2 { run 0 { either 2 { } pass else { drop 4; } pass; } pass; cancel 4; } pass
         end abandon",
    );
}

// Checks: B60
#[test]
fn the_error_of_a_waiter_is_reported_when_it_is_dropped_whoever_keeps_its_chain() {
    comes_right(
        "queue 0 3
         get 0
         cancel 0
         both 0 { } pass
         pause-handle 0
         drop 0
         inspect 0
         end abandon",
    );
}

// Checks: B54, B59
#[test]
fn programs_that_failed_once() {
    comes_right("semaphore 0; queue 0 0; get 0; acquire 0; new; all; drop 0; end fire");
    comes_right(
        "semaphore 0
         queue 0 3
         get 0
         get 0
         put 0
         acquire 0
         get 0
         either 0 { cancel 1; } pass else { } pass
         both 1 { } pass
         timeout 0 0 { } or { pause-handle 1; } pass
         drop 1
         end abandon",
    );
}
