//! Runs a program on one thread, one step after the other: reactors are turned, workers stepped and time advanced when
//! the program says so.

use std::sync::{Arc, Mutex};

use super::perform::perform_as_client;
use super::program::{Op, PoolSetup, Program};
use super::record::{Event, Record};
use super::world::{Pool, World, pool_builder, reactor_builder, reactor_has_ended, reactor_lives};
use crate::platform::api::pool::StopPolicy;
use crate::platform::api::reactor::Turn;
use crate::platform::api::testing::{Stepper, TestReactor, VirtualClock};

/// More rounds than any program needs to end.
const ENOUGH: usize = 10_000;

/// Runs a program, ends everything that is left, and looks at what became of all that it handed over.
///
/// # Errors
/// What should not have happened.
pub fn check(program: &Program) -> Result<(), String> {
    trace(program).map(drop)
}

/// The same, with all that happened, in order.
///
/// # Errors
/// What should not have happened.
pub fn trace(program: &Program) -> Result<Vec<Event>, String> {
    let record = Arc::new(Record::default());
    let mut run = Run::new(program, &record);
    for turn in &program.turns.0 {
        run.act(usize::from(*turn));
    }
    let ends = run.end();
    record.require(ends, || String::from("it never comes to its end"));
    drop(run);
    record.verdict()?;
    Ok(record.trace())
}

struct Run<'a> {
    record: Arc<Record>,
    world: Arc<World>,
    steppers: Vec<Stepper>,
    /// `None` where one has ended.
    reactors: Vec<Option<TestReactor>>,
    clock: VirtualClock,
    clients: [std::slice::Iter<'a, Op>; 4],
}

impl<'a> Run<'a> {
    fn new(program: &'a Program, record: &Arc<Record>) -> Self {
        let pauses = program.pauses;
        let pools = program.setups().map(|setup| {
            let builder = pool_builder(setup, pauses, record).expect("there is such a pool");
            let (pool, stepper) = builder.build_stepped().expect("sizes in order");
            if matches!(setup, PoolSetup::Of(.., true)) {
                pool.start().expect("it was not stopped");
            }
            (Pool::new(pool, setup), stepper)
        });
        let (pools, steppers): (Vec<Pool>, Vec<Stepper>) = pools.unzip();
        let clock = VirtualClock::new();
        let reactors = program.reactor_setups().enumerate().map(|(number, setup)| {
            let builder = reactor_builder(setup, pauses, record).expect("there is such a reactor");
            let reactor = builder.clock(clock.clone()).build_test().expect("sizes in order");
            reactor_lives(record, number, &reactor);
            reactor.with_seed(program.turns.0.len() as u64)
        });
        let reactors: Vec<TestReactor> = reactors.collect();
        let handles = reactors.iter().map(|reactor| reactor.handle()).collect();
        let (tickets, addresses) = (Mutex::default(), Mutex::default());
        let world = World { record: Arc::clone(record), pools, handles, tickets, addresses, stepped: true, pauses };
        Self {
            record: Arc::clone(record),
            world: Arc::new(world),
            steppers,
            reactors: reactors.into_iter().map(Some).collect(),
            clock,
            clients: program.clients().map(<[Op]>::iter),
        }
    }

    /// What the number says: a client's next operation, a turn, steps until a reactor rests, a step of a worker.
    fn act(&mut self, number: usize) {
        let (kind, which) = (number % 8, number / 8);
        let reactor = |reactors: &mut Vec<Option<TestReactor>>| which.checked_rem(reactors.len());
        match kind {
            0..3 => {
                if let Some(op) = self.clients[which % 4].next() {
                    perform_as_client(&self.world, op);
                }
            }
            3..5 => {
                if let Some(number) = reactor(&mut self.reactors) {
                    let turn = |reactor: &TestReactor| reactor.turn().expect("nobody else is inside a turn");
                    self.turn(number, turn);
                }
            }
            5 => {
                if let Some(number) = reactor(&mut self.reactors) {
                    self.turn(number, TestReactor::settle);
                }
            }
            _ => {
                if let Some(pool) = which.checked_rem(self.steppers.len()) {
                    self.steppers[pool].step();
                }
            }
        }
    }

    /// What a reactor waits for after this; it is dropped when it has ended.
    fn turn(&mut self, number: usize, turn: impl FnOnce(&TestReactor) -> Turn) -> Turn {
        let Some(reactor) = &self.reactors[number] else { return Turn::Ended };
        let turn = turn(reactor);
        match turn {
            Turn::Ended => {
                drop(self.reactors[number].take());
                reactor_has_ended(&self.record, number);
            }
            Turn::Wait(time) => self.clock.advance(time),
            Turn::Again | Turn::Idle => {}
        }
        turn
    }

    /// Performs what is left, ends everything, and drops what the program holds. Whether it came to its end.
    fn end(&mut self) -> bool {
        for pool in &self.world.pools {
            // An error if a client has stopped it.
            let _ = pool.pool.start();
        }
        for client in &mut self.clients {
            for op in client {
                perform_as_client(&self.world, op);
            }
        }
        for handle in &self.world.handles {
            handle.stop();
        }
        let mut ends = self.steps_until(|run| {
            let turns: Vec<Turn> =
                (0..run.reactors.len()).map(|number| run.turn(number, TestReactor::settle)).collect();
            turns.iter().all(|turn| *turn == Turn::Ended)
        });
        self.world.clear();
        for pool in &self.world.pools {
            pool.pool.ask_to_stop(StopPolicy::Drain);
        }
        ends &= self.steps_until(|run| run.world.pools.iter().all(|pool| pool.pool.has_stopped()));
        if ends {
            self.world.end_pools();
        }
        ends
    }

    /// Steps of all workers until this holds, which is asked in each round.
    fn steps_until(&mut self, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        (0..ENOUGH).any(|_| {
            for stepper in &self.steppers {
                stepper.step();
            }
            holds(self)
        })
    }
}
