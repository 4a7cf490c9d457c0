//! What can happen to a semaphore.

events! {
    Acquire(caller: usize),
    Cancel(caller: usize),
    Release(caller: usize),
    Keep(caller: usize),
    ReleaseKept,
    SetLimit(limit: usize),
    ServeNext,
}
