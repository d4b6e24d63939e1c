//! Lost and found with two phones of one holder, terminals that have heard of it, and terminals that have not.

use serde_json::{Value, json};
use yika_e2e::{Campus, Error, Holder, Phone, Result, Terminal, Use, WANG};

const STUDENT: &str = "20260001";

fn int(value: &Value) -> Result<i64> {
    value
        .as_i64()
        .ok_or_else(|| Error::answer("a number", value.clone()))
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| Error::answer("a text", value.clone()))
}

/// Another phone of the same student.
fn another(campus: &Campus, name: &str) -> Result<Phone> {
    let phone = campus.unbound_phone(name);
    phone.bind(campus.sandbox.url(), STUDENT)?;
    Ok(phone)
}

fn device(phone: &Phone) -> Result<String> {
    text(&phone.json(&["status"])?["device"])
}

fn found(phone: &Phone, item: &str) -> Result<Value> {
    phone.json(&["lost", "found", item, "--sign-in", STUDENT])
}

fn office(campus: &Campus, action: &str) -> Result<()> {
    let path = format!("/sandbox/admin/students/{STUDENT}/{action}");
    campus.sandbox.post(&path, &json!({})).map(drop)
}

/// So many seconds later, for this phone and this terminal, which hear nothing.
fn later(phone: &Phone, terminal: &Terminal, seconds: i64) -> (Phone, Terminal) {
    let seconds = seconds.to_string();
    (
        phone.with_options(&["--monotonic-offset", &seconds]),
        terminal.with_options(&["--clock-offset", &seconds]),
    )
}

#[test]
fn a_lost_phone_is_refused_at_once_where_it_is_known_and_by_the_time_that_was_told_everywhere() -> Result<()>
{
    let campus = Campus::open()?;
    let (lost, other) = (campus.phone(STUDENT)?, another(&campus, "other")?);
    let (online, offline) = (campus.till("online")?, campus.till("offline")?);
    let gate = campus.terminal("gate", "gate", None)?;
    let picture = lost.code(Use::Pay, &[])?;

    let id = device(&lost)?;
    let told = other.json(&["lost", "report", "phone", "--device", &id])?;
    let devices = told["devices"].as_array().into_iter().flatten();
    let told = devices
        .filter(|device| device["id"] == id.as_str())
        .map(|device| device["state"].clone())
        .next()
        .unwrap_or_default();
    assert_eq!((&told["state"], &told["by"]), (&json!("lost"), &json!("self")));
    let (from, by) = (int(&told["online_from"])?, int(&told["offline_by"])?);
    let identities_by = int(&told["offline_identity_by"])?;

    online.sync()?;
    assert_eq!(online.pay("1.00", &picture)?.refused()?, "REVOKED");
    offline.pay("1.00", &picture)?.approved()?;
    // Whoever has the phone goes on showing codes, for it hears nothing either.
    let minute = 60;
    let last = (by - from) / 1000;
    let (phone, till) = later(&lost, &offline, last - 2 * minute);
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    let (phone, till) = later(&lost, &offline, last + 2 * minute);
    assert_eq!(
        till.pay("1.00", &phone.code(Use::Pay, &[])?)?.refused()?,
        "LISTS_STALE"
    );
    // A gate would rather let somebody in, and has an end too.
    let (_, later_gate) = later(&lost, &gate, last + 2 * minute);
    later_gate
        .identity(&phone.code(Use::Identity, &["--form", "full"])?)?
        .approved()?;
    let last = (identities_by - from) / 1000;
    let (phone, later_gate) = later(&lost, &gate, last - 2 * minute);
    let identity = phone.code(Use::Identity, &["--form", "full"])?;
    later_gate.identity(&identity)?.approved()?;
    let (phone, later_gate) = later(&lost, &gate, last + 2 * minute);
    let full = phone.run(&["code", "identity", "--form", "full", "--text"])?;
    assert_eq!(full.complaint(), "credential_expired");
    assert_eq!(later_gate.identity(&identity)?.refused()?, "EXPIRED");
    let short = phone.code(Use::Identity, &[])?;
    assert_eq!(later_gate.identity(&short)?.refused()?, "UNKNOWN");

    // The other phone pays as before.
    online
        .pay("1.00", &other.code(Use::Pay, &[])?)?
        .approved()
        .map(drop)
}

#[test]
fn a_phone_that_is_found_shows_new_codes_and_its_old_pictures_stay_dead() -> Result<()> {
    let campus = Campus::open()?;
    let (phone, other) = (campus.phone(STUDENT)?, another(&campus, "other")?);
    let till = campus.till("till")?;
    let picture = phone.code(Use::Pay, &["--form", "full"])?;
    let told = phone.json(&["lost", "report", "phone"])?;
    assert_eq!(
        (&told["phone"]["state"], &told["card"]["state"], &told["frozen"]),
        (&json!("lost"), &json!("active"), &Value::Null)
    );
    assert_eq!(phone.no_code()?, "phone_lost");
    assert_eq!(phone.run(&["sync"])?.complaint(), "phone_lost");
    // Without a sign-in, by a wrong one, and with what has no wallet.
    assert_eq!(
        phone.run(&["lost", "found", "phone"])?.complaint(),
        "step_up_required"
    );
    let other_student = phone.run(&["lost", "found", "phone", "--sign-in", "20260002"])?;
    assert_eq!(other_student.complaint(), "step_up_required");
    let no_wallet = phone.tell(&["lost", "found", "phone", "--password-stdin"], &["204816"])?;
    assert_eq!(no_wallet.complaint(), "wallet_not_open");
    till.sync()?;
    assert_eq!(till.pay("1.00", &picture)?.refused()?, "REVOKED");

    assert_eq!(found(&phone, "phone")?["phone"]["state"], "active");
    assert_eq!(till.pay("1.00", &picture)?.refused()?, "REVOKED");
    till.pay("1.00", &phone.code(Use::Pay, &["--form", "full"])?)?
        .approved()?;
    till.sync()?;
    assert_eq!(till.pay("1.00", &picture)?.refused()?, "REVOKED");
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    till.pay("1.00", &other.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}

#[test]
fn everything_stops_both_phones_and_what_the_office_froze_it_alone_undoes() -> Result<()> {
    let campus = Campus::open()?;
    let (one, two) = (campus.phone(STUDENT)?, another(&campus, "two")?);
    let till = campus.till("till")?;
    let pictures = [one.code(Use::Pay, &[])?, two.code(Use::Pay, &[])?];
    let told = two.json(&["lost", "report", "all"])?;
    assert_eq!(
        (&told["frozen"], &told["all"]["by"]),
        (&json!("self"), &json!("self"))
    );
    till.sync()?;
    for picture in &pictures {
        assert_eq!(till.pay("1.00", picture)?.refused()?, "REVOKED");
    }
    assert_eq!(one.run(&["sync"])?.complaint(), "card_frozen");
    assert_eq!(
        (one.no_code()?, two.no_code()?),
        ("card_frozen".into(), "card_frozen".into())
    );
    // Reading goes on.
    assert_eq!(one.json(&["lost"])?["frozen"], "self");
    assert!(one.json(&["accounts"])?["accounts"][0]["balance"].is_object());
    let feed = campus.sandbox.get("/sandbox/admin/cards?after=0")?;
    assert_eq!(
        (&feed["changes"][0]["holder"], &feed["changes"][0]["suspended"]),
        (&json!(STUDENT), &json!(true))
    );

    office(&campus, "suspend")?;
    assert_eq!(found(&two, "all")?["frozen"], "office");
    let refused = two.run(&["lost", "found", "all", "--sign-in", STUDENT])?;
    assert_eq!(refused.complaint(), "forbidden");
    assert_eq!(two.no_code()?, "card_frozen");
    office(&campus, "undo")?;
    for phone in [&one, &two] {
        phone.sync()?;
        assert_eq!(phone.json(&["lost"])?["frozen"], Value::Null);
    }
    till.sync()?;
    for (phone, picture) in [&one, &two].into_iter().zip(&pictures) {
        assert_eq!(till.pay("1.00", picture)?.refused()?, "REVOKED");
        till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    }
    let feed = campus.sandbox.get("/sandbox/admin/cards?after=1")?;
    assert_eq!(feed["changes"][0]["suspended"], false);
    Ok(())
}

#[test]
fn without_a_network_the_codes_stop_at_once_and_the_rest_when_it_is_told() -> Result<()> {
    let mut campus = Campus::open()?;
    let phone = campus.phone(STUDENT)?;
    let till = campus.till("till")?;
    let picture = phone.code(Use::Pay, &[])?;
    campus.sandbox.stop()?;
    let waiting = phone.json(&["lost", "report", "all"])?;
    assert_eq!(
        (&waiting["all"]["state"], &waiting["frozen"]),
        (&json!("sending"), &json!("self"))
    );
    assert_eq!(phone.no_code()?, "card_frozen");
    assert_eq!(
        phone
            .run(&["lost", "found", "all", "--password-stdin"])?
            .complaint(),
        "invalid_input"
    );
    till.pay("1.00", &picture)?.approved()?;

    campus.sandbox.restart(&[])?;
    // It dies after any answer, and the report is still one.
    let mut replies = 1;
    loop {
        let point = format!("phone.http.after-reply:{replies}");
        let killed = phone.with_environment(&[("YIKA_KILL_AT", point)]);
        if killed.run(&["lost", "status"])?.code.is_some() {
            break;
        }
        assert_eq!(phone.no_code()?, "card_frozen", "{replies}");
        replies += 1;
    }
    assert!(replies > 2, "{replies}");
    let told = phone.json(&["lost", "status"])?;
    assert_eq!(told["all"]["state"], "lost");
    let open = campus
        .sandbox
        .get(&format!("/sandbox/admin/students/{STUDENT}/suspensions"))?;
    assert_eq!(open["suspensions"].as_array().map(Vec::len), Some(1));
    till.sync()?;
    assert_eq!(phone.no_code()?, "card_frozen");
    // What is told is kept for when there is none again.
    campus.sandbox.stop()?;
    assert_eq!(phone.json(&["lost"])?["all"], told["all"]);
    campus.sandbox.restart(&[])?;
    found(&phone, "all")?;
    phone.code(Use::Pay, &[]).map(drop)
}

#[test]
fn the_plastic_card_is_told_to_its_own_system_and_phones_go_on() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone(STUDENT)?;
    let till = campus.till("till")?;
    let told = phone.json(&["lost", "report", "card"])?;
    assert_eq!(told["card"]["state"], "lost");
    assert!(int(&told["card"]["offline_by"])? > int(&told["card"]["online_from"])?);
    phone.sync()?;
    till.sync()?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    let changes = |after: u32| campus.sandbox.get(&format!("/sandbox/admin/cards?after={after}"));
    assert_eq!(changes(0)?["changes"][0]["suspended"], true);
    assert_eq!(found(&phone, "card")?["card"]["state"], "active");
    assert_eq!(changes(1)?["changes"][0]["suspended"], false);
    Ok(())
}

#[test]
fn a_phone_that_is_removed_from_another_one_is_signed_out_and_its_codes_are_dead() -> Result<()> {
    let campus = Campus::open()?;
    let holder = Holder::bind_with(&campus, campus.sandbox.url(), WANG, 100)?;
    let gone = campus.unbound_phone("gone");
    gone.bind(campus.sandbox.url(), WANG.student)?;
    let till = campus.till("till")?;
    let picture = gone.code(Use::Pay, &[])?;
    let list = holder.phone.json(&["devices"])?;
    let marks: Vec<_> = list["devices"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|device| device["this"].clone())
        .collect();
    assert_eq!(marks, [json!(false), json!(true)]);
    let id = text(&list["devices"][0]["id"])?;
    assert_eq!(id, device(&gone)?);

    let remove = |password: &str| {
        holder.phone.tell(
            &["devices", "remove", &id, "--password-stdin", "--json"],
            &[password],
        )
    };
    assert_eq!(
        holder.phone.run(&["devices", "remove", &id])?.complaint(),
        "step_up_required"
    );
    assert_eq!(remove("135790")?.complaint(), "bank_refused");
    let own = device(&holder.phone)?;
    let itself = holder.phone.tell(
        &["devices", "remove", &own, "--password-stdin"],
        &[holder.password],
    )?;
    assert_eq!(itself.complaint(), "refused");
    let left = remove(holder.password)?.success()?.json()?;
    assert_eq!(left["devices"].as_array().map(Vec::len), Some(1));
    till.sync()?;
    assert_eq!(till.pay("1.00", &picture)?.refused()?, "REVOKED");
    assert_eq!(gone.run(&["sync"])?.complaint(), "session_expired");
    till.pay("1.00", &holder.phone.code(Use::Pay, &[])?)?
        .approved()
        .map(drop)
}

#[test]
fn who_has_a_wallet_is_found_by_the_payment_password() -> Result<()> {
    let campus = Campus::open()?;
    let holder = Holder::bind_with(&campus, campus.sandbox.url(), WANG, 100)?;
    holder.phone.json(&["lost", "report", "all"])?;
    let found = |password: &str| {
        let words = ["lost", "found", "all", "--password-stdin", "--json"];
        holder.phone.tell(&words, &[password])
    };
    assert_eq!(found("135790")?.complaint(), "bank_refused");
    assert_eq!(holder.phone.no_code()?, "card_frozen");
    assert_eq!(
        found(holder.password)?.success()?.json()?["all"]["state"],
        "active"
    );
    holder.phone.code(Use::Pay, &[]).map(drop)
}
