//! Batches of events: stored, deduplicated and turned into alerts in one transaction.
//!
//! A duplicate is an event whose (source, id) is stored already; of devices and supervised vehicles only the newest
//! report is kept, so anything not newer is a duplicate too. The alerts that a new event raises are written in the
//! same transaction as the event: after a crash there is either both or neither, so nothing has to be repaired.

use std::collections::HashSet;

use sightline_model::{
    CameraId, Timestamp,
    alert::Alert,
    event::{Alarm, DeviceStatus, Pass, Telemetry},
};
use sqlx::{QueryBuilder, Row as _};

use crate::{
    Error, Records,
    alerts::{NewAlert, Raised},
    db::{Engine, Write},
    row::{Cells, name_of},
};

/// Rows of one INSERT: bounded by the engine's limit on bound values.
const ROWS: usize = 200;

/// A vehicle pass as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPass {
    /// The source that sent it: the last level of its topic.
    pub source: String,
    /// The pass.
    pub pass: Pass,
    /// Its plate, normalised, when it is usable.
    pub plate: Option<String>,
    /// Whether it raised or joined an alert.
    pub hit: bool,
    /// When it came in.
    pub received_at: Timestamp,
}

/// A pass to store, and the alerts to raise when it is new.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPass {
    /// The pass.
    pub stored: StoredPass,
    /// What it raises.
    pub raises: Vec<NewAlert>,
}

/// An alarm to store, and the alert to raise when it is new.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlarm {
    /// The source that sent it.
    pub source: String,
    /// The alarm.
    pub alarm: Alarm,
    /// What it raises.
    pub raises: NewAlert,
}

/// Events to store together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventBatch {
    /// Vehicle passes.
    pub passes: Vec<NewPass>,
    /// Alarms.
    pub alarms: Vec<NewAlarm>,
    /// What devices say of themselves.
    pub devices: Vec<(CameraId, DeviceStatus)>,
    /// Positions of supervised vehicles.
    pub telemetry: Vec<(String, Telemetry)>,
}

/// What became of a batch; each list is as long as the one that was given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoredBatch {
    /// Whether each pass was new.
    pub passes: Vec<bool>,
    /// Whether each alarm was new.
    pub alarms: Vec<bool>,
    /// Whether each device report was newer than what was known.
    pub devices: Vec<bool>,
    /// Whether each position was newer than what was known.
    pub telemetry: Vec<bool>,
    /// The alerts that were raised or joined, in order.
    pub alerts: Vec<Raised>,
}

/// What has outlived its time, up to a number of rows of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Passes without a hit that were seen before this go.
    pub passes: Timestamp,
    /// Passes with a hit, alarms and closed alerts from before this go.
    pub hits: Timestamp,
    /// Positions of vehicles from before this go.
    pub telemetry: Timestamp,
    /// Most rows of each kind in one call.
    pub limit: u32,
}

impl Records {
    /// Stores a batch as a whole or not at all.
    ///
    /// # Errors
    /// When the database fails; nothing of the batch was kept then.
    pub async fn store_events(&self, batch: &EventBatch, now: Timestamp) -> Result<StoredBatch, Error> {
        let mut write = self.write().await?;
        let mut stored = StoredBatch::default();
        let mut new = HashSet::new();
        for rows in batch.passes.chunks(ROWS) {
            insert_passes(&mut write, rows, &mut new).await?;
        }
        for NewPass { stored: pass, raises } in &batch.passes {
            // Taken out at the first: the same pass twice in one batch is new once.
            let is_new = new.remove(&(pass.source.clone(), pass.pass.id.clone()));
            stored.passes.push(is_new);
            if is_new && !raises.is_empty() {
                raise_for_pass(&mut write, pass, raises, now, &mut stored.alerts).await?;
            }
        }
        for NewAlarm { source, alarm, raises } in &batch.alarms {
            let is_new = insert_alarm(&mut write, source, alarm, now).await?;
            stored.alarms.push(is_new);
            if is_new {
                stored.alerts.extend(raises.raise(&mut write, source, now).await?);
            }
        }
        for (camera, status) in &batch.devices {
            stored.devices.push(upsert_device(&mut write, camera, status, now).await?);
        }
        for (vehicle, position) in &batch.telemetry {
            stored.telemetry.push(upsert_telemetry(&mut write, vehicle, position, now).await?);
        }
        write.commit().await?;
        Ok(stored)
    }

    /// What the device at a camera said last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn device_status(&self, camera: CameraId) -> Result<Option<DeviceStatus>, Error> {
        let row = sqlx::query("SELECT * FROM device_status WHERE camera = $1")
            .bind(camera.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| {
            let cells = Cells::new(&row, "device status");
            Ok(DeviceStatus {
                id: cells.text("id")?,
                time: cells.at("at")?,
                healthy: cells.flag("healthy")?,
                firmware: cells.text_opt("firmware")?,
                temperature_c: cells.float_opt("temperature_c")?,
                text: cells.text("text")?,
            })
        })
        .transpose()
    }

    /// The last known position of a supervised vehicle.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_position(&self, vehicle: &str) -> Result<Option<Telemetry>, Error> {
        let row = sqlx::query("SELECT * FROM telemetry WHERE vehicle = $1")
            .bind(vehicle)
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| {
            let cells = Cells::new(&row, "position");
            Ok(Telemetry {
                id: cells.text("id")?,
                time: cells.at("at")?,
                lat: row.try_get("lat")?,
                lon: row.try_get("lon")?,
                speed_kmh: row.try_get("speed_kmh")?,
                heading_deg: row.try_get("heading_deg")?,
                alarm_bits: cells.number("alarm_bits")?,
            })
        })
        .transpose()
    }

    /// Removes what has outlived its time, and says how many rows that were. Call again while it is not 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_events(&self, expiry: &Expiry) -> Result<u64, Error> {
        let limit = i64::from(expiry.limit);
        let steps = [
            (
                "DELETE FROM passes WHERE (source, id) IN (SELECT source, id FROM passes WHERE at < $1 AND NOT hit LIMIT $2)",
                expiry.passes,
            ),
            (
                "DELETE FROM passes WHERE (source, id) IN (SELECT source, id FROM passes WHERE at < $1 LIMIT $2)",
                expiry.hits,
            ),
            (
                "DELETE FROM alarms WHERE (source, id) IN (SELECT source, id FROM alarms WHERE at < $1 LIMIT $2)",
                expiry.hits,
            ),
            (
                "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE closed_at < $1 AND published_seq >= change_seq LIMIT $2)",
                expiry.hits,
            ),
            (
                "DELETE FROM telemetry WHERE vehicle IN (SELECT vehicle FROM telemetry WHERE at < $1 LIMIT $2)",
                expiry.telemetry,
            ),
        ];
        let mut write = self.write().await?;
        let mut removed = 0;
        for (statement, before) in steps {
            let done = sqlx::query(statement).bind(before.0).bind(limit).execute(&mut *write).await?;
            removed += done.rows_affected();
        }
        write.commit().await?;
        Ok(removed)
    }
}

async fn insert_passes(
    write: &mut Write,
    rows: &[NewPass],
    new: &mut HashSet<(String, String)>,
) -> Result<(), Error> {
    let mut insert: QueryBuilder<Engine> = QueryBuilder::new(
        "INSERT INTO passes (source, id, at, camera, lane, plate_raw, plate, plate_fold, plate_region, plate_colour, \
         plate_confidence, vehicle_class, vehicle_colour, direction, speed_kmh, received_at, hit) ",
    );
    let named = rows.iter().map(names_of_pass).collect::<Result<Vec<_>, Error>>()?;
    insert.push_values(rows.iter().zip(named), |mut row, (NewPass { stored, .. }, (class, direction))| {
        let StoredPass { source, pass, plate, received_at, .. } = stored;
        let read = pass.plate.as_ref();
        row.push_bind(source.as_str())
            .push_bind(pass.id.as_str())
            .push_bind(pass.time.0)
            .push_bind(pass.camera.as_str())
            .push_bind(pass.lane.map(i64::from))
            .push_bind(read.map(|plate| plate.raw.as_str()))
            .push_bind(plate.as_deref())
            .push_bind(plate.as_deref().map(sightline_model::plate::fold))
            .push_bind(read.and_then(|plate| plate.region.as_deref()))
            .push_bind(read.and_then(|plate| plate.colour.as_deref()))
            .push_bind(read.and_then(|plate| plate.confidence))
            .push_bind(class)
            .push_bind(pass.vehicle_colour.as_deref())
            .push_bind(direction)
            .push_bind(pass.speed_kmh)
            .push_bind(received_at.0)
            .push_bind(false);
    });
    insert.push(" ON CONFLICT DO NOTHING RETURNING source, id");
    for row in insert.build().fetch_all(&mut **write).await? {
        new.insert((row.try_get("source")?, row.try_get("id")?));
    }
    Ok(())
}

type PassNames = (Option<String>, Option<String>);

fn names_of_pass(row: &NewPass) -> Result<PassNames, Error> {
    let pass = &row.stored.pass;
    let class = pass.vehicle_class.map(|class| name_of("pass", &class)).transpose()?;
    let direction = pass.direction.map(|direction| name_of("pass", &direction)).transpose()?;
    Ok((class, direction))
}

async fn raise_for_pass(
    write: &mut Write,
    pass: &StoredPass,
    raises: &[NewAlert],
    now: Timestamp,
    alerts: &mut Vec<Raised>,
) -> Result<(), Error> {
    let before = alerts.len();
    for raise in raises {
        alerts.extend(raise.raise(write, &pass.source, now).await?);
    }
    if alerts.len() > before {
        sqlx::query("UPDATE passes SET hit = TRUE WHERE source = $1 AND id = $2")
            .bind(&pass.source)
            .bind(&pass.pass.id)
            .execute(&mut **write)
            .await?;
    }
    Ok(())
}

async fn insert_alarm(write: &mut Write, source: &str, alarm: &Alarm, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO alarms (source, id, at, kind, severity, drill, camera, lat, lon, text, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(source)
    .bind(&alarm.id)
    .bind(alarm.time.0)
    .bind(name_of("alarm", &alarm.kind)?)
    .bind(name_of("alarm", &alarm.severity)?)
    .bind(alarm.drill)
    .bind(alarm.camera.as_ref().map(CameraId::as_str))
    .bind(alarm.place.map(|place| place.lat))
    .bind(alarm.place.map(|place| place.lon))
    .bind(&alarm.text)
    .bind(now.0)
    .execute(&mut **write)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn upsert_device(
    write: &mut Write,
    camera: &CameraId,
    status: &DeviceStatus,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO device_status (camera, id, at, healthy, firmware, temperature_c, text, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (camera) DO UPDATE SET id = excluded.id, at = excluded.at, healthy = excluded.healthy, \
         firmware = excluded.firmware, temperature_c = excluded.temperature_c, text = excluded.text, \
         received_at = excluded.received_at WHERE excluded.at > device_status.at",
    )
    .bind(camera.as_str())
    .bind(&status.id)
    .bind(status.time.0)
    .bind(status.healthy)
    .bind(&status.firmware)
    .bind(status.temperature_c)
    .bind(&status.text)
    .bind(now.0)
    .execute(&mut **write)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn upsert_telemetry(
    write: &mut Write,
    vehicle: &str,
    position: &Telemetry,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO telemetry (vehicle, id, at, lat, lon, speed_kmh, heading_deg, alarm_bits, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (vehicle) DO UPDATE SET id = excluded.id, at = excluded.at, lat = excluded.lat, \
         lon = excluded.lon, speed_kmh = excluded.speed_kmh, heading_deg = excluded.heading_deg, \
         alarm_bits = excluded.alarm_bits, received_at = excluded.received_at WHERE excluded.at > telemetry.at",
    )
    .bind(vehicle)
    .bind(&position.id)
    .bind(position.time.0)
    .bind(position.lat)
    .bind(position.lon)
    .bind(position.speed_kmh)
    .bind(position.heading_deg)
    .bind(i64::from(position.alarm_bits))
    .bind(now.0)
    .execute(&mut **write)
    .await?;
    Ok(done.rows_affected() > 0)
}

impl Raised {
    /// The alert as it is now.
    #[must_use]
    pub fn alert(&self) -> &Alert {
        match self {
            Self::New(alert) | Self::Joined(alert) => &alert.alert,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pass(id: &str, at: Timestamp) -> NewPass {
        let pass = Pass {
            id: id.to_owned(),
            time: at,
            camera: "gate-3".parse().unwrap(),
            lane: Some(2),
            plate: None,
            vehicle_class: None,
            vehicle_colour: None,
            direction: None,
            speed_kmh: None,
        };
        let stored = StoredPass { source: "toll".to_owned(), pass, plate: None, hit: false, received_at: at };
        NewPass { stored, raises: Vec::new() }
    }

    #[tokio::test]
    async fn a_pass_is_new_once_also_within_one_batch_and_goes_when_its_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let config = crate::Config { path: dir.path().join("records.sqlite"), ..Default::default() };
        let records = Records::open(&config).await.unwrap();
        let now = Timestamp::from_secs(1_000_000);
        let old = now - Duration::from_secs(100);
        // More than one INSERT's worth, with the first one again at the end.
        let mut passes: Vec<_> = (0..450).map(|n| pass(&format!("p{n}"), old)).collect();
        passes.push(pass("p0", old));
        passes.push(pass("new", now));
        let batch = EventBatch { passes, ..EventBatch::default() };
        let stored = records.store_events(&batch, now).await.unwrap();
        let new: Vec<_> =
            stored.passes.iter().enumerate().filter(|(_, new)| !**new).map(|(n, _)| n).collect();
        assert_eq!(new, [450]);
        let again = records.store_events(&batch, now).await.unwrap();
        assert!(again.passes.iter().all(|new| !new));

        let expiry = Expiry { passes: now, hits: old, telemetry: old, limit: 300 };
        let mut steps = Vec::new();
        while let removed @ 1.. = records.expire_events(&expiry).await.unwrap() {
            steps.push(removed);
        }
        assert_eq!(steps, [300, 150], "in small steps, and the new one stays");
    }
}
