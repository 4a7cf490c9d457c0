//! The book: how to use this crate, from the first program to a table of what each operation costs.
//!
//! Each chapter is a page. Every whole program in it is compiled and run by the crate's tests.
//!
//! **To begin with**
//!
//! | Chapter | What you learn there |
//! |---|---|
//! | [First program](first_program) | The loop, a call posted to it, a function run on a thread, and the end |
//! | [Who owns what](ownership) | Which values may go to other threads, which may not, and what each handle keeps alive |
//! | [Threads and their results](threads_and_results) | The three ways between threads and the loop, and which one to take |
//! | [Deferreds and `async`](deferreds_and_async) | Callbacks or tasks: the same results in two notations |
//!
//! **To write a program that one can rely on**
//!
//! | Chapter | What you learn there |
//! |---|---|
//! | [Cancellation, timeouts, limits](giving_up) | Who may give up, and what becomes of what was waited for |
//! | [Shutdown](shutdown) | The order of the end, and what everybody who waits is told |
//! | [Errors and reports](errors_and_reports) | Where an error goes, where a panic goes, and what to do with both |
//! | [Pools](pools) | Sizes, bounds, blocked jobs, several pools |
//! | [Testing with virtual time](virtual_time) | Tests without sleeping, in any order that you like |
//! | [Model-checking your own code](model_checking) | Every order of the threads of a small program |
//!
//! **To fit it into something larger**
//!
//! | Chapter | What you learn there |
//! |---|---|
//! | [In a loop of another kind](hosting) | A reactor inside the loop of a window, a game, a poller or another runtime |
//! | [Sockets](sockets) | Three ways to serve connections, and when each is enough |
//! | [Observing](observing) | Counts, times, slow jobs and slow turns, while the program runs |
//! | [The machines](machines) | The states of a reactor, a worker, a job, a task, a Deferred, as diagrams |
//! | [Costs](costs) | Memory and time of each operation, in one table |
//!
//! **If you know another system**: from [Twisted](from_twisted), from [asyncio](from_asyncio), from
//! [tokio](from_tokio), from [rayon and crossbeam](from_rayon).
//!
//! **To copy from**: [recipes]. And before you decide: [what it is not for](not_for).

#[allow(unused_imports, reason = "the links of the chapters")]
use crate::{coordination::*, deferred::*, error::*, pool::*, reactor::*, report::*, testing::*, *};

pub mod first_program {
    #![doc = include_str!("guide/first_program.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod ownership {
    #![doc = include_str!("guide/ownership.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod threads_and_results {
    #![doc = include_str!("guide/threads_and_results.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod deferreds_and_async {
    #![doc = include_str!("guide/deferreds_and_async.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod giving_up {
    #![doc = include_str!("guide/giving_up.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod shutdown {
    #![doc = include_str!("guide/shutdown.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod errors_and_reports {
    #![doc = include_str!("guide/errors_and_reports.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod pools {
    #![doc = include_str!("guide/pools.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod virtual_time {
    #![doc = include_str!("guide/virtual_time.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod model_checking {
    #![doc = include_str!("guide/model_checking.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod hosting {
    #![doc = include_str!("guide/hosting.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod sockets {
    #![doc = include_str!("guide/sockets.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod observing {
    #![doc = include_str!("guide/observing.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod costs {
    #![doc = include_str!("guide/costs.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod from_twisted {
    #![doc = include_str!("guide/from_twisted.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod from_asyncio {
    #![doc = include_str!("guide/from_asyncio.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod from_tokio {
    #![doc = include_str!("guide/from_tokio.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod from_rayon {
    #![doc = include_str!("guide/from_rayon.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod recipes {
    #![doc = include_str!("guide/recipes.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod machines {
    //! The states of a reactor, a worker, a job, a task and a Deferred, as diagrams.
    //!
    //! What happens under a lock, or could happen inside itself, is decided by *machines*: plain values with one method
    //! for each event. Each is searched exhaustively, every event in every reachable state. The diagrams are drawn from
    //! the tables that the search writes: an arrow is a transition that was seen, and none is missing. Events that
    //! change no state are left out. SPEC.md says of each machine what can go wrong, and why it cannot.
    //!
    //! # A reactor's life
    //!
    //! It has one direction. A stop that is requested is remembered until the end of the turn. *End* is the end of the
    //! last turn, or the drop of the reactor, in any state. [Shutdown](super::shutdown) says what happens in each.
    #![doc = include_str!("guide/diagrams/lifecycle.svg")]
    //!
    //! # The inbox: many threads post, one loop takes
    //!
    //! Finding the inbox empty and falling asleep are one transition, *park*. A call comes before it, and the loop
    //! stays awake; or after it, and its poster has to wake the loop. Only the arrow from *Asleep* to *Woken* asks for
    //! a wake, so any number of posts wake a sleeping loop once.
    #![doc = include_str!("guide/diagrams/inbox.svg")]
    //!
    //! # A worker of a pool
    //!
    //! A worker that is *Searching* spins for a moment before it sleeps. One that was woken may *pass the wake on*: a
    //! stop or a smaller size wakes one worker, which wakes the next. *Blocked* is a job that waits for something.
    #![doc = include_str!("guide/diagrams/worker_loop.svg")]
    //!
    //! # A job that may be cancelled
    //!
    //! Whether it was asked to end, and whether it can still react. [Cancellation](super::giving_up) has more.
    #![doc = include_str!("guide/diagrams/ticket.svg")]
    //!
    //! # A task
    //!
    //! It is idle before it is polled, so a wake during the poll schedules it again, and none is lost. However many
    //! wakes come before its next poll, it is scheduled once.
    #![doc = include_str!("guide/diagrams/task.svg")]
    //!
    //! # An answer on its way to a thread that waits
    //!
    //! Of the answer, a sender that goes away, and a timeout, the first decides. *Work* is what the sender has begun,
    //! and what a receiver that gives up cancels.
    #![doc = include_str!("guide/diagrams/oneshot.svg")]
    //!
    //! # A Deferred
    //!
    //! *Running* means that its callbacks run, in a loop further up the stack; *Held*, that it is paused; *Waiting*,
    //! that a callback has returned a Deferred without a result; *Resting*, that the result is at the end, and no
    //! callback has taken it.
    #![doc = include_str!("guide/diagrams/chain.svg")]
    //!
    //! # A semaphore, or a lock
    //!
    //! A waiter that is served may release, acquire and cancel in its callbacks. What it releases is left to the one
    //! loop that serves already, so the stack does not grow.
    #![doc = include_str!("guide/diagrams/semaphore.svg")]
    //!
    //! # A queue
    #![doc = include_str!("guide/diagrams/item_queue.svg")]
    //!
    //! # A looping call
    #![doc = include_str!("guide/diagrams/looping_call.svg")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}

pub mod not_for {
    #![doc = include_str!("guide/not_for.md")]
    #![doc = include_str!("guide/tables.html")]

    #[allow(unused_imports, reason = "the links of the chapter")]
    use super::*;
}
