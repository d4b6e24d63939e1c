//! The photo at the school: the real phone agrees and sends, the card office decides, a gate fetches, the phone takes it back, and
//! nothing is left.

use super::{fixture, folder};
use serde_json::{Value, json};
use std::path::Path;
use yika_e2e::{Campus, End, Error, Phone, Result, Terminal};

const GOOD: &str = "angus-king.png";
const TURNED: &str = "jacky-rosen.png";
const STUDENT: &str = "20260005";

fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .ok_or_else(|| Error::answer("a text", value.clone()))
}

/// `face upload` of a fixture.
fn upload(phone: &Phone, name: &str, options: &[&str]) -> Result<Value> {
    let file = fixture(name).display().to_string();
    phone.json(&[&["face", "upload", &file], options].concat())
}

fn status(phone: &Phone) -> Result<Value> {
    phone.json(&["face", "status"])
}

fn clerk(campus: &Campus, does: &str) -> Result<()> {
    let path = "/sandbox/admin/faces/clerk";
    campus.sandbox.put(path, &json!({ "does": does })).map(drop)
}

fn reviews(campus: &Campus) -> Result<Vec<Value>> {
    let reviews = campus.sandbox.get("/sandbox/admin/faces")?["reviews"].take();
    Ok(reviews.as_array().cloned().unwrap_or_default())
}

fn events(campus: &Campus) -> Result<Vec<String>> {
    let events = campus
        .sandbox
        .get(&format!("/sandbox/admin/students/{STUDENT}/faces"))?;
    let events = events["events"].as_array().into_iter().flatten();
    events
        .map(|event| text(&event["what"]).map(str::to_owned))
        .collect()
}

/// A campus whose clerk is away, and a phone.
fn campus() -> Result<(Campus, Phone)> {
    let campus = Campus::open()?;
    clerk(&campus, "away")?;
    let phone = campus.phone(STUDENT)?;
    Ok((campus, phone))
}

/// A campus with a portrait on file, and a gate that has it.
fn with_gate() -> Result<(Campus, Phone, Terminal)> {
    let (campus, phone) = campus()?;
    upload(&phone, GOOD, &["--agree", "1"])?;
    let id = reviews(&campus)?[0]["id"].take();
    campus.sandbox.post(
        &format!("/sandbox/admin/faces/{}/accept", text(&id)?),
        &Value::Null,
    )?;
    let gate = campus.terminal("gate", "gate", None)?;
    Ok((campus, phone, gate))
}

/// The portraits that a gate has.
fn portraits(gate: &Terminal) -> Result<Vec<String>> {
    let files = std::fs::read_dir(gate.home().join("faces")).map_err(Error::io("reading the portraits"))?;
    let paths = files.map(|file| file.map(|file| file.path().display().to_string()));
    paths
        .collect::<Result<_, _>>()
        .map_err(Error::io("reading the portraits"))
}

/// Every file below a folder that has these bytes in it.
fn files_with(folder: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("reading a folder"))? {
        let path = entry.map_err(Error::io("reading a folder"))?.path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes)?);
        } else if let Ok(content) = std::fs::read(&path)
            && content.windows(bytes.len()).any(|window| window == bytes)
        {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

#[test]
fn from_consent_to_the_gate_and_back_to_nothing() -> Result<()> {
    let (campus, phone) = campus()?;
    let file = fixture(GOOD).display().to_string();
    let unasked = phone.run(&["face", "upload", &file])?;
    assert_eq!(
        (unasked.code, unasked.complaint()),
        (Some(1), "consent_required".to_owned())
    );
    let before = status(&phone)?;
    assert_eq!(
        (&before["text"]["version"], &before["on_file"]),
        (&json!(1), &json!(false))
    );

    let sent = upload(&phone, GOOD, &["--agree", "1"])?;
    assert_eq!(
        (&sent["upload"]["phase"], &sent["consent"]["recorded"]),
        (&json!("pending"), &json!(true))
    );
    let waiting = reviews(&campus)?;
    assert_eq!(
        (waiting.len(), &waiting[0]["number"], &waiting[0]["findings"]),
        (1, &json!(STUDENT), &json!([]))
    );
    let office = format!("/sandbox/admin/faces/{}", text(&waiting[0]["id"])?);
    campus.sandbox.post(&format!("{office}/accept"), &Value::Null)?;
    assert_eq!(status(&phone)?["on_file"], true);
    // Nothing to do: it is not sent again.
    upload(&phone, GOOD, &[])?;
    assert_eq!(reviews(&campus)?.len(), 0);

    let gate = campus.terminal("gate", "gate", None)?;
    let path = portraits(&gate)?.remove(0);
    let jpeg = std::fs::read(&path).map_err(Error::io("reading a portrait"))?;
    let seen = phone.run(&["face", "check", &path, "--json"])?.json()?;
    assert_eq!(
        (&seen["width"], &seen["height"], &seen["faces"]),
        (&json!(240), &json!(320), &json!(1))
    );
    let middle = &jpeg[jpeg.len() / 2..][..64];
    let lying_open = files_with(campus.folder(), middle)?;
    assert_eq!(
        lying_open.as_slice(),
        std::slice::from_ref(&path),
        "it lies open nowhere else"
    );

    let withdrawn = phone.json(&["face", "withdraw"])?;
    assert_eq!(withdrawn["deletion"]["terminals_left"], 1);
    assert!(withdrawn["deletion"]["deleted_at"].is_i64());
    let synced = gate.json(&["sync"])?;
    assert_eq!(synced["faces"]["removed"], 1);
    assert!(portraits(&gate)?.is_empty());
    assert_eq!(status(&phone)?["deletion"]["terminals_left"], 0);
    assert!(files_with(campus.folder(), middle)?.is_empty());
    let keys = std::fs::read_dir(campus.folder().join("campus").join("photo-keys"));
    assert_eq!(keys.map_err(Error::io("reading the keys"))?.count(), 0);
    assert_eq!(
        events(&campus)?,
        [
            "consent_given",
            "begun",
            "received",
            "accepted",
            "delivered",
            "consent_withdrawn",
            "deleted",
            "key_destroyed",
            "removed"
        ]
    );
    Ok(())
}

#[test]
fn a_phone_that_is_killed_after_any_reply_sends_one_portrait() -> Result<()> {
    let (mut campus, phone) = campus()?;
    campus.sandbox.stop()?;
    let waiting = upload(&phone, GOOD, &["--agree", "1"])?;
    assert_eq!(
        (&waiting["upload"]["phase"], &waiting["consent"]["recorded"]),
        (&json!("queued"), &json!(false))
    );
    campus.sandbox.restart(&[])?;
    clerk(&campus, "away")?;
    let mut replies = 1;
    loop {
        let point = format!("phone.http.after-reply:{replies}");
        let killed = phone.with_environment(&[("YIKA_KILL_AT", point)]);
        if killed.run(&["face", "status"])?.code.is_some() {
            break;
        }
        replies += 1;
    }
    assert!(replies > 4, "{replies}");
    let sent = status(&phone)?;
    assert_eq!(sent["upload"]["phase"], "pending", "{sent}");
    assert_eq!(reviews(&campus)?.len(), 1);
    assert_eq!(events(&campus)?, ["consent_given", "begun", "received"]);
    Ok(())
}

#[test]
fn a_platform_that_is_killed_anywhere_keeps_its_word() -> Result<()> {
    let named = [
        "photo-key.before-commit:1",
        "photo-key.after-commit:1",
        "photo-key.destroyed:1",
    ]
    .map(str::to_owned);
    // Those before are what opening commits.
    let commits = (18..26).flat_map(|at| [format!("db.before-commit:{at}"), format!("db.after-commit:{at}")]);
    let mut deaths = 0;
    for point in named.into_iter().chain(commits) {
        let (mut campus, phone) = campus()?;
        campus.sandbox.stop()?;
        let kill_at = format!("platform.{point}");
        if campus.sandbox.restart(&[("YIKA_KILL_AT", &kill_at)]).is_err() {
            // It died while it opened.
            continue;
        }
        // It dies somewhere here, or else at its end.
        let _ = upload(&phone, GOOD, &["--agree", "1"]);
        let _ = phone.run(&["face", "withdraw"])?;
        let has_died = campus.sandbox.stop()? == End::Died;
        assert!(has_died || !point.starts_with("photo-key"), "{point}");
        deaths += u32::from(has_died);
        campus.sandbox.restart(&[])?;
        let gone = status(&phone)?;
        assert!(
            gone["deletion"]["deleted_at"].is_i64() || gone["consent"].is_null(),
            "{point}: {gone}"
        );
        assert_eq!(gone["on_file"], false, "{point}");
        let keys = std::fs::read_dir(campus.folder().join("campus").join("photo-keys"));
        let keys = keys.map_or(0, Iterator::count);
        assert!(reviews(&campus)?.is_empty(), "{point}");
        // A key of a portrait that never was is a few random bytes.
        assert!(
            keys == 0 || events(&campus)?.iter().all(|event| event != "begun"),
            "{point}"
        );
    }
    assert!(deaths > 8, "{deaths}");
    Ok(())
}

#[test]
fn without_a_network_the_phone_forgets_at_once_and_the_school_when_it_hears() -> Result<()> {
    let (mut campus, phone, gate) = with_gate()?;
    assert_eq!(portraits(&gate)?.len(), 1);
    campus.sandbox.stop()?;
    let waiting = phone.json(&["face", "withdraw"])?;
    assert_eq!(
        (&waiting["consent"], &waiting["on_file"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(waiting["deletion"]["deleted_at"], Value::Null);
    campus.sandbox.restart(&[])?;
    phone.sync()?;
    gate.sync()?;
    let told = status(&phone)?;
    assert_eq!(told["deletion"]["terminals_left"], 0);
    assert!(portraits(&gate)?.is_empty());
    Ok(())
}

#[test]
fn a_photo_that_will_not_do_is_sent_only_for_a_person_to_look_at() -> Result<()> {
    let (campus, phone) = campus()?;
    let file = fixture(TURNED).display().to_string();
    let refused = phone.run(&["face", "upload", &file, "--agree", "1"])?;
    assert_eq!((refused.code, refused.complaint()), (Some(1), "yaw".to_owned()));
    assert_eq!(
        status(&phone)?["consent"],
        Value::Null,
        "nothing was agreed to for it"
    );
    upload(&phone, TURNED, &["--manual", "--agree", "1"])?;
    let waiting = reviews(&campus)?;
    assert_eq!(waiting[0]["advice"][0], "yaw");
    let office = format!("/sandbox/admin/faces/{}", text(&waiting[0]["id"])?);
    let decision = json!({ "reason": "unclear", "reply": "请正对镜头" });
    campus.sandbox.post(&format!("{office}/refuse"), &decision)?;
    let told = status(&phone)?;
    assert_eq!(
        (&told["upload"]["phase"], &told["upload"]["refusal"]),
        (&json!("refused"), &decision)
    );
    let grey = folder()?;
    let nobody = grey.path().join("grey.png");
    let picture = image::RgbImage::from_pixel(640, 480, image::Rgb([128; 3]));
    picture
        .save(&nobody)
        .map_err(|error| Error::answer("writing a picture", error))?;
    let refused = phone.run(&["face", "upload", &nobody.display().to_string(), "--manual"])?;
    assert_eq!(
        (refused.code, refused.complaint()),
        (Some(1), "no_face".to_owned())
    );
    Ok(())
}

#[test]
fn the_clerk_accepts_what_leaves_nothing_to_say() -> Result<()> {
    let (campus, phone) = campus()?;
    upload(&phone, GOOD, &["--agree", "1"])?;
    clerk(&campus, "careful")?;
    let mut told = status(&phone)?;
    for _ in 0..100 {
        if told["on_file"] == true {
            break;
        }
        told = status(&phone)?;
    }
    assert_eq!(
        (&told["upload"]["phase"], &told["on_file"]),
        (&json!("accepted"), &json!(true))
    );
    Ok(())
}
