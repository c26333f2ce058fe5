//! One worker process: starting it, one request at a time, ending it.

use std::{process::Stdio, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{
    Config,
    wire::{self, Hello, LENGTH_BYTES, Reply, Request},
};

/// From starting the process to its hello. The first start on a machine fills GStreamer's registry cache: seconds.
const HELLO_WITHIN: Duration = Duration::from_secs(30);
/// From closing stdin to the end of the process.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Longest line of a worker's stderr that is logged.
const LINE_BYTES: usize = 400;

/// How a worker stopped being of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It took longer than allowed and was killed.
    Hung,
    /// It ended, or said something that is not the protocol and was killed.
    Died(String),
}

/// A running worker.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    requests: u64,
    /// What it said of itself.
    pub(super) hello: Hello,
}

impl Process {
    /// Starts a worker and waits for its hello.
    pub(super) async fn start(config: &Config, number: usize) -> Result<Self, String> {
        let program = match config.program.as_os_str() {
            empty if empty.is_empty() => std::env::current_exe().map_err(|e| format!("own program: {e}"))?,
            _ => config.program.clone(),
        };
        let mut child = Command::new(&program)
            .args(&config.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C at a terminal is for the parent, which ends its workers in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let (Some(input), Some(mut output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("the process has no pipes".to_owned());
        };
        tokio::spawn(log_lines(errors, number));
        match timeout(HELLO_WITHIN, hello(&mut output)).await {
            Ok(Ok(hello)) => Ok(Self { child, input, output, requests: 0, hello }),
            Ok(Err(reason)) => Err(format!("{reason}; {}", ended(child).await)),
            Err(_) => Err(format!("it said nothing for {HELLO_WITHIN:?}")),
        }
    }

    /// Sends one request and waits for its answer. After an error only [`Process::bury`] is left.
    pub(super) async fn ask(&mut self, mut request: Request, limit: Duration) -> Result<Reply, End> {
        self.requests += 1;
        request.id = self.requests;
        let (head, tail) = request.encode();
        let exchange = async {
            self.input.write_all(&head).await.map_err(|error| format!("writing: {error}"))?;
            self.input.write_all(&tail).await.map_err(|error| format!("writing: {error}"))?;
            let reply = Reply::decode(frame(&mut self.output).await?).map_err(|broken| broken.to_string())?;
            if reply.id == self.requests { Ok(reply) } else { Err("answers another request".to_owned()) }
        };
        match timeout(limit, exchange).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(reason)) => Err(End::Died(reason)),
            Err(_) => Err(End::Hung),
        }
    }

    /// Waits for an end that nobody asked for. Cancel-safe.
    pub(super) async fn died(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Makes sure that the process is gone, and says how it went.
    pub(super) async fn bury(self) -> String {
        let Self { child, input, .. } = self;
        drop(input);
        ended(child).await
    }

    /// Closes its stdin and gives it a moment to end.
    pub(super) async fn finish(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        if timeout(END_WITHIN, child.wait()).await.is_err() {
            ended(child).await;
        }
    }
}

/// The exit status, by force if need be: the status of a process that ended by itself is the true one.
async fn ended(mut child: Child) -> String {
    match child.try_wait() {
        Ok(Some(status)) => return status.to_string(),
        // A pipe closes a moment before the process is gone.
        Ok(None) => {
            if let Ok(Ok(status)) = timeout(Duration::from_millis(100), child.wait()).await {
                return status.to_string();
            }
        }
        Err(error) => return error.to_string(),
    }
    let _ = child.start_kill();
    match child.wait().await {
        Ok(_) => "it was killed".to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn hello(output: &mut ChildStdout) -> Result<Hello, String> {
    Hello::decode(frame(output).await?).map_err(|broken| broken.to_string())
}

async fn frame(from: &mut (impl AsyncRead + Unpin)) -> Result<Bytes, String> {
    let ended = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it ended".to_owned(),
        _ => format!("reading: {error}"),
    };
    let mut head = [0; LENGTH_BYTES];
    from.read_exact(&mut head).await.map_err(ended)?;
    let length = wire::frame_length(head).map_err(|broken| broken.to_string())?;
    let mut body = BytesMut::zeroed(length);
    from.read_exact(&mut body).await.map_err(ended)?;
    Ok(body.freeze())
}

/// Passes on what the worker and its libraries complain about.
async fn log_lines(errors: ChildStderr, number: usize) {
    let mut lines = BufReader::new(errors);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without an end must not fill the memory.
        match (&mut lines).take(64 << 10).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        line.truncate(LINE_BYTES);
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            tracing::warn!(worker = number, "picture worker {number} says: {}", text.trim());
        }
    }
}
