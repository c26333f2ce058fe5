//! Any reads, any sizes: the same bytes as the local file.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::{content, faulty::Faulty, options, sealed, source, tier};
use crate::{
    disk::{DiskFile, read_vec, sim::SimDisk},
    tier::{inner::Options, read::RemoteFile},
};

static SEGMENT: LazyLock<(SimDisk, Vec<u8>)> = LazyLock::new(|| {
    let disk = sealed(120_000);
    let content = content(&disk);
    (disk, content)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn every_read_gives_the_bytes_of_the_local_file(
        chunk_bytes in 1000u64..200_000,
        page_bytes in 100u64..20_000,
        cache_bytes in prop_oneof![Just(0usize), 1000usize..200_000],
        reads in proptest::collection::vec((0usize..130_000, 0usize..40_000), 1..30),
    ) {
        let (disk, content) = &*SEGMENT;
        let options = Options { chunk_bytes, page_bytes, cache_bytes, ..options() };
        let tier = tier(Arc::new(Faulty::default()), options);
        let (inner, source) = (Arc::clone(&tier), source(disk));
        tier.wait(async move { inner.upload(source).await }).unwrap();
        let file = RemoteFile::open(&tier, 1).unwrap();
        prop_assert_eq!(file.length().unwrap(), content.len() as u64);
        for (from, length) in reads {
            let read = read_vec(&file, from as u64, length);
            match content.get(from..from + length) {
                Some(expected) => prop_assert_eq!(read.unwrap(), expected),
                None => prop_assert!(read.is_err()),
            }
        }
    }
}
