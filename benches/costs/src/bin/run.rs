//! Runs one operation so many times, for who counts the instructions of the process.

use std::env;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [name, times] = &arguments[..] else { panic!("usage: run OPERATION TIMES") };
    let times = times.parse().expect("a number of times");
    let operation = selvedge_costs::OPERATIONS.iter().find(|operation| operation.name == name);
    (operation.expect("an operation of this program").run)(times);
}
