//! Draws a snapshot.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Paragraph, Row, Sparkline, Table};
use selvedge::pool::Histogram;

use crate::snapshot::{SlowJob, Snapshot, Threads};

/// The upper ends of a histogram's rows, but for the last, which has none.
const ROWS: [(&str, Duration); 6] = [
    ("10 µs", Duration::from_micros(10)),
    ("100 µs", Duration::from_micros(100)),
    ("1 ms", Duration::from_millis(1)),
    ("10 ms", Duration::from_millis(10)),
    ("100 ms", Duration::from_millis(100)),
    ("1 s", Duration::from_secs(1)),
];

/// Draws everything. What has no room is left out from the bottom.
pub fn draw(frame: &mut Frame<'_>, snapshot: &Snapshot) {
    let heights = [Constraint::Length(5), Constraint::Length(4), Constraint::Length(9), Constraint::Min(3)];
    let [over_time, pool, histograms, slowest] = Layout::vertical(heights).areas(frame.area());
    let halves = Layout::horizontal([Constraint::Fill(1); 2]);
    let [lag, turns] = halves.areas(over_time);
    draw_lag(frame, lag, &snapshot.lag);
    draw_turns(frame, turns, &snapshot.turns);
    draw_pool(frame, pool, snapshot.threads);
    let [turn, wait, run] = Layout::horizontal([Constraint::Fill(1); 3]).areas(histograms);
    draw_histogram(frame, turn, "turns took", &snapshot.turn);
    draw_histogram(frame, wait, "jobs waited", &snapshot.wait);
    draw_histogram(frame, run, "jobs ran", &snapshot.run);
    draw_slowest(frame, slowest, &snapshot.slowest);
}

fn draw_lag(frame: &mut Frame<'_>, area: Rect, lag: &[Duration]) {
    let now = lag.last().copied().unwrap_or_default();
    let worst = lag.iter().copied().max().unwrap_or_default();
    let title = format!(" loop lag {}, at most {} ", time(now), time(worst));
    let micros = lag.iter().map(|lag| u64::try_from(lag.as_micros()).unwrap_or(u64::MAX)).collect();
    draw_over_time(frame, area, title, micros, if now < Duration::from_millis(50) { Color::Green } else { Color::Red });
}

fn draw_turns(frame: &mut Frame<'_>, area: Rect, turns: &[u64]) {
    let now = turns.last().copied().unwrap_or_default();
    let most = turns.iter().copied().max().unwrap_or_default();
    draw_over_time(frame, area, format!(" {now} turns/s, at most {most} "), turns.to_vec(), Color::Blue);
}

/// As many of the newest samples as there is room for.
fn draw_over_time(frame: &mut Frame<'_>, area: Rect, title: String, samples: Vec<u64>, color: Color) {
    let block = Block::bordered().title(title);
    let room = usize::from(block.inner(area).width);
    let newest = samples.len().saturating_sub(room);
    let line = Sparkline::default().data(samples.into_iter().skip(newest)).style(Style::new().fg(color));
    frame.render_widget(line.block(block), area);
}

fn draw_pool(frame: &mut Frame<'_>, area: Rect, threads: Threads) {
    let Threads { min, max, live, busy, idle, blocked, queued, completed, panicked, cancelled } = threads;
    let lines = [
        format!("{live} threads of {min} to {max}: {busy} busy, {idle} idle, {blocked} blocked"),
        format!("{queued} jobs wait, {completed} completed, {panicked} panicked, {cancelled} cancelled"),
    ];
    let text: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(text).block(Block::bordered().title(" pool ")), area);
}

fn draw_histogram(frame: &mut Frame<'_>, area: Rect, title: &str, histogram: &Histogram) {
    let worst =
        histogram.quantile(0.99).map_or_else(String::new, |quantile| format!(", 99 % below {}", time(quantile)));
    let block = Block::bordered().title(format!(" {title}{worst} "));
    let room = usize::from(block.inner(area).width).saturating_sub(16);
    let counts = rows(histogram);
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let lines: Vec<Line<'_>> = ROWS
        .iter()
        .map(|(end, _)| format!("< {end}"))
        .chain(["longer".to_owned()])
        .zip(counts)
        .map(|(end, count)| {
            let share = usize::try_from(count * room as u64 / most).unwrap_or(room);
            // What happened at all is seen.
            let bar = "█".repeat(if count > 0 { share.max(1) } else { 0 });
            Line::from(format!("{end:>8} {count:>6} {bar}"))
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// How many times lie below each end, and not below the one before.
fn rows(histogram: &Histogram) -> [u64; ROWS.len() + 1] {
    let mut counts = [0; ROWS.len() + 1];
    for bucket in histogram.buckets() {
        let row = ROWS.iter().position(|(_, end)| bucket.to <= *end).unwrap_or(ROWS.len());
        if let Some(count) = counts.get_mut(row) {
            *count += bucket.count;
        }
    }
    counts
}

fn draw_slowest(frame: &mut Frame<'_>, area: Rect, slowest: &[SlowJob]) {
    let right = |text: String| Cell::from(Line::from(text).right_aligned());
    let row = |job: &SlowJob| {
        let numbers = [time(job.longest), time(job.mean()), job.count.to_string(), job.running.to_string()];
        Row::new([Cell::from(job.name.clone())].into_iter().chain(numbers.map(right)))
    };
    let header = ["longest", "mean", "ended", "running"].map(|text| right(text.to_owned()));
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Length(8),
        Constraint::Length(7),
    ];
    let table = Table::new(slowest.iter().map(row), widths)
        .header(Row::new([Cell::from("job")].into_iter().chain(header)).style(Style::new().fg(Color::DarkGray)))
        .block(Block::bordered().title(" slowest jobs ").title_bottom(Line::from(" q quits ").right_aligned()));
    frame.render_widget(table, area);
}

/// In a unit that fits: three digits at least.
fn time(time: Duration) -> String {
    match time.as_micros() {
        0..1_000 => format!("{} µs", time.as_micros()),
        1_000..1_000_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
