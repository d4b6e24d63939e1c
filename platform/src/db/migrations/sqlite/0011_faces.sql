-- Face photos: who agreed to what, the portraits, where copies of them are, and what was done.

-- A holder may agree again, to another text: all of a holder's consents that hold end together.
CREATE TABLE face_consent (
    id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    holder BIGINT NOT NULL REFERENCES holder (id),
    version BIGINT NOT NULL CHECK (version > 0),
    agreed_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX face_consent_holder ON face_consent (holder, number);

-- What is known of a portrait but the portrait. A portrait that has ended has no bytes, and soon no key.
CREATE TABLE face_photo (
    id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    holder BIGINT NOT NULL REFERENCES holder (id),
    consent TEXT NOT NULL REFERENCES face_consent (id),
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    received BIGINT NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND bytes),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    advice TEXT NOT NULL,
    findings TEXT,
    phase TEXT NOT NULL CHECK (phase IN ('receiving', 'pending', 'accepted', 'refused', 'deleted')),
    reason TEXT CHECK (reason IN ('unreadable', 'other_person', 'unclear', 'altered', 'other')),
    reply TEXT,
    begun_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    listed_in BIGINT,
    unlisted_in BIGINT,
    key_destroyed_at BIGINT,
    CHECK ((phase = 'refused') = (reason IS NOT NULL)),
    CHECK (key_destroyed_at IS NULL OR phase IN ('refused', 'deleted'))
);
CREATE INDEX face_photo_holder ON face_photo (holder, number);
CREATE INDEX face_photo_phase ON face_photo (phase, changed_at);
CREATE UNIQUE INDEX face_photo_on_file ON face_photo (holder) WHERE phase = 'accepted';
CREATE UNIQUE INDEX face_photo_under_way ON face_photo (holder) WHERE phase IN ('receiving', 'pending');
CREATE INDEX face_photo_key ON face_photo (changed_at) WHERE phase IN ('refused', 'deleted') AND key_destroyed_at IS NULL;

-- Parts of portraits, each sealed under its portrait's key, which is not in this database.
CREATE TABLE face_part (
    photo TEXT NOT NULL REFERENCES face_photo (id),
    start BIGINT NOT NULL CHECK (start >= 0),
    sealed BLOB NOT NULL,
    PRIMARY KEY (photo, start)
);

-- The list of portraits that terminals hold: the newest one.
CREATE TABLE face_list (
    version BIGINT NOT NULL PRIMARY KEY CHECK (version > 0),
    issued_at BIGINT NOT NULL,
    good_until BIGINT NOT NULL CHECK (good_until > issued_at),
    bytes BLOB NOT NULL
);

-- Which terminal has had which portrait, until it says that it is gone.
CREATE TABLE face_copy (
    photo TEXT NOT NULL REFERENCES face_photo (id),
    terminal BIGINT NOT NULL REFERENCES terminal (id),
    fetched_at BIGINT NOT NULL,
    removed_at BIGINT,
    PRIMARY KEY (photo, terminal)
);
CREATE INDEX face_copy_left ON face_copy (terminal) WHERE removed_at IS NULL;

-- Everything that was done, for whoever has to answer for it. It has no picture in it, and stays.
CREATE TABLE face_event (
    number BIGINT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    photo TEXT REFERENCES face_photo (id),
    terminal BIGINT REFERENCES terminal (id),
    what TEXT NOT NULL CHECK (what IN ('consent_given', 'consent_withdrawn', 'begun', 'received', 'seen', 'accepted',
        'refused', 'delivered', 'removed', 'deleted', 'key_destroyed')),
    at BIGINT NOT NULL
);
CREATE INDEX face_event_holder ON face_event (holder, number);
CREATE TRIGGER face_event_keeps_its_rows BEFORE DELETE ON face_event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER face_event_never_changes BEFORE UPDATE ON face_event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

INSERT INTO counter (name, value) VALUES ('face', 0), ('face_event', 0);
