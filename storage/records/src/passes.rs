//! Finding vehicle passes. Every search is bounded in time; who may search what is decided before, in `trust`.

use sightline_model::{
    CameraId, TimeRange,
    event::{Pass, Plate},
    page::Page,
    plate,
};
use sqlx::QueryBuilder;

use crate::{
    Error, Records,
    db::{Engine, Row},
    events::StoredPass,
    page,
    row::Cells,
};

/// Most cameras in one search.
pub const MAX_CAMERAS: usize = 10_000;

/// Which passes to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassQuery {
    /// When they were seen.
    pub range: TimeRange,
    /// The cameras that saw them; `None` for all, an empty list for none.
    pub cameras: Option<Vec<CameraId>>,
    /// Only this plate, in any notation.
    pub plate: Option<String>,
    /// Whether plates that differ only in look-alike characters are found too.
    pub look_alike: bool,
}

impl Records {
    /// Passes, newest first.
    ///
    /// # Errors
    /// When the plate or the cursor cannot be used, the query names too many cameras, or the database fails.
    pub async fn passes(
        &self,
        wanted: &PassQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<StoredPass>, Error> {
        let mut query: QueryBuilder<Engine> = QueryBuilder::new("SELECT * FROM passes WHERE at >= ");
        query.push_bind(wanted.range.from.0).push(" AND at < ").push_bind(wanted.range.to.0);
        if let Some(cameras) = &wanted.cameras {
            if cameras.len() > MAX_CAMERAS {
                let why = format!(
                    "{} cameras are too many for one search: name at most {MAX_CAMERAS}",
                    cameras.len()
                );
                return Err(Error::invalid("search", "cameras", why));
            }
            query.push(" AND camera IN (");
            let mut list = query.separated(", ");
            for camera in cameras {
                list.push_bind(camera.as_str().to_owned());
            }
            query.push(")");
        }
        if let Some(asked) = &wanted.plate {
            let Some(exact) = plate::normalise(asked) else {
                let why = format!("a plate has 1 to {} letters and digits", plate::MAX_CHARS);
                return Err(Error::invalid("plate", asked, why));
            };
            query.push(" AND plate_fold = ").push_bind(plate::fold(&exact));
            if !wanted.look_alike {
                query.push(" AND plate = ").push_bind(exact);
            }
        }
        if let Some((at, key)) = page::read_pair::<i64, String>(cursor)? {
            let (source, id) = key.split_once('/').unwrap_or((&key, ""));
            query.push(" AND (at, source, id) < (").push_bind(at);
            query.push(", ").push_bind(source.to_owned()).push(", ").push_bind(id.to_owned()).push(")");
        }
        query.push(" ORDER BY at DESC, source DESC, id DESC LIMIT ").push_bind(page::limit_plus_one(limit));
        let rows = query.build().fetch_all(self.readers()).await?;
        let passes = rows.iter().map(read_pass).collect::<Result<Vec<_>, _>>()?;
        // A source is one level of a topic, so it holds no '/'.
        Ok(page::cut(passes, limit, |stored| {
            page::pair(stored.pass.time.0, format!("{}/{}", stored.source, stored.pass.id))
        }))
    }
}

fn read_pass(row: &Row) -> Result<StoredPass, Error> {
    let cells = Cells::new(row, "pass");
    let read = match cells.text_opt("plate_raw")? {
        Some(raw) => Some(Plate {
            raw,
            region: cells.text_opt("plate_region")?,
            colour: cells.text_opt("plate_colour")?,
            confidence: cells.float_opt("plate_confidence")?,
        }),
        None => None,
    };
    Ok(StoredPass {
        source: cells.text("source")?,
        plate: cells.text_opt("plate")?,
        hit: cells.flag("hit")?,
        received_at: cells.at("received_at")?,
        pass: Pass {
            id: cells.text("id")?,
            time: cells.at("at")?,
            camera: cells.parsed("camera")?,
            lane: match cells.int_opt("lane")? {
                Some(_) => Some(cells.number("lane")?),
                None => None,
            },
            plate: read,
            vehicle_class: match cells.text_opt("vehicle_class")? {
                Some(_) => Some(cells.named("vehicle_class")?),
                None => None,
            },
            vehicle_colour: cells.text_opt("vehicle_colour")?,
            direction: match cells.text_opt("direction")? {
                Some(_) => Some(cells.named("direction")?),
                None => None,
            },
            speed_kmh: cells.float_opt("speed_kmh")?,
        },
    })
}
