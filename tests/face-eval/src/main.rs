//! `yika-face-eval DIR SHEET`: judges the photos that `DIR/manifest.csv` names, prints what came of it as Markdown, and draws all of
//! them on a sheet. The manifest has the columns `file` and `label`; labels say what a photo shows (`expected.rs`).

mod expected;
mod sheet;
mod tally;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;
use yika_face::{Detector, Picture, Verdict, check, decode};

/// What stops an evaluation.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("usage: yika-face-eval DIR SHEET")]
    Usage,
    #[error("cannot read {}: {source}", path.display())]
    Manifest { path: PathBuf, source: csv::Error },
    #[error("cannot write {}: {source}", path.display())]
    Sheet {
        path: PathBuf,
        source: image::ImageError,
    },
}

/// A row of the manifest.
#[derive(Debug, Deserialize)]
struct Row {
    file: String,
    label: String,
}

/// A photo and what was said of it.
struct Judged {
    label: String,
    /// Nothing where the file can't be read.
    verdict: Option<Verdict>,
    /// How it is drawn.
    thumbnail: image::RgbImage,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, sheet] = arguments.as_slice() else {
        return Err(Error::Usage);
    };
    let detector = Detector::new();
    let judged: Vec<Judged> = manifest(folder)?
        .into_iter()
        .map(|row| judge(&detector, folder, row))
        .collect();
    println!("{}", tally::report(&judged));
    sheet::draw(&judged).save(sheet).map_err(|source| Error::Sheet {
        path: sheet.clone(),
        source,
    })?;
    println!("All of them are drawn in {}.", sheet.display());
    Ok(())
}

fn manifest(folder: &Path) -> Result<Vec<Row>, Error> {
    let path = folder.join("manifest.csv");
    let rows = csv::Reader::from_path(&path).and_then(|mut reader| reader.deserialize().collect());
    rows.map_err(|source| Error::Manifest { path, source })
}

fn judge(detector: &Detector, folder: &Path, Row { file, label }: Row) -> Judged {
    let picture = std::fs::read(folder.join(&file))
        .ok()
        .and_then(|bytes| decode(&bytes).ok());
    match picture {
        Some(picture) => seen(detector, label, &picture),
        None => Judged {
            label,
            verdict: None,
            thumbnail: sheet::blank(),
        },
    }
}

fn seen(detector: &Detector, label: String, picture: &Picture) -> Judged {
    let (verdict, found) = check(detector, picture);
    let thumbnail = sheet::thumbnail(&found, &verdict);
    Judged {
        label,
        verdict: Some(verdict),
        thumbnail,
    }
}
