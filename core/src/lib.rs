//! The phone: session, codes, accounts, and the store beneath them.
