//! Reading from the tier: the right bytes, few requests, and no reader that hangs.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    content,
    faulty::{Fault, Faulty},
    options, sealed, source, tier,
};
use crate::{
    Error,
    disk::{DiskFile, read_vec},
    tier::{TierProblem, inner::Inner, read::RemoteFile},
};

const PAGE: usize = 4 << 10;

/// A tier with one segment of about 400 kB.
fn with_segment() -> (Arc<Faulty>, Arc<Inner>, Vec<u8>) {
    let disk = sealed(400_000);
    let store = Arc::new(Faulty::default());
    let tier = tier(store.clone(), options());
    let (inner, source) = (Arc::clone(&tier), source(&disk));
    tier.wait(async move { inner.upload(source).await }).unwrap();
    store.requests();
    (store, tier, content(&disk))
}

fn problem(error: std::io::Error) -> TierProblem {
    match *error.into_inner().unwrap().downcast::<Error>().unwrap() {
        Error::Tier { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn header_and_footer_come_with_the_manifest() {
    let (store, tier, content) = with_segment();
    let file = RemoteFile::open(&tier, 1).unwrap();
    assert_eq!(read_vec(&file, 0, 128).unwrap(), content[..128]);
    let length = content.len();
    assert_eq!(read_vec(&file, length as u64 - 128, 128).unwrap(), content[length - 128..]);
    assert_eq!(store.requests(), []);
    assert_eq!(file.length().unwrap(), length as u64);
}

#[test]
fn a_jump_costs_its_pages_and_nothing_twice() {
    let (store, tier, content) = with_segment();
    let file = RemoteFile::open(&tier, 1).unwrap();
    // Over the border of two chunks.
    let from = (64 << 10) - 100;
    assert_eq!(read_vec(&file, from as u64, 200).unwrap(), content[from..from + 200]);
    let asked: Vec<u64> = store.requests().iter().map(|(_, range)| range.end - range.start).collect();
    assert_eq!(asked, [PAGE as u64, PAGE as u64], "a page of each");
    assert_eq!(read_vec(&file, from as u64, 50).unwrap(), content[from..from + 50]);
    assert_eq!(store.requests(), []);
}

#[test]
fn reading_on_asks_ever_further_ahead() {
    let (store, tier, content) = with_segment();
    let file = RemoteFile::open(&tier, 1).unwrap();
    let mut read = Vec::new();
    while read.len() < content.len() {
        let length = 1500.min(content.len() - read.len());
        read.extend(read_vec(&file, read.len() as u64, length).unwrap());
    }
    assert_eq!(read, content);
    let requests = store.requests();
    let bytes: u64 = requests.iter().map(|(_, range)| range.end - range.start).sum();
    assert!(bytes <= content.len() as u64, "no byte twice: {bytes}");
    let pages = content.len().div_ceil(PAGE);
    assert!(requests.len() < pages / 2, "{} requests for {pages} pages", requests.len());
}

#[test]
fn many_readers_of_one_page_share_one_request() {
    let (store, tier, content) = with_segment();
    let file = Arc::new(RemoteFile::open(&tier, 1).unwrap());
    let gate = store.gate();
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let file = Arc::clone(&file);
            std::thread::spawn(move || read_vec(&*file, 9000, 100).unwrap())
        })
        .collect();
    gate.add_permits(1);
    for reader in readers {
        assert_eq!(reader.join().unwrap(), content[9000..9100]);
    }
    assert_eq!(store.requests().len(), 1);
}

#[test]
fn readers_of_a_silent_store_are_few_and_told_so() {
    let (store, tier, content) = with_segment();
    let file = Arc::new(RemoteFile::open(&tier, 1).unwrap());
    let gate = store.gate();
    let waiting: Vec<_> = (0..64u64)
        .map(|n| {
            let file = Arc::clone(&file);
            std::thread::spawn(move || read_vec(&*file, 1000 + n * 4000, 10).unwrap())
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(20);
    while tier.waiting.load(Ordering::Acquire) < 64 {
        assert!(Instant::now() < deadline, "all 64 wait");
        std::thread::yield_now();
    }
    assert_eq!(problem(read_vec(&*file, 200_000, 10).unwrap_err()), TierProblem::Busy);
    assert_eq!(read_vec(&*file, 0, 10).unwrap(), content[..10], "the header needs no store");
    gate.add_permits(1000);
    for (n, waiting) in waiting.into_iter().enumerate() {
        let at = 1000 + n * 4000;
        assert_eq!(waiting.join().unwrap(), content[at..at + 10]);
    }
    assert!(tier.turn().is_ok());
}

#[test]
fn an_error_names_segment_and_store_and_is_forgotten_when_it_works_again() {
    let (store, tier, content) = with_segment();
    let file = RemoteFile::open(&tier, 1).unwrap();
    store.set(Fault::DeadFrom(0));
    let error = read_vec(&file, 5000, 10).unwrap_err().to_string();
    for part in ["bytes 5000 to 5010", "0000000000000001", "north", "test://store", "the wire is cut"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    store.set(Fault::None);
    assert_eq!(read_vec(&file, 5000, 10).unwrap(), content[5000..5010]);

    let inner = Arc::clone(&tier);
    tier.wait(async move { inner.remove(1).await }).unwrap();
    assert_eq!(problem(read_vec(&file, 300_000, 10).unwrap_err()), TierProblem::Missing);
    let error = RemoteFile::open(&tier, 1).unwrap_err().to_string();
    assert!(error.contains("it is not there"), "{error}");
}

#[test]
fn it_cannot_be_written_and_ends_where_it_ends() {
    let (_, tier, content) = with_segment();
    let file = RemoteFile::open(&tier, 1).unwrap();
    assert!(file.write_at(0, &mut []).is_err());
    assert!(file.set_length(0).is_err());
    assert_eq!(
        read_vec(&file, content.len() as u64 - 5, 6).unwrap_err().kind(),
        std::io::ErrorKind::UnexpectedEof
    );
    assert_eq!(read_vec(&file, u64::MAX, 6).unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(read_vec(&file, 7, 0).unwrap().is_empty());
}
