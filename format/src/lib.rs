//! The signed bytes of Yika: codes, credentials, the terminal's lists, and how a verifier decides.
