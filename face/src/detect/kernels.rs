//! The four things that the network does with a map, for any set of instructions.

use super::simd::{LANES, Simd};

/// Pixels that share each load of a weight.
const TOGETHER: usize = 4;

/// A map of features: rows of pixels of channels, within a border of zeros one pixel wide.
#[derive(Clone, Debug)]
pub(super) struct Map {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    values: Vec<f32>,
}

impl Map {
    /// A map of zeros, in memory that has served before: asking the system for some takes longer than most layers.
    pub(super) fn zeros(mut memory: Vec<f32>, width: usize, height: usize, channels: usize) -> Self {
        memory.clear();
        memory.resize(Self::size(width, height, channels), 0.0);
        Self {
            width,
            height,
            channels,
            values: memory,
        }
    }

    /// How many values one has, with its border.
    pub(super) fn size(width: usize, height: usize, channels: usize) -> usize {
        (width + 2) * (height + 2) * channels
    }

    /// Takes the values of one of the same size.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.values.copy_from_slice(&other.values);
    }

    /// The memory, for another map.
    pub(super) fn into_memory(self) -> Vec<f32> {
        self.values
    }

    /// Where a pixel begins; 0 is the border's.
    fn at(&self, x: usize, y: usize) -> usize {
        (y * (self.width + 2) + x) * self.channels
    }

    /// Three rows from this one on, with their borders.
    fn rows(&self, y: usize) -> [&[f32]; 3] {
        let length = (self.width + 2) * self.channels;
        [0, 1, 2].map(|dy| &self.values[self.at(0, y + dy)..][..length])
    }

    /// The pixels of a row, without its border.
    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.values[self.at(1, y + 1)..][..self.width * self.channels]
    }

    pub(super) fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let start = self.at(1, y + 1);
        &mut self.values[start..][..self.width * self.channels]
    }
}

#[inline(always)]
fn lanes(values: &[f32]) -> &[[f32; LANES]] {
    values.as_chunks().0
}

#[inline(always)]
fn first(values: &[f32]) -> &[f32; LANES] {
    &lanes(values)[0]
}

#[inline(always)]
fn first_mut(values: &mut [f32]) -> &mut [f32; LANES] {
    &mut values.as_chunks_mut().0[0]
}

/// Adds `N` pixels' values times weights to their sums; the pixels stand `stride` values apart.
#[inline(always)]
fn accumulate<S: Simd, const N: usize>(
    simd: S,
    mut sums: [S::Lanes; N],
    values: &[f32],
    stride: usize,
    weights: &[[f32; LANES]],
) -> [S::Lanes; N] {
    let mut pixels = [&values[..0]; N];
    for (at, pixel) in pixels.iter_mut().enumerate() {
        *pixel = &values[at * stride..][..weights.len()];
    }
    for (k, weight) in weights.iter().enumerate() {
        let weight = simd.load(weight);
        for at in 0..N {
            sums[at] = simd.multiply_add(simd.splat(pixels[at][k]), weight, sums[at]);
        }
    }
    sums
}

/// A convolution of 3 by 3 over three colours at every other pixel, and what is below zero cut off.
#[inline(always)]
pub(super) fn stem<S: Simd>(simd: S, image: &Map, weights: &[f32], bias: &[f32], out: &mut Map) {
    let (weights, bias, zero) = (lanes(weights), simd.load(first(bias)), simd.splat(0.0));
    let (run, stride) = (3 * image.channels, 2 * image.channels);
    for y in 0..out.height {
        let rows = image.rows(2 * y);
        for (x, to) in out.row_mut(y).chunks_exact_mut(TOGETHER * LANES).enumerate() {
            let mut sums = [bias; TOGETHER];
            for (row, weights) in rows.iter().zip(weights.chunks_exact(run)) {
                sums = accumulate(simd, sums, &row[x * TOGETHER * stride..], stride, weights);
            }
            for (sum, to) in sums.into_iter().zip(to.chunks_exact_mut(LANES)) {
                simd.store(simd.max(sum, zero), first_mut(to));
            }
        }
    }
}

/// A convolution of one pixel over all its channels.
#[inline(always)]
pub(super) fn pointwise<S: Simd>(simd: S, map: &Map, weights: &[f32], bias: &[f32], out: &mut Map) {
    let (inputs, outputs) = (map.channels, out.channels);
    for y in 0..map.height {
        let row = map.row(y);
        let to = out.row_mut(y);
        for (block, (weights, bias)) in lanes(weights).chunks_exact(inputs).zip(lanes(bias)).enumerate() {
            let (bias, channel) = (simd.load(bias), block * LANES);
            let mut x = 0;
            while x + TOGETHER <= map.width {
                let sums = accumulate(simd, [bias; TOGETHER], &row[x * inputs..], inputs, weights);
                for (at, sum) in sums.into_iter().enumerate() {
                    simd.store(sum, first_mut(&mut to[(x + at) * outputs + channel..]));
                }
                x += TOGETHER;
            }
            while x < map.width {
                let [sum] = accumulate(simd, [bias], &row[x * inputs..], inputs, weights);
                simd.store(sum, first_mut(&mut to[x * outputs + channel..]));
                x += 1;
            }
        }
    }
}

/// A convolution of 3 by 3 over each channel by itself; what is below `least` is cut off.
#[inline(always)]
pub(super) fn depthwise<S: Simd>(
    simd: S,
    map: &Map,
    weights: &[f32],
    bias: &[f32],
    least: f32,
    out: &mut Map,
) {
    const TAPS: usize = 9;
    let channels = map.channels;
    let least = simd.splat(least);
    for y in 0..map.height {
        let rows = map.rows(y);
        let to = out.row_mut(y);
        for (block, (taps, bias)) in lanes(weights).chunks_exact(TAPS).zip(lanes(bias)).enumerate() {
            let channel = block * LANES;
            let bias = simd.load(bias);
            for x in 0..map.width {
                let mut sum = bias;
                for (row, taps) in rows.iter().zip(taps.chunks_exact(3)) {
                    for (dx, tap) in taps.iter().enumerate() {
                        let values = first(&row[(x + dx) * channels + channel..]);
                        sum = simd.multiply_add(simd.load(values), simd.load(tap), sum);
                    }
                }
                let sum = simd.max(sum, least);
                simd.store(sum, first_mut(&mut to[x * channels + channel..]));
            }
        }
    }
}

/// The largest of each two by two.
#[inline(always)]
pub(super) fn pool<S: Simd>(simd: S, map: &Map, out: &mut Map) {
    let channels = map.channels;
    for y in 0..out.height {
        let (upper, lower) = (map.row(2 * y), map.row(2 * y + 1));
        for (x, to) in out.row_mut(y).chunks_exact_mut(channels).enumerate() {
            for (channel, to) in to.chunks_exact_mut(LANES).enumerate() {
                let at = 2 * x * channels + channel * LANES;
                let upper = largest(simd, &upper[at..], channels);
                let lower = largest(simd, &lower[at..], channels);
                simd.store(simd.max(upper, lower), first_mut(to));
            }
        }
    }
}

/// Of this pixel and the next one, so many channels further on.
#[inline(always)]
fn largest<S: Simd>(simd: S, values: &[f32], channels: usize) -> S::Lanes {
    let next = first(&values[channels..]);
    simd.max(simd.load(first(values)), simd.load(next))
}

/// Adds a map of half the size, each pixel of which counts for two by two.
pub(super) fn add_doubled(map: &mut Map, half: &Map) {
    let channels = map.channels;
    for y in 0..map.height {
        let from = half.row(y / 2);
        for (x, to) in map.row_mut(y).chunks_exact_mut(channels).enumerate() {
            let from = &from[x / 2 * channels..][..channels];
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
    }
}
