//! The thread that draws on the terminal and reads its keys.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{DefaultTerminal, crossterm};
use selvedge::Handle;

use crate::{Monitor, draw};

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(250);

/// A view that has the terminal until it is left with `q`, which stops the reactor, or the reactor is stopped.
#[must_use = "a program that ends before its view leaves the terminal as the view has it"]
pub struct View(JoinHandle<io::Result<()>>);

impl View {
    pub(crate) fn start(monitor: Monitor, handle: Handle) -> io::Result<Self> {
        let show = move || {
            let mut terminal = ratatui::try_init()?;
            let shown = show(&mut terminal, &monitor, &handle);
            let restored = ratatui::try_restore();
            handle.stop();
            shown.and(restored)
        };
        Ok(Self(thread::Builder::new().name("view".to_owned()).spawn(show)?))
    }

    /// Waits until the terminal is as it was before.
    ///
    /// # Errors
    /// The terminal could not be drawn on; then the reactor was stopped.
    pub fn join(self) -> io::Result<()> {
        self.0.join().unwrap_or_else(|_| Err(io::Error::other("the view has panicked")))
    }
}

fn show(terminal: &mut DefaultTerminal, monitor: &Monitor, handle: &Handle) -> io::Result<()> {
    while monitor.probe(handle) {
        if let Some(times) = handle.thread_pool().times() {
            let snapshot = monitor.snapshot(&times);
            terminal.draw(|frame| draw(frame, &snapshot))?;
        }
        if event::poll(TICK)? && is_end(&crossterm::event::read()?) {
            break;
        }
    }
    Ok(())
}

/// In raw mode Ctrl-C is a key as any other.
fn is_end(event: &Event) -> bool {
    let Event::Key(KeyEvent { code, modifiers, .. }) = event else { return false };
    *code == KeyCode::Char('q') || *code == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL)
}
