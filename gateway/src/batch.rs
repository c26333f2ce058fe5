//! Messages sorted into what is stored, what is refused and what is acknowledged. Pure.

use sightline_model::{CameraId, Timestamp, alert::AlertSource};
use sightline_records::events::{EventBatch, NewAlarm, NewPass, StoredBatch, StoredPass};

use crate::{
    decode::{Ages, Decoded, Event, MAX_PAYLOAD_BYTES, decode},
    desk::Change,
    matcher::Matcher,
    message::Rejected,
    metrics::{Metrics, count},
    mqtt::{Ack, Message},
    places::Places,
    raise,
    refusal::{Reason, Refusal},
    strip::Stripped,
    topics::{Kind, Topics},
};

/// A batch of messages, sorted.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) events: EventBatch,
    /// Topic and what to say there.
    pub(crate) rejected: Vec<(String, Rejected)>,
    pub(crate) acks: Vec<Ack>,
}

/// What messages are read and compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) topics: &'c Topics,
    pub(crate) ages: &'c Ages,
    pub(crate) matcher: &'c Matcher,
    pub(crate) places: &'c Places,
    pub(crate) now: Timestamp,
}

impl Sorted {
    pub(crate) fn new(
        messages: impl IntoIterator<Item = Message>,
        context: Context<'_>,
        metrics: &Metrics,
    ) -> Self {
        let mut sorted = Self::default();
        for message in messages {
            sorted.acks.extend(message.ack);
            sorted.add(&message, context, metrics);
        }
        sorted
    }

    fn add(&mut self, message: &Message, context: Context<'_>, metrics: &Metrics) {
        let (kind, decoded) = read(message, context);
        if let Some(kind) = kind {
            count(&metrics.kind(kind).received, 1);
        }
        metrics.stripped(&decoded.stripped);
        match decoded.outcome {
            Ok(event) => self.store(event, context),
            Err(refusal) => {
                metrics.rejected(kind, refusal.reason);
                let rejected = Rejected::new(refusal, &message.payload, message.payload_bytes, context.now);
                self.rejected.push((context.topics.rejected(&message.topic), rejected));
            }
        }
    }

    fn store(&mut self, event: Event, context: Context<'_>) {
        let Context { matcher, places, now, .. } = context;
        match event {
            Event::Pass { source, pass, plate } => {
                let raises = raise::of_pass(&pass, plate.as_deref(), matcher, places, now);
                let stored = StoredPass { source, pass, plate, hit: false, received_at: now };
                self.events.passes.push(NewPass { stored, raises });
            }
            Event::Alarm { source, alarm } => {
                let raises = raise::of_alarm(&alarm, places);
                self.events.alarms.push(NewAlarm { source, alarm, raises });
            }
            Event::Device { camera, status } => self.events.devices.push((camera, status)),
            Event::Telemetry { vehicle, position } => self.events.telemetry.push((vehicle, position)),
        }
    }

    /// Counts what became of the events, and says what is to be told of them.
    pub(crate) fn settle(&self, stored: &StoredBatch, metrics: &Metrics) -> Vec<Change> {
        let EventBatch { passes, alarms, devices, telemetry } = &self.events;
        debug_assert_eq!((passes.len(), alarms.len()), (stored.passes.len(), stored.alarms.len()));
        debug_assert_eq!((devices.len(), telemetry.len()), (stored.devices.len(), stored.telemetry.len()));
        for (kind, new) in [
            (Kind::Pass, &stored.passes),
            (Kind::Alarm, &stored.alarms),
            (Kind::Device, &stored.devices),
            (Kind::Telemetry, &stored.telemetry),
        ] {
            let accepted = new.iter().filter(|new| **new).count();
            count(&metrics.kind(kind).accepted, u64::try_from(accepted).unwrap_or(0));
            count(&metrics.kind(kind).duplicates, u64::try_from(new.len() - accepted).unwrap_or(0));
        }
        let new_passes = passes.iter().zip(&stored.passes).filter(|(_, new)| **new).map(|(pass, _)| pass);
        let mut changes = Vec::new();
        for NewPass { stored: pass, raises } in new_passes {
            changes.push(Change::Pass { camera: pass.pass.camera, at: pass.pass.time });
            for raise in raises {
                let AlertSource::Hotlist { look_alike, .. } = raise.source else { continue };
                count(if look_alike { &metrics.matches_look_alike } else { &metrics.matches_exact }, 1);
            }
        }
        let new_devices = devices.iter().zip(&stored.devices).filter(|(_, new)| **new);
        changes.extend(new_devices.map(|((camera, status), _)| {
            let camera: CameraId = *camera;
            Change::Device { camera, at: status.time, healthy: status.healthy }
        }));
        changes
    }
}

fn read(message: &Message, context: Context<'_>) -> (Option<Kind>, Decoded) {
    let refused = |refusal| Decoded { stripped: Stripped::default(), outcome: Err(refusal) };
    let Ok(origin) = context.topics.read(&message.topic) else {
        let detail =
            "the last level must be 1 to 64 letters, digits, '-', '_' or '.'; of a device, a camera's id";
        return (None, refused(Refusal::new(Reason::BadTopic, "", detail)));
    };
    let kind = Some(origin.kind());
    if message.payload_bytes > MAX_PAYLOAD_BYTES {
        let detail =
            format!("{} bytes are too many: send at most {MAX_PAYLOAD_BYTES}", message.payload_bytes);
        return (kind, refused(Refusal::new(Reason::TooLarge, "", detail)));
    }
    (kind, decode(&origin, &message.payload, context.now, context.ages))
}
