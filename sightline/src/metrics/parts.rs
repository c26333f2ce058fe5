//! The parts' snapshots as metrics.
#![allow(clippy::cast_precision_loss, reason = "Prometheus counts in f64")]

use sightline_footage::{DiskState, TierState};

use super::sheet::Sheet;

/// Cameras coming in.
pub(super) fn ingest(sheet: &mut Sheet, now: &sightline_ingest::MetricsSnapshot) {
    let waiting: u64 = now.waiting.iter().map(|(_, streams)| streams).sum();
    sheet.gauges(
        "sightline_ingest_streams",
        "Streams by state.",
        [
            (&[("state", "connecting")][..], now.connecting as f64),
            (&[("state", "streaming")][..], now.streaming as f64),
            (&[("state", "waiting")][..], waiting as f64),
        ],
    );
    let labels: Vec<_> =
        now.failures.iter().map(|(reason, count)| ([("reason", reason.as_str())], *count)).collect();
    sheet.counters(
        "sightline_ingest_failures_total",
        "Streams that failed, by reason; each is tried again.",
        labels.iter().map(|(labels, count)| (&labels[..], *count)),
    );
    for (name, help, value) in [
        ("sightline_ingest_units_total", "Access units kept.", now.units),
        ("sightline_ingest_units_skipped_total", "Access units received and not kept.", now.units_skipped),
        ("sightline_ingest_media_bytes_total", "Media bytes kept.", now.bytes),
        ("sightline_ingest_gops_total", "GOPs completed.", now.gops),
        ("sightline_ingest_packets_lost_total", "RTP packets that never came.", now.packets_lost),
        ("sightline_ingest_packets_bad_total", "RTP packets that could not be understood.", now.packets_bad),
        ("sightline_ingest_clock_jumps_total", "Runs ended because a clock jumped.", now.clock_jumps),
        ("sightline_ingest_connects_total", "Connections that reached PLAY.", now.connects),
    ] {
        sheet.counter(name, help, value);
    }
}

/// The log of GOPs.
pub(super) fn footage(sheet: &mut Sheet, now: &sightline_footage::MetricsSnapshot) {
    for (name, help, value) in [
        ("sightline_footage_gops_appended_total", "GOPs handed to the operating system.", now.gops_appended),
        ("sightline_footage_gops_synced_total", "GOPs safe on disk.", now.gops_synced),
        (
            "sightline_footage_bytes_appended_total",
            "Bytes handed to the operating system.",
            now.bytes_appended,
        ),
        ("sightline_footage_gaps_total", "Gap records written.", now.gaps_appended),
        ("sightline_footage_syncs_total", "Group syncs.", now.syncs),
        ("sightline_footage_write_errors_total", "Writes or syncs that failed.", now.write_errors),
        ("sightline_footage_segments_sealed_total", "Segments sealed.", now.segments_sealed),
        (
            "sightline_footage_gops_dropped_total",
            "GOPs let go because the disk was too slow or full.",
            now.gops_dropped,
        ),
        ("sightline_footage_reads_total", "GOPs read.", now.reads),
        ("sightline_footage_reads_cached_total", "GOPs read from memory.", now.reads_cached),
        (
            "sightline_footage_damaged_reads_total",
            "Reads that found a checksum that does not fit.",
            now.damaged_reads,
        ),
    ] {
        sheet.counter(name, help, value);
    }
    sheet.seconds(
        "sightline_footage_sync_seconds_total",
        "Time spent in group syncs.",
        now.sync_time_total.as_secs_f64(),
    );
    let marks = now.watermarks;
    sheet.gauges(
        "sightline_footage_watermark_gops",
        "How far each stage has come: indexed <= synced <= appended <= tail_end.",
        [
            (&[("stage", "indexed")][..], marks.indexed as f64),
            (&[("stage", "synced")][..], marks.synced as f64),
            (&[("stage", "appended")][..], marks.appended as f64),
            (&[("stage", "tail_end")][..], marks.tail_end as f64),
        ],
    );
    let state = match now.disk {
        DiskState::Writing => "writing",
        DiskState::Full { .. } => "full",
        DiskState::Failing { .. } => "failing",
        DiskState::Out { .. } => "out",
    };
    let states = ["writing", "full", "failing", "out"]
        .map(|name| ([("state", name)], f64::from(u8::from(name == state))));
    sheet.gauges(
        "sightline_footage_disk_state",
        "1 for the state of the worst disk.",
        states.iter().map(|(labels, value)| (&labels[..], *value)),
    );
    sheet.gauge("sightline_footage_free_bytes", "Free space on the footage disk.", now.free_bytes as f64);
    sheet.gauge("sightline_footage_segments", "Segments there are.", now.segments as f64);
    sheet.gauge("sightline_footage_live_readers", "Readers of the tails.", now.live_readers as f64);
}

/// The keys of footage.
pub(super) fn keys(sheet: &mut Sheet, now: &sightline_trust::keys::KeysSnapshot) {
    for (name, help, value) in [
        ("sightline_keys_made_total", "Keys of camera-hours made.", now.made),
        ("sightline_keys_opened_total", "Keys read from their files.", now.opened),
        ("sightline_keys_destroyed_total", "Keys destroyed, and with them their footage.", now.destroyed),
        (
            "sightline_keys_failures_total",
            "Keys that could not be had, made durable or destroyed because of a disk or file in trouble.",
            now.failures,
        ),
    ] {
        sheet.counter(name, help, value);
    }
}

/// Where sealed segments go in the end.
pub(super) fn tier(sheet: &mut Sheet, now: &sightline_footage::TierStatus) {
    let failing = matches!(now.state, TierState::Failing { .. });
    sheet.gauge(
        "sightline_tier_failing",
        "1 while the tier refuses or does not answer.",
        f64::from(u8::from(failing)),
    );
    let places =
        |local: u64, tier: u64| [([("place", "local")], local as f64), ([("place", "tier")], tier as f64)];
    let segments = places(now.local_segments, now.tier_segments);
    sheet.gauges(
        "sightline_tier_segments",
        "Sealed segments in one place alone: on a local disk, or in the tier.",
        segments.iter().map(|(labels, value)| (&labels[..], *value)),
    );
    let bytes = places(now.local_bytes, now.tier_bytes);
    sheet.gauges(
        "sightline_tier_segment_bytes",
        "Bytes of sealed segments in one place alone.",
        bytes.iter().map(|(labels, value)| (&labels[..], *value)),
    );
    let done = now.metrics;
    for (name, help, value) in [
        ("sightline_tier_segments_sent_total", "Segments sent whole.", done.segments_sent),
        ("sightline_tier_sent_bytes_total", "Bytes of chunks sent.", done.bytes_sent),
        (
            "sightline_tier_verified_bytes_total",
            "Bytes of chunks read back and compared.",
            done.bytes_verified,
        ),
        (
            "sightline_tier_chunks_sent_again_total",
            "Chunks not stored as sent at first.",
            done.chunks_sent_again,
        ),
        ("sightline_tier_requests_total", "Requests for footage.", done.requests),
        ("sightline_tier_read_bytes_total", "Bytes of footage read.", done.bytes_read),
    ] {
        sheet.counter(name, help, value);
    }
}

/// Events.
pub(super) fn gateway(sheet: &mut Sheet, now: &sightline_gateway::MetricsSnapshot) {
    let kinds: Vec<_> = now.kinds.iter().map(|kind| ([("kind", kind.kind)], kind)).collect();
    for (name, help, value) in [
        (
            "sightline_events_received_total",
            "Messages that came in.",
            (|kind| kind.received) as fn(&sightline_gateway::KindSnapshot) -> u64,
        ),
        ("sightline_events_accepted_total", "Events stored.", |kind| kind.accepted),
        ("sightline_events_duplicate_total", "Events that were stored before.", |kind| kind.duplicates),
    ] {
        sheet.counters(name, help, kinds.iter().map(|(labels, kind)| (&labels[..], value(kind))));
    }
    let rejected = now
        .kinds
        .iter()
        .flat_map(|kind| kind.rejected.iter().map(move |(reason, count)| (kind.kind, *reason, *count)));
    let rejected: Vec<_> = rejected
        .chain([("unknown", "unknown_topic", now.rejected_unknown_topic)])
        .map(|(kind, reason, count)| ([("kind", kind), ("reason", reason)], count))
        .collect();
    sheet.counters(
        "sightline_events_rejected_total",
        "Messages refused, by kind and reason.",
        rejected.iter().map(|(labels, count)| (&labels[..], *count)),
    );
    let stripped = &now.stripped;
    sheet.counters(
        "sightline_events_stripped_fields_total",
        "Fields about persons removed at the door, by kind.",
        [
            (&[("kind", "occupant")][..], stripped.occupant),
            (&[("kind", "face")][..], stripped.face),
            (&[("kind", "person")][..], stripped.person),
            (&[("kind", "attribute")][..], stripped.attribute),
            (&[("kind", "identity")][..], stripped.identity),
        ],
    );
    for (name, help, value) in [
        ("sightline_events_batches_total", "Batches committed.", now.batches),
        (
            "sightline_events_persist_failures_total",
            "Batches that could not be stored at once; tried again.",
            now.persist_failures,
        ),
        ("sightline_hotlist_matches_exact_total", "Passes whose plate is on the hotlist.", now.matches_exact),
        (
            "sightline_hotlist_matches_look_alike_total",
            "Passes whose plate looks like one on the hotlist.",
            now.matches_look_alike,
        ),
        ("sightline_alerts_raised_total", "Alerts raised.", now.alerts_raised),
        ("sightline_alerts_joined_total", "Hits that joined an open alert.", now.alerts_joined),
        ("sightline_mqtt_published_total", "Messages the broker acknowledged.", now.published),
        ("sightline_mqtt_connects_total", "Connections made to the broker.", now.connects),
        ("sightline_mqtt_watchdog_resets_total", "Connections ended by the watchdog.", now.watchdog_resets),
        ("sightline_events_expired_total", "Rows removed because their time was over.", now.expired),
    ] {
        sheet.counter(name, help, value);
    }
    sheet.seconds(
        "sightline_events_persist_seconds_total",
        "Time spent on committing batches.",
        now.persist_seconds,
    );
    sheet.gauge("sightline_hotlist_entries", "Entries in force.", now.hotlist_entries as f64);
    sheet.gauge(
        "sightline_mqtt_connected",
        "1 while the broker is reached.",
        f64::from(u8::from(now.connected)),
    );
}

/// Stills.
pub(super) fn pictures(sheet: &mut Sheet, now: &sightline_picture::MetricsSnapshot) {
    for (name, help, value) in [
        ("sightline_pictures_requests_total", "Pictures asked for.", now.requests),
        ("sightline_pictures_cache_hits_total", "Pictures answered from memory.", now.cache_hits),
        ("sightline_pictures_decoded_total", "Key frames decoded.", now.decoded),
        ("sightline_pictures_worker_restarts_total", "Decoder workers replaced.", now.restarts),
    ] {
        sheet.counter(name, help, value);
    }
    let errors: Vec<_> = now.errors.iter().map(|(kind, count)| ([("kind", *kind)], *count)).collect();
    sheet.counters(
        "sightline_pictures_errors_total",
        "Pictures that could not be made, by kind.",
        errors.iter().map(|(labels, count)| (&labels[..], *count)),
    );
    sheet.seconds("sightline_pictures_decode_seconds_total", "Time spent on decoding.", now.decode_seconds);
    sheet.gauge("sightline_pictures_workers", "Decoder workers that run.", now.workers_up as f64);
    sheet.gauge("sightline_pictures_cache_bytes", "Memory of the picture cache.", now.cache_bytes as f64);
}

/// HTTP.
pub(super) fn api(sheet: &mut Sheet, now: &sightline_api::MetricsSnapshot) {
    const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    let requests: Vec<_> = now
        .routes
        .iter()
        .flat_map(|route| {
            CLASSES.iter().zip(route.by_class).map(move |(class, count)| (route, *class, count))
        })
        .filter(|(.., count)| *count > 0)
        .map(|(route, class, count)| {
            ([("route", route.route.as_str()), ("method", route.method), ("status", class)], count)
        })
        .collect();
    sheet.counters(
        "sightline_http_requests_total",
        "Requests by route, method and class of status.",
        requests.iter().map(|(labels, count)| (&labels[..], *count)),
    );
    let times: Vec<_> = now
        .routes
        .iter()
        .map(|route| {
            let bounds = sightline_api::BUCKETS_US.iter().map(|bound| *bound as f64 / 1e6);
            let buckets = bounds.zip(route.buckets).collect::<Vec<_>>();
            (
                [("route", route.route.as_str()), ("method", route.method)],
                buckets,
                route.count,
                route.time_total.as_secs_f64(),
            )
        })
        .collect();
    sheet.histograms(
        "sightline_http_request_seconds",
        "Time until the answer's head, by route and method.",
        times.iter().map(|(labels, buckets, count, sum)| (&labels[..], buckets.clone(), *count, *sum)),
    );
    sheet.counter("sightline_http_media_bytes_total", "Bytes of media sent.", now.media_bytes_total);
    sheet.counter(
        "sightline_http_live_lagged_total",
        "Times a live viewer was too slow and jumped.",
        now.live_lagged_total,
    );
    sheet.gauge("sightline_http_live_viewers", "Live viewers.", now.live_viewers as f64);
    sheet.gauge("sightline_http_event_streams", "Clients of the event stream.", now.event_streams as f64);
}

/// Accounts, grants and looks.
pub(super) fn trust(sheet: &mut Sheet, now: &sightline_trust::MetricsSnapshot) {
    for (name, help, value) in [
        ("sightline_sign_ins_total", "People who signed in.", now.sign_ins),
        ("sightline_sign_ins_failed_total", "Sign-ins with a wrong name or password.", now.sign_ins_failed),
        (
            "sightline_sign_ins_throttled_total",
            "Sign-ins turned away for failures before them.",
            now.sign_ins_throttled,
        ),
        ("sightline_grants_opened_total", "Grants opened.", now.grants_opened),
        ("sightline_looks_total", "Looks that were allowed.", now.looks),
        ("sightline_looks_refused_total", "Looks and searches that were refused.", now.looks_refused),
        (
            "sightline_live_looks_ended_total",
            "Live looks ended with their ground, grant or session.",
            now.live_ended,
        ),
        ("sightline_audit_entries_total", "Entries made durable in the audit log.", now.audit_entries),
        (
            "sightline_audit_failures_total",
            "Acts that could not be entered; nothing was released for them.",
            now.audit_failures,
        ),
    ] {
        sheet.counter(name, help, value);
    }
}
