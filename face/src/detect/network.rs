//! YuNet's forward pass (Wu, Peng, Yu, *YuNet: A Tiny Millisecond-level Face Detector*, 2023), with the weights of OpenCV's
//! `face_detection_yunet_2023mar.onnx`. A runtime for any network would be larger than all of Yika; this one network is a page.

use std::sync::{Mutex, PoisonError};

use super::kernels::{self, Map};
#[cfg(target_arch = "x86_64")]
use super::simd::Avx2;
#[cfg(target_arch = "aarch64")]
use super::simd::Neon;
#[cfg(not(target_arch = "aarch64"))]
use super::simd::Plain;
use super::simd::{LANES, Simd};

/// Width and height of an input are multiples of this: the coarsest level's pixel.
pub(super) const GRAIN: usize = 32;

/// Of an input: blue, green, red.
pub(super) const COLOURS: usize = 3;

/// Made by `weights/export.py`, which says in which order.
static WEIGHTS: &[u8] = include_bytes!("../../weights/yunet.bin");

/// Levels of detail in which faces are looked for.
const LEVELS: usize = 3;
/// Which of them.
const FINE: usize = 0;
const MIDDLE: usize = 1;
const COARSE: usize = 2;

/// What is done with the map at hand.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Mixes channels into so many and looks at neighbourhoods; what is below is cut off.
    Unit(usize, f32),
    /// Halves the size.
    Pool,
    /// Keeps a copy as a level.
    Keep(usize),
    /// Goes on with a level, to which the map at hand is added.
    Join(usize),
    /// Goes on with a level.
    Back(usize),
}

const fn unit(outputs: usize) -> Step {
    Step::Unit(outputs, 0.0)
}

const HEAD: Step = Step::Unit(LANES, f32::NEG_INFINITY);

/// The network after its first layer. As a table each kernel is compiled once; written out in calls, once for each.
const STEPS: &[Step] = &[
    unit(16),
    Step::Pool,
    unit(16),
    unit(32),
    unit(32),
    unit(64),
    Step::Pool,
    unit(64),
    unit(64),
    Step::Keep(FINE),
    Step::Pool,
    unit(64),
    unit(64),
    Step::Keep(MIDDLE),
    Step::Pool,
    unit(64),
    unit(64),
    // From coarse to fine, each level hears of the one above.
    unit(64),
    Step::Keep(COARSE),
    Step::Join(MIDDLE),
    unit(64),
    Step::Keep(MIDDLE),
    Step::Join(FINE),
    unit(64),
    // What each level has to say.
    HEAD,
    Step::Keep(FINE),
    Step::Back(MIDDLE),
    HEAD,
    Step::Keep(MIDDLE),
    Step::Back(COARSE),
    HEAD,
    Step::Keep(COARSE),
];

/// The layers' weights, one after the other.
#[derive(Debug)]
pub(super) struct Network {
    weights: Vec<f32>,
    /// Memory of the last run.
    spare: Mutex<Spare>,
}

/// What the network says of a pixel of each of the levels, whose pixels are 8, 16 and 32 of the input's: class, objectness,
/// box, landmarks, before any sigmoid or scale.
pub(super) type Levels = [Map; LEVELS];

impl Network {
    pub(super) fn new() -> Self {
        let (values, _) = WEIGHTS.as_chunks::<4>();
        Self {
            weights: values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            spare: Mutex::default(),
        }
    }

    /// An input to fill.
    pub(super) fn blank(&self, width: usize, height: usize) -> Map {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.blank(width, height, COLOURS)
    }

    /// Runs on the fastest instructions that this processor has. The input has blue, green, red from 0 to 255.
    pub(super) fn run(&self, input: Map) -> Levels {
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = Avx2::found() {
            // SAFETY: the processor has the instructions that the function is compiled for.
            #[allow(unsafe_code)]
            return unsafe { self.run_on_avx2(simd, input) };
        }
        #[cfg(target_arch = "aarch64")]
        return self.run_on(Neon, input);
        #[cfg(not(target_arch = "aarch64"))]
        self.run_on(Plain, input)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn run_on_avx2(&self, simd: Avx2, input: Map) -> Levels {
        self.run_on(simd, input)
    }

    #[inline(always)]
    pub(super) fn run_on<S: Simd>(&self, simd: S, input: Map) -> Levels {
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let mut layers = Layers {
            simd,
            weights: &self.weights,
            spare: std::mem::take(&mut *spare()),
        };
        let levels = layers.run(input);
        *spare() = layers.spare;
        levels
    }
}

/// Memory that maps have left behind.
#[derive(Debug, Default)]
struct Spare(Vec<Vec<f32>>);

impl Spare {
    fn blank(&mut self, width: usize, height: usize, channels: usize) -> Map {
        let size = Map::size(width, height, channels);
        let fits = (0..self.0.len()).filter(|&at| self.0[at].capacity() >= size);
        let tightest = fits.min_by_key(|&at| self.0[at].capacity());
        let memory = tightest.map(|at| self.0.swap_remove(at)).unwrap_or_default();
        Map::zeros(memory, width, height, channels)
    }

    fn keep(&mut self, map: Map) {
        self.0.push(map.into_memory());
    }
}

/// The layers that are still to come, and memory for them.
struct Layers<'a, S> {
    simd: S,
    weights: &'a [f32],
    spare: Spare,
}

impl<'a, S: Simd> Layers<'a, S> {
    #[inline(always)]
    fn run(&mut self, input: Map) -> Levels {
        let mut map = self.stem(&input);
        self.spare.keep(input);
        let mut kept = [const { None }; LEVELS];
        for step in STEPS {
            map = match *step {
                Step::Unit(outputs, least) => self.unit(map, outputs, least),
                Step::Pool => self.pool(map),
                Step::Keep(level) => {
                    let copy = self.copy(&map);
                    self.drop_into(&mut kept[level], copy);
                    map
                }
                Step::Join(level) => self.join(map, &mut kept[level]),
                // The table keeps a level before it goes back to it: an empty one is never seen, here and below.
                Step::Back(level) => {
                    self.spare.keep(map);
                    kept[level]
                        .take()
                        .unwrap_or_else(|| self.spare.blank(0, 0, LANES))
                }
            };
        }
        self.spare.keep(map);
        kept.map(|map| map.unwrap_or_else(|| self.spare.blank(0, 0, LANES)))
    }

    fn take(&mut self, count: usize) -> &'a [f32] {
        let (taken, rest) = self.weights.split_at(count);
        self.weights = rest;
        taken
    }

    #[inline(always)]
    fn stem(&mut self, image: &Map) -> Map {
        let (weights, bias) = (self.take(9 * COLOURS * LANES), self.take(LANES));
        let mut out = self.spare.blank(image.width / 2, image.height / 2, LANES);
        kernels::stem(self.simd, image, weights, bias, &mut out);
        out
    }

    #[inline(always)]
    fn pool(&mut self, map: Map) -> Map {
        let mut out = self.spare.blank(map.width / 2, map.height / 2, map.channels);
        kernels::pool(self.simd, &map, &mut out);
        self.spare.keep(map);
        out
    }

    /// A depthwise separable convolution: pixels first, then neighbourhoods.
    #[inline(always)]
    fn unit(&mut self, map: Map, outputs: usize, least: f32) -> Map {
        let (weights, bias) = (self.take(map.channels * outputs), self.take(outputs));
        let mut mixed = self.spare.blank(map.width, map.height, outputs);
        kernels::pointwise(self.simd, &map, weights, bias, &mut mixed);
        self.spare.keep(map);
        let (weights, bias) = (self.take(9 * outputs), self.take(outputs));
        let mut out = self.spare.blank(mixed.width, mixed.height, outputs);
        kernels::depthwise(self.simd, &mixed, weights, bias, least, &mut out);
        self.spare.keep(mixed);
        out
    }

    fn copy(&mut self, map: &Map) -> Map {
        let mut copy = self.spare.blank(map.width, map.height, map.channels);
        copy.copy_from(map);
        copy
    }

    fn drop_into(&mut self, place: &mut Option<Map>, map: Map) {
        if let Some(before) = place.replace(map) {
            self.spare.keep(before);
        }
    }

    /// The kept map, with what the coarser one says added.
    fn join(&mut self, coarser: Map, kept: &mut Option<Map>) -> Map {
        let Some(mut map) = kept.take() else {
            return coarser;
        };
        kernels::add_doubled(&mut map, &coarser);
        self.spare.keep(coarser);
        map
    }
}
