//! A Redis of its own for each test, from Debian's package, which keeps what it is told in a file.

use std::path::Path;
use std::process::{Command, Stdio};

use super::hosts::Hosts;
use super::program::{Program, wait_until};

/// Hosts, a Redis on the hub, and a directory for the tree.
pub struct Fleet {
    server: Option<Program>,
    pub hosts: Hosts,
    pub directory: tempfile::TempDir,
}

/// Whether Redis can be had. If not, says that the test was skipped.
pub fn is_there() -> bool {
    let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
    // Where it has to be there, a test that is skipped would go unnoticed.
    assert!(there || std::env::var_os("FLEET_REQUIRES_REDIS").is_none(), "redis-server is not installed");
    if !there {
        eprintln!("SKIPPED: redis-server is not installed");
    }
    there
}

impl Fleet {
    /// Redis is not started.
    pub fn without_redis() -> Fleet {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("redis")).unwrap();
        Fleet { server: None, hosts: Hosts::new(), directory }
    }

    pub fn new() -> Fleet {
        let mut fleet = Fleet::without_redis();
        fleet.start_redis();
        fleet
    }

    pub fn start_redis(&mut self) {
        let data = self.directory.path().join("redis");
        let mut command = self.hosts.on_hub("redis-server");
        command.args(["--port", &self.hosts.port().to_string(), "--protected-mode", "no", "--bind", "0.0.0.0"]);
        command.args(["--appendonly", "yes", "--save", "", "--dir"]).arg(&data);
        self.server = Some(Program::start(&mut command));
        wait_until("Redis answers", || self.redis("PING") == "PONG");
    }

    /// Stops Redis by a signal.
    pub fn stop_redis(&mut self, signal: &str) {
        let server = self.server.take().unwrap();
        server.signal(signal);
        server.ends();
    }

    /// What Redis has written to its disk is gone.
    pub fn lose_data(&self) {
        let data = self.directory.path().join("redis");
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::create_dir(&data).unwrap();
    }

    /// The answer of Redis to a command, without the newline at its end.
    pub fn redis(&self, command: &str) -> String {
        let port = self.hosts.port().to_string();
        let mut cli = self.hosts.on_hub("redis-cli");
        let output = cli.args(["-p", &port]).args(command.split(' ')).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// How many entries this worker has.
    pub fn held_by(&self, worker: &str) -> usize {
        let pending = self.redis(&format!("XPENDING fleet:jobs workers - + 10000 {worker}"));
        pending.lines().filter(|line| *line == worker).count()
    }

    /// Where the tree is, or anything else that a test writes.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The program with these arguments, on the hub or on a host.
    pub fn start(&self, host: Option<usize>, arguments: &str) -> Program {
        let program = env!("CARGO_BIN_EXE_fleet");
        let (mut command, url) = match host {
            Some(n) => (self.hosts.on_host(n, program), self.hosts.url(n)),
            None => (self.hosts.on_hub(program), format!("redis://127.0.0.1:{}/", self.hosts.port())),
        };
        command.current_dir(self.path()).args(["--redis", &url, "--takeover", "1500"]);
        Program::start(command.args(arguments.split(' ')))
    }

    /// What hash_tree prints of the tree.
    pub fn expected(&self) -> Vec<u8> {
        let output = Command::new(env!("CARGO_BIN_EXE_hash_tree")).arg("tree").current_dir(self.path()).output();
        let output = output.unwrap();
        assert!(output.status.success());
        output.stdout
    }
}
