//! How random programs over Deferreds are generated, and thereby how they shrink.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::codec::{Delay, Members, Nth, Small};
use crate::deferred_script::program::{Callback, Closure, Ending, FiredWith, ListKind, Op, Program, Returns, Side};
use crate::nested::nested;

/// Any program.
pub fn program() -> impl Strategy<Value = Program> {
    let ending = prop_oneof![Just(Ending::Abandon), Just(Ending::Forget), Just(Ending::Fire)];
    let anything = vec(op(), 0..16);
    let script = prop_oneof![
        3 => anything,
        1 => (semaphores(), vec(op(), 0..12)).prop_map(|(semaphores, rest)| [semaphores, rest].concat()),
        1 => (line(), vec(op(), 0..10)).prop_map(|(line, rest)| [line, rest].concat()),
    ];
    (script, ending).prop_map(|(script, ending)| Program { script, ending })
}

/// Deferreds that wait for each other, some repeatedly: random operations alone hardly ever make these.
fn line() -> impl Strategy<Value = Vec<Op>> {
    let waits = (nth(), nth()).prop_map(|(nth, inner)| {
        let callback = Callback { closure: Closure::default(), returns: Returns::Await(inner) };
        Op::Add(nth, Side::Both(callback))
    });
    let step = prop_oneof![
        4 => (nth(), sent()).prop_map(|(nth, sent)| Op::Fire(nth, sent)),
        2 => nth().prop_map(Op::Cancel),
        1 => nth().prop_map(Op::Pause),
        1 => nth().prop_map(Op::PauseHandle),
        1 => (kind(), vec(nth(), 1..4)).prop_map(|(kind, members)| Op::List(kind, Members(members))),
    ];
    (vec(Just(Op::New(None)), 3..7), vec(waits, 2..9), vec(step, 2..9))
        .prop_map(|(new, waits, steps)| [new, waits, steps].concat())
}

fn op() -> BoxedStrategy<Op> {
    nested(simple(), |inner| {
        prop_oneof![
            2 => simple(),
            1 => closure(inner.clone()).prop_map(|canceller| Op::New(Some(canceller))),
            6 => (nth(), side(inner.clone())).prop_map(|(nth, side)| Op::Add(nth, side)),
            1 => (few(), callback(inner.clone())).prop_map(|(nth, callback)| Op::Run(nth, callback)),
            1 => (nth(), delay(), callback(inner))
                .prop_map(|(nth, delay, callback)| Op::Timeout(nth, delay, Some(callback))),
        ]
        .boxed()
    })
}

/// Boxed, like all with many parts: unoptimized, the nested strategy types overflow a thread's stack.
fn simple() -> BoxedStrategy<Op> {
    prop_oneof![
        4 => Just(Op::New(None)),
        1 => Just(Op::New(Some(Closure::default()))),
        1 => any::<bool>().prop_map(Op::WithResult),
        6 => (nth(), sent()).prop_map(|(nth, sent)| Op::Fire(nth, sent)),
        1 => nth().prop_map(Op::Abandon),
        3 => nth().prop_map(Op::Cancel),
        1 => nth().prop_map(Op::Take),
        2 => nth().prop_map(Op::Drop),
        1 => nth().prop_map(Op::Log),
        1 => nth().prop_map(Op::Inspect),
        1 => delay().prop_map(Op::Advance),
        1 => (nth(), delay()).prop_map(|(nth, delay)| Op::Timeout(nth, delay, None)),
        1 => (nth(), nth()).prop_map(|(nth, other)| Op::Chain(nth, other)),
        1 => (kind(), vec(nth(), 0..4)).prop_map(|(kind, members)| Op::List(kind, Members(members))),
        2 => nth().prop_map(Op::Pause),
        2 => nth().prop_map(Op::Unpause),
        1 => nth().prop_map(Op::PauseHandle),
        1 => nth().prop_map(Op::HandlePause),
        1 => nth().prop_map(Op::HandleUnpause),
        1 => nth().prop_map(Op::DropHandle),
        1 => Just(Op::Panic),
        3 => semaphore(),
    ]
    .boxed()
}

/// An operation on a lock, a semaphore or a queue.
fn semaphore() -> BoxedStrategy<Op> {
    prop_oneof![
        1 => (0u8..3).prop_map(|permits| Op::Semaphore(Small(permits))),
        4 => few().prop_map(Op::Acquire),
        4 => few().prop_map(Op::Release),
        1 => (0u8..4, 0u8..4).prop_map(|(size, backlog)| Op::Queue(Small(size), Small(backlog))),
        4 => few().prop_map(Op::Put),
        4 => few().prop_map(Op::Get),
    ]
    .boxed()
}

/// A semaphore and a queue, and operations on them.
fn semaphores() -> BoxedStrategy<Vec<Op>> {
    let made = (
        (0u8..3).prop_map(|permits| Op::Semaphore(Small(permits))),
        (0u8..3, 0u8..4).prop_map(|(size, backlog)| Op::Queue(Small(size), Small(backlog))),
    );
    (made, vec(semaphore(), 2..9))
        .prop_map(|((semaphore, queue), come)| [vec![semaphore, queue], come].concat())
        .boxed()
}

/// Number of a semaphore or queue: there are few.
fn few() -> impl Strategy<Value = Nth> {
    (0u8..2).prop_map(Nth)
}

fn closure(inner: BoxedStrategy<Op>) -> BoxedStrategy<Closure> {
    let on_drop = prop_oneof![3 => Just(Vec::new()), 1 => vec(inner.clone(), 1..3)];
    (vec(inner, 0..4), on_drop).prop_map(|(body, on_drop)| Closure { body, on_drop }).boxed()
}

fn callback(inner: BoxedStrategy<Op>) -> BoxedStrategy<Callback> {
    (closure(inner), returns()).prop_map(|(closure, returns)| Callback { closure, returns }).boxed()
}

fn side(inner: BoxedStrategy<Op>) -> BoxedStrategy<Side> {
    let one = || callback(inner.clone());
    prop_oneof![
        3 => one().prop_map(Side::Both),
        2 => one().prop_map(Side::Value),
        2 => one().prop_map(Side::Error),
        1 => (one(), one()).prop_map(|(one, other)| Side::Either(one, other)),
    ]
    .boxed()
}

fn returns() -> impl Strategy<Value = Returns> {
    let waits = nth().prop_map(Returns::Await);
    prop_oneof![3 => Just(Returns::Pass), 1 => Just(Returns::Value), 1 => Just(Returns::Error), 3 => waits]
}

fn kind() -> impl Strategy<Value = ListKind> {
    prop_oneof![Just(ListKind::All), Just(ListKind::Gather), Just(ListKind::First), Just(ListKind::Race)]
}

fn sent() -> impl Strategy<Value = FiredWith> {
    prop_oneof![3 => Just(FiredWith::Value), 2 => Just(FiredWith::Error), 1 => nth().prop_map(FiredWith::Await)]
}

/// Few, so that operations often name the same Deferred.
fn nth() -> impl Strategy<Value = Nth> {
    (0u8..6).prop_map(Nth)
}

fn delay() -> impl Strategy<Value = Delay> {
    prop_oneof![8 => (0u8..4).prop_map(Delay), 1 => Just(Delay(u8::MAX))]
}
