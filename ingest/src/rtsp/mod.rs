//! RTSP cameras, by retina: nothing outside this folder names it.
//!
//! One session is DESCRIBE, SETUP of the one video stream (audio and metadata are never set up, so they are never
//! sent), PLAY, and frames until it ends. retina does the handshake, digest and basic authentication, keep-alives,
//! depacketising (RFC 6184, RFC 7798) and TEARDOWN.
//!
//! What frames are: NAL units as the camera sent them, each behind a 4-byte length, without the parameter sets, which
//! are in [`ParameterSets`](sightline_model::media::ParameterSets) byte for byte. Bytes that are no part of a NAL unit
//! (start codes and trailing zeros of cameras that put Annex B into RTP) are left out.
//!
//! What it costs to use retina so: a frame that the `keyframes` policy skips has been put together by then, a frame of
//! which one packet is lost is dropped whole, late UDP packets are dropped, and one SPS and one PPS are known at a time.

mod failure;
mod pick;
mod units;

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture};
use retina::{
    client::{
        self, Credentials, Demuxed, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions,
        Session, SessionGroup, SessionIdPolicy, SessionOptions, SetupOptions, UnknownRtcpSsrcPolicy,
    },
    codec::{CodecItem, FrameFormat},
};
use sightline_model::{gap::GapReason, media::Codec};

use self::failure::Stage;
use crate::{Failure, Intake, OpenSource, Source, Target, Transport, address::Address};

/// How long a camera is given to let go of a session.
const TEARDOWN: Duration = Duration::from_secs(2);
/// Packets in a row that cannot be understood before the session is given up.
const BAD_PACKETS: u32 = 50;
/// What cameras see in their logs.
const USER_AGENT: &str = concat!("Sightline/", env!("CARGO_PKG_VERSION"));

/// Sources that pull from cameras.
pub(crate) fn sources(transport: Transport) -> OpenSource {
    Arc::new(move |_| Box::new(Rtsp { transport, sessions: Arc::default() }))
}

struct Rtsp {
    transport: Transport,
    /// The sessions of this stream that the camera may still hold.
    sessions: Arc<SessionGroup>,
}

impl Source for Rtsp {
    fn run<'a>(&'a mut self, target: &'a Target, intake: &'a mut Intake) -> BoxFuture<'a, Failure> {
        async move {
            match self.play(target).await {
                Ok(playing) => receive(playing, intake).await,
                Err(failure) => failure,
            }
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        async {
            // A camera that does not answer to TEARDOWN has most likely forgotten the session with the connection.
            let _ = tokio::time::timeout(TEARDOWN, self.sessions.await_teardown()).await;
        }
        .boxed()
    }
}

/// A session that plays.
struct Playing {
    frames: Demuxed,
    index: usize,
    codec: Codec,
}

impl Rtsp {
    /// The handshake, up to the answer to PLAY.
    async fn play(&self, target: &Target) -> Result<Playing, Failure> {
        let explain = |stage| move |error| failure::explain(stage, &error, target.credentials.is_some());
        let address = Address::parse(&target.url)?;
        let mut session = Session::describe(address.url, self.session_options(target))
            .await
            .map_err(explain(Stage::Describe))?;
        let (index, codec) = pick::video(session.streams())?;
        let transport = match self.transport {
            Transport::Tcp => client::Transport::Tcp(client::TcpTransportOptions::default()),
            Transport::Udp => client::Transport::Udp(client::UdpTransportOptions::default()),
        };
        let setup = SetupOptions::default().transport(transport).frame_format(FrameFormat::MP4);
        session.setup(index, setup).await.map_err(explain(Stage::Setup))?;
        let playing = session.play(play_options()).await.map_err(explain(Stage::Play))?;
        let frames = playing.demuxed().map_err(explain(Stage::Describe))?;
        Ok(Playing { frames, index, codec })
    }

    fn session_options(&self, target: &Target) -> SessionOptions {
        let credentials = target.credentials.as_ref().map(|credentials| Credentials {
            username: credentials.user.clone(),
            password: credentials.password.clone(),
        });
        SessionOptions::default()
            .creds(credentials)
            .user_agent(USER_AGENT.to_owned())
            .session_group(Arc::clone(&self.sessions))
            // Cameras that answer each SETUP with another session id exist, says retina.
            .session_id(SessionIdPolicy::UseFirst)
    }
}

/// The time line starts with the first packet and not with what `RTP-Info` promises: Hikvision, Tapo and Reolink
/// cameras promise what they do not keep (retina's notes on `InitialSequenceNumberPolicy`). A sender report before the
/// first packet must not fix the SSRC for the same reason.
fn play_options() -> PlayOptions {
    PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Ignore)
        .initial_seq(InitialSequenceNumberPolicy::Ignore)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::ProcessPackets)
}

/// Feeds the intake until the session ends.
async fn receive(playing: Playing, intake: &mut Intake) -> Failure {
    let Playing { mut frames, index, codec } = playing;
    intake.playing();
    let mut params_known = false;
    let mut bad_packets: u32 = 0;
    let mut last_bad = None;
    loop {
        match frames.next().await {
            Some(Ok(CodecItem::VideoFrame(frame))) => {
                if frame.has_new_parameters() || !params_known {
                    let params = units::params(&frames, index, codec);
                    params_known = params.is_some();
                    params.into_iter().for_each(|params| intake.params(params));
                }
                (bad_packets, last_bad) = (0, None);
                units::pass(frame, codec, intake);
            }
            Some(Ok(CodecItem::Rtcp(packet))) => units::sender_report(&packet, intake),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let failure = failure::explain(Stage::Playing, &error, false);
                if !failure::is_of_one_packet(&error) || bad_packets >= BAD_PACKETS {
                    return failure;
                }
                bad_packets += 1;
                intake.bad_packet();
                last_bad = Some(failure);
            }
            // After some errors retina ends the stream without another word.
            None => return last_bad.unwrap_or_else(closed),
        }
    }
}

fn closed() -> Failure {
    Failure::new(GapReason::Disconnected, "the camera closed the connection")
}
