-- Automatic top-ups. The same as SQLite's.

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
ALTER TABLE operation
    DROP CONSTRAINT operation_password_stays,
    ADD COLUMN mandate TEXT,
    ADD CONSTRAINT operation_mandate_is_no_password CHECK (mandate IS NULL OR (kind = 'top_up' AND password IS NULL)),
    ADD CONSTRAINT operation_authority_stays CHECK (password IS NOT NULL OR mandate IS NOT NULL OR account_part > 0
        OR stage NOT IN ('untold', 'unknown', 'pending', 'calling_off'));
CREATE INDEX operation_automatic ON operation (account, created_at) WHERE mandate IS NOT NULL;
