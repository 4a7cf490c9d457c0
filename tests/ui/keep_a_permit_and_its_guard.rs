// Checks: B64
//! A permit is kept, or has a guard.

fn main() {
    let lock = selvedge::coordination::DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    permit.keep();
    drop(permit);
}
