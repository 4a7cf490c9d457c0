//! Transition tables and state diagrams, made of what the exploration saw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// One transition of a machine that was seen: in this state, this event leads to this action, and to that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::machine) struct Row {
    pub(in crate::machine) from: &'static str,
    pub(in crate::machine) event: &'static str,
    pub(in crate::machine) action: &'static str,
    pub(in crate::machine) to: &'static str,
}

/// All transitions that were seen.
pub(in crate::machine) type Rows = BTreeSet<Row>;

/// The rows of one machine among several: those whose states have these names.
pub(super) fn part(rows: &Rows, states: &[&str]) -> Rows {
    rows.iter().filter(|row| states.contains(&row.from)).copied().collect()
}

/// A machine's diagram and table, in the Markdown of SPEC.md.
pub(super) fn chapter(rows: &Rows) -> String {
    format!("{}\n{}", diagram(rows), table(rows))
}

/// Where rows differ in the state they start from and in nothing else, they share a line.
fn table(rows: &Rows) -> String {
    let mut lines: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for row in rows {
        let to = if row.to == row.from { "*the same*" } else { row.to };
        lines.entry((row.event, row.action, to)).or_default().push(row.from);
    }
    let mut text = String::from("| Event | In state | Action | Next state |\n|---|---|---|---|\n");
    for ((event, action, to), from) in lines {
        writeln!(text, "| {event} | {} | {action} | {to} |", from.join(" / ")).unwrap();
    }
    text
}

/// A diagram in which the events that lead from one state to another share an arrow, and states that have a part of their name in common
/// a box. What changes nothing is left to the table.
fn diagram(rows: &Rows) -> String {
    let mut arrows: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        let (from, to) = (node(row.from), node(row.to));
        if from != to {
            arrows.entry((from, to)).or_default().insert(row.event);
        }
    }
    let mut text = String::from("```mermaid\nstateDiagram-v2\n");
    for ((from, to), events) in arrows {
        let events = events.into_iter().collect::<Vec<_>>().join(", ");
        writeln!(text, "    {from} --> {to}: {events}").unwrap();
    }
    text.push_str("```\n");
    text
}

/// What stands before a colon names the box. Mermaid wants names without spaces.
fn node(state: &str) -> String {
    let name = state.split_once(':').map_or(state, |(name, _)| name);
    name.replace(|c: char| !c.is_alphanumeric(), "_")
}
