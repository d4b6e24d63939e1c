-- The master key under which every `sealed` column of both files is, itself wrapped by the phone's keystore.
CREATE TABLE master_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    wrapped BLOB NOT NULL CHECK (length(wrapped) > 0)
) STRICT;

-- One row for each thing the phone must not forget. `version` rises with each write and is sealed in.
CREATE TABLE records (
    name TEXT PRIMARY KEY CHECK (length(name) > 0),
    version INTEGER NOT NULL CHECK (version > 0),
    sealed BLOB NOT NULL CHECK (length(sealed) > 0)
) STRICT, WITHOUT ROWID;
