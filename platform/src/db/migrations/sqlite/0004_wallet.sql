-- The e-wallet and the operations that move money by way of the bank.
--
-- SQLite cannot change a CHECK: tables whose lists of kinds grow are made again and their rows copied, while foreign keys
-- are not looked at. They are all checked at the end.

INSERT INTO counter (name, value) VALUES ('operation', 0);

CREATE TABLE ledger_account_new (
    id BIGINT NOT NULL PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('card', 'receivable', 'merchant', 'school_risk', 'funding', 'wallet', 'hold',
        'custody', 'fee')),
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
    CHECK ((kind IN ('card', 'receivable', 'wallet')) = (holder IS NOT NULL)),
    CHECK ((kind = 'card') = (slot IS NOT NULL)),
    CHECK ((kind = 'receivable') = (card_account IS NOT NULL)),
    CHECK ((kind = 'merchant') = (merchant IS NOT NULL)),
    CHECK (kind NOT IN ('card', 'wallet', 'hold') OR balance >= 0),
    CHECK (kind NOT IN ('receivable', 'custody') OR balance <= 0)
);
INSERT INTO ledger_account_new SELECT * FROM ledger_account;
DROP TABLE ledger_account;
ALTER TABLE ledger_account_new RENAME TO ledger_account;
CREATE UNIQUE INDEX ledger_account_school ON ledger_account (kind)
    WHERE kind IN ('school_risk', 'funding', 'hold', 'custody', 'fee');
CREATE UNIQUE INDEX ledger_account_wallet ON ledger_account (holder) WHERE kind = 'wallet';

CREATE TABLE ledger_transaction_new (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'sale', 'void', 'hold', 'release', 'top_up', 'recharge',
        'wallet_withdrawal', 'take_back')),
    at BIGINT NOT NULL
);
INSERT INTO ledger_transaction_new SELECT * FROM ledger_transaction;
DROP TABLE ledger_transaction;
ALTER TABLE ledger_transaction_new RENAME TO ledger_transaction;
CREATE TRIGGER ledger_transaction_keeps_its_rows BEFORE DELETE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER ledger_transaction_never_changes BEFORE UPDATE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;

CREATE TABLE payment_new (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    account BIGINT NOT NULL REFERENCES ledger_account (id),
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'library_fee', 'deposit', 'top_up', 'recharge', 'withdrawal')),
    status TEXT NOT NULL CHECK (status IN ('posted', 'voided', 'disputed')),
    amount BIGINT NOT NULL,
    merchant BIGINT REFERENCES merchant (id),
    terminal BIGINT REFERENCES terminal (id),
    occurred_at BIGINT NOT NULL,
    posted_at BIGINT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    change BIGINT NOT NULL CHECK (change > 0),
    UNIQUE (holder, change),
    CHECK ((kind IN ('purchase', 'library_fee')) = (merchant IS NOT NULL))
);
INSERT INTO payment_new SELECT * FROM payment;
DROP TABLE payment;
ALTER TABLE payment_new RENAME TO payment;
CREATE INDEX payment_disputed ON payment (account) WHERE status = 'disputed';

CREATE TABLE alarm_new (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('counter_reuse', 'code_replayed', 'terminal_conflict', 'chain_broken',
        'paid_after_revocation', 'token_reuse', 'bank_contradiction', 'wallet_short')),
    terminal BIGINT,
    sequence BIGINT,
    holder BIGINT,
    operation TEXT
);
INSERT INTO alarm_new SELECT id, at, kind, terminal, sequence, holder, NULL FROM alarm;
DROP TABLE alarm;
ALTER TABLE alarm_new RENAME TO alarm;

-- What the bank knows of a holder. The number is made before there is a wallet: seals are bound to it.
CREATE TABLE wallet (
    holder BIGINT NOT NULL PRIMARY KEY REFERENCES holder (id),
    customer TEXT NOT NULL UNIQUE,
    account BIGINT UNIQUE REFERENCES ledger_account (id),
    status TEXT NOT NULL CHECK (status IN ('none', 'open', 'frozen', 'closed')),
    terms_version BIGINT,
    changed_at BIGINT NOT NULL,
    CHECK ((status = 'none') = (account IS NULL)),
    CHECK ((status = 'none') = (terms_version IS NULL))
);

CREATE TABLE bank_card (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    state TEXT NOT NULL CHECK (state IN ('awaits_code', 'bound', 'unbound')),
    bank_zh TEXT NOT NULL,
    bank_en TEXT NOT NULL,
    tail TEXT NOT NULL CHECK (length(tail) = 4),
    is_default BIGINT NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    bound_at BIGINT,
    CHECK (is_default = 0 OR state = 'bound')
);
CREATE INDEX bank_card_holder ON bank_card (holder);
CREATE UNIQUE INDEX bank_card_default ON bank_card (holder) WHERE is_default = 1;

-- Operations. `next` is what is to be said to the bank, `due_at` when, `leased_until` until when a server is at it.
-- The sealed password is kept while the order may have to be sent again, and no longer.
CREATE TABLE operation (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    kind TEXT NOT NULL CHECK (kind IN ('top_up', 'recharge', 'withdraw')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    wallet_part BIGINT NOT NULL CHECK (wallet_part >= 0),
    bank_part BIGINT NOT NULL CHECK (bank_part >= 0),
    fee BIGINT NOT NULL CHECK (fee >= 0),
    bank_card TEXT REFERENCES bank_card (id),
    account BIGINT REFERENCES ledger_account (id),
    password_kid BIGINT,
    password BLOB,
    stage TEXT NOT NULL CHECK (stage IN ('untold', 'unknown', 'pending', 'calling_off', 'giving_back', 'credited',
        'refunded', 'refused')),
    phase TEXT NOT NULL CHECK (phase IN ('sent', 'confirming', 'paid', 'credited', 'refunded', 'refused')),
    refusal TEXT,
    next TEXT NOT NULL CHECK (next IN ('rest', 'submit', 'query', 'call_off', 'give_back')),
    attempts BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    overdue_at BIGINT NOT NULL,
    reference BIGINT NOT NULL UNIQUE,
    version BIGINT NOT NULL CHECK (version > 0),
    change BIGINT NOT NULL CHECK (change > 0),
    created_at BIGINT NOT NULL,
    moved_at BIGINT,
    returned_at BIGINT,
    UNIQUE (holder, change),
    CHECK (wallet_part + bank_part = amount + fee),
    CHECK ((kind = 'top_up') = (account IS NOT NULL)),
    CHECK ((password IS NULL) = (password_kid IS NULL)),
    CHECK ((password IS NULL) = (phase IN ('credited', 'refunded', 'refused'))),
    CHECK ((stage IN ('giving_back', 'refunded', 'refused')) = (refusal IS NOT NULL))
);
CREATE INDEX operation_due ON operation (due_at) WHERE next <> 'rest';
CREATE INDEX operation_day ON operation (holder, created_at);

CREATE TABLE operation_step (
    operation TEXT NOT NULL REFERENCES operation (id),
    line BIGINT NOT NULL CHECK (line > 0),
    phase TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (operation, line)
);
