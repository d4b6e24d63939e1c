-- Who works at the card office, what was done there, and terminals that are still to be enrolled.

CREATE TABLE office_role (
    holder BIGINT NOT NULL REFERENCES holder (id),
    role TEXT NOT NULL CHECK (role IN ('clerk', 'accountant', 'administrator', 'auditor')),
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (holder, role)
);

INSERT INTO counter (name, value) VALUES ('office_event', 0);

-- Without an actor it was an operator at the server.
CREATE TABLE office_event (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor BIGINT REFERENCES holder (id),
    action TEXT NOT NULL,
    subject TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX office_event_subject ON office_event (subject, id);

CREATE TRIGGER office_event_keeps_its_rows BEFORE DELETE ON office_event
BEGIN SELECT RAISE(ABORT, 'the office''s log is append-only'); END;
CREATE TRIGGER office_event_never_changes BEFORE UPDATE ON office_event
BEGIN SELECT RAISE(ABORT, 'the office''s log is append-only'); END;

-- A code that was made for one terminal enrols no other.
ALTER TABLE enrolment_code ADD COLUMN kind TEXT CHECK (kind IN ('pos', 'gate', 'library'));
ALTER TABLE enrolment_code ADD COLUMN merchant BIGINT REFERENCES merchant (id);
ALTER TABLE enrolment_code ADD COLUMN label TEXT;
