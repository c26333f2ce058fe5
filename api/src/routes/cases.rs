//! Cases: registered investigations that grants may stand on.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use sightline_model::{Timestamp, account::Right, audit::Action, grant::Case, id::AccountId, page::Page};

use super::acts::act;
use crate::{
    Api,
    extract::{JsonBody, PathId, SignedIn},
    problem::{Error, Refusal},
};

/// A case to be registered.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCase {
    /// Its registered number.
    number: String,
    /// What it is about, in a line.
    title: String,
    /// Who may act under it.
    #[serde(default)]
    members: Vec<AccountId>,
    /// When it ends.
    ends_at: Timestamp,
}

/// The cases I am a member of; all cases for who registers them.
#[utoipa::path(get, path = "/cases", tag = "grants", responses((status = OK, body = Page<Case>)))]
pub(crate) async fn list(State(api): State<Api>, who: SignedIn) -> Result<Json<Page<Case>>, Error> {
    let account = &who.caller.account;
    let items = if account.role.may(Right::EditCases) {
        api.records().cases().await?
    } else {
        api.records().cases_of(account.id).await?
    };
    Ok(Json(Page { items, next: None }))
}

/// Register a case.
#[utoipa::path(post, path = "/cases", tag = "grants", request_body = NewCase, responses((status = CREATED, body = Case)))]
pub(crate) async fn create(
    State(api): State<Api>,
    who: SignedIn,
    JsonBody(new): JsonBody<NewCase>,
) -> Result<(StatusCode, Json<Case>), Error> {
    api.trust().require(&who.caller, Right::EditCases)?;
    let now = Timestamp::now();
    let number = new.number.trim().to_owned();
    if !(1..=64).contains(&number.chars().count())
        || number.contains(['/', '?', '#'])
        || number.contains(char::is_control)
    {
        return Err(Refusal::field(
            "number",
            "must have 1 to 64 characters, without / ? # and control characters",
        )
        .into());
    }
    if !(1..=200).contains(&new.title.trim().chars().count()) {
        return Err(Refusal::field("title", "must have 1 to 200 characters").into());
    }
    if new.ends_at <= now {
        return Err(Refusal::field("ends_at", "must be in the future").into());
    }
    let NewCase { title, members, ends_at, .. } = new;
    let case =
        Case { number, title: title.trim().to_owned(), members, opened_at: now, ends_at, closed_at: None };
    api.records().create_case(&case).await?;
    api.trust()
        .record(act(&who, Action::CaseChanged, format!("case {} registered", case.number), now))
        .await?;
    Ok((StatusCode::CREATED, Json(case)))
}

/// Who may act under a case.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Members {
    members: Vec<AccountId>,
}

/// Set who may act under a case.
#[utoipa::path(put, path = "/cases/{number}/members", tag = "grants", request_body = Members,
    params(("number" = String, Path, description = "Case number")), responses((status = OK, body = Case)))]
pub(crate) async fn set_members(
    State(api): State<Api>,
    who: SignedIn,
    PathId(number): PathId<String>,
    JsonBody(body): JsonBody<Members>,
) -> Result<Json<Case>, Error> {
    api.trust().require(&who.caller, Right::EditCases)?;
    api.records().set_case_members(&number, &body.members).await?;
    let detail = format!("case {number}: {} members", body.members.len());
    api.trust().record(act(&who, Action::CaseChanged, detail, Timestamp::now())).await?;
    Ok(Json(api.records().case(&number).await?))
}

/// Close a case: grants that stand on it end.
#[utoipa::path(post, path = "/cases/{number}/close", tag = "grants",
    params(("number" = String, Path, description = "Case number")), responses((status = OK, body = Case)))]
pub(crate) async fn close(
    State(api): State<Api>,
    who: SignedIn,
    PathId(number): PathId<String>,
) -> Result<Json<Case>, Error> {
    api.trust().require(&who.caller, Right::EditCases)?;
    let now = Timestamp::now();
    api.records().close_case(&number, now).await?;
    api.trust().record(act(&who, Action::CaseChanged, format!("case {number} closed"), now)).await?;
    Ok(Json(api.records().case(&number).await?))
}
