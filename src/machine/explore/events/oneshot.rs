//! What can happen to a one-shot channel.

events! {
    StartsWork,
    Sends,
    SenderDrops,
    WakesReceiver,
    TriggerFires,
    TimeoutPasses,
    ReceiverLooks,
    ReceiverWakesSpuriously,
}
