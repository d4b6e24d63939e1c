//! A portrait as C sees it: one flat struct of fixed size, with nothing to free, that is also the place in the list.

use std::fmt;

use yika_terminal::{Face, FaceReference, MAX_PORTRAIT};

/// The size of a portrait's name.
pub const YIKA_REFERENCE_BYTES: usize = 16;
/// The most bytes that a portrait has.
pub const YIKA_PORTRAIT_BYTES: usize = 100_000;

const _: () = assert!(YIKA_PORTRAIT_BYTES == MAX_PORTRAIT);

/// A portrait. All zero before the first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct YikaFace {
    /// Its name. A new portrait of the same holder has another one.
    pub reference: [u8; YIKA_REFERENCE_BYTES],
    /// How many bytes `jpeg` has; 0 for no portrait.
    pub length: u32,
    /// The JPEG file.
    pub jpeg: [u8; YIKA_PORTRAIT_BYTES],
}

impl YikaFace {
    /// Which portrait it is, if it is one.
    pub(crate) fn place(&self) -> Option<FaceReference> {
        (self.length > 0).then_some(FaceReference(self.reference))
    }

    /// Takes the place of what was here, of which no byte is left.
    pub(crate) fn put(&mut self, face: Option<&Face>) {
        let (reference, jpeg) = face.map_or(([0; _], &[][..]), |face| (face.reference.0, &face.jpeg[..]));
        self.reference = reference;
        self.length = 0;
        self.jpeg.fill(0);
        for (to, from) in self.jpeg.iter_mut().zip(jpeg) {
            *to = *from;
            self.length += 1;
        }
    }
}

/// Without the portrait: that belongs to a person.
impl fmt::Debug for YikaFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YikaFace")
            .field("place", &self.place())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
