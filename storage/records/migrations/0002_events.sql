-- Events, alerts and the hotlist. Times are BIGINT microseconds since 1970-01-01T00:00:00Z, ids TEXT, JSON in TEXT.

-- The version of the hotlist: bumped in the transaction of each change.
INSERT INTO counters (name, value) VALUES ('hotlist', 0);

-- An entry matches only while approved by another account, not withdrawn, inside its time and its case open.
CREATE TABLE hotlist (
    id TEXT NOT NULL PRIMARY KEY,
    plate TEXT NOT NULL,
    reason TEXT NOT NULL,
    case_number TEXT NOT NULL REFERENCES cases (number) ON DELETE RESTRICT,
    region TEXT REFERENCES regions (id) ON DELETE RESTRICT,
    author TEXT NOT NULL,
    approver TEXT,
    approved_at BIGINT,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT NOT NULL,
    withdrawn_at BIGINT,
    withdrawn_by TEXT,
    created_at BIGINT NOT NULL,
    CHECK (valid_from < valid_to),
    CHECK (approver IS NULL OR approver <> author)
);
CREATE INDEX hotlist_case ON hotlist (case_number);
CREATE INDEX hotlist_plate ON hotlist (plate);

-- One vehicle seen at one point. No reference to cameras: a pass may come before its camera is registered and stays
-- when it goes. plate is normalised, plate_fold has look-alike characters folded; hit: it raised or joined an alert.
CREATE TABLE passes (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    camera TEXT NOT NULL,
    lane INTEGER,
    plate_raw TEXT,
    plate TEXT,
    plate_fold TEXT,
    plate_region TEXT,
    plate_colour TEXT,
    plate_confidence DOUBLE PRECISION,
    vehicle_class TEXT,
    vehicle_colour TEXT,
    direction TEXT,
    speed_kmh DOUBLE PRECISION,
    received_at BIGINT NOT NULL,
    hit BOOLEAN NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX passes_at ON passes (at);
CREATE INDEX passes_camera ON passes (camera, at);
CREATE INDEX passes_plate ON passes (plate_fold, at) WHERE plate_fold IS NOT NULL;

CREATE TABLE alarms (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    drill BOOLEAN NOT NULL,
    camera TEXT,
    lat DOUBLE PRECISION,
    lon DOUBLE PRECISION,
    text TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX alarms_at ON alarms (at);

-- What each device said last. Older reports than the stored one are duplicates.
CREATE TABLE device_status (
    camera TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    healthy BOOLEAN NOT NULL,
    firmware TEXT,
    temperature_c DOUBLE PRECISION,
    text TEXT NOT NULL,
    received_at BIGINT NOT NULL
);

-- The last position of each supervised vehicle, no track.
CREATE TABLE telemetry (
    vehicle TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    lat DOUBLE PRECISION NOT NULL,
    lon DOUBLE PRECISION NOT NULL,
    speed_kmh DOUBLE PRECISION NOT NULL,
    heading_deg DOUBLE PRECISION NOT NULL,
    alarm_bits BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX telemetry_at ON telemetry (at);

-- revision grows with each move of a person, change_seq with every change; published_seq is the last change that a
-- broker acknowledged: published_seq < change_seq is the outbox. join_key: hits of the same thing join while open.
CREATE TABLE alerts (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    is_open BOOLEAN NOT NULL,
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    camera TEXT,
    region TEXT,
    position TEXT,
    repeats BIGINT NOT NULL,
    history TEXT NOT NULL,
    revision BIGINT NOT NULL,
    join_key TEXT,
    change_seq BIGINT NOT NULL,
    published_seq BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE INDEX alerts_open ON alerts (id) WHERE is_open;
CREATE INDEX alerts_unpublished ON alerts (id) WHERE published_seq < change_seq;
CREATE UNIQUE INDEX alerts_join ON alerts (join_key) WHERE is_open AND join_key IS NOT NULL;
CREATE INDEX alerts_closed ON alerts (closed_at) WHERE closed_at IS NOT NULL;

-- Every event that raised or joined an alert.
CREATE TABLE alert_hits (
    alert TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    event TEXT NOT NULL,
    camera TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (alert, source, event)
);
