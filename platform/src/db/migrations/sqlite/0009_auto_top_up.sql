-- Automatic top-ups. Tables whose CHECKs change are made again, as in 0004.

-- What a holder agreed to, by the number of the mandate that the bank has for it. `revoke_at` is when the bank is to be told
-- that it has ended.
CREATE TABLE auto_top_up (
    mandate TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    account BIGINT NOT NULL REFERENCES ledger_account (id),
    below BIGINT NOT NULL CHECK (below > 0),
    add_amount BIGINT NOT NULL CHECK (add_amount > 0),
    day_cap BIGINT NOT NULL CHECK (day_cap >= add_amount),
    consent BIGINT NOT NULL,
    agreed_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('on', 'stopped', 'ended')),
    problem TEXT,
    retry_at BIGINT NOT NULL,
    revoke_at BIGINT,
    CHECK (state <> 'stopped' OR problem IS NOT NULL),
    CHECK (state <> 'on' OR revoke_at IS NULL)
);
CREATE UNIQUE INDEX auto_top_up_shown ON auto_top_up (account) WHERE state <> 'ended';
CREATE INDEX auto_top_up_due ON auto_top_up (retry_at) WHERE state = 'on';
CREATE INDEX auto_top_up_revoke ON auto_top_up (revoke_at) WHERE revoke_at IS NOT NULL;

-- By the payment password, by a mandate, or by a card account.
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
    mandate TEXT,
    UNIQUE (holder, change),
    CHECK (wallet_part + bank_part + account_part = amount + fee),
    CHECK (account_part = 0 OR (kind = 'utility' AND account_part = amount)),
    CHECK ((kind = 'top_up' OR account_part > 0) = (account IS NOT NULL)),
    CHECK ((kind = 'utility') = (place IS NOT NULL)),
    CHECK ((password IS NULL) = (password_kid IS NULL)),
    CHECK (password IS NULL OR (account_part = 0 AND phase NOT IN ('credited', 'refunded', 'refused'))),
    CHECK (mandate IS NULL OR (kind = 'top_up' AND password IS NULL)),
    CHECK (password IS NOT NULL OR mandate IS NOT NULL OR account_part > 0 OR stage NOT IN ('untold', 'unknown', 'pending', 'calling_off')),
    CHECK ((stage IN ('giving_back', 'refunded', 'refused')) = (refusal IS NOT NULL))
);
INSERT INTO operation_new SELECT *, NULL FROM operation;
DROP TABLE operation;
ALTER TABLE operation_new RENAME TO operation;
CREATE INDEX operation_due ON operation (due_at) WHERE next <> 'rest';
CREATE INDEX operation_day ON operation (holder, created_at);
CREATE INDEX operation_automatic ON operation (account, created_at) WHERE mandate IS NOT NULL;
