-- What was booked stays booked: a mistake is corrected by another transaction.

CREATE TRIGGER posting_keeps_its_rows BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;
CREATE TRIGGER posting_never_changes BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;
CREATE TRIGGER ledger_transaction_keeps_its_rows BEFORE DELETE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER ledger_transaction_never_changes BEFORE UPDATE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER sale_keeps_its_rows BEFORE DELETE ON sale
BEGIN SELECT RAISE(ABORT, 'settled records are append-only'); END;
CREATE TRIGGER sale_never_changes BEFORE UPDATE ON sale
BEGIN SELECT RAISE(ABORT, 'settled records are append-only'); END;
CREATE TRIGGER min_epoch_only_rises BEFORE DELETE ON min_epoch_change
BEGIN SELECT RAISE(ABORT, 'revocations are append-only'); END;
