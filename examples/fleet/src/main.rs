//! hash_tree on several hosts: one process offers the files of a tree, any number of workers hash them, and the offer
//! prints what hash_tree prints, byte for byte. They meet in Redis.
//!
//! ```text
//! fleet work  [--redis URL] [--directory DIR]     on each host, as often as one likes
//! fleet offer [--redis URL] [PATH]                once, where the lines are wanted
//! fleet watch [--redis URL]                       anywhere: how far it is
//! ```
//!
//! The rules are those of hash_tree, over a network:
//!
//! - the **reactor's thread** decides. What it knows are two plain values without threads, clock or Redis: the offer's
//!   `ledger` and the worker's `claims`. An event goes in, an action comes out, and `offer` and `work` carry it out;
//! - **pool threads** do what blocks: they read directories and files, and wait for Redis (`link` lends them a
//!   connection, `store` has the commands). What they find comes back as a Deferred.
//!
//! What may happen, and what it comes to:
//!
//! - A worker is **killed**: its files are taken over once it has been silent for `--takeover`.
//! - A worker is **frozen and thawed**: the same; it gives up what others have. If it had just hashed it, its result is
//!   the second for that file, and changes nothing.
//! - A file **cannot be read**: it is tried again after a second, by whichever worker takes it; after `--tries` it is
//!   set aside, with its error. So is a file whose workers die, because deliveries count as tries.
//! - **Redis restarts**, or the **link is cut**: connections are made anew, with longer and longer waits. Then the
//!   offer reads which files are there, and offers those again that are lost.
//! - **SIGTERM**: a worker finishes what it hashes and gives back the rest; an offer prints nothing and frees the
//!   fleet.
//! - **Nobody works**: the offer waits, with at most `--ahead` files in the stream.
//! - **Redis is away**: a worker waits, with at most four files for each thread.
//!
//! | exit code of an offer | means |
//! |---|---|
//! | 0 | every file was hashed |
//! | 1 | something could not be read or written, and was named on stderr; the rest was hashed |
//! | 2 | the path is not there, another offer has the fleet, or the arguments are wrong |
//! | 130 | a signal; nothing was printed |

mod arguments;
mod backoff;
mod claims;
mod entry;
mod ledger;
mod link;
#[cfg(test)]
mod model;
mod offer;
mod progress;
mod say;
mod signals;
mod store;
mod watch;
mod work;

// The walk, the digest and the lines are hash_tree's own.
#[path = "../../hash_tree/digest.rs"]
#[allow(dead_code, reason = "what this program does not use of it")]
mod digest;
#[path = "../../hash_tree/line.rs"]
mod line;
#[path = "../../hash_tree/list.rs"]
#[allow(dead_code, reason = "what this program does not use of it")]
mod list;
#[path = "../../hash_tree/results.rs"]
#[allow(dead_code, reason = "what this program does not use of it")]
mod results;
#[path = "../../hash_tree/walk.rs"]
#[allow(dead_code, reason = "what this program does not use of it")]
mod walk;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::say::say;

/// Something was named on stderr, the rest was hashed.
const INCOMPLETE: u8 = 1;
/// The arguments are wrong.
const UNUSABLE: u8 = 2;
/// What a shell expects of a program that Ctrl-C ended: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let Arguments { fleet, command } = Arguments::parse();
    let code = match command {
        Command::Offer(arguments) => offer::offer(&fleet, &arguments),
        Command::Work(arguments) => work::work(&fleet, &arguments),
        Command::Watch => watch::watch(&fleet),
    };
    ExitCode::from(code.unwrap_or_else(|failure| {
        say(failure);
        UNUSABLE
    }))
}
