//! Several Deferreds as one.

use selvedge::deferred::{DeferredList, Settled};
use selvedge::error::{FailureGroup, FirstError};
use selvedge::{Deferred, Failure};

use super::{Returned, World, given};
use crate::deferred_script::program::ListKind;
use crate::deferred_script::trace::{Answer, ErrorKind, Given, Tracked};

/// Makes a list. Its result is unpacked at once, recorded, and replaced by a value of the program.
pub(super) fn list(kind: ListKind, members: Vec<Deferred<Tracked>>) -> Deferred<Tracked> {
    let list = DeferredList::new(members).consume_errors();
    match kind {
        ListKind::All => list.all().add_callbacks(all_settled, one_failed),
        ListKind::Gather => list
            .fire_on_one_errback()
            .add_callbacks(|values| all_settled(values.into_iter().map(Ok).collect()), one_failed),
        ListKind::First => list.fire_on_one_callback().add_callbacks(one_settled, one_failed),
        ListKind::Race => list.cancel_rest().fire_on_one_callback().add_callbacks(one_settled, one_failed),
    }
}

fn all_settled(results: Vec<Result<Tracked, Failure>>) -> Returned {
    World::current(|world| {
        results.iter().for_each(|result| world.say(Answer::Result(given(result))));
        drop(results);
        Returned(Settled::Now(Ok(world.value())))
    })
}

fn one_settled((index, value): (usize, Tracked)) -> Returned {
    World::current(|world| world.say(Answer::Index(index)));
    Returned(Settled::Now(Ok(value)))
}

fn one_failed(failure: Failure) -> Returned {
    let failure = match failure.downcast::<FirstError>() {
        Ok(first) => {
            World::current(|world| world.say(Answer::Index(first.index)));
            return Returned(Settled::Now(Err(first.error)));
        }
        Err(failure) => failure,
    };
    match failure.downcast::<FailureGroup>() {
        Ok(group) => World::current(|world| {
            group
                .failures
                .iter()
                .for_each(|failure| world.say(Answer::Result(Given::Error(ErrorKind::of(failure.error())))));
            drop(group);
            Returned(Settled::Now(Err(world.error())))
        }),
        Err(failure) => Returned(Settled::Now(Err(failure))),
    }
}
