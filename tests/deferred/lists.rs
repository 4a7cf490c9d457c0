//! Lists and races beyond what Twisted tests: a program's own error type, re-entrance, depth, number, drops.

use std::cell::RefCell;
use std::rc::Rc;

use selvedge::coordination::DeferredQueue;
use selvedge::deferred::{gather_results, race};
use selvedge::{
    Deferred, Failure, Resolver,
    deferred::DeferredList,
    error::{Abandoned, Cancelled, FailureGroup, FirstError},
    report::Incident,
};

use crate::support::deferred::{Drops, Oops, Place, Trace, error, reports, value};
use crate::support::{PanicOnDrop, on_a_small_stack};

const MANY: usize = 100_000;

fn many() -> (Vec<Deferred<usize>>, Vec<Resolver<usize>>) {
    (0..MANY).map(|_| Deferred::new()).unzip()
}

#[derive(Debug)]
enum Own {
    First(usize),
    None(usize),
    Other(Failure),
}

impl std::error::Error for Own {}

impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl From<Failure> for Own {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<FirstError<Own>> for Own {
    fn from(first: FirstError<Own>) -> Self {
        Self::First(first.index)
    }
}

impl From<FailureGroup<Own>> for Own {
    fn from(group: FailureGroup<Own>) -> Self {
        Self::None(group.failures.len())
    }
}

// Checks: B61, B62
#[test]
fn an_error_type_of_a_programs_own_says_what_it_makes_of_the_first_error_and_of_all() {
    let fail = |n: usize| Deferred::<u32, Own>::from(Err(Own::First(n)));
    let of_one = gather_results([Deferred::from(Ok(1)), fail(7)]);
    assert!(matches!(of_one.try_result().unwrap(), Err(Own::First(1))));
    let of_all = race([fail(7), fail(8)]);
    assert!(matches!(of_all.try_result().unwrap(), Err(Own::None(2))));
    let any = DeferredList::new([fail(7), fail(8)]).consume_errors().fire_on_one();
    assert!(matches!(any.try_result().unwrap(), Err(Own::First(0))));
    let abandoned = DeferredList::new([Deferred::<u32, Own>::typed().0]).all();
    let results = abandoned.try_result().unwrap().unwrap();
    assert!(matches!(&results[..], [Err(Own::Other(failure))] if failure.is::<Abandoned>()));
}

// Checks: B61
#[test]
fn a_list_that_fires_on_the_first_result_takes_either() {
    let ((one, _fire), (two, resolver)) = (Deferred::<u32>::new(), Deferred::new());
    let first = DeferredList::new([one, two]).fire_on_one();
    resolver.errback(Oops(3));
    assert_eq!(error(first).downcast::<FirstError>().unwrap().error.downcast::<Oops>().unwrap(), Oops(3));
    let (unfired, _fire) = Deferred::<u32>::new();
    assert_eq!(value(DeferredList::new([unfired, Deferred::succeed(3)]).fire_on_one()), (1, 3));
    assert!(error(DeferredList::<u32>::new([]).fire_on_one()).is::<FailureGroup>());
    assert!(error(race(Vec::<Deferred<u32>>::new())).is::<FailureGroup>());
}

// Checks: B51, B61
#[test]
fn a_list_fires_inside_the_call_that_fires_its_last_member_behind_that_ones_callbacks() {
    let trace = Trace::new();
    let (member, resolver) = Deferred::<u32>::new();
    let note = trace.clone();
    gather_results([member.add_callback(trace.noting("member")), Deferred::succeed(1)])
        .add_callback(trace.noting("list"));
    note.note("fire");
    resolver.callback(0);
    note.note("fired");
    assert_eq!(trace.seen(), "fire member list fired");
}

// Checks: B62
#[test]
fn the_losers_of_a_race_are_cancelled_in_order_before_it_fires() {
    let trace = Trace::new();
    let loser = |name: &'static str| {
        let trace = trace.clone();
        Deferred::<u32>::with_canceller(move || trace.note(name))
    };
    let ((one, _one), (two, resolver), (three, _three)) = (loser("one"), loser("two"), loser("three"));
    race([one, two, three]).add_callback(trace.noting("fired"));
    resolver.callback(2);
    assert_eq!(trace.seen(), "one three fired");
}

// Checks: B60, B61
#[test]
fn an_error_that_the_list_does_not_return_is_reported_with_the_line_of_its_own_deferred() {
    let told = reports(|| {
        let ((one, fail), (two, resolver)) = (Deferred::new(), Deferred::new());
        let line = line!() - 1;
        let first = DeferredList::new([one, two]).fire_on_one_callback();
        fail.errback(Oops(1));
        resolver.callback(2);
        assert_eq!(value(first), (1, 2));
        LINE.with(|cell| cell.set(line));
    });
    let [(incident, text, line)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((incident, text.as_str()), (&Incident::Unhandled, "oops 1"));
    assert_eq!(line.unwrap(), LINE.with(std::cell::Cell::get));
}

thread_local! {
    static LINE: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

// Checks: B61, P30
#[test]
fn dropping_a_list_cancels_nothing_and_loses_no_member() {
    let trace = Trace::new();
    let (member, resolver) = Deferred::<u32>::new();
    drop(gather_results([member.add_callback(trace.noting("member"))]));
    resolver.callback(1);
    assert_eq!(trace.seen(), "member");
}

// Checks: B60, B61
#[test]
fn an_abandoned_member_fails_its_list_and_nobody_waits_for_ever() {
    let (members, resolvers): (Vec<_>, Vec<_>) = (0..3).map(|_| Deferred::<u32>::new()).unzip();
    let all = gather_results(members);
    drop(resolvers);
    let first = error(all).downcast::<FirstError>().unwrap();
    assert!(first.index == 0 && first.error.is::<Abandoned>());
}

// Checks: B52, B61, P30
#[test]
fn lists_in_lists_a_hundred_thousand_deep_fire_on_a_small_stack() {
    on_a_small_stack(|| {
        let nested = || {
            let (mut inner, resolver) = Deferred::<usize>::new();
            for _ in 0..MANY {
                inner = DeferredList::new([inner]).all().map(|all| all[0].as_ref().map_or(1, |n| n + 1));
            }
            (inner, resolver)
        };
        let (fired, resolver) = nested();
        resolver.callback(0);
        assert_eq!(value(fired), MANY);
        let (dropped, resolver) = nested();
        drop(dropped);
        drop(resolver);
    });
}

// Checks: B61, P30
#[test]
fn a_hundred_thousand_members_fire_in_any_order_and_come_out_in_the_order_of_input() {
    on_a_small_stack(|| {
        let (members, resolvers) = many();
        let all = gather_results(members);
        for (index, resolver) in resolvers.into_iter().enumerate().rev() {
            resolver.callback(index);
        }
        assert!(value(all).into_iter().eq(0..MANY));
    });
}

// Checks: B61, B62
#[test]
fn a_hundred_thousand_members_are_cancelled() {
    on_a_small_stack(|| {
        let (members, resolvers) = many();
        let all = DeferredList::new(members).all();
        all.cancel();
        assert!(value(all).into_iter().all(|result| result.unwrap_err().is::<Cancelled>()));
        assert!(resolvers.iter().all(Resolver::is_cancelled));
        let (members, mut resolvers) = many();
        let raced = race(members);
        resolvers.pop().unwrap().callback(7);
        assert_eq!(value(raced), (MANY - 1, 7));
        assert!(resolvers.iter().all(Resolver::is_cancelled));
    });
}

// Checks: P30
#[test]
fn whoever_is_called_while_a_list_cancels_may_use_it_and_its_members() {
    let place: Place<Deferred<(usize, u32)>> = Rc::default();
    let resolvers: Rc<RefCell<Vec<Resolver<u32>>>> = Rc::default();
    let (again, fire) = (Rc::clone(&place), Rc::clone(&resolvers));
    // The first canceller cancels the list once more, and fires its neighbour.
    let (one, resolver) = Deferred::with_canceller(move || {
        again.borrow().as_ref().unwrap().cancel();
        fire.borrow_mut().pop().unwrap().callback(8);
    });
    let (two, neighbour) = Deferred::new();
    resolvers.borrow_mut().push(neighbour);
    *place.borrow_mut() = Some(race([one, two]));
    place.borrow().as_ref().unwrap().cancel();
    let raced = place.borrow_mut().take().unwrap();
    assert_eq!(value(raced), (1, 8));
    drop(resolver);
}

// Checks: P30
#[test]
fn a_loser_that_cancels_the_race_it_has_lost_cancels_it() {
    let place: Place<Deferred<(usize, u32)>> = Rc::default();
    let again = Rc::clone(&place);
    let (loser, _resolver) = Deferred::with_canceller(move || again.borrow().as_ref().unwrap().cancel());
    let (winner, resolver) = Deferred::new();
    *place.borrow_mut() = Some(race([loser, winner]));
    resolver.callback(1);
    let raced = place.borrow_mut().take().unwrap();
    assert!(error(raced).is::<Cancelled>());
}

// Checks: P30
#[test]
fn what_a_list_drops_is_dropped_once_and_a_drop_that_panics_is_reported() {
    let drops = Drops::new();
    let token = drops.token();
    let told = reports(move || {
        let ((one, first), (two, second)) = (Deferred::new(), Deferred::new());
        let list = DeferredList::new([one, two]).fire_on_one_callback();
        first.callback(Box::new(token) as Box<dyn std::any::Any>);
        second.callback(Box::new(PanicOnDrop));
        drop(value(list));
    });
    assert_eq!(drops.count(), 1);
    assert_eq!(told, [(Incident::Drop, "panicked: a drop that panics".to_owned(), None)]);
}

// Checks: P30
#[test]
fn a_list_frees_what_it_was_made_of_when_all_have_fired() {
    let drops = Drops::new();
    let (members, resolvers): (Vec<_>, Vec<_>) = (0..3).map(|_| Deferred::<u32>::new()).unzip();
    let token = drops.token();
    let kept = gather_results(members).add_callback(move |all| {
        drop(token);
        all.len()
    });
    resolvers.into_iter().for_each(|resolver| resolver.callback(0));
    assert_eq!((drops.count(), value(kept)), (1, 3));
}

// Checks: B53, B61
#[test]
fn a_paused_member_holds_its_list_up_and_a_paused_list_its_callbacks() {
    let (member, resolver) = Deferred::<u32>::new();
    let handle = member.pause_handle();
    handle.pause();
    let list = gather_results([member, Deferred::succeed(2)]);
    list.pause();
    let sum = list.pause_handle();
    let list = list.add_callback(|all| all.into_iter().sum::<u32>());
    resolver.callback(1);
    let list = list.try_result().map(drop).unwrap_err();
    handle.unpause().unwrap();
    let list = list.try_result().map(drop).unwrap_err();
    sum.unpause().unwrap();
    assert_eq!(value(list), 3);
}

// Checks: B53, B61
#[test]
fn a_list_that_is_cancelled_while_a_member_is_paused_fails_with_cancelled() {
    let (member, resolver) = Deferred::<u32>::new();
    let handle = member.pause_handle();
    handle.pause();
    let list = DeferredList::new([member]).all();
    list.cancel();
    assert!(error(list).is::<Cancelled>());
    assert!(resolver.is_cancelled());
    handle.unpause().unwrap();
}

// Checks: B61, P80, P81
#[test]
fn a_list_that_fails_as_a_member_goes_on_after_the_cancel_loses_at_once_what_it_has() {
    let told = reports(|| {
        let queue = DeferredQueue::new();
        queue.put(7).unwrap();
        // After a cancel this waits for what the errback returned.
        let (cleaned_up, clean_up) = Deferred::<u32>::new();
        let (member, _resolver) = Deferred::new();
        let goes_on = member.add_errback(|_| cleaned_up);
        let paused = Deferred::fail(Oops(2));
        let pause = paused.pause_handle();
        pause.pause();
        let members = [queue.get().unwrap(), Deferred::fail(Oops(1)), goes_on, paused];
        let list = DeferredList::new(members).all();
        list.cancel();
        assert_eq!(queue.len(), 1);
        assert!(error(list).is::<Cancelled>());
        clean_up.callback(0);
        pause.unpause().unwrap();
    });
    assert_eq!(told.iter().map(|told| told.1.as_str()).collect::<Vec<_>>(), ["oops 1", "oops 2"]);
}

// Checks: P20, P80, P82, B62
#[test]
fn whoever_gives_up_a_race_is_told_only_of_what_is_not_the_cancellation() {
    let told = reports(|| {
        let nevers = || {
            let (members, resolvers): (Vec<_>, Vec<_>) = (0..2).map(|_| Deferred::<u32>::new()).unzip();
            std::mem::forget(resolvers);
            members
        };
        drop(race(nevers()).into_future());
        drop(race(nevers()).cancel_on_drop());
        let nested = race(nevers()).map(|(_, value)| value);
        drop(race([nested]).into_future());
        let fails = Deferred::fail(Oops(1));
        drop(race(nevers().into_iter().chain([fails])).into_future());
    });
    let [(Incident::Unhandled, said, _)] = &told[..] else { panic!("{told:?}") };
    assert!(said.ends_with("oops 1"), "{said}");
}

// Checks: B62, B53
#[test]
fn a_member_is_still_cancelled_after_its_pause_has_ended_by_itself() {
    let trace = Trace::new();
    let noted = trace.clone();
    let (slow, _keep) = Deferred::<u32>::with_canceller(move || noted.note("slow cancelled"));
    let (loser, fire_loser) = Deferred::new();
    loser.pause();
    let loser = loser.add_callback(move |()| slow).add_callback(|n| n + 1);
    fire_loser.callback(());
    let (winner, fire_winner) = Deferred::new();
    // The list owns `loser` now, and nobody can unpause it: its pause ends, and it waits for `slow`.
    let first = race([loser, winner]);
    fire_winner.callback(3);
    assert_eq!(trace.seen(), "slow cancelled");
    assert_eq!(value(first), (1, 3));
}
