//! Waiting by polling a condition under a deadline.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(50);

/// Polls `probe` until it is true.
///
/// # Panics
/// When it is not within `deadline`; the message names `what`.
pub async fn eventually<F: Future<Output = bool>>(
    what: &str,
    deadline: Duration,
    mut probe: impl FnMut() -> F,
) {
    eventually_some(what, deadline, || {
        let looked = probe();
        async move { looked.await.then_some(()) }
    })
    .await;
}

/// Polls `probe` until it gives something.
///
/// # Panics
/// When it does not within `deadline`; the message names `what`.
pub async fn eventually_some<T, F: Future<Output = Option<T>>>(
    what: &str,
    deadline: Duration,
    mut probe: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(started.elapsed() < deadline, "{what}: not within {deadline:?}");
        tokio::time::sleep(PAUSE).await;
    }
}
