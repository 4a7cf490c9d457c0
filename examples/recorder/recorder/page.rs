//! Draws a recording as one page that a browser shows without anything else: threads as rows, work as bars.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use super::{Counts, Kind, Recording, Span, WAKES};

/// Bars that are drawn at most: the longest.
const BARS: usize = 20_000;
/// Arrows that are drawn at most.
const ARROWS: usize = 2_000;
/// Rows of the table.
const SLOWEST: usize = 20;

/// The drawing's width, in its own unit.
const WIDTH: u64 = 1_000_000;
const BAR: usize = 16;
const GAP: usize = 8;
const CHART: usize = 60;

const STYLE: &str = "\
body { font: 14px system-ui, sans-serif; margin: 16px; color: #222; background: #fff }
#rows { display: flex; border: 1px solid #ccc }
#names { flex: none; padding-top: 20px; border-right: 1px solid #ccc; font-size: 12px }
#names div { padding: 0 8px; overflow: hidden; white-space: nowrap; max-width: 30vw }
#scroll { flex: auto; overflow-x: auto }
#plot { position: relative; width: 100%; min-width: 640px }
#ticks { height: 20px; position: relative; font-size: 11px; color: #666; overflow: hidden }
#ticks span { position: absolute; border-left: 1px solid #ccc; padding-left: 3px; white-space: nowrap }
svg { display: block; width: 100% }
svg * { vector-effect: non-scaling-stroke }
.turn { fill: #d8dee9; stroke: #d8dee9 } .call { fill: #5e81ac; stroke: #5e81ac }
.job { fill: #a3be8c; stroke: #a3be8c } .j1 { fill: #ebcb8b; stroke: #ebcb8b } .j2 { fill: #d08770; stroke: #d08770 }
.j3 { fill: #b48ead; stroke: #b48ead } .arrow { stroke: #999; stroke-opacity: .5 } .wake { stroke: #bf616a }
.line { fill: none; stroke: #bf616a } .calls { stroke: #d08770 } .busy { stroke: #5e81ac }
.live { stroke: #a3be8c } .row { fill: none; stroke: #eee } .mark { stroke: #4c566a; stroke-width: 2 }
.head { stroke: #777; stroke-width: 5; stroke-linecap: round } .timer { fill: #88c0d0; stroke: #88c0d0 }
table { border-collapse: collapse; margin-top: 16px } td, th { padding: 2px 12px 2px 0; text-align: left }
td.n, th.n { text-align: right } .wide { overflow-x: auto } td { white-space: nowrap }
td:last-child { max-width: 90ch; overflow: hidden; text-overflow: ellipsis }";

const SCRIPT: &str = "\
document.getElementById('zoom').oninput = function () {
  document.getElementById('plot').style.width = Math.pow(2, this.value) * 100 + '%';
};";

const LEGEND: &str = "\
Bars: <b style=\"color:#8f9bb3\">turns</b>, <b style=\"color:#5e81ac\">calls</b>,
<b style=\"color:#4f97a8\">timers</b>, jobs by name. Arrows: from where something was submitted to the dot where it ran.
Red: the loop is woken. Dark: a thread begins or ends, the pool is resized. Below: calls (orange) and jobs (red) that
wait, live threads (green), busy ones (blue), as each turn began. What stands under the pointer is named.";

pub(super) fn write(recording: &Recording, out: &mut impl Write) -> io::Result<()> {
    let page = Page::new(recording);
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>What ran</title>\n<style>\n{STYLE}\n</style>\n<h1>What ran</h1>")?;
    writeln!(out, "<p>{}</p>", page.summary())?;
    writeln!(
        out,
        "<p><label>Zoom <input id=\"zoom\" type=\"range\" min=\"0\" max=\"10\" step=\"0.1\" value=\"0\"></label>"
    )?;
    writeln!(out, "{LEGEND}</p>")?;
    writeln!(out, "<div id=\"rows\">\n<div id=\"names\">")?;
    for (name, depth) in recording.threads.iter().zip(&page.depths) {
        writeln!(out, "<div style=\"height:{}px\">{}</div>", height(*depth), escaped(name))?;
    }
    writeln!(
        out,
        "<div style=\"height:{CHART}px\">counts</div>\n</div>\n<div id=\"scroll\"><div id=\"plot\"><div id=\"ticks\">"
    )?;
    page.write_ticks(out)?;
    writeln!(out, "</div>")?;
    page.write_drawing(out)?;
    writeln!(out, "</div></div>\n</div>")?;
    page.write_slowest(out)?;
    writeln!(out, "<script>\n{SCRIPT}\n</script>\n</html>")
}

struct Page<'a> {
    recording: &'a Recording,
    /// Of each thread: how many bars lie above each other at most.
    depths: Vec<usize>,
    /// Each span with its depth, in the order of their beginnings.
    spans: Vec<(&'a Span, usize)>,
}

impl<'a> Page<'a> {
    fn new(recording: &'a Recording) -> Self {
        let mut sorted: Vec<&Span> = recording.spans.iter().collect();
        // One that encloses another begins with it or before it, and ends later.
        sorted.sort_by_key(|span| (span.begin, std::cmp::Reverse(span.end)));
        let mut depths = vec![1; recording.threads.len()];
        let mut open: Vec<Vec<Duration>> = vec![Vec::new(); recording.threads.len()];
        let mut spans = Vec::with_capacity(sorted.len());
        for span in sorted {
            let (Some(open), Some(deepest)) = (open.get_mut(span.thread), depths.get_mut(span.thread)) else {
                continue;
            };
            open.retain(|end| *end > span.begin);
            spans.push((span, open.len()));
            open.push(span.end);
            *deepest = open.len().max(*deepest);
        }
        Self { recording, depths, spans }
    }

    fn summary(&self) -> String {
        let of = |kind| self.recording.spans.iter().filter(move |span| span.kind == kind);
        let (jobs, turns) = (of(Kind::Job).count(), of(Kind::Turn).count());
        let longest = of(Kind::Turn).map(Span::time).max().unwrap_or_default();
        let mut text = format!(
            "{:.1?} on {} threads: {jobs} jobs, {turns} turns of the loop, the longest {longest:.1?}.",
            self.recording.until,
            self.recording.threads.len()
        );
        if self.recording.left_out > 0 {
            _ = write!(text, " {} events came too late to be kept.", self.recording.left_out);
        }
        if self.spans.len() > BARS {
            _ = write!(text, " Drawn are the {BARS} longest of {} bars.", self.spans.len());
        }
        text
    }

    fn x(&self, at: Duration) -> u64 {
        let whole = self.recording.until.as_nanos().max(1);
        u64::try_from(at.as_nanos() * u128::from(WIDTH) / whole).unwrap_or(WIDTH).min(WIDTH)
    }

    /// Where the row of a thread begins.
    fn top(&self, thread: usize) -> usize {
        self.depths.iter().take(thread).map(|depth| height(*depth)).sum()
    }

    fn write_ticks(&self, out: &mut impl Write) -> io::Result<()> {
        for tenth in 0..10_u32 {
            let at = self.recording.until * tenth / 10;
            write!(out, "<span style=\"left:{}%\">{:.1} ms</span>", tenth * 10, at.as_secs_f64() * 1e3)?;
        }
        Ok(())
    }

    fn write_drawing(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.top(self.depths.len());
        let whole = rows + CHART;
        let size = format!("viewBox=\"0 0 {WIDTH} {whole}\" preserveAspectRatio=\"none\" style=\"height:{whole}px\"");
        writeln!(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" {size}>")?;
        for thread in 1..=self.depths.len() {
            let y = self.top(thread);
            writeln!(out, "<path class=\"row\" d=\"M0 {y}H{WIDTH}\"/>")?;
        }
        let mut drawn: Vec<usize> = (0..self.spans.len()).collect();
        if drawn.len() > BARS {
            drawn.sort_by_key(|n| std::cmp::Reverse(self.spans.get(*n).map(|(span, _)| span.time())));
            drawn.truncate(BARS);
            drawn.sort_unstable();
        }
        let mut arrows = 0;
        for (span, depth) in drawn.into_iter().filter_map(|n| self.spans.get(n)) {
            let (x, end) = (self.x(span.begin), self.x(span.end));
            let y = self.top(span.thread) + GAP / 2 + depth * BAR;
            let waited = self.recording.submitted.get(&span.number);
            write!(
                out,
                "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\">",
                class(span),
                end - x,
                BAR - 2
            )?;
            write!(out, "<title>{}: {:?}", escaped(&span.name), span.time())?;
            if let Some((_, submitted)) = waited {
                write!(out, ", after {:?} of waiting", span.begin.saturating_sub(*submitted))?;
            }
            writeln!(out, "</title></rect>")?;
            if let Some((from, submitted)) = waited.filter(|_| arrows < ARROWS) {
                arrows += 1;
                let (from_x, from_y) = (self.x(*submitted), self.top(*from) + GAP / 2 + BAR / 2);
                let to_y = y + BAR / 2;
                writeln!(out, "<path class=\"arrow\" d=\"M{from_x} {from_y}L{x} {to_y}\"/>")?;
                writeln!(out, "<path class=\"head\" d=\"M{x} {to_y}h0\"/>")?;
            }
        }
        for (thread, at, what) in self.recording.instants.iter().take(BARS) {
            let (x, y) = (self.x(*at), self.top(*thread));
            let class = if what == WAKES { "wake" } else { "mark" };
            writeln!(out, "<path class=\"{class}\" d=\"M{x} {y}v{GAP}\"><title>{}</title></path>", escaped(what))?;
        }
        self.write_chart(out, rows)?;
        writeln!(out, "</svg>")
    }

    /// Calls and jobs that wait, and live and busy threads, as lines. Each is as high as its highest, and threads are
    /// as high as the live ones.
    fn write_chart(&self, out: &mut impl Write, top: usize) -> io::Result<()> {
        let counts = &self.recording.counts;
        let live: fn(&Counts) -> usize = |counts| counts.pool.live;
        let lines: [(&str, &str, fn(&Counts) -> usize); 4] = [
            ("line calls", "calls that wait", |counts| counts.calls),
            ("line", "jobs that wait", |counts| counts.pool.queued),
            ("line live", "live threads", live),
            ("line busy", "busy threads", |counts| counts.pool.busy),
        ];
        let most = |value: fn(&Counts) -> usize| counts.iter().map(|(_, counts)| value(counts)).max().unwrap_or(0);
        for (class, what, value) in lines {
            let scale = if what.ends_with("threads") { most(live) } else { most(value) }.max(1);
            let mut path = String::new();
            for (at, counts) in counts {
                let (x, y) = (self.x(*at), top + CHART - 4 - value(counts) * (CHART - 8) / scale);
                // It stays as it was until it is counted again.
                _ = if path.is_empty() { write!(path, "M{x} {y}") } else { write!(path, "H{x}V{y}") };
            }
            let highest = most(value);
            writeln!(out, "<path class=\"{class}\" d=\"{path}\"><title>{what}: at most {highest}</title></path>")?;
        }
        Ok(())
    }

    fn write_slowest(&self, out: &mut impl Write) -> io::Result<()> {
        let mut slowest: Vec<&Span> = self.recording.spans.iter().filter(|span| span.kind != Kind::Turn).collect();
        slowest.sort_by_key(|span| std::cmp::Reverse(span.time()));
        writeln!(
            out,
            "<div class=\"wide\"><table>\n<tr><th class=\"n\">took<th class=\"n\">waited<th class=\"n\">began at\
             <th>thread<th>the longest</tr>"
        )?;
        for span in slowest.into_iter().take(SLOWEST) {
            let waited = self.recording.submitted.get(&span.number);
            let waited = waited.map(|(_, submitted)| format!("{:.1?}", span.begin.saturating_sub(*submitted)));
            let thread = self.recording.threads.get(span.thread).map_or("", String::as_str);
            write!(out, "<tr><td class=\"n\">{:.1?}<td class=\"n\">{}", span.time(), waited.unwrap_or_default())?;
            let (thread, name) = (escaped(thread), escaped(&span.name));
            writeln!(out, "<td class=\"n\">{:.1?}<td>{thread}<td title=\"{name}\">{name}</tr>", span.begin)?;
        }
        writeln!(out, "</table></div>")
    }
}

fn height(depth: usize) -> usize {
    depth * BAR + GAP
}

/// Jobs have one of four colours, by their names.
fn class(span: &Span) -> &'static str {
    match span.kind {
        Kind::Turn => "turn",
        Kind::Call => "call",
        Kind::Timer => "timer",
        Kind::Job => match span.name.bytes().map(usize::from).sum::<usize>() % 4 {
            0 => "job",
            1 => "j1",
            2 => "j2",
            _ => "j3",
        },
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
