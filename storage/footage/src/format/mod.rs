//! The bytes on disk: pure encoding and decoding. `DESIGN.md` beside this crate's `Cargo.toml` has the tables.
//!
//! Nothing here opens a file. Every decoder takes any bytes whatever and answers with a value or with what is wrong; it
//! never panics and never allocates more than the bytes it was given justify.

pub(crate) mod bits;
pub(crate) mod block;
pub(crate) mod columns;
pub(crate) mod crc;
pub(crate) mod cursor;
pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod merkle;
pub(crate) mod payload;
pub(crate) mod record;

/// The format version this program writes and reads. Version 1 was never released.
pub(crate) const VERSION: u16 = 2;

/// Records and footers begin at multiples of this.
pub(crate) const ALIGN: u64 = 8;

/// What is wrong with some bytes, in words that finish "damaged at byte N: ...".
pub(crate) type Bad = &'static str;

/// `offset` rounded up to where the next record may begin.
pub(crate) const fn align(offset: u64) -> u64 {
    offset.next_multiple_of(ALIGN)
}
