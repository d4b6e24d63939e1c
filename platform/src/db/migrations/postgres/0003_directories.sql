-- Directories: who stands behind a pseudonym, sealed for one library desk each.

-- The key to which a desk's directories are sealed. Desks that were enrolled before there were any have none.
ALTER TABLE terminal ADD COLUMN directory_key BYTEA
    CHECK (directory_key IS NULL OR (kind = 'library' AND length(directory_key) = 33));

-- Rises with each change of what stands in a directory, whoever makes it. What only time takes out of it, does not.
INSERT INTO counter (name, value) VALUES ('directory_change', 0);

CREATE FUNCTION count_directory_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory_change';
    RETURN NULL;
END $$;

CREATE TRIGGER directory_gains_a_pseudonym AFTER INSERT ON enrolment
    FOR EACH ROW EXECUTE FUNCTION count_directory_change();
CREATE TRIGGER directory_loses_a_pseudonym AFTER INSERT ON min_epoch_change
    FOR EACH ROW WHEN (NEW.min_epoch = 255) EXECUTE FUNCTION count_directory_change();
CREATE TRIGGER directory_has_another_number AFTER UPDATE OF number ON holder
    FOR EACH ROW EXECUTE FUNCTION count_directory_change();

-- The newest directory of each desk, as it was sealed and signed, with the change that it has come to.
CREATE TABLE directory (
    terminal BIGINT NOT NULL PRIMARY KEY REFERENCES terminal (id),
    version BIGINT NOT NULL CHECK (version > 0),
    issued_at BIGINT NOT NULL,
    change BIGINT NOT NULL CHECK (change >= 0),
    bytes BYTEA NOT NULL
);
