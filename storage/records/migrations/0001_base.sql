-- Base records. Times are BIGINT microseconds since 1970-01-01T00:00:00Z, ids TEXT, lists and selections JSON in TEXT.

-- Counters that survive a restart: the version of the registry.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('registry', 0);

-- depth: 0 province, 1 city, 2 district, 3 town, 4 community. A child's depth is greater than its parent's.
CREATE TABLE regions (
    id TEXT NOT NULL PRIMARY KEY,
    parent TEXT REFERENCES regions (id) ON DELETE RESTRICT,
    depth INTEGER NOT NULL,
    name TEXT NOT NULL
);
CREATE INDEX regions_parent ON regions (parent);

CREATE TABLE cameras (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    region TEXT NOT NULL REFERENCES regions (id) ON DELETE RESTRICT,
    kind TEXT NOT NULL,
    lat DOUBLE PRECISION,
    lon DOUBLE PRECISION,
    bearing_deg DOUBLE PRECISION,
    fov_deg DOUBLE PRECISION,
    range_m DOUBLE PRECISION,
    tags TEXT NOT NULL,
    main_url TEXT NOT NULL,
    sub_url TEXT,
    cred_user TEXT,
    cred_password TEXT,
    policy TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX cameras_region ON cameras (region);

-- The tags of cameras.tags once more, for searching.
CREATE TABLE camera_tags (
    camera TEXT NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (camera, tag)
);
CREATE INDEX camera_tags_tag ON camera_tags (tag, camera);

-- name_key: the name in lower case, so that no two names differ by case alone.
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    unit TEXT NOT NULL,
    service BOOLEAN NOT NULL,
    password_hash TEXT,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL
);

-- token_hash: SHA-256 of the token, hexadecimal. The token itself is nowhere.
CREATE TABLE sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE service_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX service_tokens_account ON service_tokens (account);

CREATE TABLE cases (
    number TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    closed_at BIGINT
);

CREATE TABLE case_members (
    case_number TEXT NOT NULL REFERENCES cases (number) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
    PRIMARY KEY (case_number, account)
);
CREATE INDEX case_members_account ON case_members (account);

-- No reference to cameras or regions: a grant stays as it was made when they go.
CREATE TABLE grants (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
    ground_kind TEXT NOT NULL,
    ground_ref TEXT NOT NULL,
    reason TEXT NOT NULL,
    cameras TEXT NOT NULL,
    regions TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX grants_account ON grants (account, created_at, id);
CREATE INDEX grants_ground ON grants (ground_kind, ground_ref);

-- The audit log refers to others by text alone: it outlives them.
CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    account TEXT,
    action TEXT NOT NULL,
    grant_id TEXT,
    ground_kind TEXT,
    ground_ref TEXT,
    camera TEXT,
    from_at BIGINT,
    to_at BIGINT,
    detail TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_account ON audit (account, seq);
CREATE INDEX audit_camera ON audit (camera, seq);
CREATE INDEX audit_grant ON audit (grant_id, seq);

-- SQLite's form of "append only"; the hash chain finds what gets around it.
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TABLE patrol_plans (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    selection TEXT NOT NULL,
    layout INTEGER NOT NULL,
    dwell_s INTEGER NOT NULL,
    author TEXT NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
    created_at BIGINT NOT NULL
);

CREATE TABLE patrols (
    id TEXT NOT NULL PRIMARY KEY,
    plan TEXT REFERENCES patrol_plans (id) ON DELETE SET NULL,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
    layout INTEGER NOT NULL,
    dwell_s INTEGER NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX patrols_account ON patrols (account, started_at, id);
CREATE INDEX patrols_started ON patrols (started_at, id);

-- Fixed at the start: the denominator of coverage. No reference to cameras: history stays when a camera goes.
CREATE TABLE patrol_cameras (
    patrol TEXT NOT NULL REFERENCES patrols (id) ON DELETE CASCADE,
    ord INTEGER NOT NULL,
    camera TEXT NOT NULL,
    PRIMARY KEY (patrol, ord),
    UNIQUE (patrol, camera)
);

CREATE TABLE patrol_seen (
    patrol TEXT NOT NULL REFERENCES patrols (id) ON DELETE CASCADE,
    camera TEXT NOT NULL,
    shown_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    frame_at BIGINT,
    PRIMARY KEY (patrol, camera),
    FOREIGN KEY (patrol, camera) REFERENCES patrol_cameras (patrol, camera) ON DELETE CASCADE
);
CREATE INDEX patrol_seen_camera ON patrol_seen (camera, seen_at);

CREATE TABLE patrol_findings (
    patrol TEXT NOT NULL REFERENCES patrols (id) ON DELETE CASCADE,
    ord INTEGER NOT NULL,
    camera TEXT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (patrol, ord)
);
