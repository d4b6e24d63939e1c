//! Writes `tests/vectors` anew: every file that the generator makes, and none besides among the JSON files there. The
//! same for the seeds of the fuzz targets' corpora; inputs that were found otherwise stay.

use std::path::Path;
use std::{fs, io};

use yika_testkit::sha256;
use yika_testkit::vectors::{Hex, files, seeds};

const SEED: &str = "seed-";

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let vectors = root.join("tests/vectors");
    clear(&vectors, |name| name.ends_with(".json"))?;
    let files = files();
    for (name, text) in &files {
        fs::write(vectors.join(name), text)?;
    }

    let corpus = root.join("fuzz/corpus");
    fs::create_dir_all(&corpus)?;
    for target in fs::read_dir(&corpus)? {
        clear(&target?.path(), |name| name.starts_with(SEED))?;
    }
    let seeds = seeds();
    for seed in &seeds {
        let folder = corpus.join(seed.target);
        fs::create_dir_all(&folder)?;
        // Vectors that put the same bytes in make one seed.
        let name = String::from(Hex(sha256(&seed.bytes)[..8].to_vec()));
        fs::write(folder.join(format!("{SEED}{name}")), &seed.bytes)?;
    }
    println!("{} vectors, {} seeds", files.len() - 1, seeds.len());
    Ok(())
}

/// Removes the files of these names from a folder, which is made if it isn't there.
fn clear(folder: &Path, is_ours: impl Fn(&str) -> bool) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&is_ours) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
