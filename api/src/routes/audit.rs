//! The audit log.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sightline_model::{
    CameraId, TimeRange,
    account::Right,
    audit::{Action, Entry},
    id::{AccountId, GrantId},
    page::Page,
};
use sightline_records::AuditFilter;

use crate::{
    Api,
    extract::{At, Paging, QueryOf, SignedIn},
    problem::{Error, Refusal},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct List {
    /// Only of this account.
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// Only under this grant.
    #[param(value_type = Option<String>)]
    grant: Option<GrantId>,
    /// Only of this camera.
    #[param(value_type = Option<String>)]
    camera: Option<CameraId>,
    /// Only of this kind.
    action: Option<Action>,
    /// Only entered from here on; goes with `to`.
    #[param(value_type = Option<String>)]
    from: Option<At>,
    /// Only entered before; goes with `from`.
    #[param(value_type = Option<String>)]
    to: Option<At>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most items on the page (default 100, at most 1000).
    limit: Option<usize>,
}

/// Entries of the audit log, the newest first.
#[utoipa::path(get, path = "/audit/entries", tag = "audit", params(List), responses((status = OK, body = Page<Entry>)))]
pub(crate) async fn entries(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(query): QueryOf<List>,
) -> Result<Json<Page<Entry>>, Error> {
    api.trust().require(&who.caller, Right::ReadAudit)?;
    let entered = match (query.from, query.to) {
        (Some(from), Some(to)) => Some(
            TimeRange::new(from.0, to.0).ok_or_else(|| Refusal::field("to", "must be later than from"))?,
        ),
        (None, None) => None,
        _ => return Err(Refusal::field("from", "and to go together").into()),
    };
    let filter = AuditFilter {
        account: query.account,
        grant: query.grant,
        camera: query.camera,
        action: query.action,
        entered,
    };
    let page = Paging { cursor: query.cursor, limit: query.limit };
    Ok(Json(api.records().audit_entries(&filter, page.cursor(), page.limit()).await?))
}

/// Whether the log's chain of hashes holds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ChainView {
    /// Whether every entry follows from the one before.
    ok: bool,
    /// Entries checked.
    entries: u64,
    /// Hash of the last one.
    head: Option<String>,
    /// What is wrong, and where.
    broken: Option<String>,
}

/// Check the whole chain of hashes.
#[utoipa::path(get, path = "/audit/verify", tag = "audit", responses((status = OK, body = ChainView)))]
pub(crate) async fn verify(State(api): State<Api>, who: SignedIn) -> Result<Json<ChainView>, Error> {
    api.trust().require(&who.caller, Right::ReadAudit)?;
    match api.trust().verify_chain().await {
        Ok(verified) => Ok(Json(ChainView {
            ok: true,
            entries: verified.entries,
            head: Some(verified.head),
            broken: None,
        })),
        Err(sightline_trust::Error::Broken(broken)) => {
            Ok(Json(ChainView { ok: false, entries: 0, head: None, broken: Some(broken.to_string()) }))
        }
        Err(error) => Err(error.into()),
    }
}
