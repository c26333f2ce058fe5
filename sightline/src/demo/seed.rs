//! What a demo needs in its records: regions, cameras, people, a case, a hotlist entry and a patrol plan. Seeding again keeps
//! what is there.

use std::time::Duration;

use anyhow::{Context, anyhow};
use sightline_model::{
    Timestamp,
    account::{Account, Role},
    camera::{Camera, Credentials},
    grant::Case,
    hotlist::HotlistReason,
    id::PlanId,
    media::{Policy, StreamKind},
    patrol::{Layout, Plan, Selection},
};
use sightline_records::{Records, hotlist::NewHotlistEntry};
use sightline_sim::CameraSim;
use sightline_trust::{NewAccount, Trust, random_password};
use uuid::Uuid;

use super::{
    city,
    facts::{Facts, User},
    sim::CAMERA_USER,
};

/// Number of the demo's case.
pub(crate) const CASE: &str = "DEMO-1";
/// Plate on the demo's hotlist.
pub(crate) const HOTLISTED: &str = "京A12345";

/// How long case and hotlist entry last from the start of the demo.
const LASTS: Duration = Duration::from_secs(30 * 86_400);
/// Every so many-th camera keeps only key frames.
const KEYFRAMES_EVERY: usize = 6;

/// Fills the records; gives the accounts with their passwords.
pub(crate) async fn seed(
    trust: &Trust,
    records: &Records,
    sim: &CameraSim,
    places: &[city::Place],
    camera_password: &str,
    before: Option<&Facts>,
) -> anyhow::Result<Vec<User>> {
    let now = Timestamp::now();
    for region in city::regions()? {
        records.upsert_region(&region).await?;
    }
    let cameras: Vec<Camera> = places
        .iter()
        .enumerate()
        .map(|(index, place)| camera(index, place, sim, camera_password, now))
        .collect();
    for outcome in records.put_cameras(&cameras, now).await? {
        outcome?;
    }
    let people = people(trust, records, before, now).await?;
    let account = |role| {
        let found = people.iter().find(|(account, _)| account.role == role);
        found
            .map(|(account, _)| account)
            .ok_or_else(|| anyhow!("the demo has no {} account", Role::as_str(role)))
    };
    let (investigator, supervisor) = (account(Role::Investigator)?, account(Role::Supervisor)?);
    case(records, investigator, now).await?;
    hotlist(records, investigator, supervisor, now).await?;
    plan(records, supervisor, now).await?;
    Ok(people
        .into_iter()
        .map(|(account, password)| User { name: account.name, role: account.role, password })
        .collect())
}

fn camera(index: usize, place: &city::Place, sim: &CameraSim, password: &str, now: Timestamp) -> Camera {
    let keyframes = index % KEYFRAMES_EVERY == KEYFRAMES_EVERY - 1;
    Camera {
        id: place.id,
        name: place.name.clone(),
        region: place.region,
        kind: place.kind,
        position: Some(place.position),
        tags: place.tags.clone(),
        main_url: sim.url(place.id, StreamKind::Main),
        sub_url: Some(sim.url(place.id, StreamKind::Sub)),
        credentials: Some(Credentials { user: CAMERA_USER.to_owned(), password: password.to_owned() }),
        policy: if keyframes { Policy::Keyframes } else { Policy::Full },
        enabled: true,
        revision: 0,
        created_at: now,
        updated_at: now,
    }
}

/// One account of each role. An account of an earlier run keeps its password, when it is known; else it gets a new one.
async fn people(
    trust: &Trust,
    records: &Records,
    before: Option<&Facts>,
    now: Timestamp,
) -> anyhow::Result<Vec<(Account, String)>> {
    let mut people = Vec::new();
    for role in Role::ALL {
        let name = role.as_str();
        let known = before.and_then(|facts| facts.users.iter().find(|user| user.name == name));
        let person = match (records.account_by_name(name).await?, known) {
            (Some((account, _)), Some(user)) => (account, user.password.clone()),
            (Some((account, _)), None) => {
                let password = random_password();
                trust.accounts().set_password(None, &account, &password, now).await?;
                (account, password)
            }
            (None, _) => {
                let password = random_password();
                let new = NewAccount {
                    name: name.to_owned(),
                    role,
                    unit: format!("demo {name}s"),
                    password: Some(password.clone()),
                };
                (trust.accounts().create_account(None, new, now).await?, password)
            }
        };
        people.push(person);
    }
    Ok(people)
}

async fn case(records: &Records, investigator: &Account, now: Timestamp) -> anyhow::Result<()> {
    let case = Case {
        number: CASE.to_owned(),
        title: "示例案件 Demo case: hit and run at River crossing".to_owned(),
        members: vec![investigator.id],
        opened_at: now,
        ends_at: now + LASTS,
        closed_at: None,
    };
    match records.create_case(&case).await {
        Ok(()) | Err(sightline_records::Error::Exists { .. }) => Ok(()),
        Err(error) => Err(error).context("cannot make the demo's case"),
    }
}

async fn hotlist(
    records: &Records,
    author: &Account,
    approver: &Account,
    now: Timestamp,
) -> anyhow::Result<()> {
    if records.active_hotlist(now).await?.iter().any(|entry| entry.plate == HOTLISTED) {
        return Ok(());
    }
    let new = NewHotlistEntry {
        plate: HOTLISTED.to_owned(),
        reason: HotlistReason::HitAndRun,
        case: CASE.to_owned(),
        region: None,
        valid_from: now,
        valid_to: now + LASTS,
    };
    let entry = records.propose_hotlist(&new, author.id, now).await?;
    records.approve_hotlist(entry.id, approver.id, now).await?;
    Ok(())
}

async fn plan(records: &Records, author: &Account, now: Timestamp) -> anyhow::Result<()> {
    const NAME: &str = "柳树区例行巡逻 Willow District round";
    if records.plans().await?.iter().any(|plan| plan.name == NAME) {
        return Ok(());
    }
    let plan = Plan {
        id: PlanId(Uuid::now_v7()),
        name: NAME.to_owned(),
        selection: Selection { regions: vec!["willow-district".parse()?], ..Selection::default() },
        layout: Layout::Four,
        dwell_s: 5,
        author: author.id,
        created_at: now,
    };
    Ok(records.create_plan(&plan).await?)
}
