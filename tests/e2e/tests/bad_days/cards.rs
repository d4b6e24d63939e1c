//! Cards that are suspended, revoked, expired, or of another school; lists that are old.

use serde_json::json;
use yika_e2e::{Campus, Error, Phone, Program, Result, Sandbox, Terminal, Use};

use crate::copy;

/// Does this to all phones of the student: `suspend`, `undo`, `revoke`.
fn office(campus: &Campus, action: &str) -> Result<()> {
    let path = format!("/sandbox/admin/students/20260001/{action}");
    campus.sandbox.post(&path, &json!({})).map(drop)
}

/// The same campus so many seconds later, for the platform, this phone and this terminal.
fn later(campus: &Campus, phone: &Phone, terminal: &Terminal, seconds: u32) -> Result<(Phone, Terminal)> {
    let shift = json!({ "offset_ms": u64::from(seconds) * 1000 });
    campus.sandbox.put("/sandbox/admin/clock", &shift)?;
    let seconds = seconds.to_string();
    Ok((
        phone.with_options(&["--monotonic-offset", &seconds]),
        terminal.with_options(&["--clock-offset", &seconds]),
    ))
}

/// The seconds of so many days.
const fn days(count: u32) -> u32 {
    count * 86_400
}

#[test]
fn a_suspended_card_shows_no_codes_and_its_old_ones_are_refused() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let old = phone.code(Use::Pay, &[])?;
    office(&campus, "suspend")?;
    till.sync()?;
    assert_eq!(till.pay("1.00", &old)?.refused()?, "REVOKED");
    assert_ne!(phone.run(&["sync"])?.code, Some(0));
    assert_eq!(phone.no_code()?, "card_frozen");
    office(&campus, "undo")?;
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
fn rubbish_is_refused_calmly() -> Result<()> {
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
fn a_revoked_card_is_dead_where_it_is_known_and_a_new_one_lives_beside_it() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let offline = campus.till("offline")?;
    let old = phone.code(Use::Pay, &["--form", "full"])?;
    office(&campus, "revoke")?;
    till.sync()?;
    assert_eq!(till.pay("1.00", &old)?.refused()?, "REVOKED");
    // Who has not heard of it takes it still; the school bears that, not the holder.
    offline.pay("1.00", &old)?.approved()?;
    assert_eq!(offline.upload()?["outcomes"][0]["result"], "paid_by_school");
    phone.sync()?;
    let new = phone.code(Use::Pay, &["--form", "full"])?;
    till.pay("1.00", &new)?.approved()?;
    assert_eq!(till.pay("1.00", &old)?.refused()?, "REVOKED");
    Ok(())
}

#[test]
fn an_expired_card_is_refused_by_the_terminal_and_renewed_by_a_sync() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let old = phone.code(Use::Pay, &["--form", "full"])?;
    let (phone, till) = later(&campus, &phone, &till, days(30))?;
    till.sync()?;
    assert_eq!(till.pay("1.00", &old)?.refused()?, "EXPIRED");
    let refused = phone.run(&["code", "pay", "--form", "full", "--text"])?;
    assert_eq!(
        (refused.code, refused.complaint().as_str()),
        (Some(1), "credential_expired")
    );
    phone.sync()?;
    till.pay("1.00", &phone.code(Use::Pay, &["--form", "full"])?)?
        .approved()?;
    Ok(())
}

#[test]
fn a_card_of_another_school_is_nothing_here_even_under_the_same_keys() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    // Whoever made this school copied the first one's keys: nothing but its name is another.
    let data = campus.folder().join("other");
    copy(&campus.sandbox.program().home().join("keys"), &data.join("keys"))?;
    let other = Program::at(&data).with_options(&["--school-domain", "other.yika.example"]);
    let other = Sandbox::start(other)?;
    let (here, there) = (campus.till("here")?, Terminal::at(&campus.folder().join("there")));
    there.enroll(other.url(), "pos", Some("1"))?;
    let (short, full) = (
        phone.code(Use::Pay, &[])?,
        phone.code(Use::Pay, &["--form", "full"])?,
    );
    assert_eq!(there.pay("1.00", &short)?.refused()?, "UNKNOWN");
    assert_eq!(there.pay("1.00", &full)?.refused()?, "ISSUER_SIG");
    here.pay("1.00", &short)?.approved()?;
    here.pay("1.00", &full)?.approved()?;
    Ok(())
}

#[test]
fn a_folder_keeps_the_school_that_it_began_with() -> Result<()> {
    let mut campus = Campus::open()?;
    campus.sandbox.stop()?;
    let renamed = Program::at(campus.sandbox.program().home());
    match Sandbox::start(renamed.with_options(&["--school-domain", "other.yika.example"])) {
        Err(Error::Command {
            code: Some(1),
            stderr,
            ..
        }) => assert!(stderr.contains("school"), "{stderr}"),
        other => return Err(Error::answer("it should not have started", format!("{other:?}"))),
    }
    campus.sandbox.restart(&[])
}

#[test]
fn with_an_old_table_short_codes_are_unknown_and_full_ones_are_taken() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let (phone, till) = later(&campus, &phone, &till, days(8))?;
    phone.sync()?;
    // The power goes while it fetches its lists: it has the revocations, and not the table.
    let cut = till.with_environment(&[("YIKA_KILL_AT", "terminal.lists.before-commit:2")]);
    assert_eq!(cut.run(&["sync"])?.code, None);
    let status = till.json(&["status"])?;
    assert_eq!(
        (&status["revocations"]["in_date"], &status["table"]["in_date"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        till.pay("1.00", &phone.code(Use::Pay, &[])?)?.refused()?,
        "UNKNOWN"
    );
    till.pay("1.00", &phone.code(Use::Pay, &["--form", "full"])?)?
        .approved()?;
    till.sync()?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}

#[test]
fn with_old_revocations_no_money_is_taken_and_identities_still_are() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let (till, gate) = (campus.till("till")?, campus.terminal("gate", "gate", None)?);
    let (phone, till) = later(&campus, &phone, &till, days(4))?;
    let gate = gate.with_options(&["--clock-offset", &days(4).to_string()]);
    assert_eq!(
        till.pay("1.00", &phone.code(Use::Pay, &[])?)?.refused()?,
        "LISTS_STALE"
    );
    gate.identity(&phone.code(Use::Identity, &[])?)?.approved()?;
    till.sync()?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}
