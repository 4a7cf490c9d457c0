//! Counts what Deferreds and their peers allocate. A program of its own, because a counting allocator slows down every
//! measurement.

use std::alloc::System;
use std::cell::Cell;
use std::rc::Rc;

use comfy_table::{CellAlignment, Table, presets};
use selvedge_benches::promises::{self, LINKS, MEMBERS, WAITERS};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["", "", "allocations each", "bytes each"]);
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let mut row = |what: &str, who: &str, operations: u64, body: &dyn Fn()| {
        // The first run fills thread-local caches.
        body();
        let region = Region::new(COUNTING);
        body();
        let change = region.change();
        let each = |total: usize| format!("{:.2}", total as f64 / operations as f64);
        table.add_row([what, who, &each(change.allocations), &each(change.bytes_allocated)]);
    };
    let chains: [(&str, fn(u64) -> u64); 4] = [
        ("selvedge", promises::selvedge_chain),
        ("futures, boxed", promises::futures_chain),
        ("tokio oneshot", promises::tokio_chain),
        ("by hand", promises::hand_chain),
    ];
    for (who, chain) in chains {
        row("a callback, 10 to a chain", who, LINKS, &|| assert_eq!(chain(7), 7 + LINKS));
    }
    row("a member of 100,000", "selvedge", MEMBERS, &|| assert!(!promises::selvedge_gather(MEMBERS).is_zero()));
    row("a member of 100,000", "futures, join_all", MEMBERS, &|| assert!(!promises::futures_gather(MEMBERS).is_zero()));
    let count = Rc::new(Cell::new(0));
    row("a waiter of 1,000", "selvedge", WAITERS, &|| promises::selvedge_waiters(WAITERS, &count));
    println!("# What Deferreds and their peers allocate\n\n{table}");
}
