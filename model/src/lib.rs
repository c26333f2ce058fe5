//! Plain data that every part of Sightline shares: ids, time, cameras, regions, media units, events, grants.
//!
//! Belongs here: types without behaviour beyond construction, parsing and small pure rules over their own fields.
//! Does not belong here: I/O, clocks, tasks, SQL, HTTP. Nothing in this crate reads the time or opens a file.
//!
//! There is no type for a person who is seen by a camera, and there never will be one: see `docs/limits.md`.

pub mod account;
pub mod alert;
pub mod audit;
pub mod camera;
pub mod event;
pub mod gap;
pub mod grant;
pub mod hotlist;
pub mod id;
pub mod media;
pub mod page;
pub mod patrol;
pub mod plate;
pub mod region;
pub mod signature;
pub mod tail;
pub mod time;

pub use id::{CameraId, RegionId};
pub use time::{TimeRange, Timestamp};
