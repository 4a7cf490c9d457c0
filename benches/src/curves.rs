//! What an operation costs against how many there are of something, drawn with both axes logarithmic.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::measure::Comparison;
use crate::payload::Mix;
use crate::state::State;
use crate::table::{figure, table};
use crate::{deep, dispatch, posting, promises, timers};

/// Nanoseconds of each contender at each point.
#[derive(Debug, PartialEq)]
pub struct Curve {
    pub title: String,
    /// What is counted.
    pub of: String,
    pub lines: Vec<Line>,
}

#[derive(Debug, PartialEq)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// A curve that can be measured.
pub struct Plan {
    pub title: String,
    of: &'static str,
    counts: Vec<u64>,
    at: At,
}

enum At {
    Comparison(Box<dyn Fn(u64) -> Comparison>),
    Deep(&'static deep::Operation),
}

pub fn plans() -> Vec<Plan> {
    let tens = |powers: std::ops::RangeInclusive<u32>| powers.map(|power| 10_u64.pow(power)).collect::<Vec<_>>();
    let compared = |title: &str, of, counts, at: fn(u64) -> Comparison| Plan {
        title: title.to_owned(),
        of,
        counts,
        at: At::Comparison(Box::new(at)),
    };
    let threads = || vec![1, 2, 4, 8, 16, 32, 64];
    let mut plans = vec![
        compared("Post to the loop", "posters", threads(), |n| posting::comparison(Mix::Alike, n as usize)),
        compared("Dispatch to 4 workers", "submitters", threads(), |n| dispatch::comparison(n as usize, 4)),
        compared("Dispatch", "workers", vec![1, 3, 10, 30, 100, 300, 1000], |n| dispatch::comparison(1, n as usize)),
        compared("A member of a list", "members", tens(1..=6), |n| Comparison {
            operations: n,
            ..promises::gathered()
        }),
    ];
    plans.extend(["add", "cancel", "reset", "run when due"].into_iter().enumerate().map(|(index, operation)| Plan {
        title: format!("Timer: {operation}"),
        of: "timers",
        counts: tens(2..=6),
        at: At::Comparison(Box::new(move |n| timers::at(n).into_iter().nth(index).expect("there are four"))),
    }));
    plans.extend(deep::OPERATIONS.iter().map(|operation| Plan {
        title: operation.title.to_owned(),
        of: "that wait",
        counts: tens(3..=7),
        at: At::Deep(operation),
    }));
    plans
}

impl Plan {
    /// On a machine that does nothing else, as far as this program is concerned; at one count, or at all.
    pub fn measure(&self, rounds: u32, only: Option<u64>) -> Curve {
        let mut curve = Curve { title: self.title.clone(), of: self.of.to_owned(), lines: Vec::new() };
        for &count in self.counts.iter().filter(|count| only.is_none_or(|only| only == **count)) {
            let mut add = |name, nanoseconds| curve.add(name, (count as f64, nanoseconds));
            match &self.at {
                At::Comparison(at) => {
                    let results = at(count).measure(&[State::Quiet], rounds, 1, || ());
                    results.states[0].rows.iter().for_each(|row| add(row.name, row.value.median));
                }
                At::Deep(operation) => {
                    operation.contenders.iter().for_each(|(name, run)| {
                        add(name, deep::last(count as usize, *run));
                    });
                }
            }
        }
        curve
    }
}

impl Curve {
    /// Adds a point, in place of one that was there.
    fn add(&mut self, name: &str, point: (f64, f64)) {
        let at = self.lines.iter().position(|line| line.name == name).unwrap_or_else(|| {
            self.lines.push(Line { name: name.to_owned(), points: Vec::new() });
            self.lines.len() - 1
        });
        let points = &mut self.lines[at].points;
        points.retain(|other| other.0 != point.0);
        points.push(point);
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// What was measured later, in place of what was measured before.
    pub fn update(&mut self, later: &Curve) {
        for line in &later.lines {
            line.points.iter().for_each(|&point| self.add(&line.name, point));
        }
    }

    /// One row for each contender, one column for each count.
    pub fn section(&self) -> String {
        let counts = self.lines.first().map_or(&[][..], |line| &line.points);
        let mut rows = table(counts.iter().map(|point| figure(point.0)));
        for line in &self.lines {
            let cells = line.points.iter().map(|point| figure(point.1));
            rows.add_row([line.name.clone()].into_iter().chain(cells));
        }
        format!("\n## {}, by {}, ns each\n\n{rows}\n", self.title, self.of)
    }
}

/// The curves whose [sections](Curve::section) are on a page, and what is before them.
pub fn read(page: &str) -> Option<(&str, Vec<Curve>)> {
    let mut sections = page.split("\n## ");
    let before = sections.next()?;
    let curves = sections.map(|section| {
        let (heading, rows) = section.split_once("\n\n")?;
        let (title, of) = heading.strip_suffix(", ns each")?.rsplit_once(", by ")?;
        let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let number = |cell: &String| cell.replace(',', "").parse::<f64>().ok();
        let mut rows = rows.lines();
        let counts: Vec<f64> = cells(rows.next()?).iter().skip(1).map(number).collect::<Option<_>>()?;
        let line = |row: &str| {
            let cells = cells(row);
            let values: Vec<f64> = cells.iter().skip(1).map(number).collect::<Option<_>>()?;
            Some(Line { name: cells[0].clone(), points: counts.iter().copied().zip(values).collect() })
        };
        let lines = rows.skip(1).filter(|row| row.starts_with('|')).map(line).collect::<Option<_>>()?;
        Some(Curve { title: title.to_owned(), of: of.to_owned(), lines })
    });
    Some((before, curves.collect::<Option<_>>()?))
}

const COLUMNS: usize = 3;
const PANEL: (u32, u32) = (480, 320);
/// Right of each panel.
const LEGEND: u32 = 130;

const OWN: RGBColor = RGBColor(0x0b, 0x6e, 0x6e);
const PEERS: [RGBColor; 6] = [
    RGBColor(0xc0, 0x5a, 0x1e),
    RGBColor(0x5b, 0x4f, 0xa8),
    RGBColor(0x9a, 0x8c, 0x14),
    RGBColor(0xb0, 0x30, 0x60),
    RGBColor(0x3d, 0x7d, 0xc4),
    RGBColor(0x6b, 0x75, 0x80),
];

/// A panel for each curve. The first contender, in one colour and thicker, is selvedge.
pub fn draw(path: &Path, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let rows = curves.len().div_ceil(COLUMNS);
    let page = SVGBackend::new(path, (COLUMNS as u32 * PANEL.0, rows as u32 * PANEL.1)).into_drawing_area();
    page.fill(&WHITE)?;
    for (panel, curve) in page.split_evenly((rows, COLUMNS)).iter().zip(curves) {
        let points = || curve.lines.iter().flat_map(|line| &line.points);
        let most = points().map(|point| point.0).fold(10.0, f64::max);
        let least = points().map(|point| point.0).fold(most, f64::min);
        let (low, high) = points().fold((f64::MAX, 0.0), |(low, high), point| (point.1.min(low), point.1.max(high)));
        let mut chart = ChartBuilder::on(panel)
            .caption(&curve.title, ("sans-serif", 15))
            .margin(8)
            .margin_right(LEGEND)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d((least..most).log_scale(), (low / 1.5..high * 1.5).log_scale())?;
        let mut mesh = chart.configure_mesh();
        mesh.x_label_formatter(&label).y_label_formatter(&label).light_line_style(WHITE);
        mesh.x_desc(&curve.of).y_desc("ns each").draw()?;
        let colours = std::iter::once(OWN).chain(PEERS);
        for (index, (line, colour)) in curve.lines.iter().zip(colours).enumerate() {
            let width = if index == 0 { 3 } else { 1 };
            chart.draw_series(std::iter::once(PathElement::new(line.points.clone(), colour.stroke_width(width))))?;
            let name = ("sans-serif", 11).into_font().color(&colour);
            let left = (PANEL.0 - LEGEND) as i32 + 6;
            panel.draw(&Text::new(&*line.name, (left, 34 + 13 * index as i32), name))?;
        }
    }
    page.present()?;
    Ok(())
}

/// Of a logarithmic axis: 1, 2, 5, 10 and so on. Those between would lie over each other.
fn label(value: &f64) -> String {
    let leading = value / 10_f64.powf(value.log10().floor());
    let is_shown = [1.0, 2.0, 5.0].iter().any(|shown| (leading - shown).abs() < 0.01);
    if is_shown { format!("{value}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_read_as_it_was_written() {
        let line = |name: &str, points| Line { name: name.to_owned(), points };
        let lines =
            vec![line("selvedge", vec![(1e3, 9.5), (1e6, 1234.0)]), line("tokio", vec![(1e3, 7.0), (1e6, 20.0)])];
        let mut curve = Curve { title: "Timer: add".to_owned(), of: "timers, by hand".to_owned(), lines };
        let page = format!("# Words\n{}", curve.section());
        let (before, read) = read(&page).expect("it is a page");
        assert_eq!((before, &read[..]), ("# Words\n", std::slice::from_ref(&curve)));
        curve.update(&Curve { lines: vec![line("tokio", vec![(1e6, 30.0)])], ..read.into_iter().next().expect("one") });
        assert_eq!(curve.lines[1].points, [(1e3, 7.0), (1e6, 30.0)]);
    }
}
