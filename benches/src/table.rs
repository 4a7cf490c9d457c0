//! The results as Markdown, which is readable in a terminal too.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::measure::{InState, Outcome, Results, Verdict};
use crate::state::State;

pub fn markdown(conditions: &str, results: &[Results]) -> String {
    let mut page = format!("# selvedge beside its peers\n\n{conditions}\n\n{}\n", verdicts(results));
    for comparison in results {
        let values = values(comparison);
        write!(page, "\n## {}, {}\n\n{values}\n", comparison.title, comparison.unit.name()).expect(INTO_MEMORY);
    }
    page
}

const INTO_MEMORY: &str = "a string takes all";

/// One row for each comparison, one column for each state, and what they add up to.
fn verdicts(results: &[Results]) -> Table {
    let states: Vec<State> = results.iter().flat_map(|comparison| &comparison.states).map(|each| each.state).fold(
        Vec::new(),
        |mut states, state| {
            if !states.contains(&state) {
                states.push(state);
            }
            states
        },
    );
    let in_state = |comparison: &Results, state| {
        comparison.states.iter().find(|each| each.state == state).and_then(|each| each.verdict)
    };
    let mut table = table(states.iter().map(|state| state.name().to_owned()));
    for comparison in results {
        let cells = states.iter().map(|&state| in_state(comparison, state).map_or_else(String::new, verdict));
        table.add_row([comparison.title.clone()].into_iter().chain(cells));
    }
    let totals = states.iter().map(|&state| {
        let verdicts = || results.iter().filter_map(|comparison| in_state(comparison, state));
        let count = |outcome| verdicts().filter(|verdict| verdict.outcome() == outcome).count();
        let [won, level, lost] = [Outcome::Won, Outcome::Level, Outcome::Lost].map(count);
        format!("{won} won, {level} level, {lost} lost")
    });
    table.add_row(["All".to_owned()].into_iter().chain(totals));
    table
}

fn verdict(verdict: Verdict) -> String {
    let outcome = match verdict.outcome() {
        Outcome::Won => "won",
        Outcome::Level => "level",
        Outcome::Lost => "LOST",
    };
    let ratio = verdict.ratio;
    format!("{outcome} {:.2} ({:.2} to {:.2}) {}", ratio.median, ratio.low, ratio.high, verdict.peer)
}

/// One row for each contender, one column for each state.
fn values(comparison: &Results) -> Table {
    let heading = |each: &InState| format!("{}, {} rounds", each.state.name(), each.rounds);
    let mut table = table(comparison.states.iter().map(heading));
    for (at, contender) in comparison.states[0].rows.iter().enumerate() {
        let cells = comparison.states.iter().map(|each| {
            let row = &each.rows[at];
            let (low, high) = (figure(row.value.low), figure(row.value.high));
            format!("{} ({low} to {high}) ×{:.2}", figure(row.value.median), row.ratio)
        });
        table.add_row([contender.name.to_owned()].into_iter().chain(cells));
    }
    table
}

pub fn table(columns: impl Iterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([String::new()].into_iter().chain(columns));
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// Rounds to what is significant, with thousands separators.
pub fn figure(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut figure = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            figure.push(',');
        }
        figure.push(digit);
    }
    figure
}
