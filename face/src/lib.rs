//! Face photos for gates and terminals: found, measured, advised on and made ready, on the phone and offline. No clock, no
//! storage, no network: what becomes of a portrait is up to `yika-core`.
//!
//! A file is [`decode`]d or a [`Frame`] read; [`check`] says whether it will do and what to change; [`portrait`] makes what gates
//! get. A [`Guide`] turns the verdicts of a camera's frames into calm advice.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels are counted in floats and stored in bytes; such casts keep to the range of what they make"
)]

mod colour;
mod decode;
mod detect;
mod find;
mod frame;
mod geometry;
mod guide;
mod intake;
mod measure;
mod picture;
mod portrait;
#[cfg(test)]
mod testing;
mod verdict;

pub use decode::{MAX_BYTES, MAX_PIXELS, PhotoError, decode};
pub use detect::{Detector, Face, Landmarks};
pub use find::{Found, find, find_upright};
pub use frame::{Frame, FrameError, Layout, Plane};
pub use geometry::{Point, Rect, Transform};
pub use guide::{Guidance, Guide};
pub use intake::{NoPortrait, open_portrait};
pub use measure::{Measure, Quality, measure};
pub use picture::{Picture, View};
pub use portrait::{Portrait, TooFewBytes, portrait};
pub use verdict::{Advice, Bound, Verdict, check, judge};
