//! A connection to Redis, which is lent to one job at a time, and made again when it has failed.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use redis::{Connection, RedisError, RedisResult};
use selvedge::{Deferred, Failure, LocalHandle, Reactor, ThreadPool};

use crate::backoff::Backoff;
use crate::say::say;
use crate::store::Store;

/// The pool whose threads wait for Redis. It is not that which hashes: an answer must not wait for a file.
pub const POOL: &str = "redis";

/// Belongs to the reactor's thread; the connection goes to the pool with each job and comes back with its result.
pub struct Link {
    /// For messages: what it is used for.
    purpose: &'static str,
    local: LocalHandle,
    pool: ThreadPool,
    store: Arc<Store>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Not there before the first job, while a job has it, and after a failure.
    connection: Option<Connection>,
    backoff: Backoff,
}

impl Link {
    pub fn new(purpose: &'static str, reactor: &Reactor, store: &Arc<Store>) -> Result<Rc<Link>, Failure> {
        let (local, pool) = (reactor.local(), reactor.pool(POOL)?.clone());
        Ok(Rc::new(Link { purpose, local, pool, store: Arc::clone(store), state: RefCell::default() }))
    }

    /// Runs `work` on a thread, with a connection. After a failure it first waits, longer each time, and connects anew.
    ///
    /// # Errors
    ///
    /// Those of Redis. Then nobody knows whether the command was carried out. It has been said; the caller decides
    /// whether to try again.
    pub fn run<T, F>(self: &Rc<Self>, work: F) -> Deferred<T>
    where
        F: FnOnce(&Store, &mut Connection) -> RedisResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let this = Rc::clone(self);
        self.local.spawn(async move {
            let wait = this.state.borrow().backoff.wait(chance());
            if let Some(wait) = wait {
                this.local.sleep(wait).await?;
            }
            let (connection, store) = (this.state.borrow_mut().connection.take(), Arc::clone(&this.store));
            let job = move || {
                let mut connection = connection.map_or_else(|| store.connect(), Ok)?;
                let result = work(&store, &mut connection)?;
                Ok::<_, Failure>((connection, result))
            };
            let done = this.local.defer_to_thread_pool(&this.pool, job).await;
            let (connection, result) = done.inspect_err(|failure| this.failed(failure))?;
            this.succeeded(connection);
            Ok::<_, Failure>(result)
        })
    }

    /// The same again and again until it has succeeded, or the reactor has stopped.
    pub fn insist<T, F>(self: &Rc<Self>, work: F) -> Deferred<T>
    where
        F: FnOnce(&Store, &mut Connection) -> RedisResult<T> + Clone + Send + 'static,
        T: Send + 'static,
    {
        let this = Rc::clone(self);
        self.local.spawn(async move {
            loop {
                match this.run(work.clone()).await {
                    // It has waited already; this ends with the reactor.
                    Err(_) => this.local.sleep(Duration::ZERO).await?,
                    done => return done,
                }
            }
        })
    }

    /// A connection that has failed is dropped: an answer to the command before could still come over it.
    fn failed(&self, failure: &Failure) {
        let mut state = self.state.borrow_mut();
        // If not Redis's, the reactor stops.
        let is_news = !state.backoff.has_failed() && failure.is::<RedisError>();
        state.backoff.failed();
        drop(state);
        if is_news {
            say(format_args!("{}: no connection: {failure}; tries again", self.purpose));
        }
    }

    fn succeeded(&self, connection: Connection) {
        let mut state = self.state.borrow_mut();
        let is_news = state.backoff.has_failed();
        state.backoff.succeeded();
        state.connection = Some(connection);
        drop(state);
        if is_news {
            say(format_args!("{}: connected again", self.purpose));
        }
    }
}

/// Something that differs each time.
fn chance() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}
