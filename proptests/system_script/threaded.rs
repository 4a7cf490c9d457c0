//! Runs a program on threads: each client and each reactor has one, and pools have their workers.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use super::perform::perform_as_client;
use super::program::{PoolSetup, Program, ReactorSetup};
use super::record::Record;
use super::world::{Pool, World, pool_builder, reactor_builder, reactor_has_ended, reactor_lives};
use crate::platform::api::pool::StopPolicy;
use crate::platform::api::reactor::{ReactorBuilder, Turn};
use crate::platform::api::{Handle, Reactor};
use crate::platform::thread::{self, JoinHandle};
use crate::platform::{Signal, mpsc};

/// Runs a program, ends everything that is left, and looks at what became of all that it handed over.
///
/// # Errors
/// What should not have happened.
pub fn check(program: &Program) -> Result<(), String> {
    let record = Arc::new(Record::default());
    let pauses = program.pauses;
    let pools = program.setups().map(|setup| {
        let builder = pool_builder(setup, pauses, &record).expect("there is such a pool");
        Pool::new(builder.build().expect("sizes in order"), setup)
    });
    let pools: Vec<Pool> = pools.collect();
    let reactors = program.reactor_setups().enumerate().map(|(number, setup)| {
        let builder = reactor_builder(setup, pauses, &record).expect("there is such a reactor");
        start_reactor(number, matches!(setup, ReactorSetup::Hosted(..)), builder, &record)
    });
    let (handles, reactors): (Vec<Handle>, Vec<JoinHandle<()>>) = reactors.unzip();
    let (tickets, addresses) = (Mutex::default(), Mutex::default());
    let world = World { record: Arc::clone(&record), pools, handles, tickets, addresses, stepped: false, pauses };
    let world = Arc::new(world);
    for (pool, setup) in world.pools.iter().zip(program.setups()) {
        if matches!(setup, PoolSetup::Of(.., true)) {
            pool.pool.start().expect("it was not stopped");
        }
    }
    let clients: Vec<_> = program
        .clients()
        .into_iter()
        .filter(|script| !script.is_empty())
        .map(|script| {
            let (world, script) = (Arc::clone(&world), script.to_vec());
            thread::spawn(move || script.iter().for_each(|op| perform_as_client(&world, op)))
        })
        .collect();
    for pool in &world.pools {
        // An error if a client has stopped it.
        let _ = pool.pool.start();
    }
    for client in clients {
        client.join().expect("a client does not panic");
    }
    world.handles.iter().for_each(Handle::stop);
    for reactor in reactors {
        reactor.join().expect("a reactor's thread does not panic");
    }
    for Pool { pool, cancels, .. } in &world.pools {
        if pool.stats().max == 0 {
            cancels.store(true, Relaxed);
        }
        pool.stop_with(StopPolicy::Drain).expect("no reactor lives here");
    }
    world.clear();
    world.end_pools();
    drop(world);
    record.verdict()
}

fn start_reactor(
    number: usize,
    is_hosted: bool,
    builder: ReactorBuilder,
    record: &Arc<Record>,
) -> (Handle, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel();
    let record = Arc::clone(record);
    let run = move || {
        let woken = Arc::new(Signal::default());
        let builder = if is_hosted {
            let wakes = Arc::clone(&woken);
            builder.on_wake(move || wakes.give())
        } else {
            builder
        };
        let reactor = builder.build().expect("sizes in order");
        reactor_lives(&record, number, &reactor);
        sender.send(reactor.handle()).expect("the program waits for it");
        drop(sender);
        if is_hosted {
            host(&reactor, &woken);
            drop(reactor);
        } else {
            let _ = reactor.run();
        }
        reactor_has_ended(&record, number);
    };
    let thread = thread::spawn(run);
    (receiver.recv().expect("a reactor's thread does not panic"), thread)
}

/// The loop of a host, which only the hook wakes.
fn host(reactor: &Reactor, woken: &Signal) {
    loop {
        match reactor.turn().expect("nobody else is inside a turn") {
            Turn::Again => {}
            Turn::Wait(time) => woken.wait(Some(time)),
            Turn::Idle => woken.wait(None),
            Turn::Ended => return,
        }
    }
}
