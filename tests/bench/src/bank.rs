//! A bank in this process that does everything at once and never fails: what a platform costs beside its bank.

use futures_util::FutureExt as _;
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::bank::{
    CardChallenge, CardCode, CheckPassword, CloseCustomer, NewCard, NewMandate, OpenCustomer, Order,
    OrderState, SetPassword,
};
use yika_api::wallet::SealedField;
use yika_format::bank::BankKeys;
use yika_format::{ExpandedKey, UnixSeconds};
use yika_platform::{BankAnswer, BankGateway};
use yika_testkit::TestKey;

use crate::Result;
use crate::campus::text;

/// The bank.
pub(crate) struct PromptBank {
    root: ExpandedKey,
    certificate: Vec<u8>,
}

impl PromptBank {
    pub(crate) fn new() -> Result<Self> {
        let [root, sealing, notice] = ["bank", "sealing", "notice"].map(TestKey::named);
        let (from, to) = (UnixSeconds(0), UnixSeconds(u32::MAX));
        let keys = BankKeys::new(1, from, to, sealing.expanded(), notice.expanded())?;
        let unsigned = keys.unsigned();
        let signature = root.sign(unsigned.preimage());
        Ok(Self {
            root: root.expanded(),
            certificate: unsigned.with_signature(&signature),
        })
    }
}

/// A field as long as a sealed one. This bank opens none.
pub(crate) fn sealed() -> SealedField {
    SealedField {
        kid: 1,
        bytes: vec![7; 145].into(),
    }
}

fn at_once<T: Send + 'static>(answer: T) -> BankAnswer<'static, T> {
    std::future::ready(Ok(answer)).boxed()
}

fn done(order: Uuid) -> OrderState {
    OrderState::Done {
        at: UnixMillis(0),
        trace: order.simple().to_string(),
    }
}

impl BankGateway for PromptBank {
    fn root(&self) -> &ExpandedKey {
        &self.root
    }

    fn submit<'a>(&'a self, order: &'a Order) -> BankAnswer<'a, OrderState> {
        at_once(done(order.id))
    }

    fn query(&self, order: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        at_once(Some(done(order)))
    }

    fn call_off(&self, order: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        at_once(Some(done(order)))
    }

    fn give_back(&self, order: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        at_once(Some(done(order)))
    }

    fn key(&self) -> BankAnswer<'_, Vec<u8>> {
        at_once(self.certificate.clone())
    }

    fn open_customer<'a>(&'a self, _: &'a OpenCustomer) -> BankAnswer<'a, ()> {
        at_once(())
    }

    fn close_customer<'a>(&'a self, _: Uuid, _: &'a CloseCustomer) -> BankAnswer<'a, ()> {
        at_once(())
    }

    fn set_password<'a>(&'a self, _: Uuid, _: &'a SetPassword) -> BankAnswer<'a, ()> {
        at_once(())
    }

    fn check_password<'a>(&'a self, _: Uuid, _: &'a CheckPassword) -> BankAnswer<'a, ()> {
        at_once(())
    }

    fn begin_card<'a>(&'a self, _: Uuid, _: &'a NewCard) -> BankAnswer<'a, CardChallenge> {
        at_once(CardChallenge {
            bank: text("bank"),
            tail: "0000".to_owned(),
            phone_masked: "139****0000".to_owned(),
            expires_at: UnixMillis(i64::MAX),
            tries_left: 3,
        })
    }

    fn confirm_card<'a>(&'a self, _: Uuid, _: Uuid, _: &'a CardCode) -> BankAnswer<'a, ()> {
        at_once(())
    }

    fn unbind_card(&self, _: Uuid, _: Uuid) -> BankAnswer<'_, ()> {
        at_once(())
    }

    fn give_mandate<'a>(&'a self, _: Uuid, _: Uuid, _: &'a NewMandate) -> BankAnswer<'a, ()> {
        at_once(())
    }

    fn end_mandate(&self, _: Uuid, _: Uuid) -> BankAnswer<'_, ()> {
        at_once(())
    }
}
