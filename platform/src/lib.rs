//! The campus side of one school: issuer, accounts, ledger, settlement, terminals.
