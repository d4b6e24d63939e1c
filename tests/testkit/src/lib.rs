//! Builders, processes and clocks for tests.
