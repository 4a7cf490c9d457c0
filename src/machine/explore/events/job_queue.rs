//! What can happen to the pool's two queues of jobs.

events! {
    Push,
    PushTicketed(ticket: u64),
    Pop,
    Cancel(ticket: u64),
    Exchange,
    HandOut,
}
