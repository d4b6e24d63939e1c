-- Disputes and refunds of payments. The same as SQLite's.

ALTER TABLE ledger_transaction
    DROP CONSTRAINT ledger_transaction_kind_check,
    ADD CONSTRAINT ledger_transaction_kind_check CHECK (kind IN ('deposit', 'withdrawal', 'sale', 'void', 'hold', 'release',
        'top_up', 'recharge', 'wallet_withdrawal', 'take_back', 'utility', 'utility_return', 'refund'));

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

ALTER TABLE payment
    DROP CONSTRAINT payment_kind_check,
    DROP CONSTRAINT payment_check,
    ADD COLUMN refund_of TEXT REFERENCES payment (id),
    ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    ADD COLUMN dispute TEXT REFERENCES dispute (id),
    ADD CONSTRAINT payment_kind_check CHECK (kind IN ('purchase', 'library_fee', 'deposit', 'top_up', 'recharge',
        'withdrawal', 'utility', 'refund')),
    ADD CONSTRAINT payment_check CHECK ((kind IN ('purchase', 'library_fee', 'refund')) = (merchant IS NOT NULL)),
    ADD CONSTRAINT payment_refund_of_check CHECK ((kind = 'refund') = (refund_of IS NOT NULL)),
    ADD CONSTRAINT payment_refunded_at_most CHECK (refunded = 0
        OR (kind IN ('purchase', 'library_fee') AND status = 'posted' AND refunded <= -amount));
