//! Face photos on the command line: judged and made ready without a card, a home or a network.

mod school;

use std::path::{Path, PathBuf};

use serde_json::json;
use yika_e2e::{Error, Output, Phone, Result};

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/face")).join(name)
}

fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(Error::io("making a folder"))
}

fn check(phone: &Phone, photo: &Path) -> Result<Output> {
    phone.run(&["face", "check", &photo.display().to_string(), "--json"])
}

#[test]
fn a_good_photo_a_bad_one_and_none_end_differently_and_leave_no_home() -> Result<()> {
    let folder = folder()?;
    let phone = Phone::at(&folder.path().join("home"));
    let good = check(&phone, &fixture("angus-king.png"))?;
    assert_eq!(
        (good.code, good.json()?["acceptable"].take()),
        (Some(0), json!(true))
    );

    // The same person from the side, then a picture without anybody, then no picture.
    let turned = check(&phone, &fixture("jacky-rosen.png"))?;
    assert_eq!((turned.code, turned.complaint()), (Some(1), "yaw".to_owned()));
    assert_eq!(turned.json()?["advice"][0], "yaw");
    let photo = folder.path().join("grey.png");
    let grey = image::RgbImage::from_pixel(640, 480, image::Rgb([128; 3]));
    grey.save(&photo)
        .map_err(|error| Error::answer("writing a picture", error))?;
    let nobody = check(&phone, &photo)?;
    assert_eq!((nobody.code, nobody.complaint()), (Some(1), "no_face".to_owned()));
    for unreadable in [fixture("reference.json"), folder.path().join("nothing.jpg")] {
        let output = check(&phone, &unreadable)?;
        assert_eq!(
            (output.code, output.complaint()),
            (Some(2), "unreadable".to_owned())
        );
        assert_eq!(output.stdout, "");
    }
    assert!(!phone.home().exists());
    Ok(())
}
