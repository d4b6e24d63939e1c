//! What people on a campus do beside paying: the real phone against the real platform and the sandbox.
//!
//! | what | where |
//! |---|---|
//! | what is lost and found, and which phones the card is on | [`lost`] |
//! | what a stall earns, who sees it, and what goes back | [`merchant`] |

mod lost;
mod merchant;
