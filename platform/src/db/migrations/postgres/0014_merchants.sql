-- The merchant centre: who works at a stall, what it takes in by the hour, what it was paid out, what was done there.

-- Who may look at a stall, and as what.
CREATE TABLE merchant_staff (
    holder BIGINT NOT NULL REFERENCES holder (id),
    merchant BIGINT NOT NULL REFERENCES merchant (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'cashier')),
    since BIGINT NOT NULL,
    PRIMARY KEY (holder, merchant)
);

-- Sums of what is in `sale`, `payment` and `merchant_event`, written in the transactions that book it, so that nobody has to
-- add up millions of rows. `day` and `hour` are when it happened, `booked` is the day of its transaction; all are the
-- school's. What was not paid is only counted, and no part of what was earned.
CREATE TABLE merchant_takings (
    merchant BIGINT NOT NULL REFERENCES merchant (id),
    day TEXT COLLATE "C" NOT NULL,
    hour BIGINT NOT NULL CHECK (hour BETWEEN 0 AND 23),
    terminal BIGINT NOT NULL REFERENCES terminal (id),
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'library_fee')),
    booked TEXT COLLATE "C" NOT NULL,
    sales BIGINT NOT NULL CHECK (sales >= 0),
    sales_amount BIGINT NOT NULL CHECK (sales_amount >= 0),
    voids BIGINT NOT NULL CHECK (voids >= 0),
    voids_amount BIGINT NOT NULL CHECK (voids_amount >= 0),
    refunds BIGINT NOT NULL CHECK (refunds >= 0),
    refunds_amount BIGINT NOT NULL CHECK (refunds_amount >= 0),
    unpaid BIGINT NOT NULL CHECK (unpaid >= 0),
    unpaid_amount BIGINT NOT NULL CHECK (unpaid_amount >= 0),
    PRIMARY KEY (merchant, day, hour, terminal, kind, booked)
);
CREATE INDEX merchant_takings_booked ON merchant_takings (merchant, booked);

-- Settlements: what was booked up to a day, and what of it the school paid out.
CREATE TABLE merchant_settlement (
    merchant BIGINT NOT NULL REFERENCES merchant (id),
    number BIGINT NOT NULL CHECK (number > 0),
    from_day TEXT COLLATE "C" NOT NULL,
    through_day TEXT COLLATE "C" NOT NULL CHECK (through_day >= from_day),
    opening BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    sales_amount BIGINT NOT NULL,
    voids BIGINT NOT NULL,
    voids_amount BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    refunds_amount BIGINT NOT NULL,
    paid_out BIGINT NOT NULL CHECK (paid_out >= 0),
    closing BIGINT NOT NULL,
    reference TEXT NOT NULL,
    at BIGINT NOT NULL,
    transaction_id BIGINT UNIQUE REFERENCES ledger_transaction (id),
    PRIMARY KEY (merchant, number),
    UNIQUE (merchant, through_day),
    CHECK (closing = opening + sales_amount - voids_amount - refunds_amount - paid_out),
    CHECK ((paid_out > 0) = (transaction_id IS NOT NULL))
);

-- Everything that somebody did at a stall, for whoever has to answer for it. `holder` did it, the card office where there is
-- none; `whom` is whose place at the stall was changed.
CREATE TABLE merchant_event (
    number BIGINT NOT NULL PRIMARY KEY,
    merchant BIGINT NOT NULL REFERENCES merchant (id),
    holder BIGINT REFERENCES holder (id),
    what TEXT NOT NULL CHECK (what IN ('staff_set', 'staff_removed', 'voided', 'refunded', 'exported', 'settled')),
    whom BIGINT REFERENCES holder (id),
    payment TEXT REFERENCES payment (id),
    amount BIGINT,
    note TEXT,
    transaction_id BIGINT UNIQUE REFERENCES ledger_transaction (id),
    at BIGINT NOT NULL,
    CHECK ((what IN ('voided', 'refunded')) = (payment IS NOT NULL))
);
CREATE INDEX merchant_event_merchant ON merchant_event (merchant, number);
CREATE UNIQUE INDEX merchant_event_voided ON merchant_event (payment) WHERE what = 'voided';
CREATE TRIGGER merchant_event_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON merchant_event
    EXECUTE FUNCTION refuse_change('events');

-- When a terminal last handed in what it had.
ALTER TABLE terminal ADD COLUMN uploaded_at BIGINT;

-- A stall's payments by when they happened, and the few sales that the school paid for without a bill.
CREATE INDEX payment_merchant ON payment (merchant, occurred_at) WHERE merchant IS NOT NULL;
CREATE INDEX sale_paid_by_school ON sale (terminal, terminal_time) WHERE result = 'paid_by_school';
CREATE INDEX terminal_merchant ON terminal (merchant);

INSERT INTO counter (name, value) VALUES ('merchant_event', 0);
