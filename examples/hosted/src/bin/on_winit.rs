//! A reactor in the loop of a window, on the main thread: threads of the pool read files, and the title shows how far
//! they are. A second after the last file, or when the window is closed, the reactor stops, and the loop with it.
//!
//! ```text
//! cargo run --bin on_winit -- FILE...
//! ```

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;
use std::{env, fs};

use selvedge::reactor::Turn;
use selvedge::{Reactor, deferred, threads};
use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::window::{Window, WindowId};

struct App {
    reactor: Reactor,
    window: Option<Rc<Window>>,
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.window.is_none() {
            let window = event_loop.create_window(Window::default_attributes()).expect("a window can be made");
            let window = Rc::new(window);
            read_files(&self.reactor, &window);
            self.window = Some(window);
        }
    }

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        if event == WindowEvent::CloseRequested {
            self.reactor.handle().stop();
        }
    }

    /// Called after whatever has happened, a call of the hook included.
    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        match self.reactor.turn().expect("a turn is not over before winit calls again") {
            Turn::Again => event_loop.set_control_flow(ControlFlow::Poll),
            Turn::Wait(time) => event_loop.set_control_flow(ControlFlow::wait_duration(time)),
            Turn::Idle => event_loop.set_control_flow(ControlFlow::Wait),
            Turn::Ended => event_loop.exit(),
        }
    }
}

fn read_files(reactor: &Reactor, window: &Rc<Window>) {
    let sizes = Rc::new(Cell::new((0, 0)));
    let read = env::args().skip(1).map(|path| {
        let (window, sizes) = (Rc::clone(window), Rc::clone(&sizes));
        threads::defer_to_thread(reactor, move || fs::read(path)).add_callback(move |content| {
            let (files, bytes) = sizes.get();
            sizes.set((files + 1, bytes + content.len()));
            let title = format!("files: {}, bytes: {}", files + 1, bytes + content.len());
            window.set_title(&title);
            println!("{title}");
        })
    });
    let local = reactor.local();
    deferred::gather_results(read).add_both(move |result| {
        local.call_later(Duration::from_secs(1), |reactor| reactor.handle().stop())?;
        result.map(drop)
    });
}

fn main() -> Result<(), Box<dyn Error>> {
    let event_loop = EventLoop::new()?;
    let proxy = event_loop.create_proxy();
    // Fails only when the loop has ended, and nobody is to be woken.
    let reactor = Reactor::builder().on_wake(move || proxy.send_event(()).unwrap_or_default()).build()?;
    event_loop.run_app(&mut App { reactor, window: None })?;
    println!("the reactor has ended");
    Ok(())
}
