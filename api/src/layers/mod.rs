//! What happens to every request and answer, whatever the route: ids, traces, counts, headers, compression.

pub(crate) mod compress;
pub(crate) mod headers;
pub(crate) mod measure;
pub(crate) mod trace;
