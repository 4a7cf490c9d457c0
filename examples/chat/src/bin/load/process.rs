//! The server as a process: started, measured by what /proc says of it, and stopped.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(command: &[String]) -> Result<Self, Box<dyn Error>> {
        let [program, arguments @ ..] = command else { return Err("the server is missing".into()) };
        let mut process = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|error| format!("{line:?}: {error}"))?;
        Ok(Self { process, address })
    }

    /// Resident bytes.
    pub fn memory(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the server has ended")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
    }

    /// Seconds that processors have spent on it. The kernel counts hundredths.
    pub fn busy(&self) -> Result<f64, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, fields) = stat.rsplit_once(')').ok_or("the server has ended")?;
        // Its state is the first of these; user and system time are the twelfth and the thirteenth.
        let ticks: Result<Vec<u64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
        Ok(ticks?.iter().sum::<u64>() as f64 / 100.0)
    }

    /// Open descriptors.
    pub fn files(&self) -> Result<usize, Box<dyn Error>> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.process.id()))?.count())
    }

    /// Sends it SIGTERM, and waits for its end.
    pub fn stop(mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill").args(["-s", "TERM", &self.process.id().to_string()]).status()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
