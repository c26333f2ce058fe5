//! Counts and times requests by route template, method and status class: labels from a closed set, whatever clients send.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};

use crate::Api;

/// Upper bounds of the latency histogram, in microseconds. Time is until the answer's head; streams run on.
pub const BUCKETS_US: [u64; 10] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// Methods that are told apart; every other one counts as `OTHER`.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OTHER"];

/// The route that stands for the console's files and everything unknown.
const NO_ROUTE: &str = "console";

/// Counters of the HTTP side.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: BTreeMap<String, [RouteCounts; METHODS.len()]>,
    pub(crate) live_viewers: AtomicU64,
    pub(crate) live_lagged_total: AtomicU64,
    pub(crate) event_streams: AtomicU64,
    pub(crate) media_bytes_total: AtomicU64,
}

#[derive(Debug, Default)]
struct RouteCounts {
    /// By status class, 1xx to 5xx.
    by_class: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS_US.len()],
    sum_us: AtomicU64,
}

/// One route and method in a [`MetricsSnapshot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSnapshot {
    /// Route template, as in the OpenAPI document.
    pub route: String,
    /// Method.
    pub method: &'static str,
    /// Requests by status class, 1xx to 5xx.
    pub by_class: [u64; 5],
    /// Requests answered within each of [`BUCKETS_US`] (not cumulated).
    pub buckets: [u64; BUCKETS_US.len()],
    /// Requests in total.
    pub count: u64,
    /// Time to the answer's head in total.
    pub time_total: Duration,
}

/// What the HTTP side has counted since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricsSnapshot {
    /// Routes that were asked for at least once.
    pub routes: Vec<RouteSnapshot>,
    /// Live viewers now.
    pub live_viewers: u64,
    /// Times a live viewer was too slow and jumped to a later key frame.
    pub live_lagged_total: u64,
    /// Streams of events now.
    pub event_streams: u64,
    /// Bytes of media handed to clients.
    pub media_bytes_total: u64,
}

impl Metrics {
    /// Counters for these route templates.
    pub(crate) fn new(routes: impl IntoIterator<Item = String>) -> Self {
        let templates = routes.into_iter().chain([NO_ROUTE.to_owned()]);
        Self { routes: templates.map(|route| (route, Default::default())).collect(), ..Self::default() }
    }

    fn count(&self, route: &str, method: &Method, status: u16, took: Duration) {
        let Some(methods) = self.routes.get(route).or_else(|| self.routes.get(NO_ROUTE)) else { return };
        let place = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1);
        let Some(counts) = methods.get(place) else { return };
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(class) = counts.by_class.get(usize::from(status / 100).wrapping_sub(1)) {
            class.fetch_add(1, Relaxed);
        }
        let bucket = BUCKETS_US.iter().position(|most_us| took_us <= *most_us);
        if let Some(bucket) = bucket.and_then(|at| counts.buckets.get(at)) {
            bucket.fetch_add(1, Relaxed);
        }
        counts.sum_us.fetch_add(took_us, Relaxed);
    }

    /// Live viewers now.
    pub(crate) fn viewers(&self) -> u64 {
        self.live_viewers.load(Relaxed)
    }

    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let routes = self.routes.iter().flat_map(|(route, methods)| {
            METHODS.iter().zip(methods).map(|(method, counts)| counts.snapshot(route, method))
        });
        MetricsSnapshot {
            routes: routes.filter(|route| route.count > 0).collect(),
            live_viewers: self.live_viewers.load(Relaxed),
            live_lagged_total: self.live_lagged_total.load(Relaxed),
            event_streams: self.event_streams.load(Relaxed),
            media_bytes_total: self.media_bytes_total.load(Relaxed),
        }
    }
}

impl RouteCounts {
    fn snapshot(&self, route: &str, method: &'static str) -> RouteSnapshot {
        let by_class = self.by_class.each_ref().map(|count| count.load(Relaxed));
        RouteSnapshot {
            route: route.to_owned(),
            method,
            by_class,
            buckets: self.buckets.each_ref().map(|count| count.load(Relaxed)),
            count: by_class.iter().sum(),
            time_total: Duration::from_micros(self.sum_us.load(Relaxed)),
        }
    }
}

/// A gauge that is up while this lives.
pub(crate) struct Up {
    api: Api,
    gauge: fn(&Metrics) -> &AtomicU64,
}

impl Up {
    pub(crate) fn new(api: &Api, gauge: fn(&Metrics) -> &AtomicU64) -> Self {
        gauge(api.metrics_inner()).fetch_add(1, Relaxed);
        Self { api: api.clone(), gauge }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        (self.gauge)(self.api.metrics_inner()).fetch_sub(1, Relaxed);
    }
}

/// The layer.
pub(crate) async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    api.metrics_inner().count(route, &method, response.status().as_u16(), begun.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_from_a_closed_set() {
        let metrics = Metrics::new(["/api/v1/cameras".to_owned()]);
        metrics.count("/api/v1/cameras", &Method::GET, 200, Duration::from_micros(900));
        metrics.count("/api/v1/cameras", &Method::GET, 404, Duration::from_secs(60));
        metrics.count("/whatever/a/client/sends", &Method::from_bytes(b"BREW").unwrap(), 404, Duration::ZERO);
        let snapshot = metrics.snapshot();
        let seen: Vec<_> = snapshot.routes.iter().map(|r| (r.route.as_str(), r.method, r.count)).collect();
        assert_eq!(seen, [("/api/v1/cameras", "GET", 2), ("console", "OTHER", 1)]);
        assert_eq!(snapshot.routes[0].by_class, [0, 1, 0, 1, 0]);
        assert_eq!(snapshot.routes[0].buckets.iter().sum::<u64>(), 1, "a minute is beyond the last bucket");
    }
}
