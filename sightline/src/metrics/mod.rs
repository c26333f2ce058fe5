//! `/metrics`: what the parts counted, under names and labels from closed sets. One family of functions a part.

mod parts;
mod sheet;

use std::sync::{Arc, Weak};

use sightline_api::Api;
use sightline_footage::Footage;
use sightline_gateway::Gateway;
use sightline_ingest::Supervisor;
use sightline_picture::Pictures;
use sightline_trust::{Trust, keys::FileKeys};

use sheet::Sheet;

/// Where the numbers come from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub footage: Footage,
    pub gateway: Gateway,
    /// Weak, so that a scrape in work does not hold up the end of ingest.
    pub ingest: Weak<Supervisor>,
    pub trust: Trust,
    /// `None` when footage is neither encrypted nor ever was.
    pub keys: Option<Arc<FileKeys>>,
    pub pictures: Pictures,
    pub api: Api,
}

impl Sources {
    /// All of it as Prometheus text.
    pub(crate) fn render(&self) -> String {
        let mut sheet = Sheet::default();
        sheet.gauges(
            "sightline_build_info",
            "Version of the program; always 1.",
            [(&[("version", env!("CARGO_PKG_VERSION"))][..], 1.0)],
        );
        if let Some(ingest) = self.ingest.upgrade() {
            parts::ingest(&mut sheet, &ingest.metrics());
        }
        parts::footage(&mut sheet, &self.footage.metrics());
        if let Some(tier) = self.footage.tier() {
            parts::tier(&mut sheet, &tier);
        }
        parts::gateway(&mut sheet, &self.gateway.metrics());
        parts::trust(&mut sheet, &self.trust.metrics());
        if let Some(keys) = &self.keys {
            parts::keys(&mut sheet, &keys.metrics());
        }
        parts::pictures(&mut sheet, &self.pictures.metrics());
        parts::api(&mut sheet, &self.api.metrics());
        sheet.render()
    }
}
