use std::future::Future;

use sightline_footage::{Keep, TailWriter};
use sightline_model::{
    grant::GroundKind,
    media::{StreamKey, StreamKind},
};
use tokio::time::timeout;

use super::*;
use crate::{
    Look, LookKind,
    testing::{World, camera, push},
};

const DEADLINE: Duration = Duration::from_secs(20);

/// A camera that is being recorded.
struct Source {
    writer: TailWriter,
    at: Timestamp,
    number: u32,
}

impl Source {
    fn of(world: &World, id: &str) -> Self {
        let writer = world.footage.writer(StreamKey::main(camera(id)), Keep::Recorded).unwrap();
        let mut source = Self { writer, at: world.now, number: 0 };
        source.push();
        source
    }

    fn push(&mut self) {
        push(&mut self.writer, self.at, self.number);
        (self.at, self.number) = (self.at + Duration::from_secs(2), self.number + 1);
    }
}

async fn watch(world: &World, who: &Caller, grant: &Grant) -> LiveLook {
    let look = Look { camera: camera("gate-1"), stream: StreamKind::Main, kind: LookKind::Live, range: None };
    world.trust.look(who, Some(grant.id), look, world.now).await.unwrap().live().unwrap()
}

/// Feeds the stream and takes what comes until the look ends.
async fn until_ended(source: &mut Source, look: &mut LiveLook) -> &'static str {
    let ended = async {
        loop {
            source.push();
            if let LiveStep::Ended(error) = look.next().await {
                return error.code();
            }
        }
    };
    timeout(DEADLINE, ended).await.expect("the look should have ended")
}

#[tokio::test]
async fn live_shows_the_stream_and_is_entered_until_the_grant_ends() {
    let world = World::without_footage().await;
    let (who, grant, _) = world.on_patrol().await;
    let mut source = Source::of(&world, "gate-1");
    let mut look = watch(&world, &who, &grant).await;
    source.push();
    let first = timeout(DEADLINE, look.next()).await.unwrap();
    assert!(matches!(first, LiveStep::Item(LiveItem::Begin(_))), "{first:?}");
    let entered = world.log().await.pop().unwrap().act;
    assert_eq!(entered.range.unwrap().to, grant.expires_at);
    assert!(world.footage.demand().borrow().contains(&StreamKey::main(camera("gate-1"))));
}

/// Whatever ends the right to look ends the look, with its own code.
async fn ends<F: Future<Output = ()>>(act: impl FnOnce(Scene) -> F) -> &'static str {
    let world = std::sync::Arc::new(World::without_footage().await);
    let (who, grant, patrol) = world.on_patrol().await;
    let mut source = Source::of(&world, "gate-1");
    let mut look = watch(&world, &who, &grant).await;
    assert!(matches!(timeout(DEADLINE, look.next()).await.unwrap(), LiveStep::Item(_)));
    act(Scene { world: std::sync::Arc::clone(&world), who, grant, patrol }).await;
    until_ended(&mut source, &mut look).await
}

struct Scene {
    world: std::sync::Arc<World>,
    who: Caller,
    grant: Grant,
    patrol: sightline_model::patrol::Patrol,
}

#[tokio::test]
async fn a_live_look_ends_with_its_patrol() {
    let code = ends(async |w: Scene| {
        w.world.records.end_patrol(w.patrol.id, w.world.now).await.unwrap();
    });
    assert_eq!(code.await, "grant_ended");
}

#[tokio::test]
async fn a_live_look_ends_with_its_grant() {
    let code = ends(async |w: Scene| {
        w.world.trust.end_grant(&w.who, w.grant.id, w.world.now).await.unwrap();
    });
    assert_eq!(code.await, "grant_ended");
}

#[tokio::test]
async fn a_live_look_ends_with_the_session() {
    let code = ends(async |w: Scene| {
        w.world.trust.accounts().sign_out(&w.who, w.world.now).await.unwrap();
    });
    assert_eq!(code.await, "not_signed_in");
}

#[tokio::test]
async fn a_live_look_ends_with_the_account() {
    let code = ends(async |w: Scene| {
        w.world.records.disable_account(w.who.account.id, w.world.now).await.unwrap();
    });
    assert_eq!(code.await, "not_signed_in");
}

#[tokio::test]
async fn a_live_look_ends_at_the_end_of_the_grant() {
    let world = World::without_footage().await;
    let (who, grant, patrol) = world.on_patrol().await;
    let soon = Grant {
        id: sightline_model::id::GrantId(uuid::Uuid::now_v7()),
        expires_at: world.now + Duration::from_millis(20),
        ..grant
    };
    world.records.insert_grant(&soon).await.unwrap();
    assert_eq!(soon.ground.kind, GroundKind::Patrol, "{patrol:?}");
    let mut source = Source::of(&world, "gate-1");
    let mut look = watch(&world, &who, &soon).await;
    assert_eq!(until_ended(&mut source, &mut look).await, "grant_expired");
    assert!(matches!(look.next().await, LiveStep::Ended(_)), "and stays over");
    assert_eq!(world.trust.metrics().live_ended, 2);
}

#[tokio::test]
async fn whoever_drops_the_recheck_sees_nothing_more() {
    let world = World::without_footage().await;
    let (who, grant, patrol) = world.on_patrol().await;
    let mut source = Source::of(&world, "gate-1");
    let mut look = watch(&world, &who, &grant).await;
    world.records.end_patrol(patrol.id, world.now).await.unwrap();
    // Polls once and drops: what a client does that floods the connection to keep its look alive.
    let hurried = async {
        let mut shown_when_due = 0;
        let begin = Instant::now();
        while begin.elapsed() < RECHECK * 10 {
            source.push();
            let due = Instant::now() >= look.due_at();
            tokio::select! {
                biased;
                step = look.next() => match step {
                    LiveStep::Item(_) => shown_when_due += u32::from(due),
                    LiveStep::Ended(_) => break,
                },
                () = tokio::task::yield_now() => {}
            }
        }
        shown_when_due
    };
    assert_eq!(timeout(DEADLINE, hurried).await.unwrap(), 0);
    assert_eq!(until_ended(&mut source, &mut look).await, "grant_ended");
}
