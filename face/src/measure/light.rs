//! Light and colour of the face.

use super::Quality;
use super::aligned::{Aligned, POINTS, lab, luminance};

/// Luminances that count as black and as white, as in ISO/IEC 29794-5.
const BLACK: usize = 25;
const WHITE: usize = 247;
/// The range of CIELAB's a and b in which skin is.
const SKIN: [(f32, f32); 2] = [(5.0, 25.0), (5.0, 35.0)];

type Histogram = [u32; 256];

pub(super) fn measure(aligned: &Aligned) -> [(Quality, f32); 9] {
    let middle = POINTS[2].x;
    let (mut left, mut right) = ([0; 256], [0; 256]);
    let (mut colour, mut count) = ([0.0; 3], 0.0);
    for (point, pixel) in aligned.face() {
        let half: &mut Histogram = if point.x < middle { &mut left } else { &mut right };
        half[usize::from(luminance(pixel))] += 1;
        for (sum, value) in colour.iter_mut().zip(pixel) {
            *sum += f32::from(value);
        }
        count += 1.0;
    }
    let all: Histogram = std::array::from_fn(|at| left[at] + right[at]);
    let part = |range: std::ops::Range<usize>| all[range].iter().sum::<u32>() as f32 / count;
    let (mean, variance) = moments(&all, count);
    let outside = lab(colour.map(|sum| sum / count));
    let outside = outside.into_iter().zip(SKIN).map(|(value, (least, most))| {
        let distance = (least - value).max(value - most).max(0.0);
        distance * distance
    });
    [
        (Quality::LuminanceMean, mean),
        (Quality::LuminanceVariance, variance),
        (Quality::UnderExposurePrevention, part(0..BLACK + 1)),
        (Quality::OverExposurePrevention, part(WHITE..256)),
        (Quality::DynamicRange, entropy(&all, count)),
        (Quality::IlluminationUniformity, shared(&left, &right)),
        (Quality::Highlights, above(&all, count / 20.0)),
        (Quality::IlluminationBalance, balance(&left, &right)),
        (Quality::NaturalColour, outside.sum::<f32>().sqrt()),
    ]
}

/// Mean and variance of luminances from 0 to 1.
fn moments(histogram: &Histogram, count: f32) -> (f32, f32) {
    let parts = histogram
        .iter()
        .enumerate()
        .map(|(value, times)| (value as f32 / 255.0, *times as f32 / count));
    let mean: f32 = parts.clone().map(|(value, part)| value * part).sum();
    let variance = parts.map(|(value, part)| (value - mean) * (value - mean) * part);
    (mean, variance.sum())
}

/// The luminance that so many are above.
fn above(histogram: &Histogram, many: f32) -> f32 {
    let mut seen = 0.0;
    let level = histogram.iter().rposition(|times| {
        seen += *times as f32;
        seen >= many
    });
    level.unwrap_or(0) as f32 / 255.0
}

/// The darker mean as a part of the brighter one.
fn balance(left: &Histogram, right: &Histogram) -> f32 {
    let mean = |histogram: &Histogram| {
        let count = histogram.iter().sum::<u32>() as f32;
        moments(histogram, count.max(1.0)).0.max(f32::MIN_POSITIVE)
    };
    let (left, right) = (mean(left), mean(right));
    left.min(right) / left.max(right)
}

/// In bits.
fn entropy(histogram: &Histogram, count: f32) -> f32 {
    let parts = histogram.iter().map(|times| *times as f32 / count);
    -parts
        .filter(|part| *part > 0.0)
        .map(|part| part * part.log2())
        .sum::<f32>()
}

/// What two histograms have in common when each counts for one.
fn shared(left: &Histogram, right: &Histogram) -> f32 {
    let sum = |histogram: &Histogram| (histogram.iter().sum::<u32>() as f32).max(1.0);
    let (of_left, of_right) = (sum(left), sum(right));
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| (*left as f32 / of_left).min(*right as f32 / of_right))
        .sum()
}
