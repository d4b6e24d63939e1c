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

/// The layers' weights, one after the other.
#[derive(Debug)]
pub(super) struct Network {
    weights: Vec<f32>,
    /// Memory of the last run.
    spare: Mutex<Spare>,
}

/// What the network says of a pixel of each of the levels, whose pixels are 8, 16 and 32 of the input's: class, objectness,
/// box, landmarks, before any sigmoid or scale.
pub(super) type Levels = [Map; 3];

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
        let map = self.stem(&input);
        self.spare.keep(input);
        let map = self.unit(map, 16);
        let map = self.pooled(map);
        let map = self.unit(map, 16);
        let map = self.unit(map, 32);
        let map = self.unit(map, 32);
        let map = self.unit(map, 64);
        let map = self.pooled(map);
        let map = self.unit(map, 64);
        let mut fine = self.unit(map, 64);
        let map = self.pool(&fine);
        let map = self.unit(map, 64);
        let mut middle = self.unit(map, 64);
        let map = self.pool(&middle);
        let map = self.unit(map, 64);
        let coarse = self.unit(map, 64);
        // From coarse to fine, each level hears of the one above.
        let coarse = self.unit(coarse, 64);
        kernels::add_doubled(&mut middle, &coarse);
        let middle = self.unit(middle, 64);
        kernels::add_doubled(&mut fine, &middle);
        let fine = self.unit(fine, 64);
        let (fine, middle) = (self.head(fine), self.head(middle));
        [fine, middle, self.head(coarse)]
    }

    fn take(&mut self, count: usize) -> &'a [f32] {
        let (taken, rest) = self.weights.split_at(count);
        self.weights = rest;
        taken
    }

    fn blank(&mut self, width: usize, height: usize, channels: usize) -> Map {
        self.spare.blank(width, height, channels)
    }

    #[inline(always)]
    fn stem(&mut self, image: &Map) -> Map {
        let (weights, bias) = (self.take(9 * image.channels * LANES), self.take(LANES));
        let mut out = self.blank(image.width / 2, image.height / 2, LANES);
        kernels::stem(self.simd, image, weights, bias, &mut out);
        out
    }

    #[inline(always)]
    fn pool(&mut self, map: &Map) -> Map {
        let mut out = self.blank(map.width / 2, map.height / 2, map.channels);
        kernels::pool(self.simd, map, &mut out);
        out
    }

    #[inline(always)]
    fn pooled(&mut self, map: Map) -> Map {
        let out = self.pool(&map);
        self.spare.keep(map);
        out
    }

    /// A depthwise separable convolution: pixels first, then neighbourhoods.
    #[inline(always)]
    fn unit(&mut self, map: Map, outputs: usize) -> Map {
        self.separable::<true>(map, outputs)
    }

    /// One whose values are left as they are.
    #[inline(always)]
    fn head(&mut self, map: Map) -> Map {
        self.separable::<false>(map, LANES)
    }

    #[inline(always)]
    fn separable<const RECTIFIED: bool>(&mut self, map: Map, outputs: usize) -> Map {
        let (weights, bias) = (self.take(map.channels * outputs), self.take(outputs));
        let mut mixed = self.blank(map.width, map.height, outputs);
        kernels::pointwise(self.simd, &map, weights, bias, &mut mixed);
        self.spare.keep(map);
        let (weights, bias) = (self.take(9 * outputs), self.take(outputs));
        let mut out = self.blank(mixed.width, mixed.height, outputs);
        kernels::depthwise::<S, RECTIFIED>(self.simd, &mixed, weights, bias, &mut out);
        self.spare.keep(mixed);
        out
    }
}
