use std::time::Duration;

use super::*;
use crate::{SignedIn, random_password, testing::World};

const PASSWORD: &str = "correct horse battery";

async fn with_ann(world: &World) -> Account {
    let new = NewAccount {
        name: "Ann".into(),
        role: Role::Operator,
        unit: "desk".into(),
        password: Some(PASSWORD.into()),
    };
    world.trust.accounts().create_account(None, new, world.now).await.unwrap()
}

async fn sign_in(
    world: &World,
    name: &str,
    password: &str,
    now: Timestamp,
) -> Result<SignedIn, &'static str> {
    world.trust.accounts().sign_in(name, password, now).await.map_err(|error| error.code())
}

#[tokio::test]
async fn a_session_lasts_until_it_is_idle_over_or_signed_out() {
    let world = World::without_footage().await;
    let account = with_ann(&world).await;
    let accounts = world.trust.accounts();
    let hours = |n: u64| world.now + Duration::from_secs(n * 3600);
    let signed_in = sign_in(&world, "ann", PASSWORD, world.now).await.unwrap();
    assert_eq!((signed_in.account.id, signed_in.expires_at), (account.id, hours(12)));
    let caller = accounts.caller_by_session(&signed_in.token, world.now).await.unwrap();
    assert_eq!(caller.session.as_ref().unwrap().csrf, signed_in.csrf);
    let mut now = world.now;
    while now < hours(12) - Duration::from_secs(1800) {
        now = now + Duration::from_secs(1800);
        accounts.caller_by_session(&signed_in.token, now).await.unwrap();
    }
    assert_eq!(
        accounts.caller_by_session(&signed_in.token, hours(12)).await.unwrap_err().code(),
        "not_signed_in"
    );
    let idle = sign_in(&world, "ann", PASSWORD, world.now).await.unwrap();
    assert!(accounts.caller_by_session(&idle.token, hours(1)).await.is_err());
    let left = sign_in(&world, "ann", PASSWORD, world.now).await.unwrap();
    let caller = accounts.caller_by_session(&left.token, world.now).await.unwrap();
    accounts.sign_out(&caller, world.now).await.unwrap();
    assert!(accounts.caller_by_session(&left.token, world.now).await.is_err());
    let actions: Vec<_> = world.log().await.into_iter().map(|entry| entry.act.action).collect();
    assert!(actions.ends_with(&[Action::SignIn, Action::SignOut]), "{actions:?}");
}

#[tokio::test]
async fn a_refused_sign_in_does_not_tell_why() {
    let world = World::without_footage().await;
    with_ann(&world).await;
    let off = world
        .trust
        .accounts()
        .create_account(
            None,
            NewAccount {
                name: "off".into(),
                role: Role::Operator,
                unit: "d".into(),
                password: Some(PASSWORD.into()),
            },
            world.now,
        )
        .await
        .unwrap();
    world.trust.accounts().disable_account(None, off.id, world.now).await.unwrap();
    let service =
        NewAccount { name: "service".into(), role: Role::Auditor, unit: "d".into(), password: None };
    world.trust.accounts().create_account(None, service, world.now).await.unwrap();
    for (name, password) in
        [("ann", "wrong password"), ("nobody", PASSWORD), ("off", PASSWORD), ("service", "")]
    {
        let refused = world.trust.accounts().sign_in(name, password, world.now).await.err().unwrap();
        assert_eq!(refused.to_string(), "name or password is wrong", "{name}");
    }
    let entries = world.log().await;
    let refused: Vec<_> = entries.iter().filter(|entry| entry.act.action == Action::SignInRefused).collect();
    assert_eq!(refused.len(), 4);
    assert!(refused.iter().all(|entry| entry.act.account.is_none() && !entry.act.detail.contains("nobody")));
}

#[tokio::test]
async fn guessing_is_slowed_down_also_when_it_comes_all_at_once() {
    let world = World::without_footage().await;
    with_ann(&world).await;
    let guesses = (0..12).map(|n| {
        let (trust, now) = (world.trust.clone(), world.now);
        tokio::spawn(async move {
            trust
                .accounts()
                .sign_in("ann", &format!("guess number {n}"), now)
                .await
                .map_err(|error| error.code())
        })
    });
    let mut codes = Vec::new();
    for guess in guesses.collect::<Vec<_>>() {
        codes.push(guess.await.unwrap().err().unwrap());
    }
    codes.sort_unstable();
    assert_eq!(codes.iter().filter(|code| **code == "bad_credentials").count(), 5, "{codes:?}");
    assert_eq!(sign_in(&world, "ANN", PASSWORD, world.now).await.err(), Some("throttled"));
    let later = world.now + Duration::from_secs(60);
    assert!(sign_in(&world, "ann", PASSWORD, later).await.is_ok());
    assert!(sign_in(&world, "ann", PASSWORD, later).await.is_ok(), "forgiven");
    assert_eq!(world.trust.metrics().sign_ins_throttled, 8);
}

#[tokio::test]
async fn no_session_and_no_account_exists_that_the_log_does_not_know() {
    let world = World::without_footage().await;
    with_ann(&world).await;
    world.fail_audit(true);
    assert_eq!(sign_in(&world, "ann", PASSWORD, world.now).await.err(), Some("audit_unavailable"));
    assert_eq!(sign_in(&world, "ann", "wrong password", world.now).await.err(), Some("bad_credentials"));
    let new = NewAccount { name: "bob".into(), role: Role::Admin, unit: "d".into(), password: None };
    assert!(world.trust.accounts().create_account(None, new, world.now).await.is_err());
    assert_eq!(world.records.account_by_name("bob").await.unwrap(), None);
}

#[tokio::test]
async fn accounts_are_the_admins_business() {
    let world = World::without_footage().await;
    let accounts = world.trust.accounts();
    let operator = world.somebody("otto", Role::Operator).await;
    let admin = world.somebody("ada", Role::Admin).await;
    let new = |name: &str, password: Option<&str>| NewAccount {
        name: name.into(),
        role: Role::Operator,
        unit: "desk".into(),
        password: password.map(str::to_owned),
    };
    let refused = accounts.create_account(Some(&operator), new("x", Some(PASSWORD)), world.now).await;
    assert_eq!(refused.unwrap_err().code(), "role_forbids");
    for (name, password, code) in [
        ("otto", Some(PASSWORD), "records"),
        ("x", Some("short"), "weak_password"),
        (" ", Some(PASSWORD), "invalid"),
        ("a\nb", Some(PASSWORD), "invalid"),
    ] {
        let refused = accounts.create_account(Some(&admin), new(name, password), world.now).await;
        assert_eq!(refused.unwrap_err().code(), code, "{name:?}");
    }
    let made = accounts.create_account(Some(&admin), new("x", Some(PASSWORD)), world.now).await.unwrap();
    let other = random_password();
    assert!(accounts.set_password(Some(&operator), &made, &other, world.now).await.is_err());
    assert!(accounts.disable_account(Some(&operator), made.id, world.now).await.is_err());
    accounts.set_password(Some(&admin), &made, &other, world.now).await.unwrap();
    assert!(sign_in(&world, "x", PASSWORD, world.now).await.is_err());
    assert!(sign_in(&world, "x", &other, world.now).await.is_ok());
}

#[tokio::test]
async fn people_change_their_own_password_with_the_old_one() {
    let world = World::without_footage().await;
    with_ann(&world).await;
    let accounts = world.trust.accounts();
    let token = sign_in(&world, "ann", PASSWORD, world.now).await.unwrap().token;
    let caller = accounts.caller_by_session(&token, world.now).await.unwrap();
    let new = "another horse battery";
    let refused = accounts.change_password(&caller, "not the old one", new, world.now).await;
    assert_eq!(refused.unwrap_err().code(), "bad_credentials");
    accounts.change_password(&caller, PASSWORD, new, world.now).await.unwrap();
    assert!(accounts.caller_by_session(&token, world.now).await.is_err(), "all sessions end");
    assert!(sign_in(&world, "ann", new, world.now).await.is_ok());
}

#[tokio::test]
async fn a_service_token_works_until_it_ends_or_is_revoked() {
    let world = World::without_footage().await;
    let accounts = world.trust.accounts();
    let new = NewAccount { name: "export".into(), role: Role::Auditor, unit: "ops".into(), password: None };
    let service = accounts.create_account(None, new, world.now).await.unwrap();
    let end = world.now + Duration::from_secs(60);
    let token = accounts.create_service_token(None, &service, "siem", Some(end), world.now).await.unwrap();
    let caller = accounts.caller_by_bearer(&token, world.now).await.unwrap();
    assert_eq!((caller.account.id, &caller.session), (service.id, &None));
    assert!(accounts.caller_by_bearer(&token, end).await.is_err());
    assert!(accounts.caller_by_session(&token, world.now).await.is_err(), "a token is no session");
    accounts.still_signed_in(&caller, world.now).await.unwrap();
    accounts.revoke_service_token(None, caller.service_token.unwrap(), world.now).await.unwrap();
    assert!(accounts.caller_by_bearer(&token, world.now).await.is_err());
    assert!(accounts.still_signed_in(&caller, world.now).await.is_err());
    let log: String = world.log().await.iter().map(|entry| entry.act.detail.clone()).collect();
    assert!(!log.contains(&token));
    let ann = with_ann(&world).await;
    assert!(
        accounts.create_service_token(None, &ann, "x", None, world.now).await.is_err(),
        "people have passwords"
    );
}
