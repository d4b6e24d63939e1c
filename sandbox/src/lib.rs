//! The platform with an identity provider, seed data and faults on demand, in one process.
