//! From a raw value to a quality score of 0 to 100, as ISO/IEC 29794-5 has it and OFIQ 1.0 computes it: the tests hold these
//! curves to OFIQ's own table of results.

use super::Quality;

/// The logistic curve that is at one half at `middle`.
fn logistic(value: f64, middle: f64, width: f64) -> f64 {
    1.0 / (1.0 + ((middle - value) / width).exp())
}

/// The score of a raw value.
pub(super) fn score(quality: Quality, raw: f64) -> u8 {
    let score = match quality {
        Quality::SingleFacePresent => 100.0 * (1.0 - raw),
        Quality::InterEyeDistance => 100.0 * logistic(raw, 70.0, 20.0),
        Quality::HeadSize => 200.0 * (1.0 - logistic((raw - 0.45).abs(), 0.0, 0.05)),
        Quality::LeftwardCrop | Quality::RightwardCrop => 100.0 * logistic(raw, 0.9, 0.1),
        Quality::MarginAbove => 100.0 * logistic(raw, 1.4, 0.1),
        Quality::MarginBelow => 100.0 * logistic(raw, 1.8, 0.1),
        Quality::HeadPoseYaw | Quality::HeadPosePitch | Quality::HeadPoseRoll => {
            100.0 * raw.to_radians().cos().max(0.0).powi(2)
        }
        Quality::LuminanceMean => 100.0 * logistic(raw, 0.2, 0.05) * (1.0 - logistic(raw, 0.8, 0.05)),
        Quality::LuminanceVariance => {
            100.0 * ((60.0 * raw) / (60.0 * raw + 1.0) * std::f64::consts::PI).sin()
        }
        Quality::UnderExposurePrevention => 120.0 * (0.832 - logistic(raw, 0.92, 0.05)),
        Quality::OverExposurePrevention => 1.0 / (raw + 0.01),
        Quality::DynamicRange => 12.5 * raw,
        Quality::IlluminationUniformity => 100.0 * raw.powf(0.3),
        Quality::NaturalColour => 200.0 * (1.0 - logistic(raw, 0.0, 10.0)),
        // Not the standard's: parts of one.
        Quality::Sharpness | Quality::Highlights | Quality::IlluminationBalance | Quality::Uncovered => {
            100.0 * raw
        }
    };
    score.clamp(0.0, 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Raw values and scores that OFIQ tells for its own test pictures.
    const TABLE: &str = include_str!("../../../tests/fixtures/face/ofiq.csv");

    #[test]
    fn every_curve_gives_the_scores_of_ofiqs_own_table() {
        let mut lines = TABLE.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut checked = 0;
        for line in lines {
            let values: Vec<&str> = line.split(',').collect();
            for quality in Quality::ALL {
                let Some(at) = names.iter().position(|name| *name == quality.name()) else {
                    continue;
                };
                let (raw, expected) = values[at].split_once(' ').unwrap();
                let ours = score(*quality, raw.parse().unwrap());
                assert_eq!(ours, expected.parse::<u8>().unwrap(), "{quality:?} of {raw}");
                checked += 1;
            }
        }
        assert_eq!(checked, 28 * 17);
    }
}
