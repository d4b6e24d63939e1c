//! UniFFI facade over the core: one client, sub-clients, one error enum; no logic.
