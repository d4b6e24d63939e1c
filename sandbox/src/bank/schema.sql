-- What the bank keeps. No name, identity number, card number or password is in it.
CREATE TABLE IF NOT EXISTS balances (
    account TEXT PRIMARY KEY,                      -- school, fees, wallet:{customer}, card:{student}-{bank}
    amount  INTEGER NOT NULL CHECK (amount >= 0)
) STRICT;

CREATE TABLE IF NOT EXISTS customers (
    id           TEXT PRIMARY KEY,
    student      TEXT NOT NULL,
    salt         BLOB NOT NULL,
    hash         BLOB NOT NULL,
    is_open      INTEGER NOT NULL,
    wrong_tries  INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS bindings (
    id         TEXT PRIMARY KEY,
    customer   TEXT NOT NULL,
    card       TEXT NOT NULL,
    is_bound   INTEGER NOT NULL DEFAULT 0,
    code       TEXT,                               -- while one is waited for
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    phone  TEXT NOT NULL,
    code   TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

-- What was answered to requests other than orders, by the operation that they name.
CREATE TABLE IF NOT EXISTS answers (
    operation TEXT PRIMARY KEY,
    request   TEXT NOT NULL,
    answer    TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS orders (
    id          TEXT PRIMARY KEY,
    customer    TEXT NOT NULL,
    direction   TEXT,                              -- none where it was called off before it came
    wallet      INTEGER NOT NULL DEFAULT 0,
    card_amount INTEGER NOT NULL DEFAULT 0,
    fee         INTEGER NOT NULL DEFAULT 0,
    card        TEXT,
    state       TEXT NOT NULL,                     -- OrderState as JSON
    fault       TEXT,
    late        TEXT CHECK (late IN ('debit', 'reversal')),
    stale       INTEGER NOT NULL DEFAULT 0         -- so many answers more say that it is pending
) STRICT;

-- Money that moved. The key makes an order move money once each way.
CREATE TABLE IF NOT EXISTS movements (
    trace       INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id    TEXT NOT NULL REFERENCES orders (id),
    is_reversal INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    UNIQUE (order_id, is_reversal)
) STRICT;

CREATE TABLE IF NOT EXISTS notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    status TEXT NOT NULL,                          -- OrderStatus as JSON
    is_told INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS mandates (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    single   INTEGER NOT NULL CHECK (single > 0),
    day      INTEGER NOT NULL CHECK (day >= single),
    is_live  INTEGER NOT NULL
) STRICT;

-- Orders that a mandate allowed. What became of them, the orders say.
CREATE TABLE IF NOT EXISTS drawings (
    order_id TEXT PRIMARY KEY,
    mandate  TEXT NOT NULL REFERENCES mandates (id),
    amount   INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS drawings_mandate ON drawings (mandate, at);
