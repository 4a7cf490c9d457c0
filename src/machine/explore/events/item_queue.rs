//! What can happen to a queue of items.

events! {
    Put,
    Take(taker: usize),
    Cancel(taker: usize),
    ComeBack(item: u8),
    Close,
    DeliverNext,
}
