//! Face photos: whether one will do, and the portrait of it, for which no home is opened; and the holder's at the school.

use std::path::Path;

use serde_json::{Value, json};
use yika_core::CampusCard;
use yika_core::face::{Advice, Bound, Detector, Found, Measure, Picture, Verdict, check, decode, portrait};

use crate::args::{Face, Output};
use crate::commands::{print, wait};
use crate::draw::unwritten;
use crate::error::PhoneError;
use crate::show;

/// Does what is asked with a photo, where that needs no card.
pub(crate) fn without_a_card(words: &Face) -> Option<Result<(), PhoneError>> {
    match words {
        Face::Check { file, output } => Some(judge(file, *output)),
        Face::Normalise {
            file,
            out,
            max_bytes,
            output,
        } => Some(normalise(file, out, *max_bytes, *output)),
        Face::Upload { .. } | Face::Status(_) | Face::Withdraw(_) => None,
    }
}

fn judge(file: &Path, output: Output) -> Result<(), PhoneError> {
    let picture = read(file)?;
    let (verdict, found) = check(&Detector::new(), &picture);
    print(
        output,
        || verdict_json(&verdict, &found),
        || verdict_text(&verdict),
    )?;
    outcome(&verdict.advice)
}

fn normalise(file: &Path, out: &Path, max_bytes: usize, output: Output) -> Result<(), PhoneError> {
    let picture = read(file)?;
    let (verdict, found) = check(&Detector::new(), &picture);
    let mut shown = verdict_json(&verdict, &found);
    if let Some(face) = &verdict.face {
        let made = portrait(&found.view, face, max_bytes).map_err(PhoneError::Portrait)?;
        std::fs::write(out, &made.jpeg).map_err(|error| unwritten(out, &error))?;
        shown["portrait"] = json!({
            "width": made.width, "height": made.height, "bytes": made.jpeg.len(), "quality": made.quality,
        });
    }
    print(output, || shown, || verdict_text(&verdict))?;
    outcome(&verdict.advice)
}

/// Does what is asked about the photo at the school.
pub(crate) fn with_a_card(card: &CampusCard, words: &Face) -> Result<(), PhoneError> {
    let service = card.face();
    let (record, output) = match words {
        Face::Upload {
            file,
            agree,
            manual,
            replace,
            output,
        } => {
            let report = wait(service.check(bytes(file)?))??;
            let portrait = report.portrait.filter(|_| *manual || report.advice.is_empty());
            let Some(portrait) = portrait else {
                return outcome(&report.advice);
            };
            if let Some(version) = agree {
                wait(service.agree(*version))??;
            }
            (
                wait(service.upload(portrait.jpeg, report.advice, *replace))??,
                output,
            )
        }
        Face::Status(output) => (wait(service.refresh())??, output),
        Face::Withdraw(output) => (wait(service.withdraw())??, output),
        // Those that need no card were done without it.
        Face::Check { .. } | Face::Normalise { .. } => return Ok(()),
    };
    print(*output, || show::face_json(&record), || show::face_text(&record))
}

fn unreadable(file: &Path, reason: &impl ToString) -> PhoneError {
    PhoneError::Photo {
        path: file.to_owned(),
        reason: reason.to_string(),
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, PhoneError> {
    std::fs::read(file).map_err(|error| unreadable(file, &error))
}

fn read(file: &Path) -> Result<Picture, PhoneError> {
    decode(&bytes(file)?).map_err(|error| unreadable(file, &error))
}

fn outcome(advice: &[Advice]) -> Result<(), PhoneError> {
    match advice.first() {
        Some(first) => Err(PhoneError::PhotoRefused(*first)),
        None => Ok(()),
    }
}

fn verdict_json(verdict: &Verdict, found: &Found<'_>) -> Value {
    let advice: Vec<&str> = verdict.advice.iter().map(|advice| advice.code()).collect();
    let measures: Vec<Value> = verdict.measures.iter().map(measure_json).collect();
    let face = verdict.face.map(|face| {
        let points = face
            .landmarks
            .points()
            .map(|point| [rounded(point.x), rounded(point.y)]);
        let area = face.area;
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(rounded);
        json!({
            "score": rounded(face.score),
            "area": { "x": x, "y": y, "width": width, "height": height },
            "points": points,
        })
    });
    json!({
        "acceptable": verdict.is_acceptable(),
        "advice": advice,
        "width": found.view.width,
        "height": found.view.height,
        "quarters": found.quarters,
        "faces": found.faces.len(),
        "face": face,
        "measures": measures,
    })
}

fn measure_json(measure: &Measure) -> Value {
    let bound = measure.quality.bound().map(|bound| match bound {
        Bound::AtLeast(least) => json!({ "least": rounded(least) }),
        Bound::AtMost(most) => json!({ "most": rounded(most) }),
        Bound::Within(within) => json!({ "within": rounded(within) }),
    });
    json!({
        "quality": measure.quality.name(),
        "raw": rounded(measure.raw),
        "score": measure.score,
        "bound": bound,
        "holds": measure.holds(),
    })
}

/// A figure without the noise of its last digits.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

fn verdict_text(verdict: &Verdict) -> String {
    let advice = verdict.advice.iter().map(|advice| said(*advice).to_owned());
    let failed = verdict.measures.iter().filter(|measure| !measure.holds());
    let failed = failed.map(|measure| format!("{} {:.2}", measure.quality.name(), measure.raw));
    match verdict.is_acceptable() {
        true => "good".to_owned(),
        false => advice.chain(failed).collect::<Vec<_>>().join("\n"),
    }
}

/// The words of an advice.
pub(crate) fn said(advice: Advice) -> &'static str {
    match advice {
        Advice::NoFace => "put your face in the frame",
        Advice::Many => "only you in the picture",
        Advice::Small => "the photo is too small",
        Advice::Closer => "move closer",
        Advice::Back => "move back",
        Advice::Centre => "move to the middle",
        Advice::Covered => "uncover your face",
        Advice::Yaw => "face the camera",
        Advice::ChinUp => "chin up",
        Advice::ChinDown => "chin down",
        Advice::Roll => "straighten your head",
        Advice::Dark => "find more light",
        Advice::Bright => "avoid strong light",
        Advice::Blur => "hold still",
        Advice::Uneven => "turn to the light",
        Advice::Colour => "use natural light",
    }
}
