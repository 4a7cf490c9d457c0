//! What a client of a random program does, and what jobs and calls do in their turn.

use std::panic::panic_any;
use std::time::Duration;

use shuttle::thread;

use super::random::{Dice, ReactorHandle, World};
use crate::pool::{Cancellation, StopPolicy, Ticket, WhenFull};
use crate::promises::{Function, Promise};
use crate::sync::{Arc, Condvar, Mutex};
use crate::testing::Injected;
use crate::{Failure, Job, Reactor, ThreadPool, threads};

/// One thread that uses the system.
pub struct Client {
    world: Arc<World>,
    tickets: Vec<(Promise, Ticket)>,
}

/// Each is as likely as the others.
pub const OPERATIONS: &[fn(&mut Client, &mut Dice)] = &[
    Client::post,
    Client::post,
    Client::post_waiting,
    Client::submit,
    Client::submit,
    Client::submit_waiting,
    Client::submit_to_the_reactors_pool,
    Client::submit_ticketed,
    Client::cancel,
    Client::wait_for_a_job,
    Client::blocking_call,
    Client::blocking_call_with_timeout,
    Client::resize,
    Client::stop_a_pool,
    Client::stop_a_reactor,
    Client::look,
];

/// A wait that may end at any time.
const A_WHILE: Duration = Duration::from_secs(1);

impl Client {
    pub fn new(world: Arc<World>) -> Self {
        Self { world, tickets: vec![] }
    }

    fn pool(&self, dice: &mut Dice) -> &ThreadPool {
        &self.world.pools[dice.below(self.world.pools.len())]
    }

    fn post(&mut self, dice: &mut Dice) {
        post(&self.world, dice, |reactor, call| reactor.handle.call_from_thread(call).is_ok());
    }

    fn post_waiting(&mut self, dice: &mut Dice) {
        let timeout = dice.one_in(2).then_some(A_WHILE);
        post(&self.world, dice, |reactor, call| reactor.handle.call_from_thread_waiting(timeout, call).is_ok());
    }

    fn submit(&mut self, dice: &mut Dice) {
        submit(&self.world, self.pool(dice), dice);
    }

    fn submit_waiting(&mut self, dice: &mut Dice) {
        let (promise, function) = self.world.promises.function("job that waits for a slot");
        let act = act(&self.world, dice);
        let job = Job::new(move || act.run(&function, None));
        // While a pool is paused no slot gets free.
        let when_full = if self.world.rules.pauses { WhenFull::WaitUpTo(A_WHILE) } else { WhenFull::Wait };
        let answer = self.pool(dice).call_in_thread(job.when_full(when_full));
        promise.answered(&answer, self.world.jobs_run);
    }

    fn submit_to_the_reactors_pool(&mut self, dice: &mut Dice) {
        let (promise, function) = self.world.promises.function("job of a reactor");
        let act = act(&self.world, dice);
        let answer = reactor(&self.world, dice).handle.call_in_thread(move || act.run(&function, None));
        promise.answered(&answer, self.world.jobs_run);
    }

    fn submit_ticketed(&mut self, dice: &mut Dice) {
        let (promise, function) = self.world.promises.function("job with a ticket");
        let act = act(&self.world, dice);
        let answer = self.pool(dice).call_in_thread_ticketed(move || act.run(&function, None));
        promise.answered(&answer, self.world.jobs_run);
        if let Ok(ticket) = answer {
            self.tickets.push((promise, ticket));
        }
    }

    fn cancel(&mut self, dice: &mut Dice) {
        if self.tickets.is_empty() {
            return self.submit_ticketed(dice);
        }
        let (promise, ticket) = &self.tickets[dice.below(self.tickets.len())];
        match ticket.cancel() {
            Cancellation::NeverRuns => promise.never_runs(),
            // It runs, or a stop has cancelled it.
            Cancellation::Asked => promise.accepted(self.world.jobs_run),
            Cancellation::Over => {}
        }
    }

    /// Unless pools may be paused: then it might wait for itself.
    fn wait_for_a_job(&mut self, dice: &mut Dice) {
        if self.world.rules.pauses {
            return self.submit(dice);
        }
        let (job_promise, job) = self.world.promises.function("job that is waited for");
        let (told_promise, told) = self.world.promises.function("what is told of it");
        let (act, done) = (act(&self.world, dice), Arc::new((Mutex::new(false), Condvar::new())));
        let notify = Arc::clone(&done);
        let on_result = move |_: Result<(), Failure>| {
            told.run();
            *notify.0.lock() = true;
            notify.1.notify_one();
        };
        let answer = self.pool(dice).call_in_thread_with_callback(on_result, move || act.run(&job, None));
        job_promise.answered(&answer, self.world.jobs_run);
        told_promise.answered(&answer, true);
        let mut is_done = done.0.lock();
        while answer.is_ok() && !*is_done {
            is_done = done.1.wait(is_done);
        }
    }

    fn blocking_call(&mut self, dice: &mut Dice) {
        blocking_call(&self.world, reactor(&self.world, dice), None);
    }

    fn blocking_call_with_timeout(&mut self, dice: &mut Dice) {
        blocking_call(&self.world, reactor(&self.world, dice), Some(A_WHILE));
    }

    fn resize(&mut self, dice: &mut Dice) {
        let max = dice.below(4).max(usize::from(!self.world.rules.pauses));
        if dice.one_in(4) {
            return reactor(&self.world, dice).handle.suggest_thread_pool_size(max.max(1));
        }
        self.pool(dice).adjust_pool_size(dice.below(max + 1), max).unwrap();
    }

    fn stop_a_pool(&mut self, dice: &mut Dice) {
        if !self.world.rules.stops {
            return self.submit(dice);
        }
        let policy = match dice.below(3) {
            0 if self.world.rules.cancels => StopPolicy::CancelQueued,
            1 if self.world.rules.cancels => StopPolicy::CancelAll,
            _ => StopPolicy::Drain,
        };
        let pool = self.pool(dice);
        match dice.below(3) {
            0 => pool.ask_to_stop(policy),
            1 => drop(pool.stop_within(policy, A_WHILE)),
            _ => {
                pool.stop_with(policy).unwrap();
                assert!(pool.has_stopped());
            }
        }
    }

    fn stop_a_reactor(&mut self, dice: &mut Dice) {
        if !self.world.rules.reactor_stops {
            return self.post(dice);
        }
        reactor(&self.world, dice).handle.stop();
    }

    fn look(&mut self, dice: &mut Dice) {
        let stats = self.pool(dice).stats();
        assert!(stats.blocked <= stats.busy && stats.busy + stats.idle <= stats.live, "{stats:?}");
        assert!(stats.busy + stats.idle <= stats.peak, "{stats:?}");
        assert_eq!(stats.started, stats.completed + stats.busy as u64, "{stats:?}");
    }
}

fn reactor<'w>(world: &'w World, dice: &mut Dice) -> &'w ReactorHandle {
    &world.reactors[dice.below(world.reactors.len())]
}

/// What a job or a call does when it runs.
enum Act {
    Nothing,
    Yield,
    Panic,
    Post(World, Dice),
    Submit(World, Dice),
    BlockingCall(World, Dice),
    /// Code that tells its pool that it blocks.
    Block,
    Defer(World, Dice),
    Timer(World),
    /// What would wait for itself.
    StopThePool(World, Dice),
}

fn act(world: &World, dice: &mut Dice) -> Act {
    let next = |dice: &mut Dice| Dice::clone(dice);
    match dice.below(20) {
        0..6 => Act::Nothing,
        6..8 => Act::Yield,
        8 => Act::Panic,
        9..11 => Act::Post(world.clone(), next(dice)),
        11..13 => Act::Submit(world.clone(), next(dice)),
        13..15 => Act::BlockingCall(world.clone(), next(dice)),
        15 => Act::Block,
        16..18 => Act::Defer(world.clone(), next(dice)),
        18 => Act::Timer(world.clone()),
        _ => Act::StopThePool(world.clone(), next(dice)),
    }
}

impl Act {
    /// With the reactor if it is a call of its.
    fn run(self, function: &Function, here: Option<&Reactor>) {
        function.run();
        match (self, here) {
            (Self::Panic, _) => panic_any(Injected),
            (Self::Yield, _) => thread::yield_now(),
            (Self::Post(world, mut dice), _) => {
                post_plain(&world, reactor(&world, &mut dice));
            }
            (Self::Submit(world, mut dice), _) => submit_plain(&world, &mut dice),
            (Self::BlockingCall(world, mut dice), None) => blocking_call(&world, reactor(&world, &mut dice), None),
            (Self::Block, None) => threads::blocked(thread::yield_now),
            (Self::Defer(world, mut dice), Some(here)) => defer(&world, &mut dice, here),
            (Self::Timer(world), Some(here)) => {
                let (promise, timer) = world.promises.function("timer");
                let _timer = here.call_later(A_WHILE, move |_| timer.run());
                // The reactor may end before.
                promise.on(thread::current().id()).accepted(false);
            }
            (Self::StopThePool(world, mut dice), Some(_)) => {
                let pool = &world.pools[dice.below(world.pools.len())];
                assert!(pool.stop().is_err(), "a reactor lives on this thread");
            }
            _ => {}
        }
    }
}

fn post(world: &World, dice: &mut Dice, post: impl FnOnce(&ReactorHandle, PostedCall) -> bool) {
    let number = dice.below(world.reactors.len());
    let reactor = &world.reactors[number];
    let (promise, function) = world.promises.function("call");
    let promise = promise.on(reactor.thread).of_queue(number);
    let act = act(world, dice);
    if post(reactor, Box::new(move |reactor: &Reactor| act.run(&function, Some(reactor)))) {
        promise.accepted(true);
    } else {
        promise.never_runs();
    }
}

type PostedCall = Box<dyn FnOnce(&Reactor) + Send>;

fn post_plain(world: &World, reactor: &ReactorHandle) {
    let (promise, call) = world.promises.function("call of a call");
    let promise = promise.on(reactor.thread);
    let answer = reactor.handle.call_from_thread(move |_| call.run());
    promise.answered(&answer, true);
}

fn submit(world: &World, pool: &ThreadPool, dice: &mut Dice) {
    let (promise, function) = world.promises.function("job");
    let act = act(world, dice);
    let answer = pool.call_in_thread(move || act.run(&function, None));
    promise.answered(&answer, world.jobs_run);
}

fn submit_plain(world: &World, dice: &mut Dice) {
    let (promise, job) = world.promises.function("job of a job");
    let answer = world.pools[dice.below(world.pools.len())].call_in_thread(move || job.run());
    promise.answered(&answer, world.jobs_run);
}

fn blocking_call(world: &World, reactor: &ReactorHandle, timeout: Option<Duration>) {
    let (promise, call) = world.promises.function("blocking call");
    let promise = promise.on(reactor.thread);
    let f = move |_: &Reactor| {
        call.run();
        7
    };
    let answer = match timeout {
        None => threads::blocking_call_from_thread(&reactor.handle, f),
        Some(timeout) => threads::blocking_call_from_thread_timeout(&reactor.handle, timeout, f),
    };
    match answer {
        Ok(answer) => {
            assert_eq!(answer, 7);
            promise.accepted(true);
        }
        Err(_) => promise.accepted(false),
    }
}

/// A job whose result comes back to this reactor, whatever happens.
fn defer(world: &World, dice: &mut Dice, here: &Reactor) {
    let (job_promise, job) = world.promises.function("deferred job");
    let (result_promise, on_result) = world.promises.function("callback");
    let work = move || {
        job.run();
        7
    };
    let deferred = if dice.one_in(2) {
        threads::defer_to_thread(here, work)
    } else {
        threads::defer_to_thread_pool(here, &world.pools[dice.below(world.pools.len())], work)
    };
    job_promise.accepted(false);
    result_promise.on(thread::current().id()).accepted(true);
    deferred.add_both(move |result: Result<i32, Failure>| {
        on_result.run();
        drop(result);
    });
}
