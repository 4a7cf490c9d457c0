//! When somebody says something, and when somebody leaves: at a given rate, whatever the server does.

use std::error::Error;
use std::time::{Duration, Instant};

use mio::Events;

use crate::clients::{Clients, Leave};
use crate::settings::Settings;

pub struct Traffic {
    random: u64,
    left: [u64; 3],
    took: Duration,
}

impl Traffic {
    pub fn new(settings: &Settings) -> Self {
        Self { random: settings.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, left: [0; 3], took: Duration::ZERO }
    }

    /// Returns the most memory that the server had, of samples taken each second.
    pub fn run(
        &mut self,
        clients: &mut Clients,
        settings: &Settings,
        memory: impl Fn() -> Result<u64, Box<dyn Error>>,
    ) -> Result<u64, Box<dyn Error>> {
        let (mut events, began, end) = (Events::with_capacity(1024), Instant::now(), settings.seconds as f64);
        let (mut said, mut left, mut sampled, mut most) = (0.0, 0.0, 0.0, memory()?);
        loop {
            let now = began.elapsed().as_secs_f64();
            if now >= end {
                self.took = began.elapsed();
                return Ok(most);
            }
            // What a second of standing still has left out is not made up for.
            (said, left) = (f64::max(said, (now - 1.0) * settings.rate), f64::max(left, (now - 1.0) * settings.churn));
            while said < now * settings.rate {
                said += 1.0;
                clients.say(self.any(settings.clients))?;
            }
            while left < now * settings.churn {
                left += 1.0;
                let how = self.any(3);
                self.left[how] += 1;
                let how = [Leave::Quits, Leave::CutsOff, Leave::Resets][how];
                clients.leave_and_return(self.any(settings.clients), how)?;
            }
            if now - sampled >= 1.0 {
                sampled = now;
                most = most.max(memory()?);
            }
            // A poller waits for whole milliseconds.
            clients.turn(&mut events, Duration::from_millis(u64::from(!settings.spin)))?;
        }
    }

    pub fn report(&self, clients: &mut Clients) {
        let times = &mut clients.latencies;
        times.sort_unstable();
        let last = times.len().saturating_sub(1);
        let [half, p90, p99, p999, most] =
            [0.5, 0.9, 0.99, 0.999, 1.0].map(|part| times.get((last as f64 * part) as usize).copied().unwrap_or(0));
        let [quit, cut, reset] = self.left;
        println!("left and came back: {quit} quit, {cut} in the middle of a line, {reset} reset");
        println!("{} lines said in {:.1?}, heard {} times", clients.said, self.took, times.len());
        println!("microseconds until heard: {half} half, {p90} p90, {p99} p99, {p999} p99.9, {most} at most");
    }

    /// A number below `end`.
    fn any(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % end as u64) as usize
    }
}
