//! The worker's side: one key frame in, one picture out. The only place where GStreamer is initialised.
//!
//! ```text
//! stdin -> Request -> units (is it video at all?) -> decoder (GStreamer) -> frame (scale, colour) -> jpeg -> Reply -> stdout
//! ```
//!
//! The process keeps nothing of one request for the next but the loaded decoder. It ends when stdin closes; it ends by
//! itself, with a line on stderr, when a decoder hangs or stdin is not a parent.

mod decoder;
mod decoders;
mod frame;
mod units;

use std::{
    fs::File,
    io::{self, Read, Write},
    process::ExitCode,
    time::Instant,
};

use bytes::Bytes;
use gstreamer as gst;

use self::decoders::{Decoders, NotDecoded};
use crate::{
    jpeg,
    wire::{self, Broken, Failure, Hello, LENGTH_BYTES, Picture, Reply, Request},
};

/// Why a worker ends before its stdin does.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the pipe to the parent failed: {0}")]
    Pipe(#[from] io::Error),
    #[error("the parent broke the protocol: {0}")]
    Protocol(#[from] Broken),
    #[error("GStreamer does not start: {0}; install its base, good, bad and libav plugins")]
    Gstreamer(#[from] gst::glib::Error),
}

/// Runs the decoder worker on stdin and stdout until stdin closes. Everything readable goes to stderr.
#[must_use]
pub fn worker_main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&fault.to_string());
            ExitCode::FAILURE
        }
    }
}

/// One line on stderr; a closed stderr is nobody's problem.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn run() -> Result<(), Fault> {
    let (mut input, mut output) = own_pipes()?;
    gst::init()?;
    let mut decoders = Decoders::of_this_machine();
    output.write_all(&Hello { decoders: decoders.to_string() }.encode())?;
    while let Some(frame) = read_frame(&mut input)? {
        let request = Request::decode(frame)?;
        let id = request.id;
        let outcome = match picture(&mut decoders, request) {
            Ok(picture) => Ok(picture),
            Err(NotDecoded::Failed(failure)) => Err(failure),
            Err(NotDecoded::Hung(name)) => {
                // Tearing a hung decoder down would hang as well: leave it to the kernel.
                say(&format!("{name} does not come to an end; the worker gives up"));
                std::process::exit(3);
            }
        };
        let (head, tail) = Reply { id, outcome }.encode();
        output.write_all(&head)?;
        output.write_all(&tail)?;
    }
    Ok(())
}

/// Takes stdin and stdout for the protocol alone: whatever a library prints goes to stderr.
fn own_pipes() -> Result<(File, File), io::Error> {
    let input = File::from(rustix::io::dup(io::stdin())?);
    let output = File::from(rustix::io::dup(io::stdout())?);
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((input, output))
}

/// The next frame's body; `None` when the parent has closed the pipe between two frames.
fn read_frame(input: &mut impl Read) -> Result<Option<Bytes>, Fault> {
    let mut head = [0; LENGTH_BYTES];
    if let Err(error) = input.read_exact(&mut head) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error.into()) };
    }
    let mut body = vec![0; wire::frame_length(head)?];
    input.read_exact(&mut body)?;
    Ok(Some(body.into()))
}

fn picture(decoders: &mut Decoders, request: Request) -> Result<Picture, NotDecoded> {
    let undecodable = |reason: String| NotDecoded::Failed(Failure::Undecodable(reason));
    let started = Instant::now();
    units::check(request.codec, &request.config, &request.unit)
        .map_err(|wrong| undecodable(wrong.to_string()))?;
    let sample = decoders.decode(request.codec, &request.config, &request.unit)?;
    let planes = frame::picture(&sample, request.size).map_err(undecodable)?;
    let decoded = Instant::now();
    let jpeg = jpeg::encode(&planes).map_err(|error| undecodable(error.to_string()))?;
    Ok(Picture {
        width: u32::try_from(planes.width()).unwrap_or(u32::MAX),
        height: u32::try_from(planes.height()).unwrap_or(u32::MAX),
        decode: decoded - started,
        encode: decoded.elapsed(),
        jpeg: jpeg.into(),
    })
}
