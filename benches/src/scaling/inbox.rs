//! The inbox: posters append under one lock, and the loop takes all that is there under the same.

use super::costs::Costs;
use super::machine::{Machine, Outcome, Process, Step, World};

const INBOX: usize = 0;

/// As in the crate: looks at the hint before a sleep, and the pause after a batch with more calls than this.
pub const SPINS: u32 = 4096;
const LARGE_BATCH: usize = 4;
const GATHER_PAUSES: f64 = 128.0;

/// What is simulated.
#[derive(Clone, Copy)]
pub struct Plan {
    pub posters: usize,
    /// Whether there is a loop; if not, a call is done once it is posted.
    pub has_loop: bool,
    /// Each poster waits for the answer to its call before it posts the next.
    pub answers: bool,
    /// Nanoseconds that a poster does something else before each call.
    pub between: f64,
    pub operations: usize,
    pub seed: u64,
}

pub fn run(costs: Costs, plan: Plan) -> Outcome {
    let state = Inbox { answered: vec![Answer::None; plan.posters], ..Inbox::default() };
    let mut machine = Machine::new(costs, 1, plan.operations, state, plan.seed);
    for first in 0..plan.posters {
        machine.add(Poster { next: first, plan, stage: PosterStage::Begin });
    }
    if plan.has_loop {
        machine.add(Loop { batch: Vec::new(), plan, stage: LoopStage::Begin });
    }
    machine.run()
}

#[derive(Default)]
struct Inbox {
    calls: Vec<usize>,
    is_loop_asleep: bool,
    /// By poster.
    answered: Vec<Answer>,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    None,
    Asleep,
    There,
}

struct Poster {
    /// The number of its next call.
    next: usize,
    plan: Plan,
    stage: PosterStage,
}

#[derive(Clone, Copy)]
enum PosterStage {
    Begin,
    Locking,
    Locked,
    Posted,
    Unlocked { wake: bool },
    Woken,
    Waiting { looks: u32 },
    Answered,
}

impl Process<Inbox> for Poster {
    fn next(&mut self, world: &mut World<Inbox>) -> Step {
        let costs = world.costs;
        let (stage, step) = match self.stage {
            PosterStage::Begin if self.next >= self.plan.operations => (self.stage, Step::End),
            // An unlocked mutex is locked before anything is held: half of a lock and unlock is outside.
            PosterStage::Begin => (PosterStage::Locking, Step::Work(world.about(self.plan.between + costs.lock / 2.0))),
            PosterStage::Locking => (PosterStage::Locked, Step::Lock(INBOX)),
            PosterStage::Locked => {
                let moved = if world.moved { costs.post_moved } else { 0.0 };
                (PosterStage::Posted, Step::Work(world.about(costs.post - costs.lock / 2.0 + moved)))
            }
            PosterStage::Posted => {
                if self.plan.has_loop {
                    world.state.calls.push(self.next);
                } else {
                    world.finish(self.next);
                }
                self.next += self.plan.posters;
                let wake = std::mem::take(&mut world.state.is_loop_asleep);
                (PosterStage::Unlocked { wake }, Step::Unlock(INBOX))
            }
            PosterStage::Unlocked { wake: true } => (PosterStage::Woken, Step::Wake(self.plan.posters)),
            PosterStage::Unlocked { wake: false } | PosterStage::Woken => {
                (if self.plan.answers { PosterStage::Waiting { looks: 0 } } else { PosterStage::Begin }, Step::Work(0))
            }
            PosterStage::Waiting { looks } => match &mut world.state.answered[world.me] {
                Answer::There => (PosterStage::Answered, Step::Work(world.about(costs.transfer))),
                answer if looks == SPINS => {
                    *answer = Answer::Asleep;
                    (PosterStage::Answered, Step::Sleep)
                }
                _ => (PosterStage::Waiting { looks: looks + 1 }, Step::Work(world.about(costs.pause))),
            },
            PosterStage::Answered => {
                world.state.answered[world.me] = Answer::None;
                (PosterStage::Begin, Step::Work(0))
            }
        };
        self.stage = stage;
        step
    }
}

struct Loop {
    /// The calls that it has taken, the first one last.
    batch: Vec<usize>,
    plan: Plan,
    stage: LoopStage,
}

#[derive(Clone, Copy)]
enum LoopStage {
    Begin,
    Locked,
    Taking,
    Running { large: bool },
    Ran { large: bool, call: usize },
    Answering { large: bool, poster: usize },
    Idle { large: bool, looks: u32 },
    LastLook,
    FallingAsleep,
}

impl Process<Inbox> for Loop {
    fn next(&mut self, world: &mut World<Inbox>) -> Step {
        let costs = world.costs;
        let (stage, step) = match self.stage {
            LoopStage::Begin => (LoopStage::Locked, Step::Lock(INBOX)),
            LoopStage::Locked => {
                let moved = if world.moved { costs.post_moved } else { 0.0 };
                (LoopStage::Taking, Step::Work(world.about(costs.lock / 2.0 + moved)))
            }
            LoopStage::Taking => {
                self.batch.extend(world.state.calls.drain(..).rev());
                (LoopStage::Running { large: self.batch.len() > LARGE_BATCH }, Step::Unlock(INBOX))
            }
            LoopStage::Running { large } => match self.batch.pop() {
                Some(call) => (LoopStage::Ran { large, call }, Step::Work(world.about(costs.run))),
                None => {
                    let outside = (costs.take - costs.lock / 2.0).max(0.0);
                    (LoopStage::Idle { large, looks: 0 }, Step::Work(world.about(outside)))
                }
            },
            LoopStage::Ran { large, call } if self.plan.answers => {
                let poster = call % self.plan.posters;
                world.finish(call);
                // The answer and its lock are the caller's lines.
                let answer = costs.lock + 2.0 * costs.transfer;
                (LoopStage::Answering { large, poster }, Step::Work(world.about(answer)))
            }
            LoopStage::Ran { large, call } => {
                world.finish(call);
                (LoopStage::Running { large }, Step::Work(0))
            }
            LoopStage::Answering { large, poster } => {
                let before = std::mem::replace(&mut world.state.answered[poster], Answer::There);
                (
                    LoopStage::Running { large },
                    if before == Answer::Asleep { Step::Wake(poster) } else { Step::Work(0) },
                )
            }
            LoopStage::Idle { .. } if world.all_done() => (self.stage, Step::End),
            // It has looked at the queue on its way out of the turn.
            LoopStage::Idle { looks: 0, .. } if !world.state.calls.is_empty() => (LoopStage::Begin, Step::Work(0)),
            LoopStage::Idle { large, .. } if !world.state.calls.is_empty() => {
                let gather = if large { GATHER_PAUSES * costs.pause } else { 0.0 };
                (LoopStage::Begin, Step::Work(world.about(costs.transfer + gather)))
            }
            LoopStage::Idle { looks: SPINS, .. } => (LoopStage::LastLook, Step::Lock(INBOX)),
            LoopStage::Idle { large, looks } => {
                (LoopStage::Idle { large, looks: looks + 1 }, Step::Work(world.about(costs.pause)))
            }
            LoopStage::LastLook => {
                world.state.is_loop_asleep = world.state.calls.is_empty();
                let then = if world.state.is_loop_asleep { LoopStage::FallingAsleep } else { LoopStage::Begin };
                (then, Step::Unlock(INBOX))
            }
            LoopStage::FallingAsleep => (LoopStage::Begin, Step::Sleep),
        };
        self.stage = stage;
        step
    }
}
