-- Disputes and refunds of payments. Tables whose CHECKs change are made again, as in 0004.

CREATE TABLE ledger_transaction_new (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'sale', 'void', 'hold', 'release', 'top_up', 'recharge',
        'wallet_withdrawal', 'take_back', 'utility', 'utility_return', 'refund')),
    at BIGINT NOT NULL
);
INSERT INTO ledger_transaction_new SELECT * FROM ledger_transaction;
DROP TABLE ledger_transaction;
ALTER TABLE ledger_transaction_new RENAME TO ledger_transaction;
CREATE TRIGGER ledger_transaction_keeps_its_rows BEFORE DELETE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER ledger_transaction_never_changes BEFORE UPDATE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;

-- What a holder says against a payment. At most one is live; the payment names its newest.
CREATE TABLE dispute (
    id TEXT NOT NULL PRIMARY KEY,
    payment TEXT NOT NULL REFERENCES payment (id),
    holder BIGINT NOT NULL REFERENCES holder (id),
    reason TEXT NOT NULL CHECK (reason IN ('wrong_amount', 'twice', 'not_me', 'other')),
    text TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('open', 'review', 'refunded', 'refused', 'withdrawn')),
    reply TEXT,
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    opened_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL CHECK (changed_at >= opened_at),
    CHECK ((phase = 'refunded') = (refunded > 0)),
    CHECK (phase <> 'refused' OR reply IS NOT NULL)
);
CREATE UNIQUE INDEX dispute_live ON dispute (payment) WHERE phase IN ('open', 'review');
CREATE INDEX dispute_holder ON dispute (holder, opened_at);

CREATE TABLE payment_new (
    id TEXT NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL REFERENCES holder (id),
    account BIGINT NOT NULL REFERENCES ledger_account (id),
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'library_fee', 'deposit', 'top_up', 'recharge', 'withdrawal',
        'utility', 'refund')),
    status TEXT NOT NULL CHECK (status IN ('posted', 'voided', 'disputed')),
    amount BIGINT NOT NULL,
    merchant BIGINT REFERENCES merchant (id),
    terminal BIGINT REFERENCES terminal (id),
    occurred_at BIGINT NOT NULL,
    posted_at BIGINT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    change BIGINT NOT NULL CHECK (change > 0),
    place TEXT REFERENCES utility_place (id),
    refund_of TEXT REFERENCES payment (id),
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    dispute TEXT REFERENCES dispute (id),
    UNIQUE (holder, change),
    CHECK ((kind IN ('purchase', 'library_fee', 'refund')) = (merchant IS NOT NULL)),
    CHECK ((kind = 'utility') = (place IS NOT NULL)),
    CHECK ((kind = 'refund') = (refund_of IS NOT NULL)),
    CHECK (refunded = 0 OR (kind IN ('purchase', 'library_fee') AND status = 'posted' AND refunded <= -amount))
);
INSERT INTO payment_new SELECT *, NULL, 0, NULL FROM payment;
DROP TABLE payment;
ALTER TABLE payment_new RENAME TO payment;
CREATE INDEX payment_disputed ON payment (account) WHERE status = 'disputed';
