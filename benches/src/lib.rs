//! What the benches share: CPU time of this process, a bare RTSP reader as the floor, rows of a report.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "a bench prints its report")]

pub mod bare;
pub mod cpu;
pub mod report;
