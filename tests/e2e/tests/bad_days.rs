//! Bad days: wrong clocks, restarts, stores that are copied, damaged or shared, cards that are frozen.

use std::fs;
use std::path::Path;

use yika_e2e::{Campus, Error, Result, Use};

fn copy(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("copying {}", from.display());
    fs::create_dir_all(to).map_err(Error::io(doing()))?;
    for entry in fs::read_dir(from).map_err(Error::io(doing()))? {
        let entry = entry.map_err(Error::io(doing()))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(Error::io(doing()))?;
        }
    }
    Ok(())
}

#[test]
fn a_wall_clock_that_is_wrong_or_set_back_changes_nothing() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    for offset in ["86400", "-86400", "-700000000"] {
        let wrong = phone.with_options(&["--wall-offset", offset]);
        till.pay("1.00", &wrong.code(Use::Pay, &[])?)?.approved()?;
        wrong.sync()?;
    }
    Ok(())
}

#[test]
fn a_phone_that_restarted_offline_says_that_its_time_is_weak_and_still_pays() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let restarted = phone.with_options(&["--boot-id", "another"]);
    assert_eq!(restarted.json(&["status"])?["clock"], "weak");
    till.pay("1.00", &restarted.code(Use::Pay, &[])?)?.approved()?;
    restarted.sync()?;
    assert_eq!(restarted.json(&["status"])?["clock"], "good");
    Ok(())
}

#[test]
fn codes_go_on_for_days_without_a_network_and_then_say_why_not() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let (now, soon, late) = ("0", "172800", "40000000");
    for offset in [now, soon] {
        phone
            .with_options(&["--monotonic-offset", offset])
            .code(Use::Pay, &["--form", "full"])?;
    }
    let refused = phone
        .with_options(&["--monotonic-offset", late])
        .run(&["code", "pay", "--text"])?;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.starts_with("credential_expired"),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn a_store_restored_from_a_backup_never_shows_a_code_twice() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let (store, backup) = (phone.home().join("store"), campus.folder().join("backup"));
    copy(&store, &backup)?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    fs::remove_dir_all(&store).map_err(Error::io("removing the store"))?;
    copy(&backup, &store)?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    assert_eq!(till.upload()?["outcomes"][1]["result"], "posted");
    Ok(())
}

#[test]
fn a_store_copied_to_another_phone_is_not_usable_there() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let thief = campus.unbound_phone("thief");
    copy(&phone.home().join("store"), &thief.home().join("store"))?;
    let refused = thief.run(&["code", "pay", "--text"])?;
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (Some(1), ""),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn a_damaged_store_is_set_aside_and_binding_again_brings_everything_back() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let store = phone.home().join("store");
    fs::write(
        store.join("journal.db"),
        b"overwritten by something else".repeat(500),
    )
    .map_err(Error::io("damaging the store"))?;
    // What is in the write-ahead log alone would otherwise repair it.
    fs::remove_file(store.join("journal.db-wal")).map_err(Error::io("damaging the store"))?;
    let refused = phone.run(&["code", "pay", "--text"])?;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.starts_with("store_damaged"), "{}", refused.stderr);
    phone.bind(campus.sandbox.url(), "20260001")?;
    let till = campus.till("till")?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}

#[test]
fn a_suspended_card_shows_no_codes_and_its_old_ones_are_refused() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let old = phone.code(Use::Pay, &[])?;
    campus
        .sandbox
        .post("/sandbox/admin/students/20260001/suspend", &serde_json::json!({}))?;
    till.sync()?;
    assert_eq!(till.pay("1.00", &old)?.refused()?, "REVOKED");
    assert_ne!(phone.run(&["sync"])?.code, Some(0));
    let refused = phone.run(&["code", "pay", "--text"])?;
    assert!(refused.stderr.starts_with("card_frozen"), "{}", refused.stderr);
    campus
        .sandbox
        .post("/sandbox/admin/students/20260001/undo", &serde_json::json!({}))?;
    phone.sync()?;
    till.sync()?;
    assert_eq!(
        till.pay("1.00", &old)?.refused()?,
        "REVOKED",
        "old pictures stay dead"
    );
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}

#[test]
fn a_terminal_that_restarted_offline_takes_no_money_until_it_hears_the_time() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let (till, gate) = (campus.till("till")?, campus.terminal("gate", "gate", None)?);
    let restarted = till.with_options(&["--reboot"]);
    assert_eq!(
        restarted.pay("1.00", &phone.code(Use::Pay, &[])?)?.refused()?,
        "NO_TIME"
    );
    gate.with_options(&["--reboot"])
        .identity(&phone.code(Use::Identity, &[])?)?
        .approved()?;
    restarted.sync()?;
    restarted.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}

#[test]
fn a_code_of_another_school_is_nothing_here_and_rubbish_is_refused_calmly() -> Result<()> {
    let campus = Campus::open()?;
    let till = campus.till("till")?;
    for rubbish in [
        "",
        " ",
        "C1",
        "C2",
        "https://example.org",
        "62000000000000000000",
        "\u{4e00}\u{5361}",
    ] {
        assert_eq!(till.pay("1.00", rubbish)?.refused()?, "MALFORMED", "{rubbish:?}");
    }
    Ok(())
}

#[test]
fn signing_out_wipes_the_phone_without_a_network_too() -> Result<()> {
    let mut campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    campus.sandbox.stop()?;
    phone.run(&["sign-out"])?.success()?;
    assert!(
        phone
            .run(&["code", "pay", "--text"])?
            .stderr
            .starts_with("not_bound")
    );
    assert!(phone.run(&["accounts"])?.stderr.starts_with("not_bound"));
    Ok(())
}

#[test]
fn a_second_process_on_one_home_is_told_so() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let mut codes: Vec<_> = (0..8)
        .map(|_| {
            let mut command = phone.command(&["code", "pay", "--text"])?;
            command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped());
            command.spawn().map_err(Error::io("starting a phone"))
        })
        .collect::<Result<_>>()?;
    let mut shown = Vec::new();
    for child in codes.drain(..) {
        let output = child
            .wait_with_output()
            .map_err(Error::io("waiting for a phone"))?;
        let (text, complaint) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        if output.status.success() {
            shown.push(text.trim().to_owned());
        } else {
            assert!(complaint.starts_with("store_busy"), "{complaint}");
        }
    }
    assert!(!shown.is_empty());
    shown.sort_unstable();
    let before = shown.len();
    shown.dedup();
    assert_eq!(shown.len(), before, "no code is shown twice");
    Ok(())
}
