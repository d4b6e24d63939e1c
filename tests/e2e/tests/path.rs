//! The whole path, with the network really gone: phone and terminal run in a network namespace without interfaces.

use serde_json::Value;
use yika_e2e::{Campus, Error, Kind, Phone, Program, Result, Terminal, Use};

/// The same program in a network namespace of its own, in which there is not even a loopback interface that is up.
fn without_network<K: Kind>(program: &Program<K>) -> Program<K> {
    program.through(["unshare", "--map-root-user", "--net"])
}

fn balance(phone: &Phone, account: usize) -> Result<i64> {
    let accounts = phone.json(&["accounts"])?;
    accounts["accounts"][account]["balance"]["amount"]
        .as_i64()
        .ok_or_else(|| Error::answer("no balance", &accounts))
}

#[test]
fn a_code_is_shown_and_taken_without_a_network_and_settled_once() -> Result<()> {
    let mut campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let before = balance(&phone, 0)?;
    // The platform is still there, and can't be reached: there really is no network.
    assert_eq!(without_network(&phone).run(&["sync"])?.complaint(), "network");
    campus.sandbox.stop()?;

    let code = without_network(&phone).code(Use::Pay, &[])?;
    let offline = without_network(&till);
    offline.pay("12.50", &code)?.approved()?;
    assert_eq!(offline.pay("12.50", &code)?.refused()?, "REPLAY");
    assert_eq!(balance(&phone, 0)?, before, "the phone knows nothing of it yet");

    campus.sandbox.restart(&[])?;
    let uploaded = till.upload()?;
    assert_eq!(uploaded["outcomes"][0]["result"], "posted");
    assert_eq!(till.upload()?["outcomes"].as_array().map(Vec::len), Some(0));
    phone.sync()?;
    assert_eq!(balance(&phone, 0)?, before - 1250);
    let bills = phone.json(&["bills"])?;
    assert_eq!(
        (&bills["bills"][0]["amount"], &bills["bills"][0]["status"]),
        (&(-1250).into(), &"posted".into())
    );
    assert_eq!(campus.ledger()?.0, 0);
    Ok(())
}

#[test]
fn every_account_of_the_holder_can_pay() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260002")?;
    let till = campus.till("till")?;
    for (index, slot) in ["1", "2", "3"].into_iter().enumerate() {
        let before = balance(&phone, index)?;
        let code = phone.code(Use::Pay, &["--account", slot])?;
        till.pay("1.00", &code)?.approved()?;
        till.upload()?;
        phone.sync()?;
        assert_eq!(balance(&phone, index)?, before - 100, "slot {slot}");
    }
    Ok(())
}

#[test]
fn the_library_desk_lends_on_identities_and_takes_fees_and_the_gate_takes_identities_only() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260003")?;
    let library = campus.terminal("library", "library", None)?;
    let gate = campus.terminal("gate", "gate", None)?;
    let identity = || phone.code(Use::Identity, &[]);
    let payment = || phone.code(Use::Pay, &[]);
    assert!(library.identity(&identity()?)?.is_approved());
    assert!(library.pay("20.00", &payment()?)?.is_approved());
    assert_eq!(library.pay("20.00", &identity()?)?.refused()?, "WRONG_KIND");
    assert_eq!(library.identity(&payment()?)?.refused()?, "WRONG_KIND");
    assert!(gate.identity(&identity()?)?.is_approved());
    assert_eq!(gate.identity(&payment()?)?.refused()?, "WRONG_KIND");
    assert_eq!(gate.pay("1.00", &payment()?)?.refused()?, "WRONG_KIND");
    Ok(())
}

#[test]
fn a_library_desk_without_a_network_tells_whose_identity_it_is() -> Result<()> {
    let mut campus = Campus::open()?;
    let phone = campus.phone("20260007")?;
    let library = campus.terminal("library", "library", None)?;
    let gate = campus.terminal("gate", "gate", None)?;
    let newcomer = campus.phone("20260008")?;
    campus.sandbox.stop()?;

    let shown_at = |terminal: &Terminal, phone: &Phone, form: &str| {
        let code = without_network(phone).code(Use::Identity, &["--form", form])?;
        without_network(terminal).identity(&code)?.approved()
    };
    let answer = shown_at(&library, &phone, "short")?;
    assert_eq!(answer["holder_number"], "20260007");
    let answer = shown_at(&library, &newcomer, "full")?;
    assert_eq!(
        (&answer["holder_number"], &answer["holder_number_missing"]),
        (&Value::Null, &"unknown".into()),
        "bound after the desk's last sync"
    );
    let answer = shown_at(&gate, &phone, "short")?;
    assert_eq!(
        (&answer["holder_number"], &answer["holder_number_missing"]),
        (&Value::Null, &Value::Null),
        "a gate learns nobody's number"
    );

    campus.sandbox.restart(&[])?;
    library.sync()?;
    let answer = shown_at(&library, &newcomer, "short")?;
    assert_eq!(answer["holder_number"], "20260008");
    Ok(())
}

#[test]
fn the_full_code_is_taken_where_the_holder_was_never_seen() -> Result<()> {
    let campus = Campus::open()?;
    let till = campus.till("till")?;
    let phone = campus.phone("20260004")?;
    let short = phone.code(Use::Pay, &["--form", "short"])?;
    assert_eq!(till.pay("3.00", &short)?.refused()?, "UNKNOWN");
    let full = phone.code(Use::Pay, &["--form", "full"])?;
    till.pay("3.00", &full)?.approved()?;
    till.sync()?;
    till.pay("3.00", &phone.code(Use::Pay, &["--form", "short"])?)?
        .approved()?;
    Ok(())
}

#[test]
fn the_till_asking_again_for_one_sale_gets_the_first_answer_and_charges_once() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260005")?;
    let till = campus.till("till")?;
    let before = balance(&phone, 0)?;
    let code = phone.code(Use::Pay, &[])?;
    let sale = "0198c5a0-0000-7000-8000-000000000001";
    till.pay_for(sale, "5.00", &code)?.approved()?;
    till.pay_for(sale, "5.00", &code)?.approved()?;
    till.upload()?;
    phone.sync()?;
    assert_eq!(balance(&phone, 0)?, before - 500);
    Ok(())
}

#[test]
fn a_code_used_at_two_tills_that_cannot_talk_is_charged_once() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260006")?;
    let (one, other) = (campus.till("one")?, campus.till("other")?);
    let before = balance(&phone, 0)?;
    let code = phone.code(Use::Pay, &[])?;
    one.pay("6.00", &code)?.approved()?;
    other.pay("6.00", &code)?.approved()?;
    assert_eq!(one.upload()?["outcomes"][0]["result"], "posted");
    assert_eq!(other.upload()?["outcomes"][0]["result"], "disputed");
    phone.sync()?;
    assert_eq!(balance(&phone, 0)?, before - 600);
    let (sum, totals) = campus.ledger()?;
    let of = |kind: &str| totals.iter().find(|(name, _)| name == kind).map(|(_, sum)| *sum);
    assert_eq!(
        (sum, of("merchant"), of("school_risk")),
        (0, Some(1200), Some(-600)),
        "both merchants are paid"
    );
    Ok(())
}
