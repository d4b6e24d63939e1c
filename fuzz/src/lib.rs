//! What the fuzz targets share: one school whose keys everyone knows, so that bodies of signed messages can be made from
//! any bytes and still reach their decoder.

use std::sync::LazyLock;

use yika_format::lists::{Keyset, ListError, Root};
use yika_testkit::{MessageBuilder, SignerKit};

/// The school.
pub struct School {
    /// Its keys.
    pub kit: SignerKit,
    /// Its root, as clients pin it.
    pub root: Root,
    /// Its keyset, opened.
    pub keyset: Keyset,
}

/// The school that all targets play in.
pub static SCHOOL: LazyLock<School> = LazyLock::new(|| {
    let kit = SignerKit::new("north.example");
    School {
        root: kit.pinned_root(),
        keyset: kit.keyset(),
        kit,
    }
});

/// The type and the tag of a message.
pub type Kind = (u8, &'static str);

/// Opens a message of these bytes: as they are where they begin like one, else as the body of one that is signed well.
/// What opens must give the same bytes again: `encode` makes the message from what was read, but for its signature.
pub fn open_and_encode<T>(
    data: &[u8],
    (kind, tag): Kind,
    open: impl FnOnce(&[u8]) -> Result<T, ListError>,
    encode: impl FnOnce(&T) -> Option<Vec<u8>>,
) {
    let bytes = if data.starts_with(b"YK") {
        data.to_vec()
    } else {
        MessageBuilder {
            version: version_of(kind, data),
            ..MessageBuilder::new(&SCHOOL.kit, kind, tag, data.to_vec())
        }
        .build()
    };
    if let Ok(opened) = open(&bytes)
        && let Some(preimage) = encode(&opened)
    {
        assert_eq!(
            preimage[16..],
            bytes[..preimage.len() - 16],
            "another encoding of the same message"
        );
    }
}

/// The version that lets a body through: one above the base of a delta, 7 for the rest.
fn version_of(kind: u8, body: &[u8]) -> u64 {
    match body.first_chunk() {
        Some(base) if kind == 3 => u64::from_be_bytes(*base).saturating_add(1),
        _ => 7,
    }
}
