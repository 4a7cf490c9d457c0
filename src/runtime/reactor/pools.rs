//! The pools of a reactor, by name: its own, which live and end with it, and those that others let it use.

use super::super::deferred::{Deferred, Resolver};
use super::super::pool::{PoolBuilder, ThreadPool};
use super::super::report::Reporter;
use super::Reactor;
use crate::error::{BuildError, UnknownPool};

/// A pool that a reactor is to have besides its own.
#[derive(Debug)]
pub(super) enum Added {
    /// Made for this reactor.
    Own(PoolBuilder),
    /// Somebody else's.
    Shared(ThreadPool),
}

/// All pools of a reactor. They are few: they are searched one by one.
pub(super) struct Pools {
    /// The one for whoever names none.
    main: Member,
    others: Vec<Member>,
}

struct Member {
    name: String,
    pool: ThreadPool,
    /// The reactor starts and stops it.
    is_own: bool,
}

impl Pools {
    /// Builds what is to be built. Nothing is started.
    pub(super) fn build(
        main: PoolBuilder,
        added: Vec<(String, Added)>,
        reporter: &Reporter,
    ) -> Result<Self, BuildError> {
        let main = Member::own(None, main, reporter)?;
        let mut pools = Self { main, others: Vec::with_capacity(added.len()) };
        for (name, added) in added {
            if pools.find(&name).is_some() {
                return Err(BuildError::DuplicatePool { name });
            }
            pools.others.push(match added {
                Added::Own(pool) => Member::own(Some(name), pool, reporter)?,
                Added::Shared(pool) => Member { name, pool, is_own: false },
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
            known: self.all().map(|member| member.name.clone()).collect(),
        })
    }

    /// Those that the reactor starts and stops.
    pub(super) fn own(&self) -> impl Iterator<Item = &ThreadPool> {
        self.all().filter(|member| member.is_own).map(|member| &member.pool)
    }

    fn find(&self, name: &str) -> Option<&ThreadPool> {
        self.all().find(|member| member.name == name).map(|member| &member.pool)
    }

    fn all(&self) -> impl Iterator<Item = &Member> {
        std::iter::once(&self.main).chain(&self.others)
    }
}

impl Member {
    /// One that is given no name here goes by its pool's.
    fn own(name: Option<String>, pool: PoolBuilder, reporter: &Reporter) -> Result<Self, BuildError> {
        let pool = pool.or(name.as_deref().unwrap_or("reactor"), reporter);
        let name = name.unwrap_or_else(|| pool.name_or_default().to_owned());
        match pool.build() {
            Ok(pool) => Ok(Self { name, pool, is_own: true }),
            Err(error) => Err(BuildError::Size { pool: name, error }),
        }
    }
}

impl Reactor {
    /// Stops a pool without blocking the loop: jobs that wait for the loop could otherwise never end.
    pub(super) fn stop_pool(&self, pool: &ThreadPool) -> Deferred<()> {
        let (stopped, resolver) = Deferred::<()>::new();
        let address = self.own(resolver).detach();
        let stopping = pool.clone();
        pool.begin_stop(move || {
            // The reactor waits for this very call, so it has not ended; if it was dropped, nobody waits.
            let _ = address.handle().post_unbounded({
                let address = address.clone();
                move |reactor| {
                    // All workers have run their last job: what is left to wait for is that their threads end.
                    stopping.join();
                    if let Some(resolver) = address.take(reactor) {
                        Resolver::callback(resolver, ());
                    }
                }
            });
        });
        // It is dropped unfired only with a reactor that is dropped in the middle of its shutdown: that fails nobody.
        stopped.add_errback(|_abandoned| ())
    }
}
