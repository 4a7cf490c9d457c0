//! The pools of a reactor, by name: those it starts and stops itself, and shared ones that it only uses.

use super::super::deferred::{Deferred, Resolver};
use super::super::pool::{PoolBuilder, Stepper, Straggler, ThreadPool};
use super::super::report::Reporter;
use super::Reactor;
use crate::error::{BuildError, UnknownPool};

/// The name of the reactor's main pool, unless the program gives it another.
pub(super) const MAIN_POOL: &str = "reactor";

/// A pool that was added to the builder.
#[derive(Debug)]
pub(super) enum PoolSource {
    /// To be built for this reactor.
    Own(Box<PoolBuilder>),
    /// Shared with others: neither started nor stopped here.
    Shared(ThreadPool),
}

/// All pools of a reactor. They are few, so a name is found by linear search.
pub(super) struct Pools {
    /// The pool for jobs that name none.
    main: NamedPool,
    others: Vec<NamedPool>,
}

pub(super) struct NamedPool {
    name: String,
    pub(super) pool: ThreadPool,
    /// Whether the reactor starts and stops it.
    is_own: bool,
}

impl Pools {
    /// Builds the pools, without starting them. With a list of steppers, the reactor's own have no threads.
    pub(super) fn build(
        main: PoolBuilder,
        added: Vec<(String, PoolSource)>,
        reporter: &Reporter,
        mut steppers: Option<&mut Vec<Stepper>>,
    ) -> Result<Self, BuildError> {
        let main = NamedPool::own(None, main, reporter, steppers.as_deref_mut())?;
        let mut pools = Self { main, others: Vec::with_capacity(added.len()) };
        for (name, added) in added {
            if pools.find(&name).is_some() {
                return Err(BuildError::DuplicatePool { name });
            }
            pools.others.push(match added {
                PoolSource::Own(pool) => NamedPool::own(Some(name), *pool, reporter, steppers.as_deref_mut())?,
                PoolSource::Shared(pool) => NamedPool { name, pool, is_own: false },
            });
        }
        Ok(pools)
    }

    pub(super) fn main(&self) -> &ThreadPool {
        &self.main.pool
    }

    pub(super) fn get(&self, name: &str) -> Result<&ThreadPool, UnknownPool> {
        self.find(name).ok_or_else(|| UnknownPool {
            name: name.to_owned(),
            known: self.all().map(|named| named.name.clone()).collect(),
        })
    }

    /// The pools that the reactor starts and stops.
    pub(super) fn own(&self) -> impl Iterator<Item = &ThreadPool> {
        self.all().filter(|named| named.is_own).map(|named| &named.pool)
    }

    /// Those of the reactor's own that have not stopped: the name, which workers are late, and how many jobs wait.
    pub(super) fn late(&self) -> impl Iterator<Item = (String, Vec<Straggler>, usize)> {
        let own = self.all().filter(|named| named.is_own);
        own.filter_map(|NamedPool { name, pool, .. }| {
            let (stragglers, queued) = pool.stragglers();
            let is_late = !stragglers.is_empty() || queued > 0 || !pool.has_stopped();
            is_late.then(|| (name.clone(), stragglers, queued))
        })
    }

    fn find(&self, name: &str) -> Option<&ThreadPool> {
        self.all().find(|named| named.name == name).map(|named| &named.pool)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &NamedPool> {
        std::iter::once(&self.main).chain(&self.others)
    }
}

impl NamedPool {
    /// A pool of the reactor's own. Without a name, it takes the one its builder has.
    fn own(
        name: Option<String>,
        pool: PoolBuilder,
        reporter: &Reporter,
        steppers: Option<&mut Vec<Stepper>>,
    ) -> Result<Self, BuildError> {
        let pool = pool.or(name.as_deref().unwrap_or(MAIN_POOL), reporter);
        let name = name.unwrap_or_else(|| pool.name_or(MAIN_POOL).to_owned());
        let built = match steppers {
            None => pool.build(),
            Some(steppers) => pool.build_stepped().map(|(pool, stepper)| {
                steppers.push(stepper);
                pool
            }),
        };
        match built {
            Ok(pool) => Ok(Self { name, pool, is_own: true }),
            Err(error) => Err(BuildError::Size { pool: name, error }),
        }
    }
}

impl Reactor {
    /// Stops a pool without blocking the loop: its jobs may wait for the loop. The Deferred fires when all threads have
    /// ended.
    pub(super) fn stop_pool(&self, pool: &ThreadPool) -> Deferred<()> {
        let (stopped, resolver) = Deferred::<()>::new();
        let address = self.own(resolver).detach();
        let stopping = pool.clone();
        pool.begin_stop(self.core.shutdown.policy, self.has_host(), move || {
            // If the reactor has ended before, because the time was over or it was dropped, nothing waits.
            let _ = address.handle().post_unbounded({
                let address = address.clone();
                move |reactor| {
                    stopping.join_last();
                    if let Some(resolver) = address.take(reactor) {
                        Resolver::callback(resolver, ());
                    }
                }
            });
        });
        // The resolver is dropped without firing only if the reactor ends before the pool, which is not a failure.
        stopped.add_errback(|_abandoned| ())
    }
}
