//! Patrol plans, sessions, and the proof of what was seen.

use std::collections::BTreeMap;

use sightline_model::{
    CameraId, Timestamp,
    id::{AccountId, PatrolId, PlanId},
    page::Page,
    patrol::{Finding, Layout, Patrol, Plan, Seen},
};
use sqlx::{QueryBuilder, sqlite::SqliteConnection};
use uuid::Uuid;

use crate::{
    Error, Records,
    db::{Engine, Row},
    page,
    row::{Cells, json_of},
};

const WHAT: &str = "patrol";
const PLAN: &str = "patrol plan";

/// Cameras asked for in one statement.
const CHUNK: usize = 500;

/// Which patrols a list takes; all given conditions must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PatrolFilter {
    /// Run by this account.
    pub account: Option<AccountId>,
    /// Of this plan.
    pub plan: Option<PlanId>,
    /// Still running, or ended.
    pub running: Option<bool>,
}

fn layout(cells: &Cells<'_>) -> Result<Layout, Error> {
    let tiles: u8 = cells.number("layout")?;
    Layout::try_from(tiles).map_err(|why| cells.damaged("layout", tiles, why))
}

fn plan(row: &Row) -> Result<Plan, Error> {
    let cells = Cells::new(row, PLAN);
    Ok(Plan {
        id: PlanId(cells.parsed("id")?),
        name: cells.text("name")?,
        selection: cells.json("selection")?,
        layout: layout(&cells)?,
        dwell_s: cells.number("dwell_s")?,
        author: AccountId(cells.parsed("author")?),
        created_at: cells.at("created_at")?,
    })
}

/// A patrol without its cameras.
fn patrol(row: &Row) -> Result<Patrol, Error> {
    let cells = Cells::new(row, WHAT);
    Ok(Patrol {
        id: PatrolId(cells.parsed("id")?),
        plan: cells.parsed_opt("plan")?.map(PlanId),
        account: AccountId(cells.parsed("account")?),
        cameras: Vec::new(),
        layout: layout(&cells)?,
        dwell_s: cells.number("dwell_s")?,
        started_at: cells.at("started_at")?,
        ended_at: cells.at_opt("ended_at")?,
    })
}

fn seen(row: &Row) -> Result<Seen, Error> {
    let cells = Cells::new(row, "patrol proof");
    Ok(Seen {
        camera: cells.parsed("camera")?,
        shown_at: cells.at("shown_at")?,
        seen_at: cells.at("seen_at")?,
        frame_at: cells.at_opt("frame_at")?,
    })
}

async fn with_cameras(from: &mut SqliteConnection, rows: &[Row]) -> Result<Vec<Patrol>, Error> {
    let mut patrols = rows.iter().map(patrol).collect::<Result<Vec<_>, _>>()?;
    for patrol in &mut patrols {
        let rows = sqlx::query("SELECT camera FROM patrol_cameras WHERE patrol = $1 ORDER BY ord")
            .bind(patrol.id.to_string())
            .fetch_all(&mut *from)
            .await?;
        patrol.cameras =
            rows.iter().map(|row| Cells::new(row, WHAT).parsed("camera")).collect::<Result<_, _>>()?;
    }
    Ok(patrols)
}

/// Refuses changes to a patrol that is over or was never there.
async fn check_running(from: &mut SqliteConnection, id: PatrolId) -> Result<(), Error> {
    let row = sqlx::query("SELECT * FROM patrols WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(from)
        .await?
        .ok_or_else(|| Error::not_found(WHAT, id))?;
    match patrol(&row)?.ended_at {
        Some(at) => Err(Error::invalid(WHAT, id, format!("it ended at {at}: start a new one"))),
        None => Ok(()),
    }
}

/// Refuses a camera that is not on the patrol's list.
async fn check_on_list(from: &mut SqliteConnection, id: PatrolId, camera: CameraId) -> Result<(), Error> {
    let on_list: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM patrol_cameras WHERE patrol = $1 AND camera = $2")
            .bind(id.to_string())
            .bind(camera.as_str())
            .fetch_one(from)
            .await?;
    if on_list == 0 {
        return Err(Error::invalid(WHAT, id, format!("camera {camera} is not on its list")));
    }
    Ok(())
}

impl Records {
    /// Stores a new plan.
    ///
    /// # Errors
    /// [`Error::Exists`], or when the database fails.
    pub async fn create_plan(&self, plan: &Plan) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO patrol_plans (id, name, selection, layout, dwell_s, author, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(plan.id.to_string())
        .bind(&plan.name)
        .bind(json_of(PLAN, &plan.selection)?)
        .bind(i64::from(u8::from(plan.layout)))
        .bind(i64::from(plan.dwell_s))
        .bind(plan.author.to_string())
        .bind(plan.created_at.0)
        .execute(self.writer())
        .await
        .map_err(Error::on_insert(PLAN, plan.id))?;
        Ok(())
    }

    /// Every plan, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plans(&self) -> Result<Vec<Plan>, Error> {
        let rows =
            sqlx::query("SELECT * FROM patrol_plans ORDER BY name, id").fetch_all(self.readers()).await?;
        rows.iter().map(plan).collect()
    }

    /// One plan.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn plan(&self, id: PlanId) -> Result<Plan, Error> {
        let row = sqlx::query("SELECT * FROM patrol_plans WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(plan).transpose()?.ok_or_else(|| Error::not_found(PLAN, id))
    }

    /// Removes a plan; patrols that followed it stay, without it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn delete_plan(&self, id: PlanId) -> Result<(), Error> {
        let gone = sqlx::query("DELETE FROM patrol_plans WHERE id = $1")
            .bind(id.to_string())
            .execute(self.writer())
            .await?;
        if gone.rows_affected() == 0 { Err(Error::not_found(PLAN, id)) } else { Ok(()) }
    }

    /// Starts a patrol: its cameras are fixed from here on.
    ///
    /// # Errors
    /// [`Error::Invalid`] without cameras or with one twice, [`Error::Exists`], or when the database fails.
    pub async fn start_patrol(&self, patrol: &Patrol) -> Result<(), Error> {
        if patrol.cameras.is_empty() {
            return Err(Error::invalid(WHAT, patrol.id, "it has no cameras: widen the selection"));
        }
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO patrols (id, plan, account, layout, dwell_s, started_at, ended_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(patrol.id.to_string())
        .bind(patrol.plan.map(|id| id.to_string()))
        .bind(patrol.account.to_string())
        .bind(i64::from(u8::from(patrol.layout)))
        .bind(i64::from(patrol.dwell_s))
        .bind(patrol.started_at.0)
        .bind(patrol.ended_at.map(|at| at.0))
        .execute(&mut *write)
        .await
        .map_err(Error::on_insert(WHAT, patrol.id))?;
        for (camera, ord) in patrol.cameras.iter().zip(0_i64..) {
            sqlx::query("INSERT INTO patrol_cameras (patrol, ord, camera) VALUES ($1, $2, $3)")
                .bind(patrol.id.to_string())
                .bind(ord)
                .bind(camera.as_str())
                .execute(&mut *write)
                .await
                .map_err(|error| match error.as_database_error() {
                    Some(cause) if cause.is_unique_violation() => {
                        Error::invalid(WHAT, patrol.id, format!("camera {camera} is on its list twice"))
                    }
                    _ => Error::Database(error),
                })?;
        }
        Ok(write.commit().await?)
    }

    /// One patrol with its cameras in order.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn patrol(&self, id: PatrolId) -> Result<Patrol, Error> {
        let mut connection = self.readers().acquire().await?;
        let rows = sqlx::query("SELECT * FROM patrols WHERE id = $1")
            .bind(id.to_string())
            .fetch_all(&mut *connection)
            .await?;
        with_cameras(&mut connection, &rows).await?.pop().ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Patrols that fit, the newest first.
    ///
    /// # Errors
    /// [`Error::Cursor`], or when the database fails.
    pub async fn patrols(
        &self,
        filter: PatrolFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Patrol>, Error> {
        let before: Option<(i64, Uuid)> = page::read_pair(cursor)?;
        let mut query = QueryBuilder::<Engine>::new("SELECT * FROM patrols WHERE 1 = 1");
        if let Some(account) = filter.account {
            query.push(" AND account = ").push_bind(account.to_string());
        }
        if let Some(plan) = filter.plan {
            query.push(" AND plan = ").push_bind(plan.to_string());
        }
        match filter.running {
            Some(true) => query.push(" AND ended_at IS NULL"),
            Some(false) => query.push(" AND ended_at IS NOT NULL"),
            None => &mut query,
        };
        if let Some((at, id)) = before {
            query
                .push(" AND (started_at, id) < (")
                .push_bind(at)
                .push(", ")
                .push_bind(id.to_string())
                .push(")");
        }
        query.push(" ORDER BY started_at DESC, id DESC LIMIT ").push_bind(page::limit_plus_one(limit));
        let mut connection = self.readers().acquire().await?;
        let rows = query.build().fetch_all(&mut *connection).await?;
        let patrols = with_cameras(&mut connection, &rows).await?;
        Ok(page::cut(patrols, limit, |patrol| page::pair(patrol.started_at.0, patrol.id)))
    }

    /// Enters proofs. The first proof of a camera stays, unless it was without a picture and the new one is not.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the patrol is over or a camera is not on its list: then none is kept.
    pub async fn mark_seen(&self, id: PatrolId, proofs: &[Seen]) -> Result<(), Error> {
        let mut write = self.write().await?;
        check_running(&mut write, id).await?;
        for proof in proofs {
            check_on_list(&mut write, id, proof.camera).await?;
            sqlx::query(
                "INSERT INTO patrol_seen (patrol, camera, shown_at, seen_at, frame_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (patrol, camera) DO UPDATE SET shown_at = excluded.shown_at, \
                     seen_at = excluded.seen_at, frame_at = excluded.frame_at \
                 WHERE patrol_seen.frame_at IS NULL AND excluded.frame_at IS NOT NULL",
            )
            .bind(id.to_string())
            .bind(proof.camera.as_str())
            .bind(proof.shown_at.0)
            .bind(proof.seen_at.0)
            .bind(proof.frame_at.map(|at| at.0))
            .execute(&mut *write)
            .await?;
        }
        Ok(write.commit().await?)
    }

    /// The proofs of a patrol, in the order they were given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen(&self, id: PatrolId) -> Result<Vec<Seen>, Error> {
        let rows = sqlx::query("SELECT * FROM patrol_seen WHERE patrol = $1 ORDER BY seen_at, camera")
            .bind(id.to_string())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(seen).collect()
    }

    /// Enters something the operator noticed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the patrol is over or the camera is not on its list.
    pub async fn add_finding(&self, id: PatrolId, finding: &Finding) -> Result<(), Error> {
        let mut write = self.write().await?;
        check_running(&mut write, id).await?;
        check_on_list(&mut write, id, finding.camera).await?;
        sqlx::query(
            "INSERT INTO patrol_findings (patrol, ord, camera, at, text) \
             SELECT $1, COALESCE(MAX(ord) + 1, 0), $2, $3, $4 FROM patrol_findings WHERE patrol = $1",
        )
        .bind(id.to_string())
        .bind(finding.camera.as_str())
        .bind(finding.at.0)
        .bind(&finding.text)
        .execute(&mut *write)
        .await?;
        Ok(write.commit().await?)
    }

    /// The findings of a patrol, in the order they were entered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn findings(&self, id: PatrolId) -> Result<Vec<Finding>, Error> {
        let rows = sqlx::query("SELECT * FROM patrol_findings WHERE patrol = $1 ORDER BY ord")
            .bind(id.to_string())
            .fetch_all(self.readers())
            .await?;
        let finding = |row: &Row| {
            let cells = Cells::new(row, "finding");
            Ok(Finding { camera: cells.parsed("camera")?, at: cells.at("at")?, text: cells.text("text")? })
        };
        rows.iter().map(finding).collect()
    }

    /// Ends a patrol and the grants made on it; a second time changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn end_patrol(&self, id: PatrolId, now: Timestamp) -> Result<Patrol, Error> {
        let mut write = self.write().await?;
        let rows =
            sqlx::query("UPDATE patrols SET ended_at = COALESCE(ended_at, $2) WHERE id = $1 RETURNING *")
                .bind(id.to_string())
                .bind(now.0)
                .fetch_all(&mut *write)
                .await?;
        let ended = with_cameras(&mut write, &rows).await?.pop().ok_or_else(|| Error::not_found(WHAT, id))?;
        sqlx::query(
            "UPDATE grants SET ended_at = $2 WHERE ground_kind = 'patrol' AND ground_ref = $1 AND ended_at IS NULL",
        )
        .bind(id.to_string())
        .bind(now.0)
        .execute(&mut *write)
        .await?;
        write.commit().await?;
        Ok(ended)
    }

    /// When each camera's picture was last seen on any patrol; cameras never seen are left out. A proof without a
    /// picture does not count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_seen_of(&self, cameras: &[CameraId]) -> Result<BTreeMap<CameraId, Timestamp>, Error> {
        let mut last = BTreeMap::new();
        for chunk in cameras.chunks(CHUNK) {
            let mut query = QueryBuilder::<Engine>::new(
                "SELECT camera, MAX(seen_at) AS last FROM patrol_seen WHERE frame_at IS NOT NULL AND camera IN (",
            );
            let mut list = query.separated(", ");
            for camera in chunk {
                list.push_bind(camera.to_string());
            }
            query.push(") GROUP BY camera");
            for row in query.build().fetch_all(self.readers()).await? {
                let cells = Cells::new(&row, "patrol proof");
                last.insert(cells.parsed("camera")?, cells.at("last")?);
            }
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests;
