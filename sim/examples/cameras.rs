//! Serves simulated cameras and says what it costs, or watches such cameras.
//!
//! ```text
//! cargo run --release --example cameras -- serve 200 [127.0.0.1:8554]
//! cargo run --release --example cameras -- watch 200  127.0.0.1:8554
//! ```
//!
//! `serve` prints the CPU it used each 10 s, in percent of one core.
#![allow(clippy::print_stdout, reason = "a tool for people")]

use std::{net::SocketAddr, time::Duration};

use sightline_model::CameraId;
use sightline_sim::{CameraSim, CameraSpec, Clip, Writes};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Time between two lines of output.
const INTERVAL: Duration = Duration::from_secs(10);
/// Clock ticks a second of `/proc/self/stat` (USER_HZ, fixed on Linux).
const TICKS_PER_S: f64 = 100.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize| arguments.get(index).map(String::as_str);
    let count: u32 = argument(1).unwrap_or("200").parse()?;
    let address: SocketAddr = argument(2).unwrap_or("127.0.0.1:8554").parse()?;
    match argument(0) {
        Some("serve") => serve(count, address, Writes::PerUnit).await,
        Some("serve-per-packet") => serve(count, address, Writes::PerPacket).await,
        Some("watch") => watch(count, address).await,
        _ => Err("say serve, serve-per-packet or watch, a number of cameras, and an address".into()),
    }
}

async fn serve(count: u32, listen: SocketAddr, writes: Writes) -> Result<()> {
    let mut cameras = Vec::new();
    for number in 0..count {
        cameras.push(CameraSpec {
            main: if number % 2 == 0 { Clip::StreetH264 } else { Clip::StreetH265 },
            offset: Duration::from_millis(u64::from(number) * 137),
            ..CameraSpec::new(name(number)?)
        });
    }
    let mut config = sightline_sim::Config::new(listen);
    config.writes = writes;
    let sim = CameraSim::start_with(config, cameras, CancellationToken::new()).await?;
    println!("{count} cameras at rtsp://{}/cam-0/main and so on", sim.addr());
    let mut before = (Instant::now(), cpu_s()?, sim.metrics());
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = (Instant::now(), cpu_s()?, sim.metrics());
        let seconds = (now.0 - before.0).as_secs_f64();
        let rate = |to: u64, from: u64| (to - from) as f64 / seconds;
        println!(
            "{} viewers, {:.0} pictures/s, {:.1} Mbit/s, {} dropped, CPU {:.1}% of a core",
            now.2.viewers,
            rate(now.2.units_sent_total, before.2.units_sent_total),
            rate(now.2.bytes_sent_total, before.2.bytes_sent_total) * 8.0 / 1e6,
            now.2.units_dropped_total,
            (now.1 - before.1) / seconds * 100.0,
        );
        before = now;
    }
}

async fn watch(count: u32, server: SocketAddr) -> Result<()> {
    let mut watchers = tokio::task::JoinSet::new();
    for number in 0..count {
        watchers.spawn(watch_one(server, name(number)?));
    }
    while let Some(ended) = watchers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn watch_one(server: SocketAddr, camera: CameraId) -> Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    let url = format!("rtsp://{server}/{camera}/main");
    let setup = format!(
        "SETUP {url}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n"
    );
    stream.write_all(setup.as_bytes()).await?;
    let mut bytes = vec![0; 64 * 1024];
    let read = stream.read(&mut bytes).await?;
    let answer = String::from_utf8_lossy(bytes.get(..read).unwrap_or_default()).into_owned();
    let session = answer.split_once("Session: ").and_then(|(_, rest)| rest.split(';').next());
    let session = session.ok_or("no session")?.to_owned();
    stream
        .write_all(format!("PLAY {url} RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n").as_bytes())
        .await?;
    let mut heard = Instant::now();
    loop {
        if stream.read(&mut bytes).await? == 0 {
            return Err(format!("{camera} closed the connection").into());
        }
        if heard.elapsed() > Duration::from_secs(20) {
            heard = Instant::now();
            stream.write_all(&[b'$', 1, 0, 8, 0x80, 201, 0, 1, 0, 0, 0, 0]).await?;
        }
    }
}

fn name(number: u32) -> Result<CameraId> {
    Ok(format!("cam-{number}").parse()?)
}

/// User and system time of this process.
fn cpu_s() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Fields 14 and 15; the name in field 2 may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / TICKS_PER_S)
}
