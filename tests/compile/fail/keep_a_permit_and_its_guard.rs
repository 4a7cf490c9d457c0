//! A permit that was kept has no guard any more.
// Checks: B64

fn main() {
    let lock = selvedge::coordination::DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    permit.keep();
    drop(permit);
}
