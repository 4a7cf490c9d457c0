// Checks: B64
//! A permit is released once.

fn main() {
    let lock = selvedge::coordination::DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    permit.release();
    permit.release();
}
