//! Asking the holder to confirm an amount: the terminal shows a QR code with itself, a nonce and the amount, and the phone
//! answers with a code whose signature covers it all. One question is open at a time, for a minute, and answered once.

use ring::rand::{SecureRandom as _, SystemRandom};
use yika_format::confirmation::Confirmation;
use yika_format::verifier::TerminalKind;
use yika_format::{Amount, UnixMillis};

use crate::error::TerminalError;
use crate::terminal::Terminal;

/// How long a question stays open, in milliseconds.
pub const CONFIRMATION_LIFE_MS: u64 = 60_000;

/// Whether a question asked then is open now.
pub(crate) fn is_open(asked: UnixMillis, now: UnixMillis) -> bool {
    now.0
        .checked_sub(asked.0)
        .is_some_and(|age_ms| age_ms <= CONFIRMATION_LIFE_MS)
}

impl Terminal {
    /// Asks the holder to confirm this amount; the question before, if one is open, is void. The terminal shows
    /// [`Confirmation::to_text`] as a QR code.
    ///
    /// # Errors
    ///
    /// [`TerminalError::TakesNoPayments`] at a gate, [`TerminalError::Store`], [`TerminalError::Random`].
    pub fn ask_confirmation(&self, amount: Amount) -> Result<Confirmation, TerminalError> {
        if self.profile.kind == TerminalKind::Gate {
            return Err(TerminalError::TakesNoPayments);
        }
        let mut nonce = [0; 8];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| TerminalError::Random)?;
        let confirmation = Confirmation {
            terminal: self.enrolment.answer.id.0,
            // 0 stands for no confirmation.
            nonce: u64::from_be_bytes(nonce).max(1),
            amount,
        };
        self.store()
            .ask_confirmation(&confirmation, self.clock.now().now)?;
        Ok(confirmation)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Desk, NOW_MS, pay};
    use crate::{Reason, TerminalError};
    use yika_api::terminal::TerminalKind;
    use yika_format::Amount;
    use yika_format::code::Code;
    use yika_testkit::CodeBuilder;

    #[test]
    fn a_gate_asks_for_no_confirmation() {
        let desk = Desk::new(TerminalKind::Gate);
        assert!(matches!(
            desk.ask_confirmation(Amount(1250)),
            Err(TerminalError::TakesNoPayments)
        ));
    }

    #[test]
    fn a_confirmed_code_is_refused_where_nobody_asked_or_another_terminal_did() {
        let desk = Desk::new(TerminalKind::Pos);
        let mut asked = Desk::new(TerminalKind::Pos)
            .ask_confirmation(Amount(1250))
            .unwrap();
        let code = CodeBuilder::confirmed(&desk.kit, asked).short();
        assert_eq!(desk.refusal(&code.to_text(), pay(1250)), Reason::NotAsked);
        asked.terminal += 1;
        desk.ask_confirmation(Amount(1250)).unwrap();
        let code = CodeBuilder::confirmed(&desk.kit, asked).short();
        assert_eq!(desk.refusal(&code.to_text(), pay(1250)), Reason::DeviceSignature);
    }

    #[test]
    fn a_confirmation_lifts_the_limit_per_use_once_and_survives_a_restart() {
        let mut desk = Desk::new(TerminalKind::Pos);
        let asked = desk.ask_confirmation(Amount(6_000)).unwrap();
        let code = |counter| Code::Short(CodeBuilder::confirmed(&desk.kit, asked).counter(counter).short());
        let (first, second) = (code(100), code(101));
        let other_amount = desk.refusal(&desk.text(&first), pay(5_999));
        assert_eq!(other_amount, Reason::Limit);
        desk.restart();
        let approval = desk.approval(&desk.text(&first), pay(6_000));
        assert_eq!(approval.payment.unwrap().amount, Amount(6_000));
        assert_eq!(desk.refusal(&desk.text(&second), pay(6_000)), Reason::NotAsked);
        assert_eq!(desk.records()[0].record.nonce, asked.nonce);
    }

    #[test]
    fn a_question_is_open_for_a_minute_and_until_the_next() {
        let desk = Desk::new(TerminalKind::Pos);
        let first = desk.ask_confirmation(Amount(1250)).unwrap();
        let second = desk.ask_confirmation(Amount(1250)).unwrap();
        assert_ne!(first.nonce, second.nonce);
        let code = |asked, counter| {
            CodeBuilder::confirmed(&desk.kit, asked)
                .counter(counter)
                .short()
                .to_text()
        };
        assert_eq!(
            desk.refusal(&code(first, 100), pay(1250)),
            Reason::DeviceSignature
        );
        desk.clock.advance(60_001);
        assert_eq!(desk.refusal(&code(second, 100), pay(1250)), Reason::NotAsked);
        assert_eq!(desk.now(), yika_format::UnixMillis(NOW_MS.0 + 60_001));
    }
}
