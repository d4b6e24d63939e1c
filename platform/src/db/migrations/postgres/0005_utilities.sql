-- Utilities: bound places, and operations that credit them. The same as SQLite's.

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

ALTER TABLE ledger_account
    DROP CONSTRAINT ledger_account_kind_check,
    ADD CONSTRAINT ledger_account_kind_check CHECK (kind IN ('card', 'receivable', 'merchant', 'school_risk', 'funding',
        'wallet', 'hold', 'custody', 'fee', 'utility'));
DROP INDEX ledger_account_school;
CREATE UNIQUE INDEX ledger_account_school ON ledger_account (kind)
    WHERE kind IN ('school_risk', 'funding', 'hold', 'custody', 'fee', 'utility');

ALTER TABLE ledger_transaction
    DROP CONSTRAINT ledger_transaction_kind_check,
    ADD CONSTRAINT ledger_transaction_kind_check CHECK (kind IN ('deposit', 'withdrawal', 'sale', 'void', 'hold', 'release',
        'top_up', 'recharge', 'wallet_withdrawal', 'take_back', 'utility', 'utility_return'));

ALTER TABLE payment
    DROP CONSTRAINT payment_kind_check,
    ADD COLUMN place TEXT REFERENCES utility_place (id),
    ADD CONSTRAINT payment_kind_check CHECK (kind IN ('purchase', 'library_fee', 'deposit', 'top_up', 'recharge',
        'withdrawal', 'utility')),
    ADD CONSTRAINT payment_place_check CHECK ((kind = 'utility') = (place IS NOT NULL));

ALTER TABLE alarm
    DROP CONSTRAINT alarm_kind_check,
    ADD CONSTRAINT alarm_kind_check CHECK (kind IN ('counter_reuse', 'code_replayed', 'terminal_conflict', 'chain_broken',
        'paid_after_revocation', 'token_reuse', 'bank_contradiction', 'wallet_short', 'utility_unpaid'));

-- A utility is paid by way of the bank, or by `account_part` off the card account; then there is no password.
ALTER TABLE operation
    DROP CONSTRAINT operation_kind_check,
    DROP CONSTRAINT operation_stage_check,
    DROP CONSTRAINT operation_next_check,
    DROP CONSTRAINT operation_check,
    DROP CONSTRAINT operation_check1,
    DROP CONSTRAINT operation_check3,
    ADD COLUMN account_part BIGINT NOT NULL DEFAULT 0 CHECK (account_part >= 0),
    ADD COLUMN place TEXT REFERENCES utility_place (id),
    ADD CONSTRAINT operation_kind_check CHECK (kind IN ('top_up', 'recharge', 'withdraw', 'utility')),
    ADD CONSTRAINT operation_stage_check CHECK (stage IN ('untold', 'unknown', 'pending', 'calling_off', 'credit_untold',
        'credit_unknown', 'credit_pending', 'recalling', 'recalling_unpaid', 'giving_back', 'credited', 'refunded',
        'refused')),
    ADD CONSTRAINT operation_next_check CHECK (next IN ('rest', 'submit', 'query', 'call_off', 'give_back', 'credit',
        'query_credit', 'recall')),
    ADD CONSTRAINT operation_parts_check CHECK (wallet_part + bank_part + account_part = amount + fee),
    ADD CONSTRAINT operation_account_part_is_whole CHECK (account_part = 0
        OR (kind = 'utility' AND account_part = amount)),
    ADD CONSTRAINT operation_account_check CHECK ((kind = 'top_up' OR account_part > 0) = (account IS NOT NULL)),
    ADD CONSTRAINT operation_place_check CHECK ((kind = 'utility') = (place IS NOT NULL)),
    ADD CONSTRAINT operation_password_goes CHECK (password IS NULL
        OR (account_part = 0 AND phase NOT IN ('credited', 'refunded', 'refused'))),
    ADD CONSTRAINT operation_password_stays CHECK (password IS NOT NULL OR account_part > 0
        OR stage NOT IN ('untold', 'unknown', 'pending', 'calling_off'));
