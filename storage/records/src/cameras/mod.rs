//! The camera registry.
//!
//! Credentials are stored as they are (the file is made at mode 0600); they leave only inside [`Camera`], whose
//! `Debug` hides them.

mod check;
mod filter;

use sightline_model::{
    CameraId, Timestamp,
    camera::{Camera, Credentials, Position},
    page::Page,
};
use sqlx::sqlite::SqliteConnection;

pub use filter::CameraFilter;

use crate::{
    Error, Records,
    db::Row,
    page,
    row::{Cells, json_of, name_of},
};

const WHAT: &str = "camera";

/// What [`Records::put_cameras`] did with one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was new.
    Created,
    /// It was there and has changed.
    Updated,
    /// It was there just so.
    Unchanged,
}

fn camera(row: &Row) -> Result<Camera, Error> {
    let cells = Cells::new(row, WHAT);
    let position = match (cells.float_opt("lat")?, cells.float_opt("lon")?) {
        (Some(lat), Some(lon)) => Some(Position {
            lat,
            lon,
            bearing_deg: cells.float_opt("bearing_deg")?.unwrap_or_default(),
            fov_deg: cells.float_opt("fov_deg")?.unwrap_or_default(),
            range_m: cells.float_opt("range_m")?.unwrap_or_default(),
        }),
        _ => None,
    };
    let credentials = match (cells.text_opt("cred_user")?, cells.text_opt("cred_password")?) {
        (Some(user), Some(password)) => Some(Credentials { user, password }),
        _ => None,
    };
    Ok(Camera {
        id: cells.parsed("id")?,
        name: cells.text("name")?,
        region: cells.parsed("region")?,
        kind: cells.named("kind")?,
        position,
        tags: cells.json("tags")?,
        main_url: cells.text("main_url")?,
        sub_url: cells.text_opt("sub_url")?,
        credentials,
        policy: cells.parsed("policy")?,
        enabled: cells.flag("enabled")?,
        revision: cells.int("revision")?,
        created_at: cells.at("created_at")?,
        updated_at: cells.at("updated_at")?,
    })
}

async fn stored(from: &mut SqliteConnection, id: CameraId) -> Result<Option<Camera>, Error> {
    let row =
        sqlx::query("SELECT * FROM cameras WHERE id = $1").bind(id.as_str()).fetch_optional(from).await?;
    row.as_ref().map(camera).transpose()
}

/// Writes every column of an already checked camera, new or changed.
async fn put(to: &mut SqliteConnection, camera: &Camera) -> Result<(), Error> {
    let region: Option<i64> = sqlx::query_scalar("SELECT depth FROM regions WHERE id = $1")
        .bind(camera.region.as_str())
        .fetch_optional(&mut *to)
        .await?;
    if region.is_none() {
        let why = format!("its region {} is not registered: register the region first", camera.region);
        return Err(Error::invalid(WHAT, camera.id, why));
    }
    let position = camera.position.as_ref();
    sqlx::query(
        "INSERT INTO cameras (id, name, region, kind, lat, lon, bearing_deg, fov_deg, range_m, tags, main_url, \
             sub_url, cred_user, cred_password, policy, enabled, revision, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, region = excluded.region, kind = excluded.kind, \
             lat = excluded.lat, lon = excluded.lon, bearing_deg = excluded.bearing_deg, \
             fov_deg = excluded.fov_deg, range_m = excluded.range_m, tags = excluded.tags, \
             main_url = excluded.main_url, sub_url = excluded.sub_url, cred_user = excluded.cred_user, \
             cred_password = excluded.cred_password, policy = excluded.policy, enabled = excluded.enabled, \
             revision = excluded.revision, updated_at = excluded.updated_at",
    )
    .bind(camera.id.as_str())
    .bind(&camera.name)
    .bind(camera.region.as_str())
    .bind(name_of(WHAT, &camera.kind)?)
    .bind(position.map(|p| p.lat))
    .bind(position.map(|p| p.lon))
    .bind(position.map(|p| p.bearing_deg))
    .bind(position.map(|p| p.fov_deg))
    .bind(position.map(|p| p.range_m))
    .bind(json_of(WHAT, &camera.tags)?)
    .bind(&camera.main_url)
    .bind(&camera.sub_url)
    .bind(camera.credentials.as_ref().map(|c| c.user.as_str()))
    .bind(camera.credentials.as_ref().map(|c| c.password.as_str()))
    .bind(camera.policy.as_str())
    .bind(camera.enabled)
    .bind(camera.revision)
    .bind(camera.created_at.0)
    .bind(camera.updated_at.0)
    .execute(&mut *to)
    .await?;
    put_tags(to, camera).await
}

async fn put_tags(to: &mut SqliteConnection, camera: &Camera) -> Result<(), Error> {
    sqlx::query("DELETE FROM camera_tags WHERE camera = $1")
        .bind(camera.id.as_str())
        .execute(&mut *to)
        .await?;
    for tag in &camera.tags {
        sqlx::query("INSERT INTO camera_tags (camera, tag) VALUES ($1, $2)")
            .bind(camera.id.as_str())
            .bind(tag)
            .execute(&mut *to)
            .await?;
    }
    Ok(())
}

impl Records {
    /// One camera.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn camera(&self, id: CameraId) -> Result<Camera, Error> {
        let mut connection = self.readers().acquire().await?;
        stored(&mut connection, id).await?.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Cameras by id, one page.
    ///
    /// # Errors
    /// [`Error::Cursor`], or when the database fails.
    pub async fn cameras(
        &self,
        filter: &CameraFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Camera>, Error> {
        let after: Option<CameraId> = page::read_one(cursor)?;
        let mut query = filter.query(after)?;
        query.push(" ORDER BY id LIMIT ").push_bind(page::limit_plus_one(limit));
        let rows = query.build().fetch_all(self.readers()).await?;
        let cameras = rows.iter().map(camera).collect::<Result<Vec<_>, _>>()?;
        Ok(page::cut(cameras, limit, |camera| camera.id.to_string()))
    }

    /// Every camera, by id. For those that follow the whole registry: ingest, maps.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_cameras(&self) -> Result<Vec<Camera>, Error> {
        let rows = sqlx::query("SELECT * FROM cameras ORDER BY id").fetch_all(self.readers()).await?;
        rows.iter().map(camera).collect()
    }

    /// Registers a camera. Revision and times are set here; the camera comes back as it is stored.
    ///
    /// # Errors
    /// [`Error::Exists`], or [`Error::Invalid`] with the rule it breaks.
    pub async fn insert_camera(&self, camera: &Camera, now: Timestamp) -> Result<Camera, Error> {
        let mut camera = check::normalised(camera)?;
        (camera.revision, camera.created_at, camera.updated_at) = (1, now, now);
        let mut write = self.write().await?;
        if stored(&mut write, camera.id).await?.is_some() {
            return Err(Error::Exists { what: WHAT, id: camera.id.to_string() });
        }
        put(&mut write, &camera).await?;
        self.commit_registry(write).await?;
        Ok(camera)
    }

    /// Changes a camera if nobody else has since `expected_revision` was read.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody has, [`Error::NotFound`], or [`Error::Invalid`].
    pub async fn update_camera(
        &self,
        camera: &Camera,
        expected_revision: i64,
        now: Timestamp,
    ) -> Result<Camera, Error> {
        let mut camera = check::normalised(camera)?;
        let mut write = self.write().await?;
        let before = stored(&mut write, camera.id).await?.ok_or_else(|| Error::not_found(WHAT, camera.id))?;
        if before.revision != expected_revision {
            let (expected, found) = (expected_revision, before.revision);
            return Err(Error::Conflict { what: WHAT, id: camera.id.to_string(), expected, found });
        }
        (camera.revision, camera.created_at, camera.updated_at) =
            (before.revision + 1, before.created_at, now);
        put(&mut write, &camera).await?;
        self.commit_registry(write).await?;
        Ok(camera)
    }

    /// Registers or changes many cameras as one write; each is judged by itself, those that break a rule are left out.
    /// Credentials are kept where none are given.
    ///
    /// # Errors
    /// When the database fails: then nothing is kept.
    pub async fn put_cameras(
        &self,
        cameras: &[Camera],
        now: Timestamp,
    ) -> Result<Vec<Result<Put, Error>>, Error> {
        let mut write = self.write().await?;
        let mut outcomes = Vec::with_capacity(cameras.len());
        for camera in cameras {
            match put_one(&mut write, camera, now).await {
                Err(Error::Database(error)) => return Err(Error::Database(error)),
                outcome => outcomes.push(outcome),
            }
        }
        if outcomes.iter().any(|outcome| matches!(outcome, Ok(Put::Created | Put::Updated))) {
            self.commit_registry(write).await?;
        }
        Ok(outcomes)
    }

    /// Removes a camera from the registry. Its footage stays until it expires; grants, patrols and the log that name
    /// it stay as they are.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the database fails.
    pub async fn delete_camera(&self, id: CameraId) -> Result<(), Error> {
        let mut write = self.write().await?;
        let gone =
            sqlx::query("DELETE FROM cameras WHERE id = $1").bind(id.as_str()).execute(&mut *write).await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found(WHAT, id));
        }
        self.commit_registry(write).await
    }
}

async fn put_one(write: &mut SqliteConnection, given: &Camera, now: Timestamp) -> Result<Put, Error> {
    let mut camera = check::normalised(given)?;
    let Some(before) = stored(write, camera.id).await? else {
        (camera.revision, camera.created_at, camera.updated_at) = (1, now, now);
        put(write, &camera).await?;
        return Ok(Put::Created);
    };
    if camera.credentials.is_none() {
        camera.credentials.clone_from(&before.credentials);
    }
    (camera.revision, camera.created_at, camera.updated_at) =
        (before.revision, before.created_at, before.updated_at);
    if camera == before {
        return Ok(Put::Unchanged);
    }
    (camera.revision, camera.updated_at) = (before.revision + 1, now);
    put(write, &camera).await?;
    Ok(Put::Updated)
}

#[cfg(test)]
mod tests;
