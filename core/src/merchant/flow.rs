//! What may be written down to be given back, and what an answer means: decisions without a disk or a network.

use uuid::Uuid;
use yika_api::merchant::MOST_REASON;
use yika_api::{ProblemCode, UnixMillis};

use super::model::{NewReturn, StallReturn, StallReturnKind};
use crate::error::CoreError;
use crate::wallet::{InputField, MoneyReason};

/// Voids and refunds that may wait for an answer at once.
const MAX_WAITING: usize = 20;

/// Adds a void or a refund to those that wait. One at a time for a sale: the second is asked for once the first is known.
pub(super) fn write_down(
    returns: &mut Vec<StallReturn>,
    new: NewReturn,
    id: Uuid,
    created_at: UnixMillis,
) -> Result<StallReturn, CoreError> {
    if matches!(new.kind, StallReturnKind::Refund { amount } if !amount.is_positive()) {
        return Err(InputField::Amount.into());
    }
    let reason = new.reason.map(|reason| reason.trim().to_owned());
    let reason = reason.filter(|reason| !reason.is_empty());
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > MOST_REASON || reason.contains('\0'))
    {
        return Err(InputField::Text.into());
    }
    // What was refused is asked for anew.
    returns.retain(|known| known.payment_id != new.payment_id || known.refusal.is_none());
    if returns.iter().any(|known| known.payment_id == new.payment_id) {
        return Err(MoneyReason::RefundUnderWay.into());
    }
    if returns.len() >= MAX_WAITING {
        return Err(MoneyReason::TooManyWaiting.into());
    }
    let written = StallReturn {
        id,
        stall: new.stall,
        payment_id: new.payment_id,
        kind: new.kind,
        reason,
        created_at,
        refusal: None,
    };
    returns.push(written.clone());
    Ok(written)
}

/// Takes one out of those that wait.
pub(super) fn discard(returns: &mut Vec<StallReturn>, id: Uuid) -> Result<(), CoreError> {
    let count = returns.len();
    returns.retain(|known| known.id != id);
    match returns.len() == count {
        true => Err(MoneyReason::OperationUnknown.into()),
        false => Ok(()),
    }
}

/// Whether the holder does not work at the stall any more, or not as the owner.
pub(super) fn is_shut_out(error: &CoreError) -> bool {
    match error {
        CoreError::Forbidden => true,
        CoreError::Refused { refusal } => refusal.code == Some(ProblemCode::NotFound),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yika_api::Fen;
    use yika_api::terminal::MerchantId;

    fn refund(sale: u128, amount: i64) -> NewReturn {
        NewReturn {
            stall: MerchantId(1),
            payment_id: Uuid::from_u128(sale),
            kind: StallReturnKind::Refund {
                amount: Fen::new(amount),
            },
            reason: None,
        }
    }

    fn code(outcome: Result<StallReturn, CoreError>) -> &'static str {
        outcome.unwrap_err().code()
    }

    fn write(returns: &mut Vec<StallReturn>, new: NewReturn) -> Result<StallReturn, CoreError> {
        write_down(returns, new, Uuid::now_v7(), UnixMillis(0))
    }

    #[test]
    fn what_is_no_refund_is_not_written_down() {
        let mut returns = Vec::new();
        for amount in [0, -1] {
            assert_eq!(code(write(&mut returns, refund(1, amount))), "invalid_input");
        }
        let long = NewReturn {
            reason: Some("长".repeat(201)),
            ..refund(1, 1)
        };
        assert_eq!(code(write(&mut returns, long)), "invalid_input");
        assert!(returns.is_empty());
    }

    #[test]
    fn a_sale_has_one_that_waits_and_what_was_refused_makes_way() {
        let mut returns = Vec::new();
        let first = write(&mut returns, refund(1, 100)).unwrap();
        assert_eq!(code(write(&mut returns, refund(1, 100))), "refund_under_way");
        write(&mut returns, refund(2, 100)).unwrap();
        returns[0].refusal = Some("not_refundable".to_owned());
        let second = write(&mut returns, refund(1, 50)).unwrap();
        assert_ne!(first.id, second.id);
        assert_eq!(returns.len(), 2);
        discard(&mut returns, second.id).unwrap();
        assert!(discard(&mut returns, second.id).is_err());
        assert_eq!(returns.len(), 1);
    }

    #[test]
    fn no_more_than_twenty_wait() {
        let mut returns = Vec::new();
        for sale in 0..20 {
            write(&mut returns, refund(sale, 1)).unwrap();
        }
        assert_eq!(code(write(&mut returns, refund(20, 1))), "too_many_waiting");
    }
}
