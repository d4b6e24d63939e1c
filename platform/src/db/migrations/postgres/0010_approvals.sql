-- Keys with which phones approve what the session alone must not do.
CREATE TABLE approval_key (
    session TEXT NOT NULL PRIMARY KEY REFERENCES session (id),
    public_key BYTEA NOT NULL CHECK (length(public_key) = 33),
    storage TEXT NOT NULL CHECK (storage IN ('tee', 'secure_element')),
    since BIGINT NOT NULL
);
