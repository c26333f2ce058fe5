//! A source that plays a script instead of a camera: for tests and simulation, also under paused time.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use sightline_model::media::ParameterSets;

use crate::{Clock, Failure, Intake, OpenSource, Source, Target, Unit, clock};

/// One step of a script.
#[derive(Debug, Clone)]
pub enum Step {
    /// Nothing happens for so long.
    Wait(Duration),
    /// The camera accepts PLAY.
    Play,
    /// It tells its parameter sets.
    Params(ParameterSets),
    /// An access unit arrives.
    Unit {
        /// RTP timestamp.
        rtp: u32,
        /// Whether decoding can start here.
        key: bool,
        /// Packets lost before it.
        lost: u32,
        /// Its NAL units.
        data: Bytes,
    },
    /// An RTCP sender report arrives.
    SenderReport {
        /// The camera's clock as NTP's 64 bits.
        ntp: u64,
        /// The RTP timestamp that goes with it.
        rtp: u32,
    },
    /// The session ends.
    End(Failure),
    /// The source breaks: a defect in a parser.
    Panic,
}

/// What is played in the `attempt`th session (from 0) with a target. A script that ends without [`Step::End`] leaves
/// the session standing, silent.
pub type Script = Arc<dyn Fn(&Target, u32) -> Vec<Step> + Send + Sync>;

/// Sources that play `script`.
#[must_use]
pub fn sources(script: Script, clock: Clock) -> OpenSource {
    Arc::new(move |_| Box::new(Replay { script: Arc::clone(&script), clock, attempt: 0 }))
}

struct Replay {
    script: Script,
    clock: Clock,
    attempt: u32,
}

impl Source for Replay {
    fn run<'a>(&'a mut self, target: &'a Target, intake: &'a mut Intake) -> BoxFuture<'a, Failure> {
        let steps = (self.script)(target, self.attempt);
        self.attempt += 1;
        Box::pin(async move {
            for step in steps {
                match step {
                    Step::Wait(length) => tokio::time::sleep(length).await,
                    Step::End(failure) => return failure,
                    step => self.play(step, intake),
                }
            }
            std::future::pending().await
        })
    }
}

impl Replay {
    fn play(&self, step: Step, intake: &mut Intake) {
        let (received, wall) = (clock::now(), self.clock.wall());
        match step {
            Step::Play => intake.playing(),
            Step::Params(params) => intake.params(params),
            Step::Unit { rtp, key, lost, data } => {
                intake.unit(Unit { rtp, received, wall, key, lost }, || data);
            }
            Step::SenderReport { ntp, rtp } => intake.sender_report(ntp, rtp, received, wall),
            #[expect(clippy::panic, reason = "a script asks for it")]
            Step::Panic => panic!("as the script says"),
            Step::Wait(_) | Step::End(_) => {}
        }
    }
}
