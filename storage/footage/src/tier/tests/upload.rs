//! Sending: whatever the store does, `Verified` is said only of what it holds.

use std::{sync::Arc, time::Instant};

use object_store::{ObjectStoreExt, PutPayload};

use super::{
    content,
    faulty::{Fault, Faulty},
    fetched, options, sealed, source, tier,
};
use crate::{
    Error,
    tier::{
        TierProblem, Verified,
        inner::{Inner, Options},
        names::{self, Piece},
        source::Source,
    },
};

fn upload(tier: &Arc<Inner>, source: &Arc<Source>) -> Result<Verified, Error> {
    let (inner, source) = (Arc::clone(tier), Arc::clone(source));
    tier.wait(async move { inner.upload(source).await })
}

fn confirm(tier: &Arc<Inner>, source: &Arc<Source>) -> Result<Verified, Error> {
    let (inner, source) = (Arc::clone(tier), Arc::clone(source));
    tier.wait(async move { inner.confirm(source).await })
}

fn committed(tier: &Arc<Inner>) -> bool {
    let inner = Arc::clone(tier);
    tier.wait(async move { inner.manifest(&inner.node, 1).await }).unwrap().is_some()
}

/// Changes a stored object behind the tier's back.
fn meddle(tier: &Arc<Inner>, store: &Arc<Faulty>, piece: Piece, change: impl FnOnce(&mut Vec<u8>)) {
    let (at, store) = (names::object(&tier.node, 1, piece), Arc::clone(store));
    let got = {
        let (at, store) = (at.clone(), Arc::clone(&store));
        tier.wait(async move { Ok(store.memory.get(&at).await.unwrap().bytes().await.unwrap()) }).unwrap()
    };
    let mut bytes = got.to_vec();
    change(&mut bytes);
    tier.wait(async move {
        store.memory.put(&at, PutPayload::from(bytes)).await.unwrap();
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_segment_goes_up_in_chunks_and_reads_back_byte_for_byte() {
    let disk = sealed(400_000);
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    let verified = upload(&tier, &source(&disk)).unwrap();
    let content = content(&disk);
    assert_eq!((verified.segment(), verified.bytes()), (1, content.len() as u64));
    assert_eq!(fetched(&tier), content);
    assert_eq!(confirm(&tier, &source(&disk)).unwrap(), verified);
    let inner = Arc::clone(&tier);
    let chunks = tier.wait(async move { inner.listed(1).await }).unwrap();
    assert_eq!(chunks.len(), content.len().div_ceil(64 << 10));
}

#[test]
fn an_upload_that_is_cut_at_any_call_verifies_nothing_and_goes_on_later() {
    let disk = sealed(200_000);
    let source = source(&disk);
    let content = content(&disk);
    for call in 0.. {
        let store = Arc::new(Faulty::default());
        let tier = tier(store.clone(), options());
        store.set(Fault::DeadFrom(call));
        match upload(&tier, &source) {
            Ok(_) => {
                assert!(call > 10, "the fault came into the way of {call} calls");
                store.set(Fault::None);
                assert_eq!(fetched(&tier), content);
                return;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("0000000000000001") && text.contains("test://store"), "{text}");
            }
        }
        store.set(Fault::None);
        let before = store.bytes_put();
        upload(&tier, &source).unwrap();
        assert_eq!(fetched(&tier), content);
        let sent = store.bytes_put();
        let most = content.len() as u64 * 102 / 100 + before.min(128 << 10) + 8192;
        assert!(sent <= most, "cut at call {call}: {sent} bytes sent for {}", content.len());
    }
}

#[test]
fn a_single_failing_call_verifies_nothing_that_is_not_there() {
    let disk = sealed(200_000);
    let (source, content) = (source(&disk), content(&disk));
    let mut failed = 0;
    for call in 0.. {
        let store = Arc::new(Faulty::default());
        let tier = tier(store.clone(), options());
        store.set(Fault::FailCall(call));
        let result = upload(&tier, &source);
        let over = store.calls() <= call;
        store.set(Fault::None);
        match result {
            Ok(_) => assert_eq!(fetched(&tier), content),
            Err(_) => failed += 1,
        }
        if over {
            break;
        }
    }
    assert!(failed > 10, "only {failed} faults were felt");
}

#[test]
fn a_store_that_flips_or_cuts_once_gets_the_chunk_again() {
    let disk = sealed(200_000);
    for fault in [Fault::Corrupt { puts: 1 }, Fault::Truncate { puts: 1 }] {
        let store = Arc::new(Faulty::default());
        let tier = tier(store.clone(), options());
        store.set(fault);
        upload(&tier, &source(&disk)).unwrap();
        assert_eq!(fetched(&tier), content(&disk));
        assert_eq!(tier.counters.chunks_sent_again.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}

#[test]
fn a_store_that_always_flips_or_cuts_never_verifies() {
    let disk = sealed(200_000);
    for fault in [Fault::Corrupt { puts: u64::MAX }, Fault::Truncate { puts: u64::MAX }] {
        let store = Arc::new(Faulty::default());
        let tier = tier(store.clone(), options());
        store.set(fault);
        let error = upload(&tier, &source(&disk)).unwrap_err();
        assert!(matches!(&error, Error::Tier { problem: TierProblem::Damaged { .. }, .. }), "{error}");
        assert!(!committed(&tier), "no manifest");
        assert!(confirm(&tier, &source(&disk)).is_err());
    }
}

#[test]
fn a_manifest_that_is_stored_wrong_does_not_count() {
    let disk = sealed(200_000);
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    // All chunks are there, so that only the manifest is sent.
    store.set(Fault::DeadFrom(store_calls_without_manifest(&disk)));
    upload(&tier, &source(&disk)).unwrap_err();
    store.set(Fault::Corrupt { puts: 1 });
    let error = upload(&tier, &source(&disk)).unwrap_err().to_string();
    assert!(error.contains("manifest") && error.contains("checksum"), "{error}");
}

/// How many calls a whole upload takes before its manifest.
fn store_calls_without_manifest(disk: &crate::disk::sim::SimDisk) -> u64 {
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    upload(&tier, &source(disk)).unwrap();
    // The manifest itself, and reading it back.
    store.calls() - 2
}

#[test]
fn lost_answers_and_stores_without_conditions_still_come_to_an_end() {
    let disk = sealed(200_000);
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    store.set(Fault::LoseAnswers);
    let mut tries = 0;
    while !committed(&tier) {
        upload(&tier, &source(&disk)).unwrap_err();
        tries += 1;
        assert!(tries < 20, "every try brings at least one chunk");
    }
    assert!(upload(&tier, &source(&disk)).is_ok(), "it finds everything there");

    let store = Arc::new(Faulty::default());
    let tier = super::tier(store.clone(), options());
    store.set(Fault::NoConditions);
    upload(&tier, &source(&disk)).unwrap();
    assert_eq!(fetched(&tier), content(&disk));
}

#[test]
fn other_footage_under_the_same_name_is_left_alone() {
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    let (first, second) = (sealed(200_000), sealed(300_000));
    upload(&tier, &source(&first)).unwrap();
    for result in [upload(&tier, &source(&second)), confirm(&tier, &source(&second))] {
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::Tier { problem: TierProblem::Conflict, .. }), "{error}");
        assert!(error.to_string().contains("node.name"), "{error}");
    }
    assert_eq!(fetched(&tier), content(&first));
}

#[test]
fn what_the_store_loses_later_is_noticed_and_mended() {
    let disk = sealed(200_000);
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    upload(&tier, &source(&disk)).unwrap();

    meddle(&tier, &store, Piece::Chunk(1), |bytes| bytes.truncate(100));
    assert!(confirm(&tier, &source(&disk)).unwrap_err().to_string().contains("chunk 1"));
    upload(&tier, &source(&disk)).unwrap();
    confirm(&tier, &source(&disk)).unwrap();

    meddle(&tier, &store, Piece::Chunk(2), |bytes| bytes[5] ^= 1);
    upload(&tier, &source(&disk)).unwrap();
    assert_eq!(fetched(&tier), content(&disk));

    meddle(&tier, &store, Piece::Manifest, |bytes| bytes[60] ^= 1);
    let error = confirm(&tier, &source(&disk)).unwrap_err().to_string();
    assert!(error.contains("the manifest") && error.contains("checksum"), "{error}");
    upload(&tier, &source(&disk)).unwrap();
    confirm(&tier, &source(&disk)).unwrap();
}

#[test]
fn chunks_of_another_size_from_an_earlier_try_do_not_stay() {
    let disk = sealed(200_000);
    let store = Arc::new(Faulty::default());
    let small = tier(store.clone(), Options { chunk_bytes: 16 << 10, ..options() });
    store.set(Fault::DeadFrom(store_calls_without_manifest(&disk)));
    upload(&small, &source(&disk)).unwrap_err();
    store.set(Fault::None);
    let large = tier(store.clone(), options());
    upload(&large, &source(&disk)).unwrap();
    let inner = Arc::clone(&large);
    let listed = large.wait(async move { inner.listed(1).await }).unwrap();
    assert_eq!(listed.len(), content(&disk).len().div_ceil(64 << 10));
    assert_eq!(fetched(&large), content(&disk));
}

#[test]
fn a_rate_limit_slows_the_upload_down() {
    let disk = sealed(100_000);
    let tier = tier(Arc::new(Faulty::default()), Options { rate_bytes_per_s: Some(400_000), ..options() });
    let began = Instant::now();
    upload(&tier, &source(&disk)).unwrap();
    // 100 kB there and 100 kB back, less the last piece, which nothing waits for.
    assert!(began.elapsed().as_millis() >= 300, "{:?}", began.elapsed());
}

#[test]
fn an_open_segment_is_no_source() {
    let disk = sealed(1000);
    let name = crate::format::header::file_name(1);
    let mut bytes = content(&disk);
    bytes.truncate(bytes.len() - 64);
    let cut = crate::disk::sim::SimDisk::default();
    cut.put(&name, bytes);
    let file = crate::disk::Disk::open(&cut, &name).unwrap();
    let error = Source::open(file, name.into()).unwrap_err().to_string();
    assert!(error.contains("there is no footer"), "{error}");
}
