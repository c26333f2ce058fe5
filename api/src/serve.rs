//! Listening: the one place where routes meet a socket.

use std::net::SocketAddr;

use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get, serve::ListenerExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Prometheus's text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves `routes` until `cancel`, then lets requests in work come to their end.
///
/// # Errors
/// When the socket fails.
pub async fn serve(listener: TcpListener, routes: Router, cancel: CancellationToken) -> std::io::Result<()> {
    // Live frames are small and must not be held back until more comes (Nagle's algorithm).
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection holds small packets back");
        }
    });
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes).with_graceful_shutdown(cancel.cancelled_owned()).await
}

/// `GET /metrics`, for an address of its own: ops reach it without an account, and nobody else should reach it at all.
pub fn metrics_router(render: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    let metrics = move || {
        let text = render();
        async move { ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response() }
    };
    Router::new().route("/metrics", get(metrics))
}
