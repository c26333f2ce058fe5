//! The hotlist: vehicles under an authorised look-out. One person proposes, another of another unit approves.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use sightline_model::{
    RegionId, Timestamp,
    account::Right,
    audit::Action,
    hotlist::{HotlistEntry, HotlistReason},
    id::HotlistId,
    page::Page,
};
use sightline_records::hotlist::NewHotlistEntry;

use super::acts::act;
use crate::{
    Api,
    extract::{JsonBody, Paging, PathId, QueryOf, SignedIn},
    problem::{Error, Refusal},
};

/// An entry to be proposed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposal {
    /// The plate, in any notation.
    plate: String,
    /// Why.
    reason: HotlistReason,
    /// Number of an open case that you are a member of.
    case: String,
    /// Where it applies, with all below; absent for everywhere.
    region: Option<RegionId>,
    /// First instant it applies; now when absent.
    valid_from: Option<Timestamp>,
    /// First instant it no longer applies.
    valid_to: Timestamp,
}

/// Entries, the newest first.
#[utoipa::path(get, path = "/hotlist", tag = "vehicles", params(Paging),
    responses((status = OK, body = Page<HotlistEntry>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(page): QueryOf<Paging>,
) -> Result<Json<Page<HotlistEntry>>, Error> {
    if !who.caller.account.role.may(Right::ApproveHotlist) {
        api.trust().require(&who.caller, Right::ProposeHotlist)?;
    }
    Ok(Json(api.records().hotlist(page.cursor(), page.limit()).await?))
}

/// Propose an entry. It matches nothing until another person has approved it.
#[utoipa::path(post, path = "/hotlist", tag = "vehicles", request_body = Proposal,
    responses((status = CREATED, body = HotlistEntry)))]
pub(crate) async fn propose(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(new): JsonBody<Proposal>,
) -> Result<(StatusCode, Json<HotlistEntry>), Error> {
    api.trust().require(&who.caller, Right::ProposeHotlist)?;
    let now = Timestamp::now();
    let mine = api.records().cases_of(who.caller.account.id).await?;
    let case =
        mine.iter().find(|case| case.number == new.case && case.closed_at.is_none() && now < case.ends_at);
    let Some(case) = case else {
        let why = "is not an open case of yours: GET /api/v1/cases lists them";
        return Err(Refusal::field("case", why).into());
    };
    if new.valid_to > case.ends_at {
        return Err(Refusal::field("valid_to", format!("is after the case ends ({})", case.ends_at)).into());
    }
    let entry = NewHotlistEntry {
        plate: new.plate,
        reason: new.reason,
        case: new.case,
        region: new.region,
        valid_from: new.valid_from.unwrap_or(now),
        valid_to: new.valid_to,
    };
    let entry = api.records().propose_hotlist(&entry, who.caller.account.id, now).await?;
    let detail = format!("hotlist entry {} under case {}", entry.id, entry.case);
    api.trust().record(act(&who, Action::HotlistProposed, detail, now)).await?;
    Ok((StatusCode::CREATED, Json(entry)))
}

/// Approve an entry that another person of another unit proposed.
#[utoipa::path(post, path = "/hotlist/{id}/approve", tag = "vehicles",
    params(("id" = String, Path, description = "Entry id")), responses((status = OK, body = HotlistEntry)))]
pub(crate) async fn approve(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<HotlistId>,
) -> Result<Json<HotlistEntry>, Error> {
    api.trust().require(&who.caller, Right::ApproveHotlist)?;
    let now = Timestamp::now();
    let approver = &who.caller.account;
    let author = api.records().account(api.records().hotlist_entry(id).await?.author).await?;
    let why = if author.id == approver.id {
        Some("you proposed it yourself")
    } else if author.unit == approver.unit {
        Some("you are of the same unit as its author")
    } else {
        None
    };
    if let Some(why) = why {
        return Err(sightline_trust::Error::SecondPerson { what: "a hotlist entry", why }.into());
    }
    // Entered before it takes effect: from then on it raises alerts.
    api.trust().record(act(&who, Action::HotlistApproved, format!("hotlist entry {id}"), now)).await?;
    let entry = api.records().approve_hotlist(id, approver.id, now).await?;
    api.gateway().hotlist_changed();
    Ok(Json(entry))
}

/// Withdraw an entry: it matches nothing from now on.
#[utoipa::path(delete, path = "/hotlist/{id}", tag = "vehicles",
    params(("id" = String, Path, description = "Entry id")), responses((status = OK, body = HotlistEntry)))]
pub(crate) async fn withdraw(
    State(api): State<Api>,
    who: SignedIn,
    PathId(id): PathId<HotlistId>,
) -> Result<Json<HotlistEntry>, Error> {
    if !who.caller.account.role.may(Right::ApproveHotlist) {
        api.trust().require(&who.caller, Right::ProposeHotlist)?;
    }
    let now = Timestamp::now();
    let entry = api.records().withdraw_hotlist(id, who.caller.account.id, now).await?;
    api.gateway().hotlist_changed();
    api.trust().record(act(&who, Action::HotlistWithdrawn, format!("hotlist entry {id}"), now)).await?;
    Ok(Json(entry))
}
