-- What was booked stays booked: a mistake is corrected by another transaction.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are append-only', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER posting_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    EXECUTE FUNCTION refuse_change('postings');
CREATE TRIGGER ledger_transaction_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
    EXECUTE FUNCTION refuse_change('transactions');
CREATE TRIGGER sale_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON sale
    EXECUTE FUNCTION refuse_change('settled records');
CREATE TRIGGER min_epoch_only_rises BEFORE DELETE OR TRUNCATE ON min_epoch_change
    EXECUTE FUNCTION refuse_change('revocations');
