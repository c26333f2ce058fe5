-- Holds on footage: camera-seconds that no policy may touch. A hold that is lifted stays here, so that it can be seen who held
-- what and when. No reference to cameras: footage stays when its camera goes.
CREATE TABLE footage_holds (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    range_from BIGINT NOT NULL,
    range_to BIGINT NOT NULL,
    until BIGINT,
    made_at BIGINT NOT NULL,
    lifted_at BIGINT,
    CHECK (range_from < range_to)
);

CREATE TABLE footage_hold_cameras (
    hold TEXT NOT NULL REFERENCES footage_holds (id) ON DELETE CASCADE,
    camera TEXT NOT NULL,
    PRIMARY KEY (hold, camera)
);
