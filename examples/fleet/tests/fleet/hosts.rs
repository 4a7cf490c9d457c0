//! Three hosts for workers, and a fourth for Redis and the offer. They are network namespaces, joined to the fourth by
//! a virtual cable each; where these cannot be made, or `FLEET_HOSTS=processes` says so, the hosts are processes, and
//! their cables are proxies.

use std::net::TcpListener;
use std::process::{Command, id};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering::Relaxed};

use super::proxy::Proxy;

pub const WORKERS: usize = 3;

pub enum Hosts {
    Namespaces { prefix: String },
    Processes { port: u16, proxies: Vec<Proxy> },
}

impl Hosts {
    pub fn new() -> Hosts {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("fleet{}n{}", id(), MADE.fetch_add(1, Relaxed));
        let hosts = Hosts::Namespaces { prefix };
        if std::env::var("FLEET_HOSTS").as_deref() != Ok("processes") && hosts.make_namespaces() {
            return hosts;
        }
        // Whatever part of them was made is removed.
        drop(hosts);
        eprintln!("network namespaces cannot be made here: the hosts are processes");
        let port = free_port();
        Hosts::Processes { port, proxies: (0..WORKERS).map(|_| Proxy::to(port)).collect() }
    }

    fn make_namespaces(&self) -> bool {
        let (hub, hosts) = (self.hub(), 0..WORKERS);
        let mut all = vec![format!("netns add {hub}"), format!("-n {hub} link set lo up")];
        for n in hosts {
            let host = self.host(n);
            all.push(format!("netns add {host}"));
            all.push(format!("link add to{n} netns {hub} type veth peer name cable netns {host}"));
            all.push(format!("-n {hub} address add 10.77.{n}.1/24 dev to{n}"));
            all.push(format!("-n {host} address add 10.77.{n}.2/24 dev cable"));
            all.push(format!("-n {hub} link set to{n} up"));
            all.push(format!("-n {host} link set cable up"));
        }
        all.iter().all(|arguments| ip(arguments))
    }

    fn hub(&self) -> String {
        self.namespace("hub")
    }

    fn host(&self, n: usize) -> String {
        self.namespace(&n.to_string())
    }

    fn namespace(&self, which: &str) -> String {
        let Hosts::Namespaces { prefix } = self else { return String::new() };
        format!("{prefix}{which}")
    }

    /// A program on the host of a worker.
    pub fn on_host(&self, n: usize, program: &str) -> Command {
        self.command(&self.host(n), program)
    }

    /// A program on the host of Redis.
    pub fn on_hub(&self, program: &str) -> Command {
        self.command(&self.hub(), program)
    }

    fn command(&self, namespace: &str, program: &str) -> Command {
        match self {
            Hosts::Processes { .. } => Command::new(program),
            Hosts::Namespaces { .. } => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, program]);
                command
            }
        }
    }

    /// The port of Redis on its own host.
    pub fn port(&self) -> u16 {
        match self {
            Hosts::Processes { port, .. } => *port,
            Hosts::Namespaces { .. } => 6379,
        }
    }

    /// Where a host finds Redis.
    pub fn url(&self, n: usize) -> String {
        match self {
            Hosts::Processes { proxies, .. } => format!("redis://127.0.0.1:{}/", proxies[n].port()),
            Hosts::Namespaces { .. } => format!("redis://10.77.{n}.1:6379/"),
        }
    }

    /// Nothing goes through the host's cable, and nobody is told.
    pub fn cut(&self, n: usize) {
        match self {
            Hosts::Processes { proxies, .. } => proxies[n].stall(true),
            Hosts::Namespaces { .. } => assert!(ip(&format!("-n {} link set to{n} down", self.hub()))),
        }
    }

    /// What was sent meanwhile may still arrive.
    pub fn mend(&self, n: usize) {
        match self {
            Hosts::Processes { proxies, .. } => proxies[n].stall(false),
            Hosts::Namespaces { .. } => assert!(ip(&format!("-n {} link set to{n} up", self.hub()))),
        }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        if let Hosts::Namespaces { .. } = self {
            (0..WORKERS).for_each(|n| _ = ip(&format!("netns del {}", self.host(n))));
            ip(&format!("netns del {}", self.hub()));
        }
    }
}

/// Whether it could be done.
fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|output| output.status.success())
}

/// A port for a program that is started later. The system gives none of these to sockets that ask for any, as proxies
/// and connections do: one of them would take it meanwhile.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (id() % 200) as u16 * 100;
    let is_free = |port: &u16| TcpListener::bind(("0.0.0.0", *port)).is_ok();
    (0..100).map(|_| first + NEXT.fetch_add(1, Relaxed) % 100).find(is_free).expect("one of a hundred ports is free")
}
