//! The bindings generator: UniFFI's own command line, in a crate of its own so that the library doesn't carry a
//! code generator. Run it through `cargo xtask bindings`, which passes the workspace's `uniffi.toml`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
