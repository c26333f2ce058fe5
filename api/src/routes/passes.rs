//! Vehicle passes: looked up under a grant only, for a bounded time and place.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sightline_model::{CameraId, Timestamp, account::Right, event::Pass, id::GrantId, page::Page};
use sightline_records::passes::PassQuery;
use sightline_trust::PassScope;

use crate::{
    Api,
    extract::{At, Paging, QueryOf, SignedIn, range},
    problem::Error,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct List {
    /// First instant, RFC 3339.
    #[param(value_type = Timestamp)]
    from: At,
    /// First instant after, RFC 3339.
    #[param(value_type = Timestamp)]
    to: At,
    /// Only this plate, in any notation.
    plate: Option<String>,
    /// Also plates that differ only in characters that look alike.
    #[serde(default)]
    look_alike: bool,
    /// Only this camera; else all that the grant covers.
    #[param(value_type = Option<String>)]
    camera: Option<CameraId>,
    /// The grant to look under (see `POST /grants`).
    #[param(value_type = Option<String>)]
    grant: Option<GrantId>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most items on the page (default 100, at most 1000).
    limit: Option<usize>,
}

/// A vehicle pass as it was stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PassView {
    #[serde(flatten)]
    pass: Pass,
    /// The source that sent it.
    source: String,
    /// Its plate, normalised.
    plate_normalised: Option<String>,
    /// Whether it raised or joined an alert.
    hit: bool,
    /// When it came in.
    received_at: Timestamp,
}

/// Search vehicle passes, the newest first.
#[utoipa::path(get, path = "/passes", tag = "vehicles", params(List), responses((status = OK, body = Page<PassView>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(query): QueryOf<List>,
) -> Result<Json<Page<PassView>>, Error> {
    api.trust().require(&who.caller, Right::SearchPasses)?;
    let range = range(query.from.0, query.to.0, api.config().timeline_most_s)?;
    let what = match &query.plate {
        Some(plate) => format!("plate {:?}", crate::problem::cut(plate, 32)),
        None => "all passes".to_owned(),
    };
    let scope = PassScope { cameras: query.camera.into_iter().collect(), range, what };
    let scope = api.trust().search(&who.caller, query.grant, scope, Timestamp::now()).await?;
    let wanted = PassQuery {
        range: scope.range,
        cameras: Some(scope.cameras),
        plate: query.plate,
        look_alike: query.look_alike,
    };
    let page = Paging { cursor: query.cursor, limit: query.limit };
    let page = api.records().passes(&wanted, page.cursor(), page.limit()).await?;
    Ok(Json(page.map(|stored| PassView {
        pass: stored.pass,
        source: stored.source,
        plate_normalised: stored.plate,
        hit: stored.hit,
        received_at: stored.received_at,
    })))
}
