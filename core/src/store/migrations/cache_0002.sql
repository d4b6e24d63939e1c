-- What is told whole each time, such as the wallet, one row each. Where it has a version, an older one never replaces it.
CREATE TABLE snapshots (
    name TEXT PRIMARY KEY CHECK (length(name) > 0),
    version INTEGER NOT NULL CHECK (version >= 0),
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Operations as last told. `version` rises with each change of one.
CREATE TABLE operations (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    began_at INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 0),
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX operations_by_time ON operations (began_at, id);

-- How far the feed of operations was followed.
CREATE TABLE operation_feed (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cursor TEXT NOT NULL
) STRICT;
