//! See `sightline_footage::fuzzing::footer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sightline_footage::fuzzing::footer(bytes));
