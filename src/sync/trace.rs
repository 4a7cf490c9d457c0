//! What happens in one execution of a model, for the person who reads why it failed.
//!
//! All threads of a model are one thread of the system, so one list holds the events of all, in their order.

use std::any::type_name;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;

/// More of the newest events than a person reads. A model that does not end has many.
const KEPT: usize = 100;

#[derive(Default)]
struct Trace {
    events: VecDeque<Event>,
    /// How many older ones are not kept.
    forgotten: usize,
}

struct Event {
    thread: String,
    /// What it does, as "posts", "runs", "sleeps"; empty if the text says so.
    verb: &'static str,
    object: Object,
}

enum Object {
    /// A call, by the type of its closure.
    Call(&'static str),
    Job(&'static Location<'static>),
    Text(Cow<'static, str>),
}

thread_local! {
    /// `None` while no model runs on this thread, or if its trace was taken.
    static TRACE: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// Begins the trace of an execution.
pub(crate) fn begin() {
    TRACE.set(Some(Trace::default()));
}

/// Ends the trace, and returns it as text, if there is one.
pub(crate) fn take() -> Option<String> {
    let trace = TRACE.try_with(|trace| trace.try_borrow_mut().ok()?.take()).ok()??;
    Some(trace.to_string())
}

/// A thread of the model posts, runs or drops a call.
pub(crate) fn call<F>(verb: &'static str) {
    add(verb, || Object::Call(type_name::<F>()));
}

/// A thread of the model submits or runs a job.
pub(crate) fn job(verb: &'static str, origin: &'static Location<'static>) {
    add(verb, || Object::Job(origin));
}

/// A thread of the model does something else.
pub(crate) fn other(verb: &'static str, what: impl FnOnce() -> Cow<'static, str>) {
    add(verb, || Object::Text(what()));
}

fn add(verb: &'static str, object: impl FnOnce() -> Object) {
    TRACE.with_borrow_mut(|trace| {
        let Some(trace) = trace else { return };
        let thread = loom::thread::current();
        let thread = match (thread.name(), format!("{:?}", thread.id())) {
            (Some(name), _) => name.to_owned(),
            (None, id) if id == "ThreadId(0)" => "main".to_owned(),
            (None, id) => id.replace("ThreadId(", "thread ").replace(')', ""),
        };
        if trace.events.len() == KEPT {
            trace.events.pop_front();
            trace.forgotten += 1;
        }
        trace.events.push_back(Event { thread, verb, object: object() });
    });
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.forgotten > 0 {
            writeln!(f, "  … {} events", self.forgotten)?;
        }
        let width = self.events.iter().map(|event| event.thread.len()).max().unwrap_or(0);
        for (number, Event { thread, verb, object }) in self.events.iter().enumerate() {
            let space = if verb.is_empty() { "" } else { " " };
            writeln!(f, "{:>4}  {thread:<width$}  {verb}{space}{object}", self.forgotten + number + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(closure) => f.write_str(&readable(closure)),
            Self::Job(origin) => write!(f, "the job of {origin}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Calls that this crate posts itself: how the name of the closure begins, and what the call is for.
const OWN_CALLS: &[(&str, &str)] = &[
    ("threads::PostedResult", "the result of a job"),
    ("threads::post_refusal", "the refusal of a job"),
    ("reactor::handle::Handle::stop", "the reactor's stop"),
    ("reactor::spawn::post_poll", "the next poll of a task"),
    ("reactor::pools::", "the end of a pool"),
];

/// What a call is: one of this crate's, or the function in which the program's closure is written.
fn readable(closure: &str) -> String {
    let mut function = closure;
    // A closure of a method of this crate that calls the program's: that one is the method's last type parameter.
    while let Some(own) = function.strip_prefix("selvedge::loom::runtime::") {
        if let Some((_, what)) = OWN_CALLS.iter().find(|(part, _)| own.starts_with(part)) {
            return (*what).to_owned();
        }
        match last_parameter(own.trim_end_matches("::{{closure}}")) {
            Some(parameter) => function = parameter,
            None => break,
        }
    }
    function.replace("::{{closure}}", "")
}

/// The last of the type parameters that a name ends with.
fn last_parameter(name: &str) -> Option<&str> {
    let parameters = name.strip_suffix('>')?;
    let mut depth = 0_usize;
    for (at, byte) in parameters.bytes().enumerate().rev() {
        match byte {
            b'>' | b')' | b']' => depth += 1,
            b',' | b'<' if depth == 0 => return parameters.get(at + 1..).map(str::trim_start),
            b'<' | b'(' | b'[' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
