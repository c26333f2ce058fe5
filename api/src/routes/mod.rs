//! Every route, on one page. One file a resource; each handler says its own path and method.

mod acts;
mod alerts;
mod audit;
mod camera_form;
pub(crate) mod camera_import;
mod cameras;
mod cases;
mod events;
mod footage;
mod grants;
mod health;
mod hotlist;
mod passes;
mod patrols;
mod plans;
mod regions;
mod selection;
mod session;
mod status;
mod views;

use axum::{
    Json, Router,
    extract::Request,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use tower::ServiceBuilder;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    Api, assets,
    layers::{compress, headers, measure, trace},
    problem::{Refusal, cut},
};

/// Below which everything but the console and the docs lies.
const PREFIX: &str = "/api/v1";

/// The routes as they stand in the OpenAPI document.
pub(crate) fn documented() -> OpenApiRouter<Api> {
    let api = OpenApiRouter::new()
        // Who asks.
        .routes(routes!(session::sign_in, session::sign_out))
        .routes(routes!(session::me))
        // The registry.
        .routes(routes!(regions::list, regions::put))
        .routes(routes!(cameras::list, cameras::create))
        .routes(routes!(camera_import::import))
        .routes(routes!(cameras::get, cameras::change, cameras::remove))
        .routes(routes!(cameras::health))
        // Grounds.
        .routes(routes!(cases::list, cases::create))
        .routes(routes!(cases::set_members))
        .routes(routes!(cases::close))
        .routes(routes!(grants::list, grants::open))
        .routes(routes!(grants::get, grants::end))
        // Footage.
        .routes(routes!(footage::timeline::timeline))
        .routes(routes!(footage::keyframes::keyframes))
        .routes(routes!(footage::frame::frame))
        .routes(routes!(footage::clip::clip))
        .routes(routes!(footage::playlist::playlist))
        .routes(routes!(footage::segment::init))
        .routes(routes!(footage::segment::segment))
        .routes(routes!(footage::live::live))
        // Patrols.
        .routes(routes!(views::select))
        .routes(routes!(plans::list, plans::create))
        .routes(routes!(plans::remove))
        .routes(routes!(patrols::list, patrols::start))
        .routes(routes!(patrols::next))
        .routes(routes!(patrols::seen))
        .routes(routes!(patrols::add_finding))
        .routes(routes!(patrols::end))
        .routes(routes!(patrols::report))
        // Vehicles and alerts.
        .routes(routes!(passes::list))
        .routes(routes!(hotlist::list, hotlist::propose))
        .routes(routes!(hotlist::approve))
        .routes(routes!(hotlist::withdraw))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::get))
        .routes(routes!(alerts::confirm))
        .routes(routes!(alerts::dismiss))
        .routes(routes!(alerts::dispatch))
        .routes(routes!(alerts::resolve))
        .routes(routes!(events::events))
        // The log and the system.
        .routes(routes!(audit::entries))
        .routes(routes!(audit::verify))
        .routes(routes!(status::status))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz));
    OpenApiRouter::new().nest(PREFIX, api)
}

/// Everything that is served, with what happens to every request around it.
pub(crate) fn router(api: Api) -> Router {
    let (routes, _) = documented().split_for_parts();
    let layers = ServiceBuilder::new()
        .layer(trace::set_id())
        .layer(trace::return_id())
        .layer(trace::layer())
        .layer(from_fn_with_state(api.clone(), measure::count))
        .layer(from_fn(headers::add))
        .layer(compress::layer());
    let docs: Router<Api> =
        SwaggerUi::new("/api/docs").config(utoipa_swagger_ui::Config::from("/api/v1/openapi.json")).into();
    routes
        .route("/api/v1/openapi.json", get(openapi))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .merge(docs)
        .fallback(assets::serve)
        .method_not_allowed_fallback(wrong_method)
        .layer(layers)
        .with_state(api)
}

async fn openapi() -> Response {
    Json(crate::openapi::document()).into_response()
}

async fn wrong_method(request: Request) -> Response {
    let path = cut(request.uri().path(), 128);
    Refusal::Method { path, method: cut(request.method().as_str(), 16) }.into_response()
}
