//! The platform does what it is asked and answers, and the answer is lost on its way. Whoever asked cannot tell this from
//! a request that never arrived: it asks again, under the same key or number, and there is one effect.

use serde_json::Value;
use std::collections::BTreeSet;
use yika_e2e::{Campus, Proxy, Result, Terminal, Use};

const STUDENT: &str = "20260001";

/// A campus that phones and terminals reach through a proxy.
fn campus() -> Result<(Campus, Proxy)> {
    let proxy = Proxy::listen()?;
    let campus = Campus::open_with(&["--public-origin", proxy.origin()])?;
    let platform = campus.sandbox.address();
    proxy.serve(platform, vec![platform])?;
    Ok((campus, proxy))
}

#[test]
fn a_phone_that_never_heard_of_its_credential_asks_again_and_gets_the_same_one() -> Result<()> {
    const ISSUE: &str = "POST /v1/credentials";
    let (campus, proxy) = campus()?;
    let phone = campus.unbound_phone("phone");
    // A phone tries three times before it gives up, and goes on with the same request when it is asked to.
    proxy.lose_replies(ISSUE, 4);
    let bind = ["bind", "--platform", proxy.origin(), "--student", STUDENT];
    assert_eq!(phone.run(&bind)?.complaint(), "network");
    phone.sync()?;

    let asked = proxy.exchanges_of(ISSUE);
    let lost: Vec<bool> = asked.iter().map(|exchange| exchange.is_lost).collect();
    assert_eq!(lost, [true, true, true, true, false]);
    let keys: BTreeSet<_> = asked.iter().map(|exchange| &exchange.operation).collect();
    assert_eq!(keys.len(), 1, "{asked:#?}");
    assert!(asked[0].operation.is_some());
    // The credential has a random name: a second one would have another.
    let answers: BTreeSet<_> = asked.iter().map(|exchange| &exchange.answer).collect();
    assert_eq!(answers.len(), 1, "{asked:#?}");

    let till = Terminal::at(&campus.folder().join("till"));
    till.enroll(proxy.origin(), "pos", Some("1"))?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}

#[test]
fn a_till_that_never_heard_of_its_settlement_uploads_again_and_nobody_pays_twice() -> Result<()> {
    const UPLOAD: &str = "POST /v1/terminals/sales";
    let (campus, proxy) = campus()?;
    let phone = campus.unbound_phone("phone");
    phone.bind(proxy.origin(), STUDENT)?;
    let till = Terminal::at(&campus.folder().join("till"));
    till.enroll(proxy.origin(), "pos", Some("1"))?;
    for _ in 0..2 {
        till.pay("1.50", &phone.code(Use::Pay, &[])?)?.approved()?;
    }

    proxy.lose_replies(UPLOAD, 1);
    assert_eq!(till.failure(&["upload"])?.1, "UNREACHABLE");
    let uploaded = till.upload()?;
    let outcomes: Vec<(&Value, &Value)> = uploaded["outcomes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|outcome| (&outcome["result"], &outcome["repeated"]))
        .collect();
    assert_eq!(outcomes, [(&"posted".into(), &true.into()); 2], "{uploaded}");
    assert_eq!(proxy.exchanges_of(UPLOAD).len(), 2);

    phone.sync()?;
    let bills = phone.json(&["bills"])?;
    let purchases = bills["bills"].as_array().into_iter().flatten();
    assert_eq!(
        purchases.filter(|bill| bill["kind"] == "purchase").count(),
        2,
        "{bills}"
    );
    let (sum, totals) = campus.ledger()?;
    let earned = totals
        .iter()
        .find(|(kind, _)| kind == "merchant")
        .map(|(_, sum)| *sum);
    assert_eq!((sum, earned), (0, Some(2 * 150)));
    Ok(())
}
