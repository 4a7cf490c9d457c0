//! Prints what each operation allocates: its name, allocations and bytes. A program of its own, because counting costs
//! instructions.

use std::alloc::System;
use std::thread;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const FEW: u32 = 1_000;
const MANY: u32 = 11_000;

fn main() {
    for operation in selvedge_costs::OPERATIONS {
        // The difference is that of the operations alone, without what they need once.
        let ((few, few_bytes), (many, many_bytes)) = (allocated(operation.run, FEW), allocated(operation.run, MANY));
        let each = |few: usize, many: usize| (many as f64 - few as f64) / f64::from(MANY - FEW);
        println!("{} {:.3} {:.2}", operation.name, each(few, many), each(few_bytes, many_bytes));
    }
}

/// Allocations, those that moved or grew a block included, and their bytes.
fn allocated(run: fn(u32), times: u32) -> (usize, usize) {
    let region = Region::new(COUNTING);
    // On a thread of its own, for the reactor that an operation leaves behind would forbid the next one to wait.
    thread::spawn(move || run(times)).join().expect("it does not panic");
    let change = region.change();
    (change.allocations + change.reallocations, change.bytes_allocated)
}
