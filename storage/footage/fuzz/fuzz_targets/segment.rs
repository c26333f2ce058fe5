//! See `sightline_footage::fuzzing::segment`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sightline_footage::fuzzing::segment(bytes));
