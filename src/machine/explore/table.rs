//! Transition tables and state diagrams in Markdown, made from the transitions that a search saw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A transition that was seen: in state `from`, `event` leads to `action` and to state `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::machine) struct Row {
    pub(in crate::machine) from: &'static str,
    pub(in crate::machine) event: &'static str,
    pub(in crate::machine) action: &'static str,
    pub(in crate::machine) to: &'static str,
}

/// All transitions that were seen.
pub(in crate::machine) type Rows = BTreeSet<Row>;

/// The rows of one machine among several: those whose states have these names before the colon.
pub(super) fn rows_of(rows: &Rows, states: &[&str]) -> Rows {
    rows.iter().filter(|row| states.contains(&before_colon(row.from))).copied().collect()
}

/// A machine's diagram and table.
pub(super) fn markdown(rows: &Rows) -> String {
    format!("{}\n{}", diagram(rows), table(rows))
}

/// Rows that differ only in `from` share a line.
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

/// A diagram: all events that lead from one state to another share an arrow, and all states whose name has the same
/// part before the colon share a box. Transitions that change nothing are in the table only.
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

/// The name of a state's box. Mermaid allows no spaces in names.
fn node(state: &str) -> String {
    before_colon(state).replace(|c: char| !c.is_alphanumeric(), "_")
}

fn before_colon(state: &str) -> &str {
    state.split_once(':').map_or(state, |(name, _)| name)
}
