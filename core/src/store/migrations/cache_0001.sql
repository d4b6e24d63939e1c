-- In the clear is only what rows are found by; names, amounts and references are sealed.
CREATE TABLE accounts (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    slot INTEGER NOT NULL UNIQUE CHECK (slot BETWEEN 1 AND 8),
    version INTEGER NOT NULL CHECK (version >= 0),
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bills (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB NOT NULL CHECK (length(account_id) = 16),
    occurred_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Pages go backwards in time, over all accounts or one; the id makes the order total.
CREATE INDEX bills_by_time ON bills (occurred_at, id);
CREATE INDEX bills_by_account ON bills (account_id, occurred_at, id);

-- How far the feed of bills was followed.
CREATE TABLE feed (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cursor TEXT NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;
