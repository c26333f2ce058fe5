//! One line a request, and an id that joins it with the answer (`X-Request-Id`).
//!
//! The query is left out of the log: it says who looked at what, and that belongs in the audit log alone.

use std::time::Duration;

use axum::{
    body::Body,
    extract::MatchedPath,
    http::{HeaderName, Request, Response},
};
use tower_http::{
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::{MakeSpan, OnFailure, OnResponse, TraceLayer},
};
use tracing::Span;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) fn set_id() -> SetRequestIdLayer<MakeRequestUuid> {
    SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid)
}

pub(crate) fn return_id() -> PropagateRequestIdLayer {
    PropagateRequestIdLayer::new(REQUEST_ID)
}

pub(crate) fn layer() -> TraceLayer<
    tower_http::classify::SharedClassifier<tower_http::classify::ServerErrorsAsFailures>,
    RequestSpan,
    tower_http::trace::DefaultOnRequest,
    Answered,
    tower_http::trace::DefaultOnBodyChunk,
    tower_http::trace::DefaultOnEos,
    Failed,
> {
    TraceLayer::new_for_http().make_span_with(RequestSpan).on_response(Answered).on_failure(Failed)
}

#[derive(Clone)]
pub(crate) struct RequestSpan;

impl MakeSpan<Body> for RequestSpan {
    fn make_span(&mut self, request: &Request<Body>) -> Span {
        let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or("-");
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or_else(|| request.uri().path(), MatchedPath::as_str);
        tracing::debug_span!("request", method = %request.method(), route, request_id = id)
    }
}

#[derive(Clone)]
pub(crate) struct Answered;

impl OnResponse<Body> for Answered {
    fn on_response(self, response: &Response<Body>, latency: Duration, _: &Span) {
        let status = response.status().as_u16();
        tracing::debug!(
            status,
            latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    }
}

/// Failures are logged where the error is turned into a problem, with its cause.
#[derive(Clone)]
pub(crate) struct Failed;

impl<C> OnFailure<C> for Failed {
    fn on_failure(&mut self, _: C, _: Duration, _: &Span) {}
}
