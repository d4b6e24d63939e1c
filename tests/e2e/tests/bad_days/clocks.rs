//! Clocks that are wrong, set back, or forgotten in a restart.

use yika_e2e::{Campus, Result, Use};

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
fn a_phone_that_restarted_offline_with_a_wrong_clock_pays_nothing_until_it_hears_the_time() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let restarted = |name, offset| phone.with_options(&["--boot-id", name, "--wall-offset", offset]);
    // Ahead: nobody but the till can tell. Back: before what the phone has seen, so it tells itself.
    let (ahead, back) = (restarted("one", "86400"), restarted("two", "-700000000"));
    assert_eq!(
        till.pay("1.00", &ahead.code(Use::Pay, &[])?)?.refused()?,
        "FUTURE"
    );
    assert_eq!(back.no_code()?, "clock_impossible");
    for wrong in [ahead, back] {
        wrong.sync()?;
        till.pay("1.00", &wrong.code(Use::Pay, &[])?)?.approved()?;
    }
    Ok(())
}

#[test]
fn a_terminal_whose_clock_ran_away_or_went_back_takes_no_money_until_it_hears_the_time() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    for (offset, reason) in [("3600", "STALE"), ("-3600", "NO_TIME")] {
        let till = campus
            .till(&format!("till{offset}"))?
            .with_options(&["--clock-offset", offset]);
        assert_eq!(
            till.pay("1.00", &phone.code(Use::Pay, &[])?)?.refused()?,
            reason,
            "{offset}"
        );
        till.sync()?;
        till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    }
    Ok(())
}
