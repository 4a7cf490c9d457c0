//! Words that `src/` once used in a sense of its own do not come back: the field's word stands beside each.
//!
//! docs/glossary.md has the words that the crate keeps on purpose.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::spec::sources;

/// In names, comments and paths.
const ANYWHERE: &[(&str, &str)] = &[
    ("baggage", "JobExtras"),
    ("beacon", "wake_pending"),
    ("crew", "workers"),
    ("desks", "running_jobs"),
    ("employer", "context"),
    ("errand", "a job, a call or a closure, by what it does"),
    ("farewell", "stop callback"),
    ("intake", "submit queue"),
    ("nudge", "wake_ahead"),
    ("patience", "WhenFull"),
    ("residence", "reactor_thread"),
    ("resident", "reactor_thread, or the default of a thread"),
    ("roster", "join handles"),
    ("summon", "wake_or_spawn"),
    ("summons", "wake_or_spawn"),
    ("tally", "gather"),
    ("tenure", "context"),
    ("undelivered", "pending resolver"),
];

/// As whole names in code. Most are words that a sentence may use.
const NAMES: &[(&str, &str)] = &[
    ("Ahead", "Node"),
    ("Alarm", "TaskWaker"),
    ("Answerer", "Sender"),
    ("Apart", "CachePadded"),
    ("Asker", "Receiver"),
    ("Bench", "SteppedWorkers"),
    ("Certain", "Fair"),
    ("Come", "Acquired"),
    ("Comes", "Acquired"),
    ("Desk", "RunningJobs"),
    ("Dozing", "BacklogHint"),
    ("Duty", "Action"),
    ("Employed", "EnterPool"),
    ("Ending", "Effect"),
    ("FRESH", "REUSE_LIMIT"),
    ("Far", "the ends of a send_future, each by its name"),
    ("FurtherUp", "CachedAncestor"),
    ("Hand", "Worker"),
    ("Heard", "Sent"),
    ("Hoped", "UserFair"),
    ("Kinds", "ErrorTypes"),
    ("KnowsHow", "HasVTable"),
    ("LoopsOwn", "ConsumerState"),
    ("Mood", "WorkerHint"),
    ("Near", "the ends of a send_future, each by its name"),
    ("NoAnswer", "RecvError"),
    ("Noted", "JobTrace"),
    ("Office", "InboxWorld"),
    ("Others", "AlsoCancel"),
    ("Pace", "BlockingEstimate"),
    ("Parting", "Exit"),
    ("Permits", "Semaphore"),
    ("Places", "LaneIndex"),
    ("Rank", "DropOrder"),
    ("Reply", "Oneshot"),
    ("Ring", "Notify"),
    ("Seat", "RunningJobs"),
    ("Spread", "JobStore"),
    ("Stock", "ItemQueue"),
    ("Stretch", "Segment"),
    ("Tells", "DelayingStop"),
    ("Terms", "Config"),
    ("Unwanted", "Cancelled"),
    ("Ways", "JobVTable"),
    ("Whose", "HeadKind"),
    ("Yard", "PoolWorld"),
    ("bare", "without_backtrace"),
    ("begin_again", "reset"),
    ("begin_taken", "run_taken"),
    ("bell", "work_available"),
    ("bring_back", "restore"),
    ("call_for_help", "wake_or_spawn"),
    ("call_off", "cancel_all"),
    ("climb", "walk"),
    ("is_called_off", "is_cancellation"),
    ("knows_how", "has_vtable"),
    ("leap", "walk_cached"),
    ("let_go", "shrink"),
    ("line_up", "push_run"),
    ("linger", "spin_until_nonempty"),
    ("outlet", "result cell"),
    ("ring", "cycle"),
    ("rouse", "checkout"),
    ("runs_one", "job_taken"),
    ("rush", "last_batch_large"),
    ("says", "has_cause"),
    ("settle_in", "begin_start_hooks"),
    ("squeeze", "submit_when_full"),
    ("take_leave", "run_stop_callbacks"),
    ("tidy", "compact"),
];

// Checks: P12
#[test]
fn each_word_of_the_sources_is_the_fields() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = String::new();
    for path in sources(&root.join("src")) {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        complain(&mut found, &name, 0, &name, ANYWHERE);
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            complain(&mut found, &name, number + 1, &line.to_lowercase(), ANYWHERE);
            let code = line.split("//").next().unwrap_or_default();
            complain(&mut found, &name, number + 1, &without_strings(code), NAMES);
        }
    }
    assert!(found.is_empty(), "\n{found}");
}

fn complain(found: &mut String, file: &str, line: usize, text: &str, words: &[(&str, &str)]) {
    let in_text = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    for (word, better) in in_text.filter_map(|word| words.iter().find(|(old, _)| *old == word)) {
        writeln!(found, "{file}:{line}: {word} is {better}").unwrap();
    }
}

/// The line without what stands between quotation marks. Literals of several lines do not matter here.
fn without_strings(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}
