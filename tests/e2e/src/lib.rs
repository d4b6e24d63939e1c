//! End-to-end tests over loopback with the real binaries.
