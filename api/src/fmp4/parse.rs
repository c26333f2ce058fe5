//! A small reader of what the writer writes, for tests: independent of its code.

/// One box: type and body.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) kind: &'a str,
    pub(crate) body: &'a [u8],
}

/// The boxes that fill `bytes` exactly.
pub(crate) fn boxes(mut bytes: &[u8]) -> Vec<Parsed<'_>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        assert!(length >= 8 && length <= bytes.len(), "box of {length} bytes in {}", bytes.len());
        found.push(Parsed { kind: std::str::from_utf8(&bytes[4..8]).unwrap(), body: &bytes[8..length] });
        bytes = &bytes[length..];
    }
    found
}

/// The body of the box at a path such as `moov/trak/mdia`.
pub(crate) fn find<'a>(bytes: &'a [u8], path: &str) -> &'a [u8] {
    path.split('/').fold(bytes, |bytes, kind| {
        boxes(bytes).into_iter().find(|found| found.kind == kind).unwrap_or_else(|| panic!("no {path}")).body
    })
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// What `trun` says of one sample.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TrunSample {
    pub(crate) duration: u32,
    pub(crate) size: u32,
    pub(crate) key: bool,
    pub(crate) composition: i32,
}

/// A fragment taken apart.
#[derive(Debug)]
pub(crate) struct ParsedFragment<'a> {
    pub(crate) sequence: u32,
    pub(crate) sample_entry: u32,
    pub(crate) base_decode_time: u64,
    pub(crate) samples: Vec<TrunSample>,
    pub(crate) media: &'a [u8],
}

pub(crate) fn fragment(bytes: &[u8]) -> ParsedFragment<'_> {
    let trun = find(bytes, "moof/traf/trun");
    let flags = u32_at(trun, 0) & 0x00ff_ffff;
    assert_eq!(flags & 0x701, 0x701, "data offset, durations, sizes and flags are always there");
    let composition = flags & 0x800 != 0;
    let step = if composition { 16 } else { 12 };
    let samples: Vec<_> = trun[12..]
        .chunks_exact(step)
        .map(|sample| TrunSample {
            duration: u32_at(sample, 0),
            size: u32_at(sample, 4),
            key: u32_at(sample, 8) & 0x0001_0000 == 0,
            composition: if composition { u32_at(sample, 12) as i32 } else { 0 },
        })
        .collect();
    assert_eq!(samples.len(), u32_at(trun, 4) as usize);
    let media = &bytes[u32_at(trun, 8) as usize..];
    assert_eq!(media, find(bytes, "mdat"), "the data offset counts from moof");
    let tfhd = find(bytes, "moof/traf/tfhd");
    ParsedFragment {
        sequence: u32_at(find(bytes, "moof/mfhd"), 4),
        sample_entry: u32_at(tfhd, 8),
        base_decode_time: u64_at(find(bytes, "moof/traf/tfdt"), 4),
        samples,
        media,
    }
}
