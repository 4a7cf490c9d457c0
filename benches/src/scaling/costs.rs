//! What the simulation is given: the figures that `holds` measured on two cores.

/// Nanoseconds. "Moved" is what a critical section takes longer if another core was in it before: the lines that it
/// writes, but for that of the lock itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    /// To lock and unlock a mutex whose line is here.
    pub lock: f64,
    /// One pause of a thread that spins.
    pub pause: f64,
    /// To fetch a cache line that another core has written.
    pub transfer: f64,
    /// To ask the system for a sleep that is no longer needed, or for a wake of nobody. Measured is a yield.
    pub syscall: f64,
    /// What a wake takes whoever wakes.
    pub wake_call: f64,
    /// Until the woken thread runs.
    pub wake_latency: f64,
    /// The same, if it fell asleep less than [`CORE_AWAKE`](Self::CORE_AWAKE) ago: then its core is still awake.
    pub wake_latency_soon: f64,
    pub post: f64,
    pub post_moved: f64,
    /// A turn of the loop that finds nothing.
    pub take: f64,
    /// What the loop takes for each call.
    pub run: f64,
    pub submit: f64,
    pub submit_moved: f64,
    /// From a job's end to the next one's: the whole of what a worker does for a job that does nothing.
    pub job: f64,
    /// The same, if it was submitted on the worker's core.
    pub job_here: f64,
    pub job_moved: f64,
    /// How much what happens outside of locks varies, up and down.
    pub jitter: f64,
}

impl Costs {
    /// Nanoseconds. A core of this machine that was idle for 100 µs is still woken as fast as after 3 µs, and one that
    /// was idle for 200 µs is not.
    pub const CORE_AWAKE: f64 = 150_000.0;

    /// From `benches/results/holds.txt`.
    pub fn measured(text: &str) -> Costs {
        let of = |name: &str| figure(text, name);
        let (lock, handoff) = (of("lock"), of("handoff"));
        let transfer = (of("handoff, 8 lines more") - handoff) / 8.0;
        // Operations in turns: the turn itself is a handoff, and the lock's line is moved besides what it guards.
        let moved = |in_turns: &str, alone: &str| (of(in_turns) - handoff - transfer - of(alone)).max(0.0);
        Costs {
            lock,
            pause: of("pause"),
            transfer,
            syscall: of("system call"),
            wake_call: of("wake call"),
            wake_latency: of("wake latency"),
            wake_latency_soon: of("wake latency, soon"),
            post: of("post"),
            post_moved: moved("post in turns", "post"),
            take: of("take"),
            run: of("run"),
            submit: of("submit"),
            submit_moved: moved("submit in turns", "submit"),
            job: of("job"),
            job_here: of("job submitted here"),
            job_moved: moved("job in turns", "job"),
            jitter: 0.1,
        }
    }
}

/// The median in the line `name = median (from to)`.
pub fn figure(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    let figure = line.and_then(|line| line.split(' ').next()).and_then(|figure| figure.parse().ok());
    figure.unwrap_or_else(|| panic!("no figure for {name}: run `holds` first"))
}
