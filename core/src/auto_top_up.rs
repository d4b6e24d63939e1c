//! Automatic top-up (圈存): the platform tops an account up by itself, by a rule that the holder agreed to. The payment
//! password is given once, sealed to the most of a day; the bank keeps a mandate for it.

use uuid::Uuid;
use yika_api::Fen;
use yika_api::account::AccountList;
use yika_api::auto_top_up::SetAutoTopUp;
use yika_format::bank::Field;

pub use yika_api::auto_top_up::{AutoTopUp, AutoTopUpProblem, CONSENT_VERSION};

use crate::error::CoreError;
use crate::http::Call;
use crate::session::Sessions;
use crate::wallet::{InputField, PaymentPassword, Wallets};

/// When an account is to be topped up, by how much, and what the holder agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoTopUpRule {
    /// Below which balance, above zero.
    pub below: Fen,
    /// What arrives each time, above zero.
    pub add: Fen,
    /// The most of a day, in the school's time zone; not below `add`.
    pub day_cap: Fen,
    /// The version of the text that the holder was shown and agreed to: [`CONSENT_VERSION`] is the one of this version.
    pub consent: u32,
}

impl AutoTopUpRule {
    fn check(&self) -> Result<(), CoreError> {
        let is_rule = self.below.is_positive() && self.add.is_positive() && self.day_cap >= self.add;
        match is_rule {
            true => Ok(()),
            false => Err(InputField::Amount.into()),
        }
    }
}

/// Agrees to a rule for an account, in place of the one before.
pub(crate) async fn set(
    sessions: &Sessions,
    wallets: &Wallets,
    account: Uuid,
    rule: AutoTopUpRule,
    password: &PaymentPassword,
) -> Result<AccountList, CoreError> {
    rule.check()?;
    let operation = Uuid::now_v7();
    let sealing = wallets.fresh_sealing(sessions).await?;
    let AutoTopUpRule {
        below,
        add,
        day_cap,
        consent,
    } = rule;
    let request = SetAutoTopUp {
        below,
        add,
        day_cap,
        consent,
        password: sealing.seal(operation, day_cap, Field::Password, password.expose())?,
    };
    let call = Call::put(path(account)).json(&request)?;
    Ok(sessions.send(&call.operation(operation)).await?.json()?)
}

/// Ends the rule of an account.
pub(crate) async fn stop(sessions: &Sessions, account: Uuid) -> Result<AccountList, CoreError> {
    let call = Call::delete(path(account)).operation(Uuid::now_v7());
    Ok(sessions.send(&call).await?.json()?)
}

fn path(account: Uuid) -> String {
    format!("/v1/accounts/{account}/auto-top-up")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CampusCard;
    use crate::accounts::Account;
    use crate::testing::money::PASSWORD;
    use crate::testing::platform::MAIN;
    use crate::testing::{TestPhone, block_on};
    use crate::wallet::MoneyReason;
    use yika_api::operation::{Funding, Operation, OperationKind, Phase, RefusalReason, Step};
    use yika_api::{ProblemCode, UnixMillis};
    use zeroize::Zeroizing;

    const RULE: AutoTopUpRule = AutoTopUpRule {
        below: Fen::new(2_000),
        add: Fen::new(5_000),
        day_cap: Fen::new(10_000),
        consent: CONSENT_VERSION,
    };

    fn password(digits: &str) -> PaymentPassword {
        PaymentPassword::new(Zeroizing::new(digits.to_owned())).unwrap()
    }

    fn rich() -> (TestPhone, CampusCard) {
        let phone = TestPhone::new();
        phone.platform.campus().money.offered = true;
        let card = phone.bound();
        (phone, card)
    }

    fn set(card: &CampusCard, rule: AutoTopUpRule, digits: &str) -> Result<Vec<Account>, CoreError> {
        block_on(card.accounts().set_auto_top_up(MAIN, rule, password(digits)))
    }

    fn main_account(accounts: &[Account]) -> &Account {
        accounts.iter().find(|account| account.id == MAIN).unwrap()
    }

    #[test]
    fn a_rule_is_agreed_to_with_the_password_sealed_to_its_cap_and_known_offline() {
        let (phone, card) = rich();
        let told = set(&card, RULE, PASSWORD).unwrap();
        let shown = main_account(&told).auto_top_up.unwrap();
        assert_eq!(
            (shown.below, shown.add, shown.day_cap),
            (RULE.below, RULE.add, RULE.day_cap)
        );
        let campus = phone.platform.campus();
        assert_eq!(
            campus.money.opened.last(),
            Some(&(Field::Password, PASSWORD.to_owned()))
        );
        drop(campus);
        drop(card);
        let card = phone.open();
        let before = phone.platform.campus().requests.len();
        let kept = block_on(card.accounts().list()).unwrap();
        assert_eq!(main_account(&kept).auto_top_up, Some(shown));
        assert_eq!(phone.platform.campus().requests.len(), before);
    }

    #[test]
    fn what_is_no_rule_is_never_sent() {
        let (phone, card) = rich();
        let before = phone.platform.campus().requests.len();
        for wrong in [
            AutoTopUpRule {
                below: Fen::ZERO,
                ..RULE
            },
            AutoTopUpRule {
                add: Fen::new(-1),
                ..RULE
            },
            AutoTopUpRule {
                day_cap: Fen::new(4_999),
                ..RULE
            },
        ] {
            assert_eq!(set(&card, wrong, PASSWORD), Err(InputField::Amount.into()));
        }
        assert_eq!(phone.platform.campus().requests.len(), before);
    }

    #[test]
    fn a_wrong_password_and_another_text_agree_to_nothing() {
        let (phone, card) = rich();
        let reason = |result: Result<Vec<Account>, CoreError>| match result {
            Err(CoreError::Money { refusal }) => refusal.reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(set(&card, RULE, "739104")), MoneyReason::BankRefused);
        let request = format!("PUT /v1/accounts/{MAIN}/auto-top-up");
        let changed = crate::testing::platform::Fault::Problem(ProblemCode::TermsChanged);
        phone.platform.fail(&request, changed);
        assert_eq!(reason(set(&card, RULE, PASSWORD)), MoneyReason::TermsChanged);
        let kept = block_on(card.accounts().list()).unwrap();
        assert_eq!(main_account(&kept).auto_top_up, None);
    }

    #[test]
    fn a_rule_with_a_problem_says_so_and_is_stopped_without_a_password() {
        let (phone, card) = rich();
        set(&card, RULE, PASSWORD).unwrap();
        let problem = AutoTopUpProblem {
            reason: RefusalReason::Insufficient,
            retry_at: Some(UnixMillis(9)),
        };
        for account in &mut phone.platform.campus().accounts {
            if let Some(rule) = &mut account.auto_top_up {
                rule.problem = Some(problem);
            }
        }
        block_on(card.synchronise()).unwrap();
        let kept = block_on(card.accounts().list()).unwrap();
        assert_eq!(main_account(&kept).auto_top_up.unwrap().problem, Some(problem));
        let opened = phone.platform.campus().money.opened.len();
        let told = block_on(card.accounts().stop_auto_top_up(MAIN)).unwrap();
        assert_eq!(main_account(&told).auto_top_up, None);
        assert_eq!(phone.platform.campus().money.opened.len(), opened);
    }

    #[test]
    fn a_top_up_that_nobody_asked_for_comes_with_the_feed_and_says_so() {
        let (phone, card) = rich();
        let at = phone.platform.campus().now;
        let id = Uuid::from_u128(0xa1);
        let told = Operation {
            id,
            kind: OperationKind::TopUp,
            amount: RULE.add,
            funding: Funding {
                wallet: RULE.add,
                bank: Fen::ZERO,
                card_id: None,
                fee: Fen::ZERO,
            },
            account_id: Some(MAIN),
            place_id: None,
            is_automatic: true,
            phase: Phase::Credited,
            steps: [Phase::Sent, Phase::Credited]
                .map(|phase| Step { phase, at })
                .to_vec(),
            refusal: None,
            reference: "T1".to_owned(),
            version: 2,
        };
        phone.platform.campus().money.operations.push(told);
        block_on(card.synchronise()).unwrap();
        let shown = block_on(card.operations().page(None, 10)).unwrap().operations;
        assert_eq!(shown.len(), 1);
        assert_eq!(
            (shown[0].id, shown[0].is_automatic, shown[0].steps.len()),
            (id, true, 2)
        );
    }
}
