//! A permit is released once.
// Checks: B64

fn main() {
    let lock = selvedge::coordination::DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    permit.release();
    permit.release();
}
