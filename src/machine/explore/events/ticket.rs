//! What can happen to a ticket and its job.

events! {
    WorkerTakesJob,
    JobEnds,
    TicketIsCancelled,
    JobTakenOutOfQueue,
    JobNotInQueue,
    RefuserEndsTicket,
    PoolIsStopped,
}
