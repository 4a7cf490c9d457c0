//! What the command line says: where to listen, where the log goes, and the limits.

use std::net::SocketAddr;
use std::num::{NonZeroUsize, ParseIntError};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};

/// A chat server: clients send lines of text, and hear what others in their room say. It prints the address that it
/// listens on.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "chat")]
pub struct Settings {
    /// Where to listen; port 0 is any that is free
    pub address: SocketAddr,
    /// Gets what is said, and why clients were dropped
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Limits {
    /// Bytes of a line, without its end
    #[arg(long = "max-line", value_name = "BYTES", default_value = "4096", value_parser = at_least_one)]
    pub line: usize,
    /// Clients at a time
    #[arg(long = "max-clients", value_name = "N", default_value = "10000", value_parser = at_least_one)]
    pub clients: usize,
    /// Bytes that wait for a client which does not read them
    #[arg(long = "max-outbox", value_name = "BYTES", default_value = "1048576", value_parser = at_least_one)]
    pub outbox: usize,
    /// How long a client may send no whole line
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub idle: Duration,
    /// How long a client that is told its last line may take to read it and to close its end
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub linger: Duration,
    /// How long the server may take to stop
    #[arg(long = "stop-within", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub stop: Duration,
}

fn at_least_one(text: &str) -> Result<usize, ParseIntError> {
    text.parse().map(NonZeroUsize::get)
}

fn seconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse::<u32>().map(|seconds| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Limits, Parser, Settings};

    fn parse(arguments: &str) -> Result<Settings, clap::Error> {
        Settings::try_parse_from(["chat"].into_iter().chain(arguments.split_whitespace()))
    }

    #[test]
    fn every_limit_can_be_set() {
        let limits = "--max-line 1 --max-clients 2 --max-outbox 3 --idle 4 --linger 5 --stop-within 6";
        let settings = parse(&format!("--log file {limits} [::1]:7")).unwrap();
        let [idle, linger, stop] = [4, 5, 6].map(Duration::from_secs);
        assert_eq!(settings.limits, Limits { line: 1, clients: 2, outbox: 3, idle, linger, stop });
        assert_eq!((settings.log.unwrap().to_str(), &*settings.address.to_string()), (Some("file"), "[::1]:7"));
    }

    #[test]
    fn a_limit_that_is_not_set_is_that_of_the_readme() {
        let [idle, linger, stop] = [300, 5, 60].map(Duration::from_secs);
        let limits = Limits { line: 4 << 10, clients: 10_000, outbox: 1 << 20, idle, linger, stop };
        assert_eq!(parse("127.0.0.1:0").unwrap().limits, limits);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, error) in [
            ("", "not provided:\n  <ADDRESS>"),
            ("--idle 1", "not provided:\n  <ADDRESS>"),
            ("here", "invalid value 'here' for '<ADDRESS>': invalid socket address syntax"),
            ("127.0.0.1:0 127.0.0.1:1", "unexpected argument '127.0.0.1:1' found"),
            ("127.0.0.1:0 --idle", "a value is required for '--idle <SECONDS>'"),
            ("127.0.0.1:0 --idle soon", "invalid value 'soon' for '--idle <SECONDS>'"),
            ("127.0.0.1:0 --idle -1", "unexpected argument '-1' found"),
            ("127.0.0.1:0 --max-line 0", "invalid value '0' for '--max-line <BYTES>'"),
            ("127.0.0.1:0 --max-clients 99999999999999999999", "invalid value '99999999999999999999'"),
            ("127.0.0.1:0 --nothing", "unexpected argument '--nothing' found"),
        ] {
            let told = parse(arguments).unwrap_err().to_string();
            assert!(told.contains(error), "{arguments}: {told}");
        }
    }
}
