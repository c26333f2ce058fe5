//! Signing in and out, and who am I.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sightline_model::{
    Timestamp,
    account::{Account, Right, Role},
    id::AccountId,
};

use crate::{
    Api,
    extract::{ClientAddress, JsonBody, SESSION_COOKIE, SignedIn},
    problem::Error,
};

/// Every right with its name in answers.
const RIGHTS: [(Right, &str); 13] = [
    (Right::SeeCameras, "see_cameras"),
    (Right::EditCameras, "edit_cameras"),
    (Right::RunPatrols, "run_patrols"),
    (Right::WorkAlerts, "work_alerts"),
    (Right::SearchPasses, "search_passes"),
    (Right::ProposeHotlist, "propose_hotlist"),
    (Right::ApproveHotlist, "approve_hotlist"),
    (Right::EditPlans, "edit_plans"),
    (Right::SeeReports, "see_reports"),
    (Right::EditCases, "edit_cases"),
    (Right::EditAccounts, "edit_accounts"),
    (Right::ReadAudit, "read_audit"),
    (Right::SeeState, "see_state"),
];

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// Account name.
    name: String,
    /// Its password.
    password: String,
}

/// An account as it is shown to its owner.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AccountView {
    id: AccountId,
    name: String,
    role: Role,
    unit: String,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        let Account { id, name, role, unit, .. } = account;
        Self { id: *id, name: name.clone(), role: *role, unit: unit.clone() }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SessionView {
    account: AccountView,
    /// Send it as `X-CSRF-Token` with every write.
    csrf: String,
    /// When the session ends by itself.
    expires_at: Timestamp,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Me {
    account: AccountView,
    /// Send it as `X-CSRF-Token` with every write; absent for tokens, which need none.
    csrf: Option<String>,
    /// When the session ends by itself.
    expires_at: Option<Timestamp>,
    /// What the role may do.
    rights: Vec<&'static str>,
}

/// Sign in.
///
/// Sets the session cookie. After several failures the account is slowed down (429).
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn, security(()),
    responses((status = OK, body = SessionView)))]
pub(crate) async fn sign_in(
    State(api): State<Api>,
    ClientAddress(address): ClientAddress,
    JsonBody(body): JsonBody<SignIn>,
) -> Result<Response, Error> {
    let now = Timestamp::now();
    let address = address.map(|address| address.to_string());
    let accounts = api.trust().accounts();
    let signed_in = accounts.sign_in_from(&body.name, &body.password, address.as_deref(), now).await?;
    let seconds = signed_in.expires_at.duration_since(now).as_secs();
    let cookie = cookie(&api, &signed_in.token, seconds);
    let view = SessionView {
        account: AccountView::from(&signed_in.account),
        csrf: signed_in.csrf,
        expires_at: signed_in.expires_at,
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(view)).into_response())
}

/// Sign out.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = NO_CONTENT)))]
pub(crate) async fn sign_out(State(api): State<Api>, who: SignedIn) -> Result<Response, Error> {
    api.trust().accounts().sign_out(&who.caller, Timestamp::now()).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(&api, "", 0))]).into_response())
}

/// Who am I, and what may I do.
#[utoipa::path(get, path = "/me", tag = "session", responses((status = OK, body = Me)))]
pub(crate) async fn me(who: SignedIn) -> Json<Me> {
    let role = who.caller.account.role;
    let rights = RIGHTS.iter().filter(|(right, _)| role.may(*right)).map(|(_, name)| *name).collect();
    Json(Me {
        account: AccountView::from(&who.caller.account),
        csrf: who.caller.session.as_ref().map(|session| session.csrf.clone()),
        expires_at: who.caller.session.as_ref().map(|session| session.expires_at),
        rights,
    })
}

fn cookie(api: &Api, token: &str, seconds: u64) -> HeaderValue {
    let secure = if api.config().secure_cookies { "; Secure" } else { "" };
    let text =
        format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
