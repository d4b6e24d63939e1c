//! The verifier: POS, gate and library desk, deciding offline and keeping a journal.
