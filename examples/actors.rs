//! Actors on three reactors: each is a value of one, asks those of the others, and is made anew when it has panicked.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use selvedge::reactor::Shutdown;
use selvedge::{Address, Deferred, Failure, Reactor};

/// Bakes cakes, and numbers them.
#[derive(Default)]
struct Baker {
    cakes: u32,
}

impl Baker {
    /// A bug: without guests it panics, when the cake has been counted already.
    fn bake(&mut self, guests: u32) -> String {
        self.cakes += 1;
        format!("cake {} for {guests}: {} pieces each", self.cakes, 12 / guests)
    }
}

/// Makes its actor, and makes it anew after a panic, so that nobody sees what the panic has left half done.
struct Supervisor<A> {
    make: fn() -> A,
    actor: A,
    restarts: u32,
}

impl<A> Supervisor<A> {
    fn new(make: fn() -> A) -> Self {
        Self { make, actor: make(), restarts: 0 }
    }

    /// Runs `f` with the actor. A panic goes on, so that it becomes the error of the question.
    fn supervise<T>(&mut self, f: impl FnOnce(&mut A) -> T) -> T {
        catch_unwind(AssertUnwindSafe(|| f(&mut self.actor))).unwrap_or_else(|panic| {
            self.actor = (self.make)();
            self.restarts += 1;
            resume_unwind(panic)
        })
    }
}

/// How many guests have paid.
#[derive(Default)]
struct Till {
    paid: u32,
}

/// Takes orders; the kitchen and the till belong to other reactors.
struct Waiter {
    kitchen: Address<Supervisor<Baker>>,
    till: Address<Till>,
}

impl Waiter {
    /// While it waits for an answer, the waiter takes other orders.
    fn order(&self, reactor: &Reactor, guests: u32) -> Deferred<String> {
        let (kitchen, till) = (self.kitchen.clone(), self.till.clone());
        reactor.spawn(async move {
            let cake = kitchen.ask(move |kitchen, _| kitchen.supervise(|baker| baker.bake(guests))).await?;
            till.ask(move |till, _| till.paid += guests).await?;
            Ok::<_, Failure>(cake)
        })
    }
}

/// Runs a reactor in a thread of its own, with one actor. `make` runs there: neither can move to another thread.
fn start<A: 'static>(
    name: &str,
    make: impl FnOnce() -> A + Send + 'static,
) -> Result<(Address<A>, JoinHandle<Shutdown>), Failure> {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let reactor = Reactor::new();
        // If nobody receives the address, the channel drops it, and nothing can stop this reactor.
        sender.send(reactor.own(make()).detach()).ok();
        reactor.run()
    })?;
    Ok((receiver.recv()?, thread))
}

fn main() -> Result<(), Failure> {
    let reactor = Reactor::new();
    let till = reactor.own(Till::default()).detach();
    let (kitchen, kitchen_thread) = start("kitchen", || Supervisor::new(Baker::default))?;
    let waiter = Waiter { kitchen: kitchen.clone(), till: till.clone() };
    let (waiter, waiter_thread) = start("waiter", move || waiter)?;

    reactor.block_on(async move {
        // Each order is posted here, before the answer of the first is awaited.
        let orders = [4, 0, 6].map(|guests| waiter.ask(move |waiter, reactor| waiter.order(reactor, guests)));
        for order in orders {
            match order.await {
                Ok(cake) => println!("{cake}"),
                Err(failure) => println!("no cake: {failure}"),
            }
        }
        // The reactor that asks stops first, then the one that answers.
        waiter.ask(|_, reactor| reactor.stop()).await?;
        let restarts = kitchen.ask(|kitchen, reactor| reactor.stop().map(|()| kitchen.restarts)).await?;
        let paid = till.ask(|till, _| till.paid).await?;
        println!("{paid} guests have paid, {restarts} restart");
        Ok::<_, Failure>(())
    })?;

    for thread in [waiter_thread, kitchen_thread] {
        thread.join().unwrap_or_else(|panic| resume_unwind(panic));
    }
    Ok(())
}
