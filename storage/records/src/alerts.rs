//! Alerts: raised and joined by events, moved by people, published by the gateway.

use sightline_model::{
    CameraId, RegionId, Timestamp,
    alert::{Alert, AlertMove, AlertNote, AlertSource, AlertState, Severity},
    camera::Position,
    id::{AccountId, AlertId},
    page::Page,
};
use sqlx::QueryBuilder;

use crate::{
    Error, Records,
    db::{Engine, Row, Write},
    page,
    row::{Cells, json_of, name_of},
};

/// An alert to raise, unless an open one of the same key is there to join.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// Its id.
    pub id: AlertId,
    /// Hits with the same key join while the alert is open; `None` never joins.
    pub join_key: Option<String>,
    /// What brought it up.
    pub source: AlertSource,
    /// How much it matters.
    pub severity: Severity,
    /// One line for the desk.
    pub title: String,
    /// When the thing happened.
    pub occurred_at: Timestamp,
    /// The camera that saw it.
    pub camera: Option<CameraId>,
    /// The region it happened in.
    pub region: Option<RegionId>,
    /// Where it happened.
    pub position: Option<Position>,
}

/// An alert and the number of its last change, for the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertChange {
    /// The alert.
    pub alert: Alert,
    /// Grows with every change, also with those that leave the revision alone.
    pub change: i64,
}

/// What became of a [`NewAlert`].
#[derive(Debug, Clone, PartialEq)]
pub enum Raised {
    /// It was raised.
    New(AlertChange),
    /// It joined an open one.
    Joined(AlertChange),
}

/// Which alerts to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertFilter {
    /// Only those that are not closed.
    pub open_only: bool,
    /// Only those seen by this camera.
    pub camera: Option<CameraId>,
}

impl NewAlert {
    /// Raises or joins. `None` when the hotlist entry behind it no longer applies.
    pub(crate) async fn raise(
        &self,
        write: &mut Write,
        source: &str,
        now: Timestamp,
    ) -> Result<Option<Raised>, Error> {
        if let AlertSource::Hotlist { hotlist, .. } = &self.source {
            let applies = crate::hotlist::still_applies(write, *hotlist, now).await?;
            if !applies {
                return Ok(None);
            }
        }
        let raised = match self.join(write).await? {
            Some(joined) => Raised::Joined(joined),
            None => Raised::New(self.insert(write, now).await?),
        };
        let (AlertSource::Hotlist { event, .. } | AlertSource::Alarm { event, .. }) = &self.source;
        sqlx::query(
            "INSERT INTO alert_hits (alert, source, event, camera, at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(raised.alert().id.to_string())
        .bind(source)
        .bind(event)
        .bind(self.camera.as_ref().map(CameraId::as_str))
        .bind(self.occurred_at.0)
        .execute(&mut **write)
        .await?;
        Ok(Some(raised))
    }

    async fn join(&self, write: &mut Write) -> Result<Option<AlertChange>, Error> {
        let Some(key) = &self.join_key else { return Ok(None) };
        let row = sqlx::query(
            "UPDATE alerts SET repeats = repeats + 1, change_seq = change_seq + 1 \
             WHERE join_key = $1 AND is_open RETURNING *",
        )
        .bind(key)
        .fetch_optional(&mut **write)
        .await?;
        row.as_ref().map(read_change).transpose()
    }

    async fn insert(&self, write: &mut Write, now: Timestamp) -> Result<AlertChange, Error> {
        let kind = match self.source {
            AlertSource::Hotlist { .. } => "hotlist",
            AlertSource::Alarm { .. } => "alarm",
        };
        let row = sqlx::query(
            "INSERT INTO alerts (id, state, is_open, source_kind, source, severity, title, occurred_at, raised_at, \
             camera, region, position, repeats, history, revision, join_key, change_seq, published_seq) \
             VALUES ($1, 'candidate', TRUE, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '[]', 1, $11, 1, 0) RETURNING *",
        )
        .bind(self.id.to_string())
        .bind(kind)
        .bind(json_of("alert", &self.source)?)
        .bind(name_of("alert", &self.severity)?)
        .bind(&self.title)
        .bind(self.occurred_at.0)
        .bind(now.0)
        .bind(self.camera.as_ref().map(CameraId::as_str))
        .bind(self.region.as_ref().map(RegionId::as_str))
        .bind(self.position.map(|position| json_of("alert", &position)).transpose()?)
        .bind(&self.join_key)
        .fetch_one(&mut **write)
        .await
        .map_err(Error::on_insert("alert", self.id))?;
        read_change(&row)
    }
}

impl Records {
    /// One alert.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn alert(&self, id: AlertId) -> Result<Alert, Error> {
        let row = sqlx::query("SELECT * FROM alerts WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?
            .ok_or_else(|| Error::not_found("alert", id))?;
        read_alert(&row)
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Alert>, Error> {
        let before: Option<AlertId> = page::read_one(cursor)?;
        let mut query: QueryBuilder<Engine> = QueryBuilder::new("SELECT * FROM alerts WHERE TRUE");
        if filter.open_only {
            query.push(" AND is_open");
        }
        if let Some(camera) = &filter.camera {
            query.push(" AND camera = ").push_bind(camera.as_str().to_owned());
        }
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(page::limit_plus_one(limit));
        let rows = query.build().fetch_all(self.readers()).await?;
        let alerts = rows.iter().map(read_alert).collect::<Result<Vec<_>, _>>()?;
        Ok(page::cut(alerts, limit, |alert| alert.id.to_string()))
    }

    /// Makes a person's move. The alert must be at the revision that the person saw.
    ///
    /// # Errors
    /// When there is no such alert, it was changed meanwhile, or its state does not allow the move.
    pub async fn move_alert(
        &self,
        id: AlertId,
        expected_revision: i64,
        step: AlertMove,
        note: &str,
        who: AccountId,
        now: Timestamp,
    ) -> Result<AlertChange, Error> {
        let mut write = self.write().await?;
        let row = sqlx::query("SELECT * FROM alerts WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *write)
            .await?
            .ok_or_else(|| Error::not_found("alert", id))?;
        let mut alert = read_alert(&row)?;
        if alert.revision != expected_revision {
            let (expected, found) = (expected_revision, alert.revision);
            return Err(Error::Conflict { what: "alert", id: id.to_string(), expected, found });
        }
        let Some(state) = alert.state.after(step) else {
            let why = format!("it is {} and cannot {} from there", alert.state.as_str(), step.as_str());
            return Err(Error::invalid("alert", id, why));
        };
        alert.history.push(AlertNote { at: now, account: who, step, note: note.to_owned() });
        let row = sqlx::query(
            "UPDATE alerts SET state = $2, is_open = $3, history = $4, closed_at = $5, revision = revision + 1, \
             change_seq = change_seq + 1 WHERE id = $1 RETURNING *",
        )
        .bind(id.to_string())
        .bind(state.as_str())
        .bind(!state.is_closed())
        .bind(json_of("alert", &alert.history)?)
        .bind(state.is_closed().then_some(now.0))
        .fetch_one(&mut *write)
        .await?;
        let change = read_change(&row)?;
        write.commit().await?;
        Ok(change)
    }

    /// Alerts with a change that no broker has acknowledged, oldest first, from behind `after` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unpublished_alerts(
        &self,
        after: Option<AlertId>,
        limit: usize,
    ) -> Result<Vec<AlertChange>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM alerts WHERE published_seq < change_seq AND id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(i64::try_from(page::limit(limit)).unwrap_or(1))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(read_change).collect()
    }

    /// Alerts that are not closed, oldest first, from behind `after` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_alerts(&self, after: Option<AlertId>, limit: usize) -> Result<Vec<AlertChange>, Error> {
        let rows = sqlx::query("SELECT * FROM alerts WHERE is_open AND id > $1 ORDER BY id LIMIT $2")
            .bind(after.map(|id| id.to_string()).unwrap_or_default())
            .bind(i64::try_from(page::limit(limit)).unwrap_or(1))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(read_change).collect()
    }

    /// Notes that a broker has acknowledged these changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_alerts_published(&self, changes: &[(AlertId, i64)]) -> Result<(), Error> {
        let mut write = self.write().await?;
        for (id, change) in changes {
            sqlx::query("UPDATE alerts SET published_seq = $2 WHERE id = $1 AND published_seq < $2")
                .bind(id.to_string())
                .bind(change)
                .execute(&mut *write)
                .await?;
        }
        write.commit().await?;
        Ok(())
    }
}

fn read_change(row: &Row) -> Result<AlertChange, Error> {
    let change = Cells::new(row, "alert").int("change_seq")?;
    Ok(AlertChange { alert: read_alert(row)?, change })
}

fn read_alert(row: &Row) -> Result<Alert, Error> {
    let cells = Cells::new(row, "alert");
    let position = match cells.text_opt("position")? {
        Some(_) => Some(cells.json("position")?),
        None => None,
    };
    let state: AlertState = cells.named("state")?;
    Ok(Alert {
        id: cells.parsed("id")?,
        state,
        source: cells.json("source")?,
        severity: cells.named("severity")?,
        title: cells.text("title")?,
        occurred_at: cells.at("occurred_at")?,
        raised_at: cells.at("raised_at")?,
        camera: cells.parsed_opt("camera")?,
        region: cells.parsed_opt("region")?,
        position,
        repeats: cells.number("repeats")?,
        history: cells.json("history")?,
        revision: cells.int("revision")?,
    })
}
