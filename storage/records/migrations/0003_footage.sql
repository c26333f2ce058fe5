-- The footage catalogue: which stream has what in which sealed segment. Derived from the segments' footers and small: a row
-- of footage_parts takes about 60 bytes. Times are BIGINT microseconds since 1970-01-01T00:00:00Z.

CREATE TABLE footage_nodes (
    no INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- A number for each stream of a node, with the sums over its rows. kind: 1 main, 2 sub.
-- until, longest: no row ends later, no near row is longer; both only grow.
-- gop_segment, known_segment: the segments that last_gop_end and known_until are from; a later segment overrides.
CREATE TABLE footage_streams (
    no INTEGER PRIMARY KEY,
    node INTEGER NOT NULL,
    camera TEXT NOT NULL,
    kind INTEGER NOT NULL,
    parts BIGINT NOT NULL,
    far BIGINT NOT NULL,
    gops BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    until BIGINT NOT NULL,
    longest BIGINT NOT NULL,
    gop_segment BIGINT,
    last_gop_end BIGINT,
    known_segment BIGINT,
    known_until BIGINT,
    UNIQUE (node, camera, kind)
);

-- One row a sealed segment. place: 0 local, 1 local and in the tier, 2 in the tier alone. first, last: hull of the footage.
CREATE TABLE footage_segments (
    no INTEGER PRIMARY KEY,
    node INTEGER NOT NULL,
    id BIGINT NOT NULL,
    disk INTEGER NOT NULL,
    class INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    place INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    records_end BIGINT NOT NULL,
    gops BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    streams BIGINT NOT NULL,
    created BIGINT NOT NULL,
    sealed_at BIGINT NOT NULL,
    first BIGINT,
    last BIGINT,
    merkle_root BLOB NOT NULL,
    UNIQUE (node, id)
);

-- The keys of a segment's rows in footage_parts, about 6 bytes a row, so that they are removed without an index on them.
CREATE TABLE footage_keys (
    segment INTEGER PRIMARY KEY,
    keys BLOB NOT NULL
);

-- One row a stream and segment. far: 1 when it covers so much time that it is not found by its start.
-- start, length: hull of footage and gaps. lead, trail: how much later footage starts and how much earlier it ends; NULL
-- without footage. gap_lead, gap_length: the same for gaps. gop_early, known_early: how long before the end of the hull the
-- last GOP and the last record end. block_at counts from records_end of the segment.
CREATE TABLE footage_parts (
    stream INTEGER NOT NULL,
    far INTEGER NOT NULL,
    start BIGINT NOT NULL,
    segment INTEGER NOT NULL,
    length BIGINT NOT NULL,
    lead BIGINT,
    trail BIGINT,
    gap_lead BIGINT,
    gap_length BIGINT,
    gop_early BIGINT,
    known_early BIGINT,
    gops INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    block_at BIGINT NOT NULL,
    block_bytes BIGINT NOT NULL,
    block_crc INTEGER NOT NULL,
    PRIMARY KEY (stream, far, start, segment)
) WITHOUT ROWID;
