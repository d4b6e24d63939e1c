//! Imports: what is wrong is said line by line and changes nothing; what is right is there afterwards, once.

use super::{Counts, Fault, ImportFiles, ImportKind, ImportReport};
use crate::config::TerminalEnrolment;
use crate::office::Action;
use crate::testing::{TestKey, TestPlatform, directory_key_for};
use proptest::prelude::*;
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, MerchantId, TerminalKind};
use yika_api::{Fen, ProblemCode};

const HOLDERS: &str = "number,name,class\n20270001,王小明,student\nT1001,\"Li, Na\",staff\n";
const ACCOUNTS: &str = "number,slot,name_zh,name_en,balance\n20270001,1,主账户,Main,12.50\n20270001,2,补助账户,Subsidy,\n\
     T1001,1,主账户,Main,0\n";
const MERCHANTS: &str = "id,name_zh,name_en,default_for\n70,二食堂一号,Canteen 2 Stall 1,\n";
const TERMINALS: &str = "label,kind,merchant\nCanteen 2 till 1,pos,70\nNorth gate,gate,\n";

fn files(texts: [&str; 4]) -> ImportFiles {
    let file = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
    let [holders, accounts, merchants, terminals] = texts.map(file);
    ImportFiles {
        holders,
        accounts,
        merchants,
        terminals,
    }
}

async fn import(campus: &TestPlatform, texts: [&str; 4]) -> ImportReport {
    campus
        .platform
        .admin()
        .import(&files(texts), false)
        .await
        .unwrap()
}

fn counts(added: u64, changed: u64, unchanged: u64) -> Counts {
    Counts {
        added,
        changed,
        unchanged,
    }
}

/// Everything that an import could change.
async fn state(campus: &TestPlatform) -> String {
    let admin = campus.platform.admin();
    let (holders, merchants) = (admin.holders().await.unwrap(), admin.merchants().await.unwrap());
    let (books, log) = (admin.books().await.unwrap(), admin.log(None, None).await.unwrap());
    format!("{holders:?} {merchants:?} {books:?} {log:?}")
}

#[tokio::test]
async fn every_wrong_line_is_told_and_nothing_is_imported() {
    let campus = TestPlatform::open().await;
    let before = state(&campus).await;
    let holders = "number,name,class\n20270001,王小明,student\n2027 0002,Li,student\n20270003,,staff\n20270004,Wu,dean\n\
         20270001,Again,student\n,,\n20270005,Zhou,student,more\n";
    let accounts = "number,slot,name_zh,name_en,balance\n20270001,1,主账户,Main,12.505\n20270001,9,主账户,Main,1\n\
         20270001,1,主账户,Main,-1\n99999999,1,主账户,Main,1\n20270001,2,主账户,,1\n";
    let merchants = "id,name_zh,name_en,default_for\n0,档口,Stall,\n70,档口,Stall,gate\n71,档口,Stall,pos\n";
    let terminals = "label,kind,merchant\nTill,till,1\nGate,gate,1\nTill 2,pos,999\nTill 3,pos,x\n";
    let report = import(&campus, [holders, accounts, merchants, terminals]).await;
    let told: Vec<(ImportKind, u64, &str)> = report
        .faults
        .iter()
        .map(|fault| (fault.file, fault.line, fault.why.as_str()))
        .collect();
    let expected = [
        (ImportKind::Holders, 3, "1 to 32"),
        (ImportKind::Holders, 4, "name has 1 to 64"),
        (ImportKind::Holders, 5, "student, staff, visitor, other"),
        (ImportKind::Holders, 6, "the same as line 2"),
        (ImportKind::Holders, 8, "4 values for 3 columns"),
        (ImportKind::Accounts, 2, "in yuan"),
        (ImportKind::Accounts, 3, "1 to 8"),
        (ImportKind::Accounts, 4, "in yuan"),
        (ImportKind::Accounts, 5, "no holder has the number 99999999"),
        (ImportKind::Accounts, 6, "name_en has 1 to 64"),
        (ImportKind::Merchants, 2, "from 1 on"),
        (ImportKind::Merchants, 3, "pos, library or empty"),
        (ImportKind::Merchants, 4, "merchant 1 is already"),
        (ImportKind::Terminals, 2, "pos, gate or library"),
        (ImportKind::Terminals, 3, "for nobody"),
        (ImportKind::Terminals, 4, "no merchant has the number 999"),
        (ImportKind::Terminals, 5, "from 1 on"),
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((file, line, why), (in_file, at, part)) in told.iter().zip(expected) {
        assert_eq!((*file, *line), (in_file, at), "{why}");
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(state(&campus).await, before);
}

#[tokio::test]
async fn a_file_of_other_columns_or_letters_is_told() {
    let campus = TestPlatform::open().await;
    for (bytes, line, part) in [
        (
            &b"name,number\nx,1\n"[..],
            1,
            "the first line must be number,name,class",
        ),
        (b"", 1, "the first line must be"),
        (b"number,name,class,class\n", 1, "the first line must be"),
        // GB 18030, as spreadsheets write by default in China.
        (b"number,name,class\n1,\xcd\xf5,student\n", 2, "CSV UTF-8"),
    ] {
        let files = ImportFiles {
            holders: Some(bytes.to_vec()),
            ..ImportFiles::default()
        };
        let report = campus.platform.admin().import(&files, false).await.unwrap();
        let [Fault { line: told, why, .. }] = &report.faults[..] else {
            panic!("{report:?}");
        };
        assert!(*told == line && why.contains(part), "{told}: {why}");
    }
}

#[tokio::test]
async fn what_is_imported_is_there_and_a_second_time_changes_nothing() {
    let campus = TestPlatform::open().await;
    let all = [HOLDERS, ACCOUNTS, MERCHANTS, ""];
    let trial = campus.platform.admin().import(&files(all), true).await.unwrap();
    let report = import(&campus, all).await;
    assert_eq!(trial, report, "a trial tells what would come of it");
    assert_eq!(
        (
            report.holders,
            report.accounts,
            report.merchants,
            &report.faults[..]
        ),
        (counts(2, 0, 0), counts(3, 0, 0), counts(1, 0, 0), &[][..])
    );
    let holders = campus.platform.admin().holders().await.unwrap();
    let student = holders.iter().find(|holder| holder.number == "20270001").unwrap();
    let balances: Vec<_> = student
        .accounts
        .iter()
        .map(|account| account.balance.amount)
        .collect();
    assert_eq!(
        (student.name.as_str(), balances),
        ("王小明", vec![Fen::new(1250), Fen::ZERO])
    );
    assert_eq!(
        campus.platform.admin().books().await.unwrap().grand_sum,
        Fen::ZERO
    );

    let again = import(&campus, all).await;
    assert_eq!(
        (again.holders, again.accounts, again.merchants),
        (counts(0, 0, 2), counts(0, 0, 3), counts(0, 0, 1))
    );
    // With a byte order mark, in another order, with other names; and a balance that is not a new account's.
    let holders = "\u{feff}class,number,name\nstaff,20270001,王明\nstaff,T1001,\"Li, Na\"\n";
    let accounts = "number,slot,name_zh,name_en,balance\n20270001,1,主账户,Main purse,99.00\n";
    let merchants = "id,name_zh,name_en,default_for\n70,二食堂,Canteen 2,\n";
    let changed = import(&campus, [holders, accounts, merchants, ""]).await;
    assert_eq!(
        (
            changed.holders,
            changed.accounts,
            changed.merchants,
            &changed.faults[..]
        ),
        (counts(0, 1, 1), counts(0, 1, 0), counts(0, 1, 0), &[][..])
    );
    let holders = campus.platform.admin().holders().await.unwrap();
    let student = holders.iter().find(|holder| holder.number == "20270001").unwrap();
    assert_eq!(student.accounts[0].balance.amount, Fen::new(1250));
    assert_eq!(student.accounts[0].name.en, "Main purse");
    let log = campus.platform.admin().log(None, None).await.unwrap();
    let imports = log.iter().filter(|event| event.action == Action::Imported);
    assert_eq!(imports.count(), 3, "{log:?}");
}

#[tokio::test]
async fn a_terminal_becomes_what_was_planned_or_nothing() {
    let campus = TestPlatform::open_with(TerminalEnrolment::CodeRequired).await;
    let first = import(&campus, ["", "", MERCHANTS, TERMINALS]).await;
    let second = import(&campus, ["", "", MERCHANTS, TERMINALS]).await;
    assert_eq!((first.terminals.len(), second.terminals.len()), (2, 2));
    let enrol = async |key: &TestKey, kind, merchant: Option<u64>, code: &str| {
        let request = EnrolTerminal {
            kind,
            merchant: merchant.map(MerchantId),
            label: Some("What it calls itself".to_owned()),
            enrolment_code: Some(code.to_owned()),
            directory_key: directory_key_for(kind, &TestKey::new().expanded()),
        };
        campus.enrol_terminal(key, &request).await
    };
    let (key, code) = (TestKey::new(), &second.terminals[0].code);
    let old = enrol(&key, TerminalKind::Pos, Some(70), &first.terminals[0].code).await;
    assert_eq!(old.problem().code, ProblemCode::InvalidEnrolmentCode);
    for (kind, merchant) in [
        (TerminalKind::Gate, None),
        (TerminalKind::Library, None),
        (TerminalKind::Pos, Some(1)),
    ] {
        let other = enrol(&key, kind, merchant, code).await;
        assert_eq!(other.problem().code, ProblemCode::Forbidden);
    }
    let enrolled: EnrolledTerminal = enrol(&key, TerminalKind::Pos, None, code).await.ok();
    assert_eq!(
        (enrolled.label.as_str(), enrolled.merchant.unwrap().id),
        ("Canteen 2 till 1", MerchantId(70))
    );
    let used = enrol(&TestKey::new(), TerminalKind::Pos, Some(70), code).await;
    assert_eq!(used.problem().code, ProblemCode::InvalidEnrolmentCode);
    let third = import(&campus, ["", "", "", TERMINALS]).await;
    assert_eq!((third.enrolled, third.terminals.len()), (1, 1));
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[a-z0-9,\"\n\r;]{0,120}") {
        for body in [bytes, text.into_bytes()] {
            let heading = |columns: &str| Some([format!("{columns}\n").as_bytes(), &body].concat());
            let rows = super::rows::read(&ImportFiles {
                holders: heading("number,name,class"),
                accounts: heading("number,slot,name_zh,name_en,balance"),
                merchants: heading("id,name_zh,name_en,default_for"),
                terminals: Some(body.clone()),
            });
            let lines = body.iter().filter(|byte| **byte == b'\n').count() as u64 + 3;
            prop_assert!(rows.faults.iter().all(|fault| (1..=lines).contains(&fault.line)), "{:?}", rows.faults);
        }
    }
}
