-- What the meters keep.
CREATE TABLE IF NOT EXISTS meters (
    provider TEXT NOT NULL,
    code     TEXT NOT NULL,
    balance  INTEGER,                              -- nothing while nobody has read it
    credited INTEGER NOT NULL DEFAULT 0,           -- the sum of all credits
    PRIMARY KEY (provider, code)
) STRICT;

CREATE TABLE IF NOT EXISTS credits (
    id       TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    code     TEXT NOT NULL,
    amount   INTEGER NOT NULL,
    state    TEXT NOT NULL,                        -- CreditState, as JSON
    fault    TEXT,
    stale    INTEGER NOT NULL DEFAULT 0            -- so many more answers say pending
) STRICT;
