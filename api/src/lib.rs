//! HTTP: sessions, cameras, grounds, footage as clips, fragments and stills, patrols, vehicles, alerts, the audit log
//! and the console.
//!
//! Belongs here: turning requests into calls of the other parts and their answers into JSON, fMP4 and pictures.
//! Does not belong here: who may see what (`trust`), what is stored how (`storage`), what an event means (`gateway`).
//!
//! [`Api::start`] takes the other parts, [`Api::router`] gives the routes. Every route stands on one page, `routes/mod.rs`;
//! every error's status and code in one table, `problem/table.rs`.

mod assets;
mod camera_state;
mod extract;
pub mod fmp4;
mod hub;
mod layers;
mod media;
pub mod openapi;
pub mod problem;
mod routes;
mod serve;
mod state;

pub use axum::Router;
pub use layers::measure::{BUCKETS_US, MetricsSnapshot, RouteSnapshot};
pub use routes::camera_import::{ImportReport, RowError, import_cameras};
pub use serve::{metrics_router, serve};
pub use state::{Api, Config, Parts, States};
