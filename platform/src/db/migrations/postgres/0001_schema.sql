-- The first schema. Amounts are fen, instants Unix milliseconds, identifiers of the wire formats big-endian bytes.
-- What must never happen is refused here by CHECK, UNIQUE and FOREIGN KEY, whatever the code above does.
--
-- The same as SQLite's, and what several servers on one database need besides: a gate, a sequence, notes.

-- Write transactions pass here before their first query: side by side, or, run again after a conflict, alone.
CREATE TABLE write_gate ();

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Numbers handed out in blocks within the transaction that uses them; none is used twice.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL CHECK (value >= 0)
);
INSERT INTO counter (name, value) VALUES
    ('holder', 0), ('ledger_account', 0), ('terminal', 0), ('alarm', 0);

-- Ledger transactions, of which every settlement takes some, are numbered in blocks of 10,000. A row above would let
-- only one settlement run at a time.
CREATE SEQUENCE ledger_transaction_block;

-- People with a card.
CREATE TABLE holder (
    id BIGINT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    number TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    class BIGINT NOT NULL CHECK (class BETWEEN 1 AND 4),
    status TEXT NOT NULL CHECK (status IN ('active', 'frozen')),
    feed_change BIGINT NOT NULL DEFAULT 0 CHECK (feed_change >= 0),
    created_at BIGINT NOT NULL
);

CREATE TABLE merchant (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    default_for TEXT UNIQUE CHECK (default_for IN ('pos', 'library')),
    created_at BIGINT NOT NULL
);

-- The ledger. A balance is the sum of the account's postings, kept beside them; a card account never falls below zero,
-- what its holder owes stands on the receivable account beside it.
CREATE TABLE ledger_account (
    id BIGINT NOT NULL PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('card', 'receivable', 'merchant', 'school_risk', 'funding')),
    holder BIGINT REFERENCES holder (id),
    slot BIGINT CHECK (slot BETWEEN 1 AND 8),
    card_account BIGINT UNIQUE REFERENCES ledger_account (id),
    merchant BIGINT UNIQUE REFERENCES merchant (id),
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'frozen', 'closed')),
    balance BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0 CHECK (version >= 0),
    UNIQUE (holder, slot),
    CHECK ((kind IN ('card', 'receivable')) = (holder IS NOT NULL)),
    CHECK ((kind = 'card') = (slot IS NOT NULL)),
    CHECK ((kind = 'receivable') = (card_account IS NOT NULL)),
    CHECK ((kind = 'merchant') = (merchant IS NOT NULL)),
    CHECK (kind <> 'card' OR balance >= 0),
    CHECK (kind <> 'receivable' OR balance <= 0)
);
CREATE UNIQUE INDEX ledger_account_school ON ledger_account (kind) WHERE kind IN ('school_risk', 'funding');

CREATE TABLE ledger_transaction (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'sale', 'void')),
    at BIGINT NOT NULL
);

CREATE TABLE posting (
    transaction_id BIGINT NOT NULL REFERENCES ledger_transaction (id),
    line BIGINT NOT NULL CHECK (line >= 0),
    account BIGINT NOT NULL REFERENCES ledger_account (id),
    amount BIGINT NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transaction_id, line)
);
CREATE INDEX posting_account ON posting (account);

-- The last word before a commit: the postings of a transaction sum to zero.
CREATE FUNCTION check_postings_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT SUM(amount) FROM posting WHERE transaction_id = NEW.transaction_id) <> 0 THEN
        RAISE EXCEPTION 'the postings of transaction % do not sum to zero', NEW.transaction_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER postings_sum_to_zero AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_postings_sum();

-- One effect for an operation, however often it is sent.
CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BYTEA NOT NULL CHECK (length(request_hash) = 32),
    reply TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Phones and their sessions. Tokens are kept as SHA-256 only.
CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    thumbprint TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'lost')),
    created_at BIGINT NOT NULL,
    bound_at BIGINT NOT NULL,
    UNIQUE (holder, thumbprint)
);

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    device TEXT NOT NULL REFERENCES device (id),
    host_sid TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT CHECK (end_reason IN ('replaced', 'signed_out', 'host_logout', 'token_reuse', 'device_lost')),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX session_open ON session (device) WHERE ended_at IS NULL;
CREATE INDEX session_host_sid ON session (host_sid);

CREATE TABLE refresh_token (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    session TEXT NOT NULL REFERENCES session (id),
    state TEXT NOT NULL CHECK (state IN ('current', 'previous', 'retired')),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX refresh_token_live ON refresh_token (session, state) WHERE state <> 'retired';

CREATE TABLE access_token (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    session TEXT NOT NULL REFERENCES session (id),
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_token_expiry ON access_token (expires_at);

-- An ID token is good for one session key: a copy in other hands is worth nothing once it was used.
CREATE TABLE id_token_use (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    thumbprint TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- The issuer.
CREATE TABLE issuer_key (
    kid BIGINT NOT NULL PRIMARY KEY CHECK (kid BETWEEN 1 AND 65535),
    role TEXT NOT NULL CHECK (role IN ('credential', 'table', 'time')),
    public_key BYTEA NOT NULL UNIQUE CHECK (length(public_key) = 33),
    valid_from BIGINT NOT NULL,
    valid_to BIGINT NOT NULL,
    CHECK (valid_from < valid_to)
);

CREATE TABLE challenge (
    nonce BYTEA NOT NULL PRIMARY KEY CHECK (length(nonce) = 32),
    device TEXT NOT NULL REFERENCES device (id),
    expires_at BIGINT NOT NULL
);

CREATE TABLE enrolment (
    pseudonym BYTEA NOT NULL PRIMARY KEY CHECK (length(pseudonym) = 5),
    holder BIGINT NOT NULL REFERENCES holder (id),
    device TEXT NOT NULL REFERENCES device (id),
    code_key BYTEA NOT NULL UNIQUE CHECK (length(code_key) = 33),
    key_storage TEXT NOT NULL CHECK (key_storage IN ('software', 'tee', 'secure_element')),
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'replaced')),
    epoch BIGINT NOT NULL CHECK (epoch BETWEEN 1 AND 254),
    epoch_due BIGINT NOT NULL DEFAULT 0 CHECK (epoch_due IN (0, 1)),
    row_until BIGINT NOT NULL CHECK (row_until BETWEEN 0 AND 65535),
    highest_settled BIGINT NOT NULL DEFAULT 0 CHECK (highest_settled BETWEEN 0 AND 16777215),
    created_at BIGINT NOT NULL
);
CREATE INDEX enrolment_holder ON enrolment (holder);
CREATE UNIQUE INDEX enrolment_live ON enrolment (device) WHERE state IN ('active', 'suspended');

-- The newest certificate of each epoch. Attributes are constant within one; a renewal changes its times alone.
CREATE TABLE credential_epoch (
    pseudonym BYTEA NOT NULL REFERENCES enrolment (pseudonym),
    epoch BIGINT NOT NULL CHECK (epoch BETWEEN 1 AND 254),
    certificate BYTEA NOT NULL CHECK (length(certificate) = 117),
    certificate_from BIGINT NOT NULL,
    certificate_until BIGINT NOT NULL CHECK (certificate_until > certificate_from),
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (pseudonym, epoch)
);

-- From when which epochs are refused. The lowest accepted epoch only rises.
CREATE TABLE min_epoch_change (
    pseudonym BYTEA NOT NULL REFERENCES enrolment (pseudonym),
    min_epoch BIGINT NOT NULL CHECK (min_epoch BETWEEN 1 AND 255),
    effective_at BIGINT NOT NULL,
    published BIGINT NOT NULL DEFAULT 0 CHECK (published IN (0, 1)),
    PRIMARY KEY (pseudonym, min_epoch, effective_at)
);
CREATE INDEX min_epoch_change_due ON min_epoch_change (effective_at) WHERE published = 0;

-- What terminals are told. `table_row` is the newest published table, `dirty_row` what the next version must look at.
CREATE TABLE table_row (
    pseudonym BYTEA NOT NULL PRIMARY KEY REFERENCES enrolment (pseudonym),
    until_day BIGINT NOT NULL,
    row_bytes BYTEA NOT NULL CHECK (length(row_bytes) = 50)
);
CREATE INDEX table_row_until ON table_row (until_day);

CREATE TABLE dirty_row (
    pseudonym BYTEA NOT NULL PRIMARY KEY REFERENCES enrolment (pseudonym)
);

CREATE TABLE signed_list (
    kind TEXT NOT NULL CHECK (kind IN ('keyset', 'delta', 'revocations')),
    version BIGINT NOT NULL CHECK (version > 0),
    issued_at BIGINT NOT NULL,
    good_until BIGINT NOT NULL CHECK (good_until > issued_at),
    bytes BYTEA NOT NULL,
    PRIMARY KEY (kind, version)
);

-- Terminals.
CREATE TABLE enrolment_code (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE terminal (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
    public_key BYTEA NOT NULL UNIQUE CHECK (length(public_key) = 33),
    kind TEXT NOT NULL CHECK (kind IN ('pos', 'gate', 'library')),
    merchant BIGINT REFERENCES merchant (id),
    label TEXT NOT NULL,
    next_sequence BIGINT NOT NULL DEFAULT 1 CHECK (next_sequence > 0),
    chain_hash BYTEA NOT NULL CHECK (length(chain_hash) = 32),
    frozen BIGINT NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
    enrolled_at BIGINT NOT NULL,
    CHECK ((kind = 'gate') = (merchant IS NULL))
);

-- Settlement. A record is settled under (terminal, sequence) once; a code under (pseudonym, sequence, moment) once.
CREATE TABLE payment (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    account BIGINT NOT NULL REFERENCES ledger_account (id),
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'library_fee', 'deposit')),
    status TEXT NOT NULL CHECK (status IN ('posted', 'voided', 'disputed')),
    amount BIGINT NOT NULL,
    merchant BIGINT REFERENCES merchant (id),
    terminal BIGINT REFERENCES terminal (id),
    occurred_at BIGINT NOT NULL,
    posted_at BIGINT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    change BIGINT NOT NULL CHECK (change > 0),
    UNIQUE (holder, change),
    CHECK ((kind = 'deposit') = (merchant IS NULL))
);
CREATE INDEX payment_disputed ON payment (account) WHERE status = 'disputed';

CREATE TABLE sale (
    terminal BIGINT NOT NULL REFERENCES terminal (id),
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    record BYTEA NOT NULL,
    record_hash BYTEA NOT NULL CHECK (length(record_hash) = 32),
    kind BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    terminal_time BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('posted', 'posted_short', 'posted_counter_reuse', 'disputed',
        'paid_by_school', 'borne_by_merchant', 'voided', 'refused')),
    reason TEXT,
    transaction_id BIGINT UNIQUE REFERENCES ledger_transaction (id),
    account BIGINT REFERENCES ledger_account (id),
    payment TEXT REFERENCES payment (id),
    void_of BIGINT,
    PRIMARY KEY (terminal, sequence),
    UNIQUE (terminal, void_of),
    FOREIGN KEY (terminal, void_of) REFERENCES sale (terminal, sequence),
    CHECK ((result IN ('borne_by_merchant', 'refused')) = (transaction_id IS NULL)),
    CHECK ((result = 'refused') = (reason IS NOT NULL)),
    CHECK ((result = 'voided') = (void_of IS NOT NULL))
);

CREATE TABLE code_use (
    pseudonym BYTEA NOT NULL REFERENCES enrolment (pseudonym),
    sequence BIGINT NOT NULL,
    moment_hash BYTEA NOT NULL CHECK (length(moment_hash) = 32),
    terminal BIGINT NOT NULL,
    sale BIGINT NOT NULL,
    PRIMARY KEY (pseudonym, sequence, moment_hash),
    FOREIGN KEY (terminal, sale) REFERENCES sale (terminal, sequence)
);

-- Evidence, and what the card office must look at.
CREATE TABLE sale_conflict (
    terminal BIGINT NOT NULL REFERENCES terminal (id),
    sequence BIGINT NOT NULL,
    record_hash BYTEA NOT NULL CHECK (length(record_hash) = 32),
    record BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (terminal, sequence, record_hash)
);

CREATE TABLE alarm (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('counter_reuse', 'code_replayed', 'terminal_conflict', 'chain_broken',
        'paid_after_revocation', 'token_reuse')),
    terminal BIGINT,
    sequence BIGINT,
    holder BIGINT
);

-- Notes that servers leave each other about proofs of possession: the key of the nonces, and which proofs were used.
-- Unlogged, so that a note costs no flush. A crash of the database empties both at once, and a proof whose use is
-- forgotten then carries a nonce of a key that is forgotten too.
CREATE UNLOGGED TABLE proof_key (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    key BYTEA NOT NULL CHECK (length(key) = 32)
);

CREATE UNLOGGED TABLE proof_seen (
    name BYTEA NOT NULL PRIMARY KEY CHECK (length(name) = 16),
    time_window BIGINT NOT NULL
);
CREATE INDEX proof_seen_window ON proof_seen (time_window);
