//! What came of the photos, counted, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use yika_face::{Advice, Quality, Verdict};

use crate::Judged;
use crate::expected::{self, Expected};

/// The photos with a face are split into so many groups of one size, by how bright the face is.
const GROUPS: usize = 3;

/// All tables.
pub(crate) fn report(judged: &[Judged]) -> String {
    [by_label(judged), as_expected(judged), by_luminance(judged)].join("\n")
}

/// What was said first.
fn first(verdict: Option<&Verdict>) -> &'static str {
    match verdict.map(|verdict| verdict.advice.first()) {
        None => "unreadable",
        Some(None) => "accepted",
        Some(Some(advice)) => advice.code(),
    }
}

fn by_label(judged: &[Judged]) -> String {
    let mut labels: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for photo in judged {
        let outcomes = labels.entry(&photo.label).or_default();
        *outcomes.entry(first(photo.verdict.as_ref())).or_default() += 1;
    }
    let mut table = "| label | photos | what was said first |\n|---|---:|---|\n".to_owned();
    for (label, outcomes) in labels {
        let photos: usize = outcomes.values().sum();
        let said: Vec<String> = outcomes
            .iter()
            .map(|(outcome, count)| format!("{outcome} {count}"))
            .collect();
        // Writing to a string does not fail, here and below.
        let _ = writeln!(table, "| {label} | {photos} | {} |", said.join(", "));
    }
    table
}

fn as_expected(judged: &[Judged]) -> String {
    let (mut accepted, mut refused) = ([0_usize; 2], [0_usize; 3]);
    for photo in judged {
        let advice = photo.verdict.as_ref().and_then(|verdict| verdict.advice.first());
        match expected::of(&photo.label) {
            None => {}
            Some(Expected::Accepted) => {
                accepted[0] += 1;
                accepted[1] += usize::from(first(photo.verdict.as_ref()) == "accepted");
            }
            Some(Expected::Refused(reasons)) => {
                refused[0] += 1;
                refused[1] += usize::from(first(photo.verdict.as_ref()) != "accepted");
                refused[2] += usize::from(advice.is_some_and(|advice: &Advice| reasons.contains(advice)));
            }
        }
    }
    format!(
        "| what the label promises | photos | so it was | for the right reason first |\n|---|---:|---:|---:|\n\
         | accepted | {} | {} | |\n| refused | {} | {} | {} |\n",
        accepted[0], accepted[1], refused[0], refused[1], refused[2]
    )
}

/// Whether a dark face is refused more often than a bright one.
fn by_luminance(judged: &[Judged]) -> String {
    let mut faces: Vec<(f32, &Verdict)> = judged
        .iter()
        .filter(|photo| expected::of(&photo.label).is_none_or(|expected| expected == Expected::Accepted))
        .filter_map(|photo| photo.verdict.as_ref())
        .filter_map(|verdict| {
            let mut measures = verdict.measures.iter();
            let mean = measures.find(|measure| measure.quality == Quality::LuminanceMean)?;
            Some((mean.raw, verdict))
        })
        .collect();
    faces.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut table =
        "| mean luminance of the face | photos | accepted | refused for light or colour |\n|---|---:|---:|---:|\n"
            .to_owned();
    for group in faces.chunks(faces.len().div_ceil(GROUPS).max(1)) {
        let (Some(darkest), Some(brightest)) = (group.first(), group.last()) else {
            continue;
        };
        let accepted = group
            .iter()
            .filter(|(_, verdict)| verdict.is_acceptable())
            .count();
        let of_light = |advice: &Advice| {
            matches!(
                advice,
                Advice::Dark | Advice::Bright | Advice::Uneven | Advice::Colour
            )
        };
        let by_light = group
            .iter()
            .filter(|(_, verdict)| verdict.advice.iter().any(of_light))
            .count();
        let _ = writeln!(
            table,
            "| {:.2} to {:.2} | {} | {accepted} | {by_light} |",
            darkest.0,
            brightest.0,
            group.len()
        );
    }
    table
}
