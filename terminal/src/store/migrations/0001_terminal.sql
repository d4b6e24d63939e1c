-- What a terminal must not forget. One row where the key is `id = 1`. Times are Unix milliseconds by the terminal's clock.

CREATE TABLE enrolment (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    platform TEXT NOT NULL,
    root_key BLOB NOT NULL CHECK (length(root_key) = 33),
    own_key BLOB NOT NULL CHECK (length(own_key) = 33),
    installed_s INTEGER NOT NULL CHECK (installed_s > 0),
    -- The platform's answer, as it came.
    answer TEXT NOT NULL
) STRICT;

CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    monotonic_ms INTEGER NOT NULL CHECK (monotonic_ms >= 0),
    platform_ms INTEGER NOT NULL CHECK (platform_ms >= 0),
    round_trip_ms INTEGER NOT NULL CHECK (round_trip_ms >= 0),
    floor_ms INTEGER NOT NULL CHECK (floor_ms >= 0)
) STRICT;

CREATE TRIGGER clock_floor_rises BEFORE UPDATE ON clock WHEN NEW.floor_ms < OLD.floor_ms
BEGIN SELECT RAISE(ABORT, 'the floor of the clock only rises'); END;

-- The newest version seen of each list. The table's bytes are a file of their own, and its deltas a table.
CREATE TABLE list (
    kind INTEGER PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version > 0),
    -- The version of the whole list that is kept; less than `version` where deltas follow.
    base INTEGER NOT NULL CHECK (base > 0 AND base <= version),
    bytes BLOB
) STRICT;

CREATE TRIGGER list_version_rises BEFORE UPDATE ON list WHEN NEW.version < OLD.version
BEGIN SELECT RAISE(ABORT, 'the version of a list only rises'); END;

CREATE TABLE delta (
    version INTEGER PRIMARY KEY CHECK (version > 0),
    bytes BLOB NOT NULL
) STRICT;

-- The highest sequence accepted of each pseudonym.
CREATE TABLE holder (
    pseudonym BLOB PRIMARY KEY CHECK (length(pseudonym) = 5),
    last_sequence INTEGER NOT NULL CHECK (last_sequence BETWEEN 65537 AND 16711679),
    seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX holder_by_time ON holder (seen_ms);

CREATE TRIGGER holder_rises BEFORE UPDATE ON holder WHEN NEW.last_sequence <= OLD.last_sequence
BEGIN SELECT RAISE(ABORT, 'the sequence of a holder only rises'); END;

-- The journal: signed, numbered without gaps. Kinds as in the code format: 1 purchase, 2 void, 3 library fee.
CREATE TABLE record (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
    pseudonym BLOB NOT NULL CHECK (length(pseudonym) = 5),
    amount INTEGER NOT NULL CHECK (amount > 0),
    -- The record that a void takes back.
    voids INTEGER UNIQUE CHECK ((voids IS NOT NULL) = (kind = 2)),
    time_ms INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    bytes BLOB NOT NULL,
    -- What the platform did with it; absent before it is uploaded.
    outcome TEXT
) STRICT;

CREATE INDEX record_by_holder ON record (pseudonym, sequence);
CREATE INDEX record_unanswered ON record (sequence) WHERE outcome IS NULL;

CREATE TRIGGER record_has_no_gap BEFORE INSERT ON record
WHEN NEW.sequence <> COALESCE((SELECT MAX(sequence) FROM record), 0) + 1
BEGIN SELECT RAISE(ABORT, 'records are numbered without gaps'); END;

-- Everything that was approved, payments and identities, by the till's number for the sale.
CREATE TABLE approval (
    id INTEGER PRIMARY KEY,
    sale BLOB NOT NULL UNIQUE CHECK (length(sale) = 16),
    pseudonym BLOB NOT NULL CHECK (length(pseudonym) = 5),
    dynamic BLOB NOT NULL CHECK (length(dynamic) = 9),
    class INTEGER NOT NULL CHECK (class BETWEEN 1 AND 4),
    slot INTEGER CHECK (slot BETWEEN 1 AND 8),
    time_ms INTEGER NOT NULL,
    -- The payment's record; absent for an identity.
    record INTEGER UNIQUE CHECK ((record IS NULL) = (slot IS NULL)),
    UNIQUE (pseudonym, dynamic)
) STRICT;

CREATE INDEX approval_by_time ON approval (time_ms);

-- The one amount that a holder was asked to confirm last.
CREATE TABLE confirmation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    nonce BLOB NOT NULL CHECK (length(nonce) = 8),
    amount INTEGER NOT NULL CHECK (amount > 0),
    asked_ms INTEGER NOT NULL
) STRICT;

-- How far the platform has settled, by its signed mark.
CREATE TABLE settled (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    mark BLOB NOT NULL
) STRICT;

CREATE TRIGGER settled_rises BEFORE UPDATE ON settled WHEN NEW.sequence < OLD.sequence
BEGIN SELECT RAISE(ABORT, 'the settled mark only rises'); END;
