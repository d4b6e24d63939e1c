//! The campus around the card: what is lost and found, and which phones the card is on.

mod lost;
