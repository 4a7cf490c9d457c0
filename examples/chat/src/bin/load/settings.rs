//! What the command line says.

use std::str::FromStr;

const USAGE: &str = "usage: load [--clients N] [--room N] [--rate LINES] [--churn CLIENTS] [--seconds N] [--spin 1]
            [--seed N] [--most-bytes N] SERVER [ARGUMENT]...
  rates are those of a second; the server prints its address";

pub struct Settings {
    pub clients: usize,
    /// Clients in a room.
    pub room: usize,
    /// Lines said in a second, by all clients.
    pub rate: f64,
    /// Clients that leave in a second, and come back.
    pub churn: f64,
    pub seconds: u64,
    /// Never sleep: a core for the load alone, and a latency that is only the server's.
    pub spin: bool,
    pub seed: u64,
    /// Fails if the server needs more for each client.
    pub most_bytes: u64,
    /// Its program and arguments.
    pub server: Vec<String>,
}

impl Settings {
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (room, rate, churn, spin) = (10, 2000.0, 50.0, false);
        let (clients, seconds, seed, most_bytes, server) = (10_000, 30, 1, u64::MAX, Vec::new());
        let mut settings = Self { clients, room, rate, churn, seconds, spin, seed, most_bytes, server };
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next_if(|argument| argument.starts_with("--")) {
            let value = arguments.next().ok_or_else(|| format!("{argument} wants a value\n{USAGE}"))?;
            match &*argument {
                "--clients" => settings.clients = number(&argument, &value)?,
                "--room" => settings.room = number(&argument, &value)?,
                "--rate" => settings.rate = number(&argument, &value)?,
                "--churn" => settings.churn = number(&argument, &value)?,
                "--seconds" => settings.seconds = number(&argument, &value)?,
                "--spin" => settings.spin = number::<u8>(&argument, &value)? > 0,
                "--most-bytes" => settings.most_bytes = number(&argument, &value)?,
                "--seed" => settings.seed = number(&argument, &value)?,
                _ => return Err(format!("there is no {argument}\n{USAGE}")),
            }
        }
        settings.server = arguments.collect();
        let is_whole = settings.room > 1 && settings.clients > 0 && settings.clients.is_multiple_of(settings.room);
        match (settings.server.is_empty(), is_whole && settings.rate > 0.0 && settings.churn >= 0.0) {
            (true, _) => Err(format!("the server is missing\n{USAGE}")),
            (_, false) => Err("rooms are of two clients or more, and all full; clients have to say something".into()),
            _ => Ok(settings),
        }
    }
}

fn number<T: FromStr>(argument: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{argument} cannot be {value}"))
}
