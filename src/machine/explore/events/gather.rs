//! What can happen to a list of Deferreds.

events! {
    Value,
    Error,
    GiveUp,
}
