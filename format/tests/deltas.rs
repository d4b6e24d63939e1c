//! A delta does to a table what the same changes do to a map.

mod strategies;

use std::collections::BTreeMap;

use proptest::prelude::*;
use strategies as any_of;
use yika_format::lists::{Delta, ListError, Row, Table};
use yika_testkit::{ListBuilder, SignerKit};

fn kit() -> SignerKit {
    SignerKit::new("north.example")
}

fn by_pseudonym(rows: impl IntoIterator<Item = Row>) -> BTreeMap<[u8; 5], Row> {
    rows.into_iter().map(|row| (row.pseudonym.0, row)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_delta_applies_like_the_same_changes_to_a_map(
        before in any_of::rows(),
        upserts in any_of::rows(),
        gone in any_of::pseudonyms(),
    ) {
        let deletes: Vec<_> =
            gone.into_iter().filter(|gone| upserts.iter().all(|row| row.pseudonym != *gone)).collect();
        let lists = ListBuilder { rows: before.clone(), ..ListBuilder::new(&kit()) };
        let table = Table::open(&lists.table(), &kit().keyset()).unwrap();
        let next = ListBuilder { version: 8, ..lists };
        let delta = Delta::open(&next.delta(&upserts, &deletes), &kit().keyset()).unwrap();
        prop_assert_eq!((delta.upserts(), delta.deletes()), (&upserts[..], &deletes[..]));

        let mut map = by_pseudonym(before.clone());
        map.extend(by_pseudonym(upserts));
        deletes.iter().for_each(|gone| { map.remove(&gone.0); });

        let after = table.apply(&delta).unwrap();
        prop_assert_eq!(after.rows().collect::<Vec<_>>(), map.into_values().collect::<Vec<_>>());
        prop_assert_eq!(after.header().version, 8);
        prop_assert_eq!(table.rows().collect::<Vec<_>>(), before, "the older table still serves");
        let again = ListError::WrongBase { base: 7, have: 8 };
        prop_assert_eq!(after.apply(&delta), Err(again));
    }
}
