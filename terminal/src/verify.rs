//! A code is shown: decode, authenticate, look up what is remembered of the holder, authorise, commit, and only then say
//! "approved". Everything is decided by `yika-format`'s verifier; here it meets memory and disk. No network, ever.

use yika_format::code::Code;
use yika_format::confirmation::Confirmation;
use yika_format::credential::HolderClass;
use yika_format::sale::{SaleKind, SaleRecord, SignedSale};
use yika_format::verifier::{
    Authenticated, Decision, Purpose, Reason, Refusal, Request, SaleId, Standing, TerminalKind, TerminalTime,
    authenticate, authorise,
};
use yika_format::{Amount, Slot, UnixMillis};

use crate::directory::Holder;
use crate::error::{StoreError, TerminalError};
use crate::store::{NewApproval, Store};
use crate::terminal::Terminal;

/// Something that was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The till's number for it.
    pub sale: SaleId,
    /// Who it was.
    pub holder_class: HolderClass,
    /// When, by the terminal's clock.
    pub time: UnixMillis,
    /// What was paid; `None` for an identity.
    pub payment: Option<Payment>,
}

/// What was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// How much.
    pub amount: Amount,
    /// From which account of the card.
    pub slot: Slot,
    /// The number of its record in the terminal's journal.
    pub record: u64,
    /// Whether it was taken back.
    pub is_void: bool,
}

impl Approval {
    /// Whether it was approved for this.
    fn is_for(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Identity => self.payment.is_none(),
            Purpose::Payment { amount } => self.payment.is_some_and(|payment| payment.amount == amount),
        }
    }
}

/// What a terminal says of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good, and on the disk.
    Approved {
        /// What was approved.
        approval: Approval,
        /// Whether it had been approved for this sale before, and nothing was recorded now.
        repeated: bool,
        /// Who it was, for an identity at a library desk; `None` elsewhere. It had no say in the decision.
        holder: Option<Holder>,
    },
    /// Not good. Nothing was recorded.
    Refused {
        /// Why.
        refusal: Refusal,
        /// For a replay: what exactly this code was approved for.
        earlier: Option<Approval>,
    },
}

impl Verdict {
    fn refused(refusal: impl Into<Refusal>) -> Self {
        Self::Refused {
            refusal: refusal.into(),
            earlier: None,
        }
    }
}

/// A number for a sale, for tills that have none of their own: a random UUID.
pub fn new_sale_id() -> SaleId {
    SaleId(uuid::Uuid::new_v4().into_bytes())
}

impl Terminal {
    /// Decides about a code, as the scanner typed it. Asked again for the same sale of the same holder, it answers as
    /// before.
    ///
    /// A store that fails is a refusal ([`Reason::Storage`]), its cause goes to the log.
    ///
    /// # Errors
    ///
    /// [`TerminalError::SaleConflict`] where the sale's number was used for another holder, amount or purpose, and
    /// [`TerminalError::SaleVoided`] where that payment was taken back.
    pub fn verify(&self, text: &[u8], request: Request) -> Result<Verdict, TerminalError> {
        let time = self.clock.now();
        match self.decide(text, request, &time) {
            Err(TerminalError::Store(error)) => {
                tracing::error!(%error, "the store failed; the code is refused");
                Ok(Verdict::refused(Reason::Storage))
            }
            Err(TerminalError::Key(error)) => {
                tracing::error!(%error, "the record could not be signed; the code is refused");
                Ok(Verdict::refused(Reason::Storage))
            }
            other => other,
        }
    }

    fn decide(&self, text: &[u8], request: Request, time: &TerminalTime) -> Result<Verdict, TerminalError> {
        let Ok(code) = Code::from_text(text) else {
            return Ok(Verdict::refused(Reason::Malformed));
        };
        let asked = match code.moment().dynamic.usage.is_confirmed() {
            true => self.open_confirmation(time)?,
            false => None,
        };
        match self.authenticate(&code, time, asked.as_ref()) {
            Ok(genuine) => self.authorise_and_commit(&genuine, request, time),
            Err(reason) => Ok(Verdict::refused(reason)),
        }
    }

    /// Whose code it is and how far it reaches: signatures and lists only, nothing remembered of the holder.
    ///
    /// # Errors
    ///
    /// The [`Reason`] why the code is not genuine or its credential not accepted.
    pub fn authenticate(
        &self,
        code: &Code,
        time: &TerminalTime,
        confirmation: Option<&Confirmation>,
    ) -> Result<Authenticated, Reason> {
        let lists = self.lists();
        authenticate(code, &[lists.school()], time, &self.keys, confirmation)
    }

    fn authorise_and_commit(
        &self,
        genuine: &Authenticated,
        request: Request,
        time: &TerminalTime,
    ) -> Result<Verdict, TerminalError> {
        let pseudonym = genuine.pseudonym();
        let dynamic = genuine.code.moment().dynamic.to_bytes();
        let mut store = self.store();
        let earlier = store.approval_for(request.sale)?;
        let accepted_for = match &earlier {
            None => None,
            Some(earlier) if earlier.pseudonym == pseudonym && earlier.approval.is_for(request.purpose) => {
                Some(request.sale)
            }
            Some(_) => return Err(TerminalError::SaleConflict),
        };
        let standing = Standing {
            last: store.last_sequence(pseudonym)?,
            spent: store.spent(pseudonym)?,
            accepted_for,
        };
        match (
            authorise(genuine, &request, &self.profile, time, &standing),
            earlier,
        ) {
            (Ok(Decision::Approve), _) => self.commit(&mut store, genuine, request, time),
            (Ok(Decision::AnswerAsBefore), Some(earlier)) => match earlier.approval.payment {
                Some(Payment { is_void: true, .. }) => Err(TerminalError::SaleVoided),
                _ => Ok(Verdict::Approved {
                    approval: earlier.approval,
                    repeated: true,
                    holder: self.holder(pseudonym, request.purpose, time.now),
                }),
            },
            (Ok(Decision::AnswerAsBefore), None) => Err(TerminalError::SaleConflict),
            (Err(refusal), _) => Ok(Verdict::Refused {
                refusal,
                earlier: match refusal.reason {
                    Reason::Replay => store.approval_by(pseudonym, dynamic)?,
                    _ => None,
                },
            }),
        }
    }

    fn commit(
        &self,
        store: &mut Store,
        genuine: &Authenticated,
        request: Request,
        time: &TerminalTime,
    ) -> Result<Verdict, TerminalError> {
        let moment = genuine.code.moment();
        let record = match request.purpose {
            Purpose::Identity => None,
            Purpose::Payment { amount } => Some(self.record(store, genuine, amount, time)?),
        };
        let payment = record
            .as_ref()
            .zip(moment.dynamic.usage.slot())
            .map(|(record, slot)| Payment {
                amount: record.record.amount,
                slot,
                record: record.record.sequence,
                is_void: false,
            });
        let approval = Approval {
            sale: request.sale,
            holder_class: genuine.attributes.class,
            time: time.now,
            payment,
        };
        store.commit_approval(&NewApproval {
            approval: &approval,
            pseudonym: genuine.pseudonym(),
            sequence: moment.sequence(),
            dynamic: moment.dynamic.to_bytes(),
            record: record.as_ref(),
            is_anchored: time.is_anchored,
        })?;
        if time.is_anchored {
            self.clock.update(|state| state.raise_floor(time.now));
        }
        Ok(Verdict::Approved {
            approval,
            repeated: false,
            holder: self.holder(genuine.pseudonym(), request.purpose, time.now),
        })
    }

    /// The payment's record, signed, at the end of the journal.
    fn record(
        &self,
        store: &Store,
        genuine: &Authenticated,
        amount: Amount,
        time: &TerminalTime,
    ) -> Result<SignedSale, TerminalError> {
        let kind = match self.profile.kind {
            TerminalKind::Pos | TerminalKind::Gate => SaleKind::Purchase(genuine.code),
            TerminalKind::Library => SaleKind::LibraryFee(genuine.code),
        };
        let record = SaleRecord {
            school: genuine.school,
            terminal: self.enrolment.answer.id.0,
            sequence: 0,
            previous: [0; 32],
            kind,
            amount,
            merchant: self
                .enrolment
                .answer
                .merchant
                .as_ref()
                .map_or(0, |merchant| merchant.id.0),
            time: time.now,
            uncertainty_s: u16::try_from(time.uncertainty_s).unwrap_or(u16::MAX),
            table_version: genuine.table_version,
            revocations_version: genuine.revocations_version,
            nonce: genuine.confirmed.map_or(0, |confirmation| confirmation.nonce),
        };
        Ok(store.head()?.append(record, &self.key)?)
    }

    /// What a holder was asked to confirm, while the question is open.
    fn open_confirmation(&self, time: &TerminalTime) -> Result<Option<Confirmation>, StoreError> {
        let asked = self.store().confirmation(self.enrolment.answer.id.0)?;
        Ok(asked
            .filter(|(_, asked)| crate::confirm::is_open(*asked, time.now))
            .map(|(confirmation, _)| confirmation))
    }
}

#[cfg(test)]
mod tests;
