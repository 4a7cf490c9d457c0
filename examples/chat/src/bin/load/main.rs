//! The load: thousands of clients on one thread, which talk, leave in every way and come back, while every line that
//! each must hear is accounted for. It starts the server, and measures its memory, descriptors and latency from
//! outside.

mod account;
mod clients;
mod process;
mod settings;
mod traffic;

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clients::Clients;
use process::Server;
use settings::Settings;
use traffic::Traffic;

/// Many times what the server needs to see that clients have gone.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match Settings::parse(std::env::args().skip(1)).map_err(Into::into).and_then(|settings| run(&settings)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// True if nothing was lost, nothing leaked, and no client took more memory than it may.
fn run(settings: &Settings) -> Result<bool, Box<dyn Error>> {
    rlimit::increase_nofile_limit(settings.clients as u64 + 64)?;
    let server = Server::start(&settings.server)?;
    let (files, empty) = (server.files()?, server.memory()?);
    println!("empty: {empty} bytes resident, {files} descriptors");

    let began = Instant::now();
    let mut clients = Clients::connect(server.address, settings)?;
    let full = server.memory()?;
    let each = full.saturating_sub(empty) / settings.clients as u64;
    println!("{} clients in {:.1?}: {full} bytes, {each} for each", settings.clients, began.elapsed());

    let (mut traffic, busy) = (Traffic::new(settings), server.busy()?);
    let most = traffic.run(&mut clients, settings, || server.memory())?;
    clients.settle()?;
    let talked = server.memory()?;
    let talked_each = talked.saturating_sub(empty) / settings.clients as u64;
    println!("after {} seconds: {talked} bytes, {talked_each} for each; {most} at most", settings.seconds);
    let busy = server.busy()? - busy;
    traffic.report(&mut clients);
    println!(
        "the server was busy for {busy:.2} seconds: {:.2} microseconds a line heard",
        busy * 1e6 / clients.heard()
    );

    let lost = clients.lost();
    let left = server.files()?;
    clients.leave()?;
    // The server sees the last ends a moment later.
    let began = Instant::now();
    let mut files_after = server.files()?;
    while files_after != files && began.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(10));
        files_after = server.files()?;
    }
    println!("{left} descriptors with all clients, {files_after} without; {} bytes", server.memory()?);
    println!("{lost} lines lost");
    server.stop()?;
    Ok(lost == 0 && files_after == files && talked_each <= settings.most_bytes)
}
