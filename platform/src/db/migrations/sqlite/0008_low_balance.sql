-- Below which balance of a card account its holder wants to be told.
ALTER TABLE ledger_account ADD COLUMN low_below BIGINT CHECK (low_below IS NULL OR (kind = 'card' AND low_below > 0));
