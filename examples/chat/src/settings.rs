//! What the command line says: where to listen, where the log goes, and the limits.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub const USAGE: &str = "usage: chat ADDRESS [--log FILE] [--max-line BYTES] [--max-clients N] [--max-outbox BYTES]
            [--idle SECONDS] [--linger SECONDS] [--stop-within SECONDS]";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub address: SocketAddr,
    /// Gets what is said, and why clients were dropped.
    pub log: Option<PathBuf>,
    pub limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a line, without its end.
    pub line: usize,
    /// Clients at a time.
    pub clients: usize,
    /// Bytes that wait for a client which does not read them.
    pub outbox: usize,
    /// How long a client may send no whole line.
    pub idle: Duration,
    /// How long a client that is told its last line may take to read it and to close its end.
    pub linger: Duration,
    /// How long the server may take to stop.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 4 << 10,
            clients: 10_000,
            outbox: 1 << 20,
            idle: Duration::from_secs(300),
            linger: Duration::from_secs(5),
            stop: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// # Errors
    ///
    /// What is wrong with the arguments, for a person.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut address, mut log, mut limits) = (None, None, Limits::default());
        while let Some(argument) = arguments.next() {
            if !argument.starts_with("--") {
                if address.is_some() {
                    return Err(format!("there is one address too many: {argument}"));
                }
                address = Some(argument.parse().map_err(|error| format!("{argument}: {error}"))?);
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{argument} wants a value"))?;
            let seconds = || number::<u32>(&argument, &value, 0).map(|n| Duration::from_secs(n.into()));
            match &*argument {
                "--log" => log = Some(value.into()),
                "--max-line" => limits.line = number(&argument, &value, 1)?,
                "--max-clients" => limits.clients = number(&argument, &value, 1)?,
                "--max-outbox" => limits.outbox = number(&argument, &value, 1)?,
                "--idle" => limits.idle = seconds()?,
                "--linger" => limits.linger = seconds()?,
                "--stop-within" => limits.stop = seconds()?,
                _ => return Err(format!("there is no {argument}")),
            }
        }
        Ok(Self { address: address.ok_or("an address is missing")?, log, limits })
    }
}

fn number<T: FromStr + PartialOrd>(argument: &str, value: &str, least: T) -> Result<T, String> {
    value.parse().ok().filter(|number| *number >= least).ok_or_else(|| format!("{argument} cannot be {value}"))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Limits, Settings};

    fn parse(arguments: &str) -> Result<Settings, String> {
        Settings::parse(arguments.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_limit_can_be_set() {
        let limits = "--max-line 1 --max-clients 2 --max-outbox 3 --idle 4 --linger 5 --stop-within 6";
        let settings = parse(&format!("--log file {limits} [::1]:7")).unwrap();
        let [idle, linger, stop] = [4, 5, 6].map(Duration::from_secs);
        assert_eq!(settings.limits, Limits { line: 1, clients: 2, outbox: 3, idle, linger, stop });
        assert_eq!((settings.log.unwrap().to_str(), &*settings.address.to_string()), (Some("file"), "[::1]:7"));
        assert_eq!(parse("127.0.0.1:0").unwrap().limits, Limits::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, error) in [
            ("", "an address is missing"),
            ("--idle 1", "an address is missing"),
            ("here", "here: invalid socket address syntax"),
            ("127.0.0.1:0 127.0.0.1:1", "there is one address too many: 127.0.0.1:1"),
            ("127.0.0.1:0 --idle", "--idle wants a value"),
            ("127.0.0.1:0 --idle soon", "--idle cannot be soon"),
            ("127.0.0.1:0 --idle -1", "--idle cannot be -1"),
            ("127.0.0.1:0 --max-line 0", "--max-line cannot be 0"),
            ("127.0.0.1:0 --max-clients 99999999999999999999", "--max-clients cannot be 99999999999999999999"),
            ("127.0.0.1:0 --nothing 0", "there is no --nothing"),
        ] {
            assert_eq!(parse(arguments), Err(error.to_owned()), "{arguments}");
        }
    }
}
