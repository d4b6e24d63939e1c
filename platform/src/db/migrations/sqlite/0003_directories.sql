-- Directories: who stands behind a pseudonym, sealed for one library desk each.

-- The key to which a desk's directories are sealed. Desks that were enrolled before there were any have none.
ALTER TABLE terminal ADD COLUMN directory_key BLOB
    CHECK (directory_key IS NULL OR (kind = 'library' AND length(directory_key) = 33));

-- The newest directory of each desk, as it was sealed and signed. The hash is of what was sealed: the platform can't open
-- it again, and knows by the hash whether anything has changed.
CREATE TABLE directory (
    terminal BIGINT NOT NULL PRIMARY KEY REFERENCES terminal (id),
    version BIGINT NOT NULL CHECK (version > 0),
    issued_at BIGINT NOT NULL,
    entries_hash BLOB NOT NULL CHECK (length(entries_hash) = 32),
    bytes BLOB NOT NULL
);
