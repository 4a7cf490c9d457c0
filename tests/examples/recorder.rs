//! `examples/recorder`: what it records, what it tells of, and what it writes.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::{Job, Reactor, threads};

use self::recorder::{Kind, Recorder, Recording};

#[path = "../../examples/recorder/recorder/mod.rs"]
#[allow(dead_code, reason = "a test uses what it needs")]
mod recorder;

/// For what hangs.
const WATCHDOG: Duration = Duration::from_secs(600);
const LIMIT: Duration = Duration::from_millis(1);

/// One named job and one call from another thread.
fn a_small_program(recorder: &Recorder) -> Recording {
    let reactor = recorder.record(Reactor::builder().pool_size(0, 1)).build().unwrap();
    let (handle, posts) = (reactor.handle(), recorder.clone());
    let answer = threads::defer_to_thread(&reactor, Job::new(|| 42).named("answer <&> \"quoted\""));
    answer.add_callback(move |_| {
        let poster = move || posts.post(&handle, "the last call", |reactor| reactor.stop().unwrap()).unwrap();
        thread::Builder::new().name("poster".to_owned()).spawn(poster).unwrap();
    });
    let shutdown = recorder.run(reactor);
    assert!(!shutdown.timed_out);
    recorder.recording()
}

// Checks: B39, P63, P100
#[test]
fn jobs_calls_and_turns_are_recorded_with_their_threads() {
    let recording = a_small_program(&Recorder::new());
    let of = |kind| recording.spans.iter().filter(move |span| span.kind == kind).collect::<Vec<_>>();

    let [job] = of(Kind::Job)[..] else { panic!("{recording:?}") };
    assert!(job.name.starts_with("answer <&> \"quoted\", made at "), "{}", job.name);
    assert_eq!(recording.threads[job.thread], "reactor-0");
    let (submitter, submitted) = recording.submitted[&job.number];
    assert!(submitted <= job.begin && job.begin <= job.end && job.end <= recording.until);

    let calls = of(Kind::Call);
    let [call] = calls.iter().filter(|call| call.name == "the last call").collect::<Vec<_>>()[..] else {
        panic!("{recording:?}")
    };
    assert_eq!(call.thread, submitter);
    let (poster, posted) = recording.submitted[&call.number];
    assert_eq!(recording.threads[poster], "poster");
    assert!(posted <= call.begin);

    let turns = of(Kind::Turn);
    assert!(turns.iter().all(|turn| turn.thread == submitter));
    assert_eq!(turns.iter().filter(|turn| turn.begin <= call.begin && call.end <= turn.end).count(), 1);
    assert!(recording.counts.iter().all(|(_, counts)| counts.pool.live <= 1));
    // What the crate posts has the type of what it carries: the result of the job.
    assert!(calls.iter().any(|call| call.name.contains("PostedResult<i32>")), "{recording:?}");

    let instants = |what: &str| recording.instants.iter().filter(|(_, _, seen)| seen == what).collect::<Vec<_>>();
    let ([(begins, ..)], [(ends, ..)]) = (&instants("the thread begins")[..], &instants("the thread ends")[..]) else {
        panic!("{recording:?}")
    };
    assert_eq!((*begins, *ends), (job.thread, job.thread));
    assert_eq!(recording.left_out, 0);
}

// Checks: P138
#[test]
fn calls_that_wait_are_counted_as_each_turn_begins() {
    let recorder = Recorder::new();
    let reactor = recorder.record(Reactor::builder()).build().unwrap();
    let handle = reactor.handle();
    (0..3).for_each(|_| handle.call_from_thread(|_| {}).unwrap());
    handle.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
    assert!(!recorder.run(reactor).timed_out);
    let calls: Vec<_> = recorder.recording().counts.iter().map(|(_, counts)| counts.calls).collect();
    assert_eq!(calls.first(), Some(&4));
}

// Checks: B39, P63
#[test]
fn a_job_that_is_stuck_is_told_of_once_while_it_runs() {
    let recorder = Recorder::new();
    let (tell, told) = mpsc::channel();
    let watch = recorder.watch(LIMIT, move |stuck| drop(tell.send((stuck.kind, stuck.to_string())))).unwrap();
    let reactor = recorder.record(Reactor::builder().pool_size(0, 1)).build().unwrap();
    let stuck = Job::new(move || {
        let job =
            (0..).find_map(|_| Some(told.recv_timeout(WATCHDOG).unwrap().1).filter(|text| text.starts_with("job")));
        (job.unwrap(), told)
    });
    let stuck = stuck.named("search");
    let handle = reactor.handle();
    let (done, result) = mpsc::channel();
    reactor
        .thread_pool()
        .call_in_thread_with_callback(
            move |result| {
                done.send(result).unwrap_or_default();
                handle.stop();
            },
            stuck,
        )
        .unwrap();
    recorder.run(reactor);
    drop(watch);
    let (job, others) = result.recv().unwrap().unwrap();
    assert!(job.starts_with("job search, made at ") && job.contains("on thread \"reactor-0\" takes"), "{job}");
    assert!(others.try_iter().all(|(kind, _)| kind != Kind::Job), "it is told of once");
}

// Checks: P100
#[test]
fn a_turn_that_is_stuck_is_told_of_with_its_call() {
    let recorder = Recorder::new();
    let (tell, told) = mpsc::channel();
    let watch = recorder.watch(LIMIT, move |stuck| drop(tell.send(stuck.to_string()))).unwrap();
    let reactor = recorder.record(Reactor::builder()).build().unwrap();
    let (handle, (done, result)) = (reactor.handle(), mpsc::channel());
    recorder
        .post(&handle, "blocks", move |reactor| {
            let (mut turn, mut call) = (false, false);
            while !(turn && call) {
                let stuck = told.recv_timeout(WATCHDOG).unwrap();
                turn |= stuck.starts_with("a turn of the loop on thread ");
                call |= stuck.starts_with("call blocks on thread ");
            }
            done.send(()).unwrap();
            reactor.stop().unwrap();
        })
        .unwrap();
    recorder.run(reactor);
    drop(watch);
    assert_eq!(result.recv(), Ok(()));
}

// Checks: P138
#[test]
fn timers_and_resizes_are_recorded_of_a_reactor_that_runs_by_itself() {
    let recorder = Recorder::new();
    let reactor = recorder.record(Reactor::builder().pool_size(0, 1)).build().unwrap();
    reactor.call_later(2 * LIMIT, |reactor| {
        reactor.thread_pool().adjust_pool_size(0, 2).unwrap();
        // Counts are taken as a turn begins, a millisecond after the last at the earliest.
        reactor.call_later(2 * LIMIT, |reactor| reactor.stop().unwrap());
    });
    reactor.run();
    let recording = recorder.recording();
    let timers = recording.spans.iter().filter(|span| span.kind == Kind::Timer).count();
    assert_eq!(timers, 2, "{recording:?}");
    let resized = recording.instants.iter().filter(|(_, _, what)| what.contains("resized: 0 to 2 threads")).count();
    assert_eq!(resized, 1, "{recording:?}");
}

// Checks: B39, P138
#[test]
fn a_program_is_told_of_a_stuck_timer_and_job_by_one_line() {
    let (tell, told) = mpsc::channel();
    let watch = move |stuck: &recorder::Stuck| drop(tell.send(stuck.to_string()));
    let reactor = recorder::watched(Reactor::builder().pool_size(0, 1), LIMIT, watch).unwrap().build().unwrap();
    let stuck = move |what: &str| while !told.recv_timeout(WATCHDOG).unwrap().starts_with(what) {};
    let handle = reactor.handle();
    reactor.call_later(LIMIT, move |reactor| {
        // The name of a timer is the type of its function.
        stuck("timer examples::recorder::a_program_is_told_");
        let job = Job::new(move || {
            stuck("job search, made at ");
            handle.stop();
        });
        reactor.call_in_thread(job.named("search")).unwrap();
    });
    reactor.run();
}

// Checks: P13
#[test]
fn no_more_is_kept_than_was_asked_for() {
    let recording = a_small_program(&Recorder::keep(2));
    assert!(recording.left_out > 0);
    assert!(recording.spans.len() <= 2 * recording.threads.len());
    assert!(recording.counts.len() + recording.instants.len() <= 2 * recording.threads.len());
}

/// Written to a file, and read back.
fn written(recording: &Recording, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    recording.write(&file).unwrap();
    std::fs::read_to_string(file).unwrap()
}

// Checks: P13
#[test]
fn a_trace_is_json_with_an_event_for_each_span() {
    let recording = a_small_program(&Recorder::new());
    let trace = written(&recording, "trace.json");
    let events = |phase: &str| trace.matches(&format!("\"ph\": \"{phase}\"")).count();
    assert_eq!(events("X"), recording.spans.len());
    assert_eq!(events("M"), recording.threads.len());
    assert_eq!((events("s"), events("f")), (2, 2));
    assert_eq!(events("i"), recording.instants.len());
    assert!(trace.contains(r#""name": "answer <&> \"quoted\", made at "#), "{trace}");
    assert_json(&trace);
}

// Checks: P13
#[test]
fn a_page_has_a_row_for_each_thread_and_a_bar_for_each_span() {
    let recording = a_small_program(&Recorder::new());
    let page = written(&recording, "page.html");
    assert_eq!(page.matches("<rect ").count(), recording.spans.len());
    assert_eq!(page.matches("class=\"arrow\"").count(), 2);
    assert!(page.contains("answer &lt;&amp;&gt; &quot;quoted&quot;, made at "));
    assert!(page.contains(">reactor-0</div>") && page.contains(">poster</div>"));
    // Nothing is loaded from elsewhere.
    assert!(!page.contains("src=") && !page.contains("href="));
}

/// Brackets match and strings end; what follows a value is what may follow it.
fn assert_json(text: &str) {
    let rest = value(text.trim_start()).unwrap_or_else(|at| panic!("no JSON: {at:.100}"));
    assert_eq!(rest.trim(), "");
}

/// The rest of the text behind one value, or the place where none is.
fn value(text: &str) -> Result<&str, &str> {
    let list = |text, close, item: fn(&str) -> Result<&str, &str>| {
        let mut rest = str::trim_start(text);
        if let Some(rest) = rest.strip_prefix(close) {
            return Ok(rest);
        }
        loop {
            rest = item(rest)?.trim_start();
            match rest.strip_prefix(',') {
                Some(more) => rest = more.trim_start(),
                None => return rest.strip_prefix(close).ok_or(rest),
            }
        }
    };
    match text.as_bytes().first() {
        Some(b'{') => list(&text[1..], '}', |text| {
            let rest = string(text)?;
            value(rest.strip_prefix(':').ok_or(rest)?.trim_start())
        }),
        Some(b'[') => list(&text[1..], ']', value),
        Some(b'"') => string(text),
        Some(b'0'..=b'9') => Ok(text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')),
        _ => Err(text),
    }
}

fn string(text: &str) -> Result<&str, &str> {
    let mut characters = text.strip_prefix('"').ok_or(text)?.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok(&text[at + 2..]),
            '\\' => drop(characters.next()),
            control if control < ' ' => return Err(&text[at..]),
            _ => {}
        }
    }
    Err(text)
}
