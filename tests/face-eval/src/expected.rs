//! What a label promises: that a photo will do, or with which advice it should be refused.

use yika_face::Advice;

/// What should come of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It will do.
    Accepted,
    /// It won't, for one of these first.
    Refused(&'static [Advice]),
}

/// Parts of labels, the first that is found counts.
const LABELS: &[(&str, Expected)] = &[
    ("noface", Expected::Refused(&[Advice::NoFace])),
    ("face_frontal", Expected::Accepted),
    ("mask", Expected::Refused(&[Advice::Covered, Advice::NoFace])),
    (
        "multi_or_1",
        Expected::Refused(&[Advice::Many, Advice::Closer, Advice::NoFace]),
    ),
    ("multi", Expected::Refused(&[Advice::Many, Advice::NoFace])),
    ("2faces", Expected::Refused(&[Advice::Many])),
    ("blur", Expected::Refused(&[Advice::Blur])),
    ("partial", Expected::Refused(&[Advice::Centre, Advice::Back])),
    ("far_profile", Expected::Refused(&[Advice::Closer, Advice::Yaw])),
    ("wryneck", Expected::Refused(&[Advice::Roll])),
    ("rise_face", Expected::Refused(&[Advice::ChinDown])),
    ("left_face", Expected::Refused(&[Advice::Yaw])),
    ("right_face", Expected::Refused(&[Advice::Yaw])),
];

/// What a label promises; nothing where photos of all kinds have it.
pub(crate) fn of(label: &str) -> Option<Expected> {
    let found = LABELS.iter().find(|(part, _)| label.contains(part));
    found.map(|(_, expected)| *expected)
}
