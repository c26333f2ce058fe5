//! The init segment: `ftyp` and a `moov` without samples.

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    media::{Codec, ParameterSets, VIDEO_CLOCK_HZ},
};

use super::boxes::{boxed, full_box, put_matrix, put_u16, put_u32, put_u64, put_zeros};

/// Seconds from 1904-01-01, where ISO files count from, to 1970-01-01.
const EPOCH_1904_SECS: i64 = 2_082_844_800;

/// What an init segment may say beside the coding.
#[derive(Debug, Clone, Copy, Default)]
pub struct InitOptions {
    /// Length of everything that will follow, when it is known, in 1/90,000 s.
    pub duration_90k: Option<u64>,
    /// Wall clock of the first frame: stands as the creation time.
    pub created: Option<Timestamp>,
}

/// The init segment of one stream.
#[must_use]
pub fn init_segment(params: &ParameterSets) -> Bytes {
    init_segment_with(&[params], InitOptions::default())
}

/// An init segment with one sample entry for each set of parameters, in order: fragments name theirs by number, so a
/// camera that changes its resolution in the middle of a clip still makes one file.
#[must_use]
pub fn init_segment_with(entries: &[&ParameterSets], options: InitOptions) -> Bytes {
    let created = options.created.map_or(0, |at| {
        u64::try_from(at.0.div_euclid(1_000_000).saturating_add(EPOCH_1904_SECS)).unwrap_or(0)
    });
    let width = entries.iter().map(|params| params.width).max().unwrap_or(0);
    let height = entries.iter().map(|params| params.height).max().unwrap_or(0);
    let config_bytes: usize = entries.iter().map(|params| params.decoder_config.len() + 128).sum();
    let mut out = Vec::with_capacity(640 + config_bytes);
    boxed(&mut out, b"ftyp", |out| {
        out.extend_from_slice(b"iso6");
        put_u32(out, 1);
        for brand in [b"iso6", b"cmfc", b"mp41"] {
            out.extend_from_slice(brand);
        }
    });
    boxed(&mut out, b"moov", |out| {
        movie_header(out, created);
        boxed(out, b"trak", |out| {
            track_header(out, created, width, height);
            boxed(out, b"mdia", |out| media(out, created, entries));
        });
        boxed(out, b"mvex", |out| {
            if let Some(duration_90k) = options.duration_90k {
                full_box(out, b"mehd", 1, 0, |out| put_u64(out, duration_90k));
            }
            full_box(out, b"trex", 0, 0, |out| {
                put_u32(out, 1); // track
                put_u32(out, 1); // sample entry unless a fragment names another
                put_zeros(out, 12); // defaults are stated in each fragment
            });
        });
    });
    out.into()
}

fn movie_header(out: &mut Vec<u8>, created: u64) {
    full_box(out, b"mvhd", 1, 0, |out| {
        put_u64(out, created);
        put_u64(out, created);
        put_u32(out, VIDEO_CLOCK_HZ);
        put_u64(out, 0); // duration: none before the fragments
        put_u32(out, 0x0001_0000); // rate 1.0
        put_u16(out, 0x0100); // volume 1.0
        put_zeros(out, 10);
        put_matrix(out);
        put_zeros(out, 24);
        put_u32(out, 2); // next track
    });
}

fn track_header(out: &mut Vec<u8>, created: u64, width: u16, height: u16) {
    const ENABLED_IN_MOVIE: u32 = 3;
    full_box(out, b"tkhd", 1, ENABLED_IN_MOVIE, |out| {
        put_u64(out, created);
        put_u64(out, created);
        put_u32(out, 1); // track
        put_u32(out, 0);
        put_u64(out, 0); // duration
        put_zeros(out, 16); // reserved, layer, group, volume
        put_matrix(out);
        put_u32(out, u32::from(width) << 16);
        put_u32(out, u32::from(height) << 16);
    });
}

fn media(out: &mut Vec<u8>, created: u64, entries: &[&ParameterSets]) {
    const UNDETERMINED_LANGUAGE: u16 = 0x55c4; // "und" in three times five bits
    full_box(out, b"mdhd", 1, 0, |out| {
        put_u64(out, created);
        put_u64(out, created);
        put_u32(out, VIDEO_CLOCK_HZ);
        put_u64(out, 0);
        put_u16(out, UNDETERMINED_LANGUAGE);
        put_u16(out, 0);
    });
    full_box(out, b"hdlr", 0, 0, |out| {
        put_u32(out, 0);
        out.extend_from_slice(b"vide");
        put_zeros(out, 12);
        out.extend_from_slice(b"video\0");
    });
    boxed(out, b"minf", |out| {
        full_box(out, b"vmhd", 0, 1, |out| put_zeros(out, 8));
        boxed(out, b"dinf", |out| {
            full_box(out, b"dref", 0, 0, |out| {
                put_u32(out, 1);
                full_box(out, b"url ", 0, 1, |_| {}); // the media is in this very file
            });
        });
        boxed(out, b"stbl", |out| sample_tables(out, entries));
    });
}

fn sample_tables(out: &mut Vec<u8>, entries: &[&ParameterSets]) {
    full_box(out, b"stsd", 0, 0, |out| {
        put_u32(out, u32::try_from(entries.len()).unwrap_or(u32::MAX));
        for params in entries {
            sample_entry(out, params);
        }
    });
    full_box(out, b"stts", 0, 0, |out| put_u32(out, 0));
    full_box(out, b"stsc", 0, 0, |out| put_u32(out, 0));
    full_box(out, b"stsz", 0, 0, |out| put_zeros(out, 8));
    full_box(out, b"stco", 0, 0, |out| put_u32(out, 0));
}

fn sample_entry(out: &mut Vec<u8>, params: &ParameterSets) {
    let (entry, config) = match params.codec {
        Codec::H264 => (b"avc1", b"avcC"),
        Codec::H265 => (b"hvc1", b"hvcC"),
    };
    boxed(out, entry, |out| {
        put_zeros(out, 6);
        put_u16(out, 1); // data reference
        put_zeros(out, 16);
        put_u16(out, params.width);
        put_u16(out, params.height);
        put_u32(out, 0x0048_0000); // 72 dpi
        put_u32(out, 0x0048_0000);
        put_u32(out, 0);
        put_u16(out, 1); // frames a sample
        put_zeros(out, 32); // compressor name
        put_u16(out, 0x0018); // depth
        put_u16(out, 0xffff); // no colour table
        boxed(out, config, |out| out.extend_from_slice(&params.decoder_config));
    });
}
