//! What can happen to an inbox.

events! {
    Posts(poster: usize),
    Wakes(poster: usize),
    LoopPosts,
    LoopTakes,
    LoopParks,
    LoopResumes,
    LoopCloses,
    LoopNotifiesPosters,
    TriesAgain(poster: usize),
    PosterTimesOut(poster: usize),
    LoopWakesByDeadlineOrSpuriously,
}
