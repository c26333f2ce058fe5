//! For machines: does the program live, and can it do its work.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use sightline_footage::DiskState;

use crate::Api;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Live {
    /// Always true: a program that does not live does not answer.
    ok: bool,
}

/// The program lives.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses((status = OK, body = Live)))]
pub(crate) async fn healthz() -> Json<Live> {
    Json(Live { ok: true })
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Ready {
    ok: bool,
    /// Whether the records database answers.
    records: bool,
    /// Whether footage reaches the disk.
    footage: bool,
}

/// The program can do its work (200), or cannot (503).
#[utoipa::path(get, path = "/readyz", tag = "system", security(()),
    responses((status = OK, body = Ready), (status = SERVICE_UNAVAILABLE, body = Ready)))]
pub(crate) async fn readyz(State(api): State<Api>) -> (StatusCode, Json<Ready>) {
    let records = api.records().ping().await.is_ok();
    let footage = matches!(api.footage().disk_state(), DiskState::Writing | DiskState::Out { .. });
    let ok = records && footage && !api.cancel().is_cancelled();
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ok, records, footage }))
}
