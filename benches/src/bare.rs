//! The floor for ingest: a bare program that plays RTSP streams over TCP and writes every byte that comes to one file. It
//! parses nothing after PLAY. What Sightline adds on top of this is what its ingest costs.

use std::{fs::File, io::Write, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
    time::Instant,
};

/// Read buffer of one stream.
const BUFFER_BYTES: usize = 64 * 1024;

/// Plays `rtsp://{server}/{path}` for each path until `length` has passed; gives the bytes received.
///
/// # Panics
/// When the server does not play along.
pub async fn record(server: SocketAddr, paths: Vec<String>, file: File, length: Duration) -> u64 {
    let file = Arc::new(Mutex::new((file, Instant::now())));
    let ends = Instant::now() + length;
    let streams: Vec<_> =
        paths.into_iter().map(|path| tokio::spawn(stream(server, path, Arc::clone(&file), ends))).collect();
    let mut bytes = 0;
    for stream in streams {
        bytes += stream.await.unwrap();
    }
    bytes
}

async fn stream(server: SocketAddr, path: String, file: Arc<Mutex<(File, Instant)>>, ends: Instant) -> u64 {
    let mut socket = TcpStream::connect(server).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let url = format!("rtsp://{server}/{path}");
    let described = request(
        &mut socket,
        &format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"),
    )
    .await;
    let control = described
        .lines()
        .skip_while(|line| !line.starts_with("m=video"))
        .find_map(|line| line.strip_prefix("a=control:"))
        .expect("the description names the video track")
        .trim()
        .to_owned();
    let track = if control.starts_with("rtsp://") { control } else { format!("{url}/{control}") };
    let setup = format!(
        "SETUP {track} RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
    );
    let answer = request(&mut socket, &setup).await;
    let session = answer.lines().find_map(|line| line.strip_prefix("Session:")).expect("a session").trim();
    let session = session.split(';').next().unwrap();
    let play = format!("PLAY {url} RTSP/1.0\r\nCSeq: 3\r\nSession: {session}\r\nRange: npt=0-\r\n\r\n");
    socket.write_all(play.as_bytes()).await.unwrap();

    let mut buffer = vec![0; BUFFER_BYTES];
    let mut bytes = 0;
    while let Ok(Ok(read)) = tokio::time::timeout_at(ends, socket.read(&mut buffer)).await {
        assert!(read > 0, "the server closed {path}");
        bytes += read as u64;
        let mut file = file.lock().await;
        file.0.write_all(&buffer[..read]).unwrap();
        // As durable as the log: synced once a second.
        if file.1.elapsed() >= Duration::from_secs(1) {
            file.0.sync_data().unwrap();
            file.1 = Instant::now();
        }
    }
    bytes
}

/// Sends a request and reads its answer with head and body.
async fn request(socket: &mut TcpStream, text: &str) -> String {
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        answer.push(socket.read_u8().await.unwrap());
        if answer.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(answer).unwrap();
    assert!(head.starts_with("RTSP/1.0 200"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length:"))
        .map_or(0, |n| n.trim().parse().unwrap());
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}
