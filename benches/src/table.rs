//! The results as Markdown, which is readable in a terminal too.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::measure::Results;

pub fn markdown(conditions: &str, results: &[Results]) -> String {
    let mut page =
        format!("# selvedge beside its peers\n\n{conditions}. A ratio above 1 is slower than selvedge, or larger.\n");
    for comparison in results {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header([
            "",
            comparison.unit.name(),
            "middle half of rounds",
            "× selvedge",
        ]);
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        for row in &comparison.rows {
            let value = row.value;
            table.add_row([
                row.name.to_owned(),
                figure(value.median),
                format!("{} to {}", figure(value.low), figure(value.high)),
                format!("{:.2}", row.ratio.median),
            ]);
        }
        write!(page, "\n## {}\n\n{table}\n", comparison.title).expect("a string takes all");
    }
    page
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
