-- Utilities: bound places, and operations that credit them. Tables whose CHECKs change are made again, as in 0004.

CREATE TABLE utility_place (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    provider TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('electricity', 'network', 'water', 'other')),
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    bound_at BIGINT NOT NULL,
    forgotten_at BIGINT,
    balance BIGINT,
    balance_at BIGINT,
    UNIQUE (holder, provider, code),
    CHECK ((balance IS NULL) = (balance_at IS NULL))
);

CREATE TABLE ledger_account_new (
    id BIGINT NOT NULL PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('card', 'receivable', 'merchant', 'school_risk', 'funding', 'wallet', 'hold',
        'custody', 'fee', 'utility')),
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
    WHERE kind IN ('school_risk', 'funding', 'hold', 'custody', 'fee', 'utility');
CREATE UNIQUE INDEX ledger_account_wallet ON ledger_account (holder) WHERE kind = 'wallet';

CREATE TABLE ledger_transaction_new (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'sale', 'void', 'hold', 'release', 'top_up', 'recharge',
        'wallet_withdrawal', 'take_back', 'utility', 'utility_return')),
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
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'library_fee', 'deposit', 'top_up', 'recharge', 'withdrawal',
        'utility')),
    status TEXT NOT NULL CHECK (status IN ('posted', 'voided', 'disputed')),
    amount BIGINT NOT NULL,
    merchant BIGINT REFERENCES merchant (id),
    terminal BIGINT REFERENCES terminal (id),
    occurred_at BIGINT NOT NULL,
    posted_at BIGINT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    change BIGINT NOT NULL CHECK (change > 0),
    place TEXT REFERENCES utility_place (id),
    UNIQUE (holder, change),
    CHECK ((kind IN ('purchase', 'library_fee')) = (merchant IS NOT NULL)),
    CHECK ((kind = 'utility') = (place IS NOT NULL))
);
INSERT INTO payment_new SELECT *, NULL FROM payment;
DROP TABLE payment;
ALTER TABLE payment_new RENAME TO payment;
CREATE INDEX payment_disputed ON payment (account) WHERE status = 'disputed';

CREATE TABLE alarm_new (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('counter_reuse', 'code_replayed', 'terminal_conflict', 'chain_broken',
        'paid_after_revocation', 'token_reuse', 'bank_contradiction', 'wallet_short', 'utility_unpaid')),
    terminal BIGINT,
    sequence BIGINT,
    holder BIGINT,
    operation TEXT
);
INSERT INTO alarm_new SELECT * FROM alarm;
DROP TABLE alarm;
ALTER TABLE alarm_new RENAME TO alarm;

-- A utility is paid by way of the bank, or by `account_part` off the card account; then there is no password.
CREATE TABLE operation_new (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    kind TEXT NOT NULL CHECK (kind IN ('top_up', 'recharge', 'withdraw', 'utility')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    wallet_part BIGINT NOT NULL CHECK (wallet_part >= 0),
    bank_part BIGINT NOT NULL CHECK (bank_part >= 0),
    fee BIGINT NOT NULL CHECK (fee >= 0),
    bank_card TEXT REFERENCES bank_card (id),
    account BIGINT REFERENCES ledger_account (id),
    password_kid BIGINT,
    password BLOB,
    stage TEXT NOT NULL CHECK (stage IN ('untold', 'unknown', 'pending', 'calling_off', 'credit_untold', 'credit_unknown',
        'credit_pending', 'recalling', 'recalling_unpaid', 'giving_back', 'credited', 'refunded', 'refused')),
    phase TEXT NOT NULL CHECK (phase IN ('sent', 'confirming', 'paid', 'credited', 'refunded', 'refused')),
    refusal TEXT,
    next TEXT NOT NULL CHECK (next IN ('rest', 'submit', 'query', 'call_off', 'give_back', 'credit', 'query_credit',
        'recall')),
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
    account_part BIGINT NOT NULL DEFAULT 0 CHECK (account_part >= 0),
    place TEXT REFERENCES utility_place (id),
    UNIQUE (holder, change),
    CHECK (wallet_part + bank_part + account_part = amount + fee),
    CHECK (account_part = 0 OR (kind = 'utility' AND account_part = amount)),
    CHECK ((kind = 'top_up' OR account_part > 0) = (account IS NOT NULL)),
    CHECK ((kind = 'utility') = (place IS NOT NULL)),
    CHECK ((password IS NULL) = (password_kid IS NULL)),
    CHECK (password IS NULL OR (account_part = 0 AND phase NOT IN ('credited', 'refunded', 'refused'))),
    CHECK (password IS NOT NULL OR account_part > 0 OR stage NOT IN ('untold', 'unknown', 'pending', 'calling_off')),
    CHECK ((stage IN ('giving_back', 'refunded', 'refused')) = (refusal IS NOT NULL))
);
INSERT INTO operation_new SELECT *, 0, NULL FROM operation;
DROP TABLE operation;
ALTER TABLE operation_new RENAME TO operation;
CREATE INDEX operation_due ON operation (due_at) WHERE next <> 'rest';
CREATE INDEX operation_day ON operation (holder, created_at);
