//! A reactor on a tokio runtime: a task of a `LocalSet` turns it, and calls go both ways.
//!
//! Tasks on tokio's threads ask the reactor, which owns a value that is not thread-safe; a task of the reactor awaits
//! what is tokio's. It prints what they found out: `cargo run --bin on_tokio`.

use std::{cell::Cell, error::Error, rc::Rc, sync::Arc, time::Duration};

use selvedge::{Failure, Reactor, error::Reentered, reactor::Turn};
use tokio::runtime::Builder;
use tokio::sync::{Notify, mpsc};
use tokio::task::{self, LocalSet};
use tokio::time;

/// Turns the reactor to its end. The hook notifies `woken`.
async fn host(reactor: Reactor, woken: Arc<Notify>) -> Result<(), Reentered> {
    loop {
        match reactor.turn()? {
            Turn::Again => task::yield_now().await,
            Turn::Wait(time) => drop(time::timeout(time, woken.notified()).await),
            Turn::Idle => woken.notified().await,
            Turn::Ended => return Ok(()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let woken = Arc::new(Notify::new());
    let waking = Arc::clone(&woken);
    let reactor = Reactor::builder().on_wake(move || waking.notify_one()).build()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    LocalSet::new().block_on(&runtime, async {
        let sum = Rc::new(Cell::new(0));
        let (address, handle) = (reactor.own(Rc::clone(&sum)).detach(), reactor.handle());

        // On the reactor, what is tokio's: a channel, and a timer.
        let (sender, mut receiver) = mpsc::unbounded_channel();
        reactor
            .spawn(async move {
                let mut largest = 0;
                while let Some(sum) = receiver.recv().await {
                    largest = largest.max(sum);
                }
                time::sleep(Duration::from_millis(1)).await;
                println!("the last sum: {largest}");
                Ok::<_, Failure>(())
            })
            .add_both(move |result| {
                handle.stop();
                result
            });
        let hosted = task::spawn_local(host(reactor, woken));

        // On tokio's threads, what is the reactor's.
        for n in 1..=1000_u64 {
            let (address, sender) = (address.clone(), sender.clone());
            tokio::spawn(async move {
                let sum = address.ask(move |sum, _| {
                    sum.set(sum.get() + n);
                    sum.get()
                });
                sender.send(sum.await?)?;
                Ok::<_, Failure>(())
            });
        }
        drop(sender);
        hosted.await??;
        println!("the reactor has ended");
        Ok(())
    })
}
