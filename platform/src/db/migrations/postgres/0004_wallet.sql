-- The e-wallet and the operations that move money by way of the bank. The same as SQLite's.

INSERT INTO counter (name, value) VALUES ('operation', 0);

ALTER TABLE ledger_account
    DROP CONSTRAINT ledger_account_kind_check,
    DROP CONSTRAINT ledger_account_check,
    DROP CONSTRAINT ledger_account_check4,
    DROP CONSTRAINT ledger_account_check5,
    ADD CONSTRAINT ledger_account_kind_check CHECK (kind IN ('card', 'receivable', 'merchant', 'school_risk', 'funding',
        'wallet', 'hold', 'custody', 'fee')),
    ADD CONSTRAINT ledger_account_check CHECK ((kind IN ('card', 'receivable', 'wallet')) = (holder IS NOT NULL)),
    ADD CONSTRAINT ledger_account_check4 CHECK (kind NOT IN ('card', 'wallet', 'hold') OR balance >= 0),
    ADD CONSTRAINT ledger_account_check5 CHECK (kind NOT IN ('receivable', 'custody') OR balance <= 0);
DROP INDEX ledger_account_school;
CREATE UNIQUE INDEX ledger_account_school ON ledger_account (kind)
    WHERE kind IN ('school_risk', 'funding', 'hold', 'custody', 'fee');
CREATE UNIQUE INDEX ledger_account_wallet ON ledger_account (holder) WHERE kind = 'wallet';

ALTER TABLE ledger_transaction
    DROP CONSTRAINT ledger_transaction_kind_check,
    ADD CONSTRAINT ledger_transaction_kind_check CHECK (kind IN ('deposit', 'withdrawal', 'sale', 'void', 'hold', 'release',
        'top_up', 'recharge', 'wallet_withdrawal', 'take_back'));

ALTER TABLE payment
    DROP CONSTRAINT payment_kind_check,
    DROP CONSTRAINT payment_check,
    ADD CONSTRAINT payment_kind_check CHECK (kind IN ('purchase', 'library_fee', 'deposit', 'top_up', 'recharge',
        'withdrawal')),
    ADD CONSTRAINT payment_check CHECK ((kind IN ('purchase', 'library_fee')) = (merchant IS NOT NULL));

ALTER TABLE alarm
    DROP CONSTRAINT alarm_kind_check,
    ADD CONSTRAINT alarm_kind_check CHECK (kind IN ('counter_reuse', 'code_replayed', 'terminal_conflict', 'chain_broken',
        'paid_after_revocation', 'token_reuse', 'bank_contradiction', 'wallet_short')),
    ADD COLUMN operation TEXT;

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
    request_hash BYTEA NOT NULL CHECK (length(request_hash) = 32),
    kind TEXT NOT NULL CHECK (kind IN ('top_up', 'recharge', 'withdraw')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    wallet_part BIGINT NOT NULL CHECK (wallet_part >= 0),
    bank_part BIGINT NOT NULL CHECK (bank_part >= 0),
    fee BIGINT NOT NULL CHECK (fee >= 0),
    bank_card TEXT REFERENCES bank_card (id),
    account BIGINT REFERENCES ledger_account (id),
    password_kid BIGINT,
    password BYTEA,
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
