//! One client that plays one stream: stamps packets for it and sends them.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rand::{RngExt, rngs::SmallRng};
use sightline_model::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    Writes,
    outbox::{Offer, Outbox},
    session::Progress,
    udp::UdpPair,
};
use crate::{
    media::Unit,
    rtp::{INTERLEAVED_BYTES, Stamp, rtcp::SenderReport, stamp},
};

/// Time between sender reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Where a viewer's media goes.
pub(crate) enum Output {
    Interleaved { outbox: Arc<Outbox>, channel: u8 },
    Udp { pair: Arc<UdpPair>, rtp: SocketAddr, rtcp: SocketAddr },
}

pub(crate) struct Viewer {
    pub(crate) id: u64,
    ssrc: u32,
    first_frame: u64,
    output: Output,
    progress: Arc<Progress>,
    hangup: CancellationToken,
    waits_for_key: bool,
    report_due: Duration,
    /// Since when the client has not taken what it was sent.
    stuck_since: Option<Duration>,
}

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Sent, with so many bytes.
    Bytes(u64),
    /// The viewer waits for a later picture.
    Waits,
    /// The client does not read; it goes on at the next key frame.
    Dropped,
    /// The client is gone.
    Gone,
}

/// What a picture is sent with.
pub(crate) struct Moment {
    pub(crate) frame: u64,
    /// Since the server's start.
    pub(crate) now: Duration,
    pub(crate) rtp: u32,
    pub(crate) loss_percent: u8,
    pub(crate) writes: Writes,
    /// Key frames are being left out: nobody waits for one.
    pub(crate) without_keys: bool,
}

impl Viewer {
    pub(crate) fn new(
        id: u64,
        ssrc: u32,
        first_frame: u64,
        output: Output,
        progress: Arc<Progress>,
        hangup: CancellationToken,
    ) -> Self {
        Self {
            id,
            ssrc,
            first_frame,
            output,
            progress,
            hangup,
            waits_for_key: true,
            report_due: Duration::ZERO,
            stuck_since: None,
        }
    }

    /// Goes on at the next key frame only.
    pub(crate) fn wait_for_key(&mut self) {
        self.waits_for_key = true;
    }

    /// Since when the client has not taken what it was sent.
    pub(crate) fn stuck_since(&self) -> Option<Duration> {
        self.stuck_since
    }

    /// Closes the client's connection.
    pub(crate) fn hang_up(&self) {
        self.hangup.cancel();
    }

    /// Sends one picture. `scratch` is room to work in.
    pub(crate) fn send(&mut self, unit: &Unit, moment: &Moment, scratch: &mut Scratch) -> Sent {
        let waits = self.waits_for_key && !unit.key() && !moment.without_keys;
        if moment.frame < self.first_frame || waits {
            return Sent::Waits;
        }
        self.waits_for_key = false;
        let packets = u16::try_from(unit.packets().len()).unwrap_or(u16::MAX);
        let sequence = self.progress.sequence.fetch_add(packets, Ordering::Relaxed);
        scratch.fill(unit, sequence, self.ssrc, self.channel(), moment);
        let sent = self.output.send(scratch, moment.writes);
        match sent {
            Sent::Bytes(_) => {
                self.stuck_since = None;
                let octets = u32::try_from(unit.payload_bytes()).unwrap_or(u32::MAX);
                self.progress.packets.fetch_add(u32::from(packets), Ordering::Relaxed);
                self.progress.octets.fetch_add(octets, Ordering::Relaxed);
            }
            Sent::Dropped => {
                self.waits_for_key = true;
                self.stuck_since.get_or_insert(moment.now);
            }
            Sent::Waits | Sent::Gone => {}
        }
        sent
    }

    /// Sends a sender report when one is due: at once after PLAY, then every 5 s.
    pub(crate) fn report(&mut self, now: Duration, wall: Timestamp, rtp: u32) {
        if now < self.report_due {
            return;
        }
        self.report_due = now + REPORT_INTERVAL;
        let packets = self.progress.packets.load(Ordering::Relaxed);
        let octets = self.progress.octets.load(Ordering::Relaxed);
        let report = SenderReport { ssrc: self.ssrc, wall, rtp, packets, octets }.encode();
        match &self.output {
            Output::Interleaved { outbox, channel } => {
                let length = u16::try_from(report.len()).unwrap_or(0).to_be_bytes();
                let mut packet = vec![b'$', channel + 1, length[0], length[1]];
                packet.extend_from_slice(&report);
                outbox.offer(&packet);
            }
            Output::Udp { pair, rtcp, .. } => {
                pair.rtcp.try_send_to(&report, *rtcp).ok();
            }
        }
    }

    fn channel(&self) -> u8 {
        match self.output {
            Output::Interleaved { channel, .. } => channel,
            Output::Udp { .. } => 0,
        }
    }
}

impl Output {
    fn send(&self, scratch: &Scratch, writes: Writes) -> Sent {
        let bytes = Sent::Bytes(u64::try_from(scratch.wire.len()).unwrap_or(u64::MAX));
        match (self, writes) {
            (Self::Udp { pair, rtp, .. }, _) => {
                for packet in scratch.packets() {
                    // A full socket loses the packet, as a network would.
                    pair.rtp.try_send_to(packet.get(INTERLEAVED_BYTES..).unwrap_or_default(), *rtp).ok();
                }
                bytes
            }
            (Self::Interleaved { outbox, .. }, Writes::PerUnit) => match outbox.offer(&scratch.wire) {
                Offer::Taken => bytes,
                Offer::Full => Sent::Dropped,
                Offer::Closed => Sent::Gone,
            },
            (Self::Interleaved { outbox, .. }, Writes::PerPacket) => {
                if !outbox.has_room(scratch.wire.len()) {
                    return Sent::Dropped;
                }
                let closed = scratch.packets().any(|packet| outbox.offer(packet) == Offer::Closed);
                if closed { Sent::Gone } else { bytes }
            }
        }
    }
}

/// One picture, stamped for one viewer. Kept between pictures so that sending does not allocate.
pub(crate) struct Scratch {
    wire: Vec<u8>,
    /// End of each packet in `wire`.
    ends: Vec<usize>,
    random: SmallRng,
}

impl Scratch {
    pub(crate) fn new(random: SmallRng) -> Self {
        Self { wire: Vec::new(), ends: Vec::new(), random }
    }

    fn fill(&mut self, unit: &Unit, first_sequence: u16, ssrc: u32, channel: u8, moment: &Moment) {
        self.wire.clear();
        self.ends.clear();
        let mut marks = Stamp { channel, sequence: first_sequence, timestamp: moment.rtp, ssrc };
        for range in unit.packets() {
            let lost = moment.loss_percent > 0 && self.random.random_range(0_u8..100) < moment.loss_percent;
            if !lost {
                let start = self.wire.len();
                self.wire.extend_from_slice(unit.wire().get(range.clone()).unwrap_or_default());
                stamp(self.wire.get_mut(start..).unwrap_or_default(), marks);
                self.ends.push(self.wire.len());
            }
            marks.sequence = marks.sequence.wrapping_add(1);
        }
    }

    fn packets(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.wire.get(start..*end))
    }
}
