//! Programs that failed once, and examples from SPEC.md.

use crate::codec::{Body, Delay, Nth, OnDrop, read};
use crate::reactor_script::check;
use crate::reactor_script::program::{
    Closure, Ending, EventName, JobEnd, Op, Program, Trigger, TriggerPhase, TriggerResult,
};

/// A closure that performs this.
fn does(body: impl IntoIterator<Item = Op>) -> Closure {
    Closure { body: body.into_iter().collect(), on_drop: Vec::new() }
}

/// A trigger of the program's own event.
fn add_trigger(phase: TriggerPhase, closure: Closure, result: TriggerResult) -> Op {
    Op::AddTrigger(Trigger { phase, event: EventName::Alarm, result }, closure)
}

/// A closure whose drop panics, if it was not called.
fn drop_panics() -> Closure {
    Closure { body: Vec::new(), on_drop: vec![Op::Panic] }
}

fn comes_right(ending: Ending, script: impl IntoIterator<Item = Op>) {
    let program = Program { script: script.into_iter().collect(), ending };
    if let Err(difference) = check(&program) {
        panic!("{program:#?}\n{difference}");
    }
}

const FIRST: Nth = Nth(0);
const SECOND: Nth = Nth(1);
const AT_ONCE: Delay = Delay(0);

/// Operations that bring a reactor to its end without dropping it.
fn ended() -> [Op; 4] {
    [Op::Turn, Op::Stop, Op::Turn, Op::Turn]
}

// Checks: B5, B7
#[test]
fn a_call_posted_by_a_call_lets_the_timers_go_first() {
    let posts = does([Op::Post(Closure::default())]);
    comes_right(
        Ending::Drop,
        [
            Op::Post(posts),
            Op::Post(Closure::default()),
            Op::Later(AT_ONCE, Closure::default()),
            Op::Later(AT_ONCE, Closure::default()),
            Op::Later(AT_ONCE, Closure::default()),
            Op::Turn,
            Op::Turn,
        ],
    );
}

// Checks: B15, B18
#[test]
fn a_timer_that_is_put_off_within_the_past_holds_up_no_other() {
    comes_right(
        Ending::Drop,
        [
            Op::Later(Delay(1), does([Op::Postpone(SECOND, AT_ONCE)])),
            Op::Later(Delay(2), Closure::default()),
            Op::Later(Delay(3), Closure::default()),
            Op::Advance(Delay(10)),
            Op::Turn,
            Op::Turn,
        ],
    );
}

// Checks: B8, B38
#[test]
fn a_value_that_is_let_go_by_a_call_that_panics_may_panic_too() {
    comes_right(
        Ending::Drop,
        [Op::Own(OnDrop(vec![Op::Panic])), Op::Call(FIRST, does([Op::DropOwner(FIRST), Op::Panic])), Op::Turn],
    );
}

// Checks: B5
#[test]
fn a_value_that_is_released_while_it_is_in_use_goes_when_its_user_is_done() {
    comes_right(
        Ending::Drop,
        [
            Op::Own(OnDrop(Vec::new())),
            Op::With(FIRST, does([Op::Release(FIRST), Op::Turn])),
            Op::With(FIRST, Closure::default()),
        ],
    );
}

// Checks: B5, B13
#[test]
fn a_value_that_is_in_use_at_the_reactors_end_goes_when_its_user_is_done() {
    comes_right(
        Ending::Drop,
        [Op::Own(OnDrop(Vec::new())), Op::With(FIRST, does(ended())), Op::With(FIRST, Closure::default())],
    );
}

// Checks: B5
#[test]
fn a_visit_to_a_value_that_is_gone_does_not_keep_the_value_busy() {
    let visits_again = Closure { body: Vec::new(), on_drop: vec![Op::With(FIRST, Closure::default())] };
    comes_right(Ending::Drop, [Op::Own(OnDrop(vec![Op::With(FIRST, visits_again)]))]);
}

// Checks: B8, B24
#[test]
fn what_fails_outside_of_every_turn_is_told_to_the_reactors_own_sink() {
    comes_right(
        Ending::Drop,
        [
            Op::Own(OnDrop(vec![Op::Panic])),
            Op::DropOwner(FIRST),
            Op::Later(AT_ONCE, drop_panics()),
            Op::Cancel(FIRST),
            add_trigger(TriggerPhase::During, drop_panics(), TriggerResult::Fine),
            Op::RemoveTrigger(FIRST),
            add_trigger(TriggerPhase::During, Closure::default(), TriggerResult::Wait),
            add_trigger(TriggerPhase::After, does([Op::Panic]), TriggerResult::Fine),
            Op::FireEvent,
            Op::Resolve(FIRST, false),
        ],
    );
}

// Checks: P92, B24
#[test]
fn a_trigger_of_shutdown_that_is_added_as_those_of_startup_are_dropped_runs() {
    let trigger = |event, phase, result| Trigger { phase, event, result };
    let of_shutdown = trigger(EventName::Shutdown, TriggerPhase::Before, TriggerResult::Refuse);
    let adds = Closure { body: Vec::new(), on_drop: vec![Op::AddTrigger(of_shutdown, Closure::default())] };
    let waits = trigger(EventName::Startup, TriggerPhase::Before, TriggerResult::Wait);
    let never_runs = trigger(EventName::Startup, TriggerPhase::During, TriggerResult::Fine);
    let script = [Op::AddTrigger(waits, Closure::default()), Op::AddTrigger(never_runs, adds)];
    comes_right(Ending::Run, script.clone());
    comes_right(Ending::TurnOut, script);
}

// Checks: B8, B38
#[test]
fn no_panic_comes_out_of_the_drop_of_a_reactor_that_has_ended() {
    let given_too_late = [
        Op::Later(AT_ONCE, drop_panics()),
        add_trigger(TriggerPhase::During, drop_panics(), TriggerResult::Fine),
        Op::WhenRunning(drop_panics()),
        Op::Own(OnDrop(vec![Op::Panic])),
        Op::Leave(FIRST),
        Op::Defer(JobEnd::Fine, Body(vec![Op::Panic])),
    ];
    comes_right(Ending::Drop, ended().into_iter().chain(given_too_late));
}

// Checks: B24, B26
#[test]
fn a_reactor_that_is_dropped_while_it_shuts_down_reports_no_failure_of_its_own() {
    comes_right(Ending::Drop, [Op::Turn, Op::Stop, Op::Turn]);
}

// Checks: B46
#[test]
fn a_job_that_is_cancelled_in_the_queue_never_runs_and_one_that_runs_loses_its_result() {
    let job = || Op::Defer(JobEnd::Fine, Body(vec![Op::Inspect]));
    comes_right(
        Ending::TurnOut,
        [
            job(),
            job(),
            job(),
            Op::CancelJob(Nth(2)),
            Op::CancelJob(FIRST),
            Op::FinishJob(FIRST),
            Op::Turn,
            Op::FinishJob(FIRST),
            Op::Turn,
        ],
    );
}

// Checks: B7, B34, B46
#[test]
fn a_job_that_is_cancelled_in_the_queue_lets_go_of_its_result_in_the_next_turn() {
    let cancels_the_third = does([Op::CancelJob(Nth(2))]);
    comes_right(
        Ending::Drop,
        [
            Op::Defer(JobEnd::Fine, Body(Vec::new())),
            Op::Post(cancels_the_third),
            Op::Defer(JobEnd::Fine, Body(Vec::new())),
            Op::Defer(JobEnd::Fine, Body(Vec::new())),
            Op::Turn,
        ],
    );
}

// Checks: B2, B7, B15, B22, B46
#[test]
fn programs_that_failed_once() {
    for program in [
        "later 0 { stop; }; turn; turn; defer fine { }; later 0 { }; end drop",
        "defer fine { with 0 { }; }; own { }; end drop",
        "later 0 { stop; }; advance 0; advance 0; turn; end drop",
        "add-trigger before startup wait { }; own { }; turn; with 0 { abandon 0; }; end drop",
        "when-running { later 0 { leave 0; }; }; own { stop; }; release 0; turn; turn; defer fine { cancel 0; }; \
         end run",
        "post { post { fire-event; }; }; post { add-trigger before alarm wait { }; }; defer fine { abandon 0; }; \
         panic; end turn-out",
        "later 0 { stop; }; reset 0 0; with 0 { }; turn; turn; own { drop-owner 0; }; end drop",
        "post { add-trigger before startup fine { } or { remove-trigger 0; }; }; turn; end drop",
        "post { stop; }; turn; turn; defer fine { cancel-job 0; }; end drop",
        "post { add-trigger before alarm wait { }; }; post { fire-event; defer fine { resolve 0 false; }; }; \
         add-trigger during alarm fine { }; end turn-out",
        "add-trigger before alarm wait { }; \
         add-trigger during alarm fine { handle-stop; turn; defer fine { }; turn; }; fire-event; abandon 0; end run",
    ] {
        let Program { script, ending } = read(program);
        assert_eq!(Program { script: script.clone(), ending }.to_string(), program, "it reads as it was written");
        comes_right(ending, script);
    }
}
