//! Gives eight clients one database connection, which belongs to one thread; a query can be too slow, or given up.
//!
//! The thread is the only one of the reactor's pool. It opens the connection when it starts and closes it when it
//! ends, so the connection need be neither `Send` nor `Sync`. `tests/examples/database.rs` tests it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use selvedge::error::Cancelled;
use selvedge::pool::{CancelToken, PoolBuilder};
use selvedge::{Deferred, Failure, Job, LocalHandle, Reactor};

const MINUTE: Duration = Duration::from_secs(60);

thread_local! {
    /// The connection of the database's thread.
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// Stands for the connection of a database's library: its queries block, and look at no token.
struct Connection {
    balances: BTreeMap<u32, i64>,
    /// Where the interrupt of the query that runs arrives.
    interrupted: RefCell<Receiver<()>>,
    answered: Cell<u32>,
}

/// The query was interrupted from another thread.
struct Interrupted;

impl Connection {
    fn open() -> Self {
        let balances = (1..=8).map(|account| (account, 100 * i64::from(account))).collect();
        Self { balances, interrupted: RefCell::new(mpsc::channel().1), answered: Cell::new(0) }
    }

    /// Interrupts the next query, from any thread.
    fn interrupter(&self) -> Sender<()> {
        let (interrupter, interrupted) = mpsc::channel();
        self.interrupted.replace(interrupted);
        interrupter
    }

    fn balance(&self, account: u32) -> Result<i64, Interrupted> {
        self.answered.set(self.answered.get() + 1);
        Ok(self.balances.get(&account).copied().unwrap_or_default())
    }

    /// Would take until the end of time. Calls `progress` as soon as it runs.
    fn audit(&self, progress: impl FnOnce()) -> Result<i64, Interrupted> {
        progress();
        self.interrupted.borrow().recv().map_or(Ok(0), |()| Err(Interrupted))
    }
}

/// Runs a query on the database's thread, for no longer than `limit`. Cancelling the Deferred interrupts it.
fn query<T, F>(local: &LocalHandle, limit: Duration, query: F) -> Deferred<T>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, Interrupted> + Send + 'static,
{
    let job = move || {
        CONNECTION.with_borrow(|connection| {
            let connection = connection.as_ref().ok_or_else(|| Failure::msg("not connected"))?;
            let interrupter = connection.interrupter();
            let interrupt = move || interrupter.send(()).unwrap_or_default();
            let _guard = CancelToken::current().map(|token| token.on_cancel(interrupt));
            Ok::<_, Failure>(query(connection).map_err(|Interrupted| Cancelled)?)
        })
    };
    local.defer_to_thread(Job::new(job).time_limit(limit))
}

/// Asks for something that takes for ever, and gives it up once it runs.
fn impatient(reactor: &Reactor) -> Deferred<i64> {
    let (progress, on_progress) = mpsc::channel();
    let audit = move |connection: &Connection| connection.audit(|| progress.send(()).unwrap_or_default());
    let (answer, cancel) = query(&reactor.local(), Duration::MAX, audit).with_cancel_handle();
    let cancel = reactor.own(cancel).detach();
    thread::spawn(move || on_progress.recv().map(|()| cancel.call(|cancel, _| cancel.cancel())));
    answer
}

fn ask(reactor: &Reactor, client: u32) -> Deferred<i64> {
    match client {
        3 => query(&reactor.local(), Duration::from_millis(5), |connection| connection.audit(|| ())),
        6 => impatient(reactor),
        _ => query(&reactor.local(), MINUTE, move |connection| connection.balance(client)),
    }
}

fn main() -> Result<(), Failure> {
    let hooks = |pool: PoolBuilder| {
        pool.on_worker_start(|_| CONNECTION.set(Some(Connection::open()))).on_worker_stop(|_| {
            let answered = CONNECTION.take().map(|connection| connection.answered.get());
            println!("closed after {} answers", answered.unwrap_or_default());
        })
    };
    let reactor = Reactor::builder().pool_size(1, 1).configure_pool(hooks).build()?;

    let answers: Vec<_> = (1..=8).map(|client| (client, ask(&reactor, client))).collect();
    reactor.block_on(async {
        for (client, answer) in answers {
            match answer.await {
                Ok(balance) => println!("client {client}: {balance}"),
                Err(failure) => println!("client {client}: {failure}"),
            }
        }
    })
}
