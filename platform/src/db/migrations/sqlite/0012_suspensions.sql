-- What is reported lost or frozen, by whom and since when, and what the school's card system is told of it.

-- When a phone was last heard of: it is written when its tokens are renewed.
ALTER TABLE device ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
UPDATE device SET seen_at = bound_at;

-- One row a report, however many there are of one thing; ended ones stay. `holder.status` and `device.status` say what comes
-- of the open ones.
CREATE TABLE suspension (
    id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    holder BIGINT NOT NULL REFERENCES holder (id),
    scope TEXT NOT NULL CHECK (scope IN ('card', 'phone', 'all')),
    device TEXT REFERENCES device (id),
    by_whom TEXT NOT NULL CHECK (by_whom IN ('self', 'office')),
    reported_from TEXT REFERENCES device (id),
    decided_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    online_from BIGINT NOT NULL,
    offline_by BIGINT NOT NULL CHECK (offline_by >= online_from),
    offline_identity_by BIGINT NOT NULL CHECK (offline_identity_by >= offline_by),
    ended_at BIGINT,
    ended_by TEXT CHECK (ended_by IN ('self', 'office')),
    ended_number BIGINT UNIQUE,
    CHECK ((scope = 'phone') = (device IS NOT NULL)),
    CHECK (by_whom = 'self' OR reported_from IS NULL),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_number IS NULL)),
    CHECK (ended_by IS NULL OR ended_by = 'office' OR by_whom = 'self')
);
CREATE INDEX suspension_holder ON suspension (holder, number);
CREATE INDEX suspension_open ON suspension (holder) WHERE ended_at IS NULL;

-- What the school's card system has to know of plastic cards, in its order.
CREATE TABLE card_change (
    number BIGINT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    suspended BIGINT NOT NULL CHECK (suspended IN (0, 1)),
    at BIGINT NOT NULL
);
CREATE INDEX card_change_holder ON card_change (holder, number);

INSERT INTO counter (name, value) VALUES ('suspension', 0), ('card_change', 0);

-- Holders whom the card office froze before. Since when is not known, nor is it of use any more.
INSERT INTO suspension (id, number, holder, scope, by_whom, decided_at, recorded_at, online_from, offline_by,
        offline_identity_by)
    SELECT '00000000-0000-8000-8000-' || printf('%012d', id), id, id, 'all', 'office', created_at, created_at, created_at, created_at,
        created_at
    FROM holder WHERE status = 'frozen';
INSERT INTO card_change (number, holder, suspended, at)
    SELECT id, id, 1, created_at FROM holder WHERE status = 'frozen';
UPDATE counter SET value = (SELECT COALESCE(MAX(id), 0) FROM holder WHERE status = 'frozen')
    WHERE name IN ('suspension', 'card_change');
