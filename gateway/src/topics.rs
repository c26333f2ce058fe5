//! Topics: what comes in on which, and where what goes out stands.

use sightline_model::{CameraId, id::AlertId};

use crate::config::is_level;

/// Kind of a message that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Pass,
    Alarm,
    Device,
    Telemetry,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Pass, Self::Alarm, Self::Device, Self::Telemetry];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Alarm => "alarm",
            Self::Device => "device",
            Self::Telemetry => "telemetry",
        }
    }
}

/// Where a message came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A pass from a source.
    Pass(String),
    /// An alarm from a source.
    Alarm(String),
    /// The status of the device at a camera.
    Device(CameraId),
    /// A position of a vehicle.
    Telemetry(String),
}

/// A topic that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadTopic;

/// The topics under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topics {
    prefix: String,
}

impl Topics {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// What to subscribe to.
    pub(crate) fn filters(&self) -> [String; 4] {
        ["pass/+", "alarm/+", "device/+/status", "telemetry/+"].map(|rest| self.under(rest))
    }

    pub(crate) fn alert(&self, id: AlertId) -> String {
        self.under(&format!("alert/{id}"))
    }

    pub(crate) fn camera_state(&self, camera: CameraId) -> String {
        self.under(&format!("camera/{camera}/state"))
    }

    pub(crate) fn node_state(&self, node: &str) -> String {
        self.under(&format!("node/{node}/state"))
    }

    /// Where a refused message is told of.
    pub(crate) fn rejected(&self, topic: &str) -> String {
        let rest = topic.strip_prefix(&self.prefix).map_or(topic, |rest| rest.trim_start_matches('/'));
        self.under(&format!("rejected/{rest}"))
    }

    /// Reads the topic of a message that came in.
    pub(crate) fn read(&self, topic: &str) -> Result<Origin, BadTopic> {
        let rest =
            topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('/')).ok_or(BadTopic)?;
        let mut levels = rest.split('/');
        let (kind, name, third, fourth) = (levels.next(), levels.next(), levels.next(), levels.next());
        let (Some(kind), Some(name), None) = (kind, name, fourth) else { return Err(BadTopic) };
        let source = || is_level(name).then(|| name.to_owned()).ok_or(BadTopic);
        match (kind, third) {
            ("pass", None) => source().map(Origin::Pass),
            ("alarm", None) => source().map(Origin::Alarm),
            ("telemetry", None) => source().map(Origin::Telemetry),
            ("device", Some("status")) => name.parse().map(Origin::Device).map_err(|_| BadTopic),
            _ => Err(BadTopic),
        }
    }

    fn under(&self, rest: &str) -> String {
        format!("{}/{rest}", self.prefix)
    }
}

impl Origin {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Pass(_) => Kind::Pass,
            Self::Alarm(_) => Kind::Alarm,
            Self::Device(_) => Kind::Device,
            Self::Telemetry(_) => Kind::Telemetry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_that_is_subscribed_is_read() {
        let topics = Topics::new("sightline/v1");
        for (topic, origin) in [
            ("sightline/v1/pass/toll-7.a_B", Origin::Pass("toll-7.a_B".into())),
            ("sightline/v1/alarm/desk", Origin::Alarm("desk".into())),
            ("sightline/v1/device/gate-3/status", Origin::Device("gate-3".parse().unwrap())),
            ("sightline/v1/telemetry/coach-12", Origin::Telemetry("coach-12".into())),
        ] {
            assert_eq!(topics.read(topic), Ok(origin), "{topic}");
        }
    }

    #[test]
    fn other_topics_are_not() {
        let topics = Topics::new("sightline/v1");
        for topic in [
            "",
            "sightline/v1",
            "sightline/v12/pass/a",
            "sightline/v1/pass",
            "sightline/v1/pass/",
            "sightline/v1/pass/a/b",
            "sightline/v1/pass/a b",
            "sightline/v1/pass/收费站",
            "sightline/v1/device/Gate/status",
            "sightline/v1/device/gate/other",
            "sightline/v1/device/gate/status/x",
            "sightline/v1/alert/a",
        ] {
            assert_eq!(topics.read(topic), Err(BadTopic), "{topic}");
        }
    }

    #[test]
    fn a_rejection_stands_beside_what_it_rejects() {
        let topics = Topics::new("sightline/v1");
        assert_eq!(topics.rejected("sightline/v1/pass/toll"), "sightline/v1/rejected/pass/toll");
    }
}
