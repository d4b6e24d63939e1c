-- Limits that holders set for themselves.
CREATE TABLE holder_limit (
    holder BIGINT NOT NULL REFERENCES holder (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('top_up', 'spend')),
    single BIGINT NOT NULL CHECK (single > 0),
    day BIGINT NOT NULL CHECK (day >= single),
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (holder, purpose)
);
