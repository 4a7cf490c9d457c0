//! Each line of the log names the spans in which it was written, and those in which they were opened.

use std::process::Command;

/// Thread, spans and message of each line. Threads without their numbers: which worker runs a job is left open.
fn log() -> Vec<(String, String, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_selvedge-tracing")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let (thread, rest) = line.trim().split_once(' ')?;
        let (spans, message) = rest.trim().rsplit_once(": ").unwrap_or(("", rest.trim()));
        let thread = thread.split('-').next()?;
        Some((thread.to_owned(), spans.to_owned(), message.to_owned()))
    };
    text.lines().map(|text| line(text).unwrap_or_else(|| panic!("{text:?}"))).collect()
}

#[test]
fn a_span_travels_with_jobs_posts_timers_and_tasks() {
    let log = log();
    for id in 1..=2 {
        let request = format!("request{{id={id}}}");
        let own: Vec<(&str, &str, &str)> = log
            .iter()
            .filter(|(_, spans, _)| spans.starts_with(&request))
            .map(|(thread, spans, message)| (thread.as_str(), &spans[request.len()..], message.as_str()))
            .collect();
        let timer = ("main", "", "still at it");
        let others: Vec<_> = own.iter().filter(|line| **line != timer).copied().collect();
        assert_eq!(own.len(), others.len() + 1, "{own:?}");
        // In this order, and the last but one before the client has its answer.
        let expected = [
            ("main", "", "accepted"),
            ("reactor", ":answer:read{file=\"home\"}", "reading"),
            ("main", ":answer", "half way"),
            ("main", ":answer", "answered"),
            ("client", "", "done length=14"),
        ];
        assert_eq!(others, expected);
    }
    let without: Vec<_> = log.iter().filter(|(_, spans, _)| spans.is_empty()).collect();
    let [(thread, _, message)] = without[..] else { panic!("{without:?}") };
    assert_eq!((thread.as_str(), message.as_str()), ("main", "all are served"));
    assert_eq!(log.last().unwrap().2, "all are served");
}
