//! The results as a chart: one panel for each comparison, in one state of the machine, the fastest on top.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::measure::{Results, Row};
use crate::table::figure;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn Error>>;

const COLUMNS: usize = 3;
const PANEL: (i32, i32) = (360, 224);
const HEADING: i32 = 64;
/// Width of the names before the bars, and of the figures after them.
const NAMES: i32 = 108;
const FIGURES: i32 = 64;
const STEP: i32 = 24;
const BAR: i32 = 14;
const TOP: i32 = 40;

/// A bar longer than this many times the shortest is cut, visibly: drawn to scale, it would make the others unreadable.
const CUT: f64 = 10.0;

const OWN: RGBColor = RGBColor(0x0b, 0x6e, 0x6e);
const PEER: RGBColor = RGBColor(0xb9, 0xc2, 0xcb);
const INK: RGBColor = RGBColor(0x22, 0x2b, 0x33);
const FAINT: RGBColor = RGBColor(0x6b, 0x75, 0x80);

/// Of the first state that was measured.
pub fn chart(path: &Path, conditions: &str, results: &[Results]) -> Drawn {
    let columns = results.len().clamp(1, COLUMNS);
    let rows = results.len().div_ceil(columns);
    let size = (columns as i32 * PANEL.0, HEADING + rows as i32 * PANEL.1);
    let page = SVGBackend::new(path, (size.0 as u32, size.1 as u32)).into_drawing_area();
    // Not transparent: dark text would be unreadable on a dark page.
    page.fill(&WHITE)?;
    write(&page, "selvedge beside its peers: less is better", (16, 24), 17, &INK, HPos::Left)?;
    write(&page, conditions, (16, 46), 12, &FAINT, HPos::Left)?;
    let (_, body) = page.split_vertically(HEADING);
    for (panel, comparison) in body.split_evenly((rows, columns)).iter().zip(results) {
        draw(panel, comparison)?;
    }
    page.present()?;
    Ok(())
}

fn draw(panel: &Area, comparison: &Results) -> Drawn {
    // The table has the other states.
    let mut rows: Vec<&Row> = comparison.states[0].rows.iter().collect();
    rows.sort_by(|a, b| a.value.median.total_cmp(&b.value.median));
    let cut = rows.first().map_or(0.0, |fastest| CUT * fastest.value.median);
    let longest = rows.iter().map(|row| row.value.median).filter(|&median| median <= cut).fold(1.0, f64::max);
    let end = PANEL.0 - FIGURES;
    let reach = |value: f64| NAMES + (value / longest * f64::from(end - NAMES)) as i32;

    write(panel, &format!("{}, {}", comparison.title, comparison.unit.name()), (16, 16), 13, &INK, HPos::Left)?;
    for (row, top) in rows.into_iter().zip((TOP..).step_by(STEP as usize)) {
        let middle = top + BAR / 2;
        let (bar, text) = if row.name == "selvedge" { (OWN, OWN) } else { (PEER, INK) };
        let value = row.value;
        let tip = reach(value.median).clamp(NAMES + 1, end);
        panel.draw(&Rectangle::new([(NAMES, top), (tip, top + BAR)], bar.filled()))?;
        // A whisker ends where the figures begin: one noisy round must not push them off the panel.
        let whisker = [reach(value.low), reach(value.high)].map(|x| x.min(end + 12));
        let mut behind = tip;
        if value.median > cut {
            let gap = [(end - 24, top + BAR), (end - 18, top), (end - 12, top), (end - 18, top + BAR)];
            panel.draw(&Polygon::new(gap, WHITE))?;
        } else {
            panel.draw(&PathElement::new(whisker.map(|x| (x, middle)), FAINT))?;
            behind = tip.max(whisker[1]);
        }
        write(panel, row.name, (NAMES - 6, middle), 12, &text, HPos::Right)?;
        write(panel, &figure(value.median), (behind + 5, middle), 12, &text, HPos::Left)?;
    }
    Ok(())
}

fn write(area: &Area, text: &str, at: (i32, i32), size: i32, colour: &RGBColor, side: HPos) -> Drawn {
    let style = ("sans-serif", size).into_font().color(colour).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text, at, style))?;
    Ok(())
}
