//! Which cameras a list takes.

use sightline_model::{CameraId, RegionId};
use sqlx::QueryBuilder;

use crate::{Error, db::Engine};

/// Most ids a filter may name: what the engine binds in one statement, with room for the rest.
const MAX_IDS: usize = 30_000;

/// Conditions that must all hold. The default takes every camera.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CameraFilter {
    /// In one of these regions or below. Empty: anywhere.
    pub regions: Vec<RegionId>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// With this text in name or id; case does not matter for ASCII letters.
    pub q: Option<String>,
    /// One of these.
    pub ids: Option<Vec<CameraId>>,
    /// Switched on, or switched off.
    pub enabled: Option<bool>,
}

impl CameraFilter {
    /// `SELECT … WHERE …`, to be finished with an order.
    pub(super) fn query(&self, after: Option<CameraId>) -> Result<QueryBuilder<Engine>, Error> {
        if let Some(ids) = self.ids.as_ref().filter(|ids| ids.len() > MAX_IDS) {
            let why = format!("it names {} cameras, at most {MAX_IDS} are possible: ask in parts", ids.len());
            return Err(Error::invalid("camera filter", "ids", why));
        }
        let mut query = QueryBuilder::new("");
        if !self.regions.is_empty() {
            query.push("WITH RECURSIVE below (id) AS (SELECT id FROM regions WHERE id IN (");
            list(&mut query, self.regions.iter().map(RegionId::as_str));
            query.push(") UNION SELECT r.id FROM regions r JOIN below b ON r.parent = b.id) ");
        }
        query.push("SELECT * FROM cameras WHERE 1 = 1");
        if !self.regions.is_empty() {
            query.push(" AND region IN (SELECT id FROM below)");
        }
        for tag in &self.tags {
            query.push(" AND id IN (SELECT camera FROM camera_tags WHERE tag = ");
            query.push_bind(tag.trim().to_lowercase()).push(")");
        }
        if let Some(q) = self.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
            let pattern = format!("%{}%", escaped(&q.to_lowercase()));
            query.push(" AND (LOWER(name) LIKE ").push_bind(pattern.clone()).push(r" ESCAPE '\'");
            query.push(" OR id LIKE ").push_bind(pattern).push(r" ESCAPE '\')");
        }
        if let Some(ids) = &self.ids {
            query.push(" AND id IN (");
            list(&mut query, ids.iter().map(CameraId::as_str));
            query.push(")");
        }
        if let Some(enabled) = self.enabled {
            query.push(" AND enabled = ").push_bind(enabled);
        }
        if let Some(after) = after {
            query.push(" AND id > ").push_bind(after.to_string());
        }
        Ok(query)
    }
}

fn list<'a>(query: &mut QueryBuilder<Engine>, items: impl Iterator<Item = &'a str>) {
    let mut parts = query.separated(", ");
    for item in items {
        parts.push_bind(item.to_owned());
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
