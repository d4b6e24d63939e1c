//! Face photos, for shells: judging them, and the holder's at the school.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{CampusCard, Inner};
use crate::error::{CoreError, InternalFault, PhotoFault};
use crate::face::{
    Advice, Detector, Face, FaceDraft, FaceRecord, Faces, Found, Frame, FrameReport, Guide, Layout,
    PORTRAIT_BYTES, PhotoReport, Plane, Portrait, PortraitDraft, check, decode, find_upright, judge,
    portrait,
};
use crate::store::{Changes, Store};

/// After how many refused photos in a row a person may be asked to look at one.
const REVIEW_AFTER: u32 = 3;

/// What a card has for face photos: the holder's at the school, and what judging needs.
pub(super) struct FaceState {
    faces: Faces,
    /// Made at the first photo: most starts have none.
    detector: OnceLock<Detector>,
    /// Photos of a face in a row that would not do.
    refused_photos: AtomicU32,
}

impl FaceState {
    pub(super) fn new(store: &Arc<Store>) -> Self {
        Self {
            faces: Faces::new(Arc::clone(store)),
            detector: OnceLock::new(),
            refused_photos: AtomicU32::new(0),
        }
    }

    /// Forgets what a holder decided.
    pub(super) fn forget(changes: Changes) -> Changes {
        changes.remove::<FaceDraft>().remove::<PortraitDraft>()
    }

    fn detector(&self) -> &Detector {
        self.detector.get_or_init(Detector::new)
    }

    /// Counts the photos of a face that would not do, and says whether it is time to offer that a person looks.
    fn count_refused(&self, is_good: bool, has_face: bool) -> bool {
        if is_good {
            self.refused_photos.store(0, Ordering::Relaxed);
            return false;
        }
        let before = match has_face {
            true => self.refused_photos.fetch_add(1, Ordering::Relaxed) + 1,
            false => self.refused_photos.load(Ordering::Relaxed),
        };
        has_face && before >= REVIEW_AFTER
    }
}

impl Deref for FaceState {
    type Target = Faces;

    fn deref(&self) -> &Faces {
        &self.faces
    }
}

impl CampusCard {
    /// Face photos: judging them needs no card.
    pub fn face(&self) -> FaceService {
        FaceService {
            inner: Arc::clone(&self.inner),
        }
    }
}

/// Judges photos and a camera's frames and makes portraits of them, which touches no network and no disk and needs no card; and
/// looks after the holder's photo at the school.
#[derive(Clone)]
pub struct FaceService {
    inner: Arc<Inner>,
}

impl FaceService {
    /// What is said of a JPEG, PNG or WebP file, and the portrait of it.
    ///
    /// # Errors
    ///
    /// [`CoreError::Photo`].
    pub async fn check(&self, photo: Vec<u8>) -> Result<PhotoReport, CoreError> {
        let inner = Arc::clone(&self.inner);
        let work = move || {
            let picture = decode(&photo).map_err(PhotoFault::from)?;
            let (verdict, found) = check(inner.faces.detector(), &picture);
            Ok(PhotoReport {
                offers_review: inner
                    .faces
                    .count_refused(verdict.advice.is_empty(), verdict.face.is_some()),
                portrait: verdict.face.map(|face| made(&found, &face)).transpose()?,
                advice: verdict.advice,
                measures: verdict.measures,
            })
        };
        self.inner.runtime.run_blocking(work).await
    }

    /// Guidance for a camera, from its beginning.
    pub fn camera(&self) -> FaceCamera {
        FaceCamera {
            inner: Arc::clone(&self.inner),
            guide: Arc::default(),
        }
    }

    /// How the holder's photo at the school stands, by what was decided here and what the platform told last. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn record(&self) -> Result<FaceRecord, CoreError> {
        self.inner.read(|inner| inner.faces.record()).await
    }

    /// Tells the platform what waits, asks it how things stand, and answers what is known then: without a network what was known before.
    ///
    /// # Errors
    ///
    /// [`CoreError::ConsentRequired`] and [`CoreError::Refused`] where what waited was refused for good, and waits no more;
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn refresh(&self) -> Result<FaceRecord, CoreError> {
        self.inner.read(|_| Ok(())).await?;
        self.tell().await
    }

    /// Agrees to this version of the text that [`Self::record`] has. It is told to the platform before any portrait.
    ///
    /// # Errors
    ///
    /// [`CoreError::ConsentRequired`] where another text is in force, [`CoreError::NotBound`], or one of the storage.
    pub async fn agree(&self, version: u32) -> Result<FaceRecord, CoreError> {
        let write_down = move |inner: &Inner| inner.faces.agree(version, inner.clock.now_or_floor()?);
        self.inner.read(write_down).await?;
        self.tell().await
    }

    /// Sends a portrait that was made here, with what its check would have changed: where that is anything, a person at the school is
    /// asked to look in spite of it. It is on the disk first, then sent, now or at the next synchronisation, going on where it
    /// broke off. One that is on file stays where it is, and nothing is sent, unless `replaces`.
    ///
    /// # Errors
    ///
    /// [`CoreError::ConsentRequired`], [`CoreError::Photo`] where it is no portrait, [`CoreError::NotBound`], or one of the
    /// storage. After any error nothing waits. Without a network there is no error: the record says that it waits.
    pub async fn upload(
        &self,
        portrait: Vec<u8>,
        advice: Vec<Advice>,
        replaces: bool,
    ) -> Result<FaceRecord, CoreError> {
        let write_down = move |inner: &Inner| {
            let now = inner.clock.now_or_floor()?;
            inner.faces.write_down(portrait, &advice, replaces, now)
        };
        match self.inner.read(write_down).await? {
            true => self.tell().await,
            false => self.record().await,
        }
    }

    /// Takes the consent back: what waits here is gone at once, and whatever the school and its terminals have is deleted as soon as the
    /// platform hears of it, now or at the next synchronisation. Without a consent there is nothing to take back.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage. Without a network there is no error: the record says that it waits.
    pub async fn withdraw(&self) -> Result<FaceRecord, CoreError> {
        let write_down = |inner: &Inner| inner.faces.write_down_withdrawal(inner.clock.now_or_floor()?);
        self.inner.read(write_down).await?;
        self.tell().await
    }

    /// Tells the platform what waits, and answers how things stand. What can't be told now waits on.
    async fn tell(&self) -> Result<FaceRecord, CoreError> {
        let work = |inner: Arc<Inner>| async move { inner.faces.tell(&inner.sessions).await };
        self.inner.ask(work).await?;
        self.record().await
    }
}

/// Guidance while a camera runs: each frame is looked at, and when all has been well for some of them, its portrait is made.
#[derive(Clone)]
pub struct FaceCamera {
    inner: Arc<Inner>,
    guide: Arc<Mutex<Guide>>,
}

impl FaceCamera {
    /// Looks at a frame. `at_ms` is when the camera took it, in milliseconds of a clock that only goes on. One frame at a time: a
    /// shell leaves out those that come meanwhile.
    ///
    /// # Errors
    ///
    /// [`CoreError::Photo`] where the frame is not of the size that was said.
    pub async fn look(&self, frame: CameraFrame, at_ms: i64) -> Result<FrameReport, CoreError> {
        let (inner, guide) = (Arc::clone(&self.inner), Arc::clone(&self.guide));
        let work = move || {
            let picture = frame.borrowed().picture().map_err(PhotoFault::from)?;
            let found = find_upright(inner.faces.detector(), picture.upright());
            let verdict = judge(&found);
            let guidance = guide
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .step(&verdict, at_ms);
            let face = verdict.face.filter(|_| guidance.captures);
            Ok(FrameReport {
                advice: guidance.advice,
                hold_percent: guidance.hold_percent,
                offers_review: guidance.offers_review,
                portrait: face.map(|face| made(&found, &face)).transpose()?,
            })
        };
        self.inner.runtime.run_blocking(work).await
    }
}

/// The portrait. A picture that doesn't fit at the lowest quality is none of a face.
fn made(found: &Found<'_>, face: &Face) -> Result<Portrait, CoreError> {
    portrait(&found.view, face, PORTRAIT_BYTES).map_err(|_| CoreError::Internal {
        fault: InternalFault::Encoding,
    })
}

/// A camera's frame, with its bytes.
#[derive(Clone, Debug)]
pub struct CameraFrame {
    /// In pixels, as they lie in memory.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// By how many quarters it is to be turned clockwise to be upright.
    pub quarters: u8,
    /// The pixels.
    pub pixels: CameraPixels,
}

/// A plane of a camera's frame.
#[derive(Clone, Debug)]
pub struct CameraPlane {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// From the beginning of a row to that of the next, in bytes.
    pub row_stride: u32,
    /// From a pixel's first byte to that of the next.
    pub pixel_stride: u32,
}

/// How a frame's pixels lie in memory.
#[derive(Clone, Debug)]
pub enum CameraPixels {
    /// Red, green, blue, and a byte that is left out.
    Rgba {
        /// All of them.
        plane: CameraPlane,
    },
    /// Blue, green, red, and a byte that is left out.
    Bgra {
        /// All of them.
        plane: CameraPlane,
    },
    /// Luminance, and both colours at half of the size.
    Yuv420 {
        /// Luminance.
        y: CameraPlane,
        /// Blue less luminance.
        u: CameraPlane,
        /// Red less luminance.
        v: CameraPlane,
    },
}

impl CameraPlane {
    fn borrowed(&self) -> Plane<'_> {
        // A stride that has no room in memory is none: it is refused with the plane.
        let stride = |stride: u32| usize::try_from(stride).unwrap_or(usize::MAX);
        Plane {
            bytes: &self.bytes,
            row_stride: stride(self.row_stride),
            pixel_stride: stride(self.pixel_stride),
        }
    }
}

impl CameraFrame {
    fn borrowed(&self) -> Frame<'_> {
        Frame {
            width: self.width,
            height: self.height,
            quarters: self.quarters,
            layout: match &self.pixels {
                CameraPixels::Rgba { plane } => Layout::Rgba(plane.borrowed()),
                CameraPixels::Bgra { plane } => Layout::Bgra(plane.borrowed()),
                CameraPixels::Yuv420 { y, u, v } => Layout::Yuv420 {
                    y: y.borrowed(),
                    u: u.borrowed(),
                    v: v.borrowed(),
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Advice;
    use crate::testing::{TestPhone, block_on};

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!(
            "{}/../tests/fixtures/face/{name}",
            env!("CARGO_MANIFEST_DIR")
        ))
        .unwrap()
    }

    #[test]
    fn a_photo_is_judged_without_a_card() {
        let card = TestPhone::new().open();
        let good = block_on(card.face().check(fixture("angus-king.png"))).unwrap();
        assert_eq!((good.advice, good.measures.is_empty()), (Vec::new(), false));
        let made = good.portrait.unwrap();
        assert!(made.jpeg.len() <= PORTRAIT_BYTES && decode(&made.jpeg).is_ok());
        let turned = block_on(card.face().check(fixture("jacky-rosen.png"))).unwrap();
        assert_eq!(
            (turned.advice.first(), turned.portrait.is_some()),
            (Some(&Advice::Yaw), true)
        );
        let none = block_on(card.face().check(b"no photo".to_vec()));
        assert_eq!(
            none.unwrap_err(),
            CoreError::Photo {
                fault: PhotoFault::UnknownKind
            }
        );
    }

    #[test]
    fn a_camera_takes_the_picture_when_all_has_been_well() {
        let card = TestPhone::new().open();
        let camera = card.face().camera();
        let shown = portrait_frame(4);
        let grey = CameraFrame {
            pixels: CameraPixels::Rgba {
                plane: CameraPlane {
                    bytes: vec![128; 320 * 320 * 4],
                    row_stride: 320 * 4,
                    pixel_stride: 4,
                },
            },
            ..shown.clone()
        };
        let look = |frame: &CameraFrame, at_ms| block_on(camera.look(frame.clone(), at_ms)).unwrap();
        assert_eq!(look(&grey, 0).advice, Some(Advice::NoFace));
        let reports: Vec<FrameReport> = (1..30).map(|at| look(&shown, 100 * at)).collect();
        let taken = reports.iter().position(|report| report.portrait.is_some());
        let taken = taken.unwrap_or_else(|| panic!("{reports:?}"));
        assert_eq!((reports[taken].hold_percent, taken > 3), (100, true));
        let short = block_on(camera.look(portrait_frame(5), 5_000));
        assert_eq!(
            short.unwrap_err(),
            CoreError::Photo {
                fault: PhotoFault::Frame
            }
        );
    }

    /// A portrait as a frame, whose pixels are said to be so many bytes apart: it has four.
    fn portrait_frame(pixel_stride: u32) -> CameraFrame {
        let picture = decode(&fixture("angus-king.png")).unwrap();
        let (pixels, _) = picture.upright().thumbnail(320);
        let bytes = pixels
            .pixels()
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 0])
            .collect();
        CameraFrame {
            width: pixels.width(),
            height: pixels.height(),
            quarters: 0,
            pixels: CameraPixels::Rgba {
                plane: CameraPlane {
                    bytes,
                    row_stride: 4 * pixels.width(),
                    pixel_stride,
                },
            },
        }
    }
}
