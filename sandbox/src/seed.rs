//! The seed: eight students with three accounts each, two canteen stalls, a library, and who works there. Planted once; what is there stays.

pub(crate) mod bank;
pub(crate) mod meters;

use yika_api::merchant::StallRole;
use yika_api::terminal::{MerchantId, TerminalKind};
use yika_api::{Fen, LocalizedText};
use yika_platform::{OpeningAccount, Platform, Result};

/// Number, name, and what is on the main, subsidy and work-study accounts, in fen. The last student is low on money.
const STUDENTS: [(&str, &str, [i64; 3]); 8] = [
    ("20260001", "李明", [25_680, 12_000, 48_000]),
    ("20260002", "王芳", [31_245, 12_000, 0]),
    ("20260003", "张伟", [8_860, 30_000, 16_500]),
    ("20260004", "刘洋", [102_300, 0, 0]),
    ("20260005", "陈静", [17_050, 30_000, 72_000]),
    ("20260006", "杨帆", [5_430, 12_000, 9_900]),
    ("20260007", "赵磊", [64_000, 0, 24_000]),
    ("20260008", "周婷", [320, 0, 0]),
];

/// Slot and name of each account. A slot never changes its meaning.
const ACCOUNTS: [(u8, &str, &str); 3] = [
    (1, "主账户", "Main account"),
    (2, "补助账户", "Subsidy account"),
    (3, "勤工助学账户", "Work-study account"),
];

/// Number, names, and for which terminals it is the default.
const MERCHANTS: [(u64, &str, &str, Option<TerminalKind>); 3] = [
    (1, "一食堂一号窗口", "Canteen 1, stall 1", Some(TerminalKind::Pos)),
    (2, "一食堂二号窗口", "Canteen 1, stall 2", None),
    (3, "图书馆", "Library", Some(TerminalKind::Library)),
];

/// Who works where: student numbers, for there is no staff in the seed. The first stall has an owner and a cashier, whose
/// holders are students too; the library's till has an owner.
const STAFF: [(u64, &str, StallRole); 3] = [
    (1, "20260005", StallRole::Owner),
    (1, "20260006", StallRole::Cashier),
    (3, "20260007", StallRole::Owner),
];

fn text(zh: &str, en: &str) -> LocalizedText {
    LocalizedText {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// Plants what is missing.
pub(crate) async fn plant(platform: &Platform) -> Result<()> {
    let admin = platform.admin();
    for (id, zh, en, default_for) in MERCHANTS {
        admin
            .add_merchant(MerchantId(id), text(zh, en), default_for)
            .await?;
    }
    for (number, name, balances) in STUDENTS {
        let accounts: Vec<_> = ACCOUNTS
            .into_iter()
            .zip(balances)
            .map(|((slot, zh, en), balance)| OpeningAccount {
                slot,
                name: text(zh, en),
                balance: Fen::new(balance),
            })
            .collect();
        admin.add_student(number, name, &accounts).await?;
    }
    for (merchant, number, role) in STAFF {
        admin
            .set_merchant_staff(MerchantId(merchant), number, role)
            .await?;
    }
    Ok(())
}
