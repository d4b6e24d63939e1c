//! C ABI of the terminal library, for vendors whose firmware is not Rust.
