//! Holds on footage: made, listed, lifted. What a hold does is the footage store's business.

use std::collections::BTreeMap;

use serde::Serialize;
use sightline_model::{CameraId, TimeRange, Timestamp};

use crate::{Error, Records, row::Cells};

const WHAT: &str = "hold";

/// A hold to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Who wants it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Of which cameras, all their streams.
    pub cameras: Vec<CameraId>,
    /// From when to when.
    pub range: TimeRange,
    /// When it ends by itself; `None`: when it is lifted.
    pub until: Option<Timestamp>,
}

/// A hold as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FootageHold {
    /// Names it.
    pub id: String,
    /// Who wants it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Of which cameras, in order.
    pub cameras: Vec<CameraId>,
    /// From when to when.
    pub range: TimeRange,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Records {
    /// Makes a hold.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it holds nothing, would be over at once, or says neither who nor why.
    pub async fn add_hold(&self, new: &NewHold, now: Timestamp) -> Result<FootageHold, Error> {
        let id = uuid::Uuid::now_v7().to_string();
        let refuse = |why: &str| Err(Error::invalid(WHAT, &id, why));
        if new.cameras.is_empty() {
            return refuse("it must name at least one camera");
        }
        if new.owner.trim().is_empty() || new.reason.trim().is_empty() {
            return refuse("it must say who wants it and why");
        }
        if new.until.is_some_and(|until| until <= now) {
            return refuse("its end must lie in the future");
        }
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO footage_holds (id, owner, reason, range_from, range_to, until, made_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&id)
        .bind(&new.owner)
        .bind(&new.reason)
        .bind(new.range.from.0)
        .bind(new.range.to.0)
        .bind(new.until.map(|at| at.0))
        .bind(now.0)
        .execute(&mut *write)
        .await?;
        let mut cameras = new.cameras.clone();
        cameras.sort_unstable();
        cameras.dedup();
        for camera in &cameras {
            sqlx::query("INSERT INTO footage_hold_cameras (hold, camera) VALUES ($1, $2)")
                .bind(&id)
                .bind(camera.as_str())
                .execute(&mut *write)
                .await?;
        }
        write.commit().await?;
        let NewHold { owner, reason, range, until, .. } = new.clone();
        Ok(FootageHold { id, owner, reason, cameras, range, until, made_at: now })
    }

    /// The holds that are in force at `now`, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holds(&self, now: Timestamp) -> Result<Vec<FootageHold>, Error> {
        let mut connection = self.readers().acquire().await?;
        let rows = sqlx::query(
            "SELECT * FROM footage_holds WHERE lifted_at IS NULL AND (until IS NULL OR until > $1) ORDER BY made_at, id",
        )
        .bind(now.0)
        .fetch_all(&mut *connection)
        .await?;
        let mut of: BTreeMap<String, Vec<CameraId>> = BTreeMap::new();
        let cameras = sqlx::query("SELECT hold, camera FROM footage_hold_cameras ORDER BY hold, camera");
        for row in cameras.fetch_all(&mut *connection).await? {
            let cells = Cells::new(&row, WHAT);
            of.entry(cells.text("hold")?).or_default().push(cells.parsed("camera")?);
        }
        let hold = |row| {
            let cells = Cells::new(row, WHAT);
            let id = cells.text("id")?;
            Ok(FootageHold {
                owner: cells.text("owner")?,
                reason: cells.text("reason")?,
                cameras: of.remove(&id).unwrap_or_default(),
                range: TimeRange { from: cells.at("range_from")?, to: cells.at("range_to")? },
                until: cells.at_opt("until")?,
                made_at: cells.at("made_at")?,
                id,
            })
        };
        rows.iter().map(hold).collect()
    }

    /// Lifts a hold. It stays in the database, with the time.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none in force.
    pub async fn lift_hold(&self, id: &str, now: Timestamp) -> Result<(), Error> {
        let mut write = self.write().await?;
        let lifted =
            sqlx::query("UPDATE footage_holds SET lifted_at = $2 WHERE id = $1 AND lifted_at IS NULL")
                .bind(id)
                .bind(now.0)
                .execute(&mut *write)
                .await?;
        if lifted.rows_affected() == 0 {
            return Err(Error::not_found(WHAT, id));
        }
        Ok(write.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::open;

    fn new_hold() -> NewHold {
        NewHold {
            owner: "north".to_owned(),
            reason: "case 7".to_owned(),
            cameras: vec!["gate-2".parse().unwrap(), "gate-1".parse().unwrap(), "gate-2".parse().unwrap()],
            range: TimeRange { from: Timestamp(10), to: Timestamp(20) },
            until: Some(Timestamp(100)),
        }
    }

    #[tokio::test]
    async fn a_hold_is_in_force_until_its_end_or_until_it_is_lifted() {
        let records = open().await;
        let first = records.add_hold(&new_hold(), Timestamp(50)).await.unwrap();
        let second = records.add_hold(&NewHold { until: None, ..new_hold() }, Timestamp(51)).await.unwrap();
        assert_eq!(first.cameras.iter().map(CameraId::as_str).collect::<Vec<_>>(), ["gate-1", "gate-2"]);
        assert_eq!(records.holds(Timestamp(99)).await.unwrap(), [first, second.clone()]);
        assert_eq!(records.holds(Timestamp(100)).await.unwrap(), std::slice::from_ref(&second));
        records.lift_hold(&second.id, Timestamp(101)).await.unwrap();
        assert!(records.holds(Timestamp(101)).await.unwrap().is_empty());
        assert!(matches!(records.lift_hold(&second.id, Timestamp(102)).await, Err(Error::NotFound { .. })));
    }

    #[tokio::test]
    async fn a_hold_that_makes_no_sense_is_refused() {
        let records = open().await;
        for (bad, words) in [
            (NewHold { cameras: vec![], ..new_hold() }, "at least one camera"),
            (NewHold { owner: " ".to_owned(), ..new_hold() }, "who wants it"),
            (NewHold { until: Some(Timestamp(50)), ..new_hold() }, "in the future"),
        ] {
            let error = records.add_hold(&bad, Timestamp(50)).await.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
