//! A bank in memory that keeps its word, behind a wire that the test can make bad.

use super::TestKey;
use crate::{BankAnswer, BankError, BankGateway};
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use uuid::Uuid;
use yika_api::bank::{
    CardChallenge, CardCode, CheckPassword, CloseCustomer, NewCard, NewMandate, Notice, OpenCustomer, Order,
    OrderState, OrderStatus, SetPassword,
};
use yika_api::operation::{Refusal, RefusalReason};
use yika_api::{LocalizedText, UnixMillis};
use yika_format::bank::{BankKeys, notice_preimage};
use yika_format::{ExpandedKey, UnixSeconds};

/// What is done to the next exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    Clear,
    /// It is not reached.
    Unreachable,
    /// The question is lost.
    LostBefore,
    /// It does it, and the answer is lost.
    LostAfter,
    /// It answers what the protocol doesn't know, and has done it.
    Garbled,
    /// It takes its time.
    Pends,
    /// It says no.
    Refuses(RefusalReason),
}

#[derive(Default)]
struct Books {
    orders: HashMap<Uuid, OrderState>,
    /// Every order that reached it, as it came.
    heard: Vec<Order>,
    /// How often money moved for an order.
    moved: HashMap<Uuid, u32>,
    faults: VecDeque<Fault>,
    /// Mandates that have ended.
    ended: Vec<Uuid>,
    now: i64,
}

/// The bank.
pub(crate) struct TestBank {
    root: ExpandedKey,
    notice: TestKey,
    certificate: Mutex<Vec<u8>>,
    books: Mutex<Books>,
}

impl TestBank {
    pub(crate) fn new() -> Self {
        let (root, sealing, notice) = (TestKey::new(), TestKey::new(), TestKey::new());
        let (from, to) = (UnixSeconds(0), UnixSeconds(u32::MAX));
        let keys = BankKeys::new(1, from, to, sealing.expanded(), notice.expanded()).unwrap();
        let unsigned = keys.unsigned();
        let signature = root.sign(unsigned.preimage());
        Self {
            root: root.expanded(),
            notice,
            certificate: Mutex::new(unsigned.with_signature(&signature)),
            books: Mutex::default(),
        }
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.certificate.lock().unwrap().clone()
    }

    /// Hands out this certificate from now on.
    pub(crate) fn swap_certificate(&self, certificate: Vec<u8>) {
        *self.certificate.lock().unwrap() = certificate;
    }

    /// What it tells unasked.
    pub(crate) fn notice(&self, id: Uuid, state: OrderState) -> Notice {
        let status = serde_json::to_vec(&OrderStatus { id, state }).unwrap();
        let signature = self.notice.sign(&notice_preimage(&status));
        Notice {
            kid: 1,
            status: status.into(),
            signature: signature.as_bytes().to_vec().into(),
        }
    }

    /// What is done to the next exchanges, one each; after them all is well.
    pub(crate) fn weather(&self, faults: &[Fault]) {
        self.books.lock().unwrap().faults.extend(faults);
    }

    pub(crate) fn state(&self, order: Uuid) -> Option<OrderState> {
        self.books.lock().unwrap().orders.get(&order).cloned()
    }

    /// How often money moved for an order.
    pub(crate) fn moved(&self, order: Uuid) -> u32 {
        self.books
            .lock()
            .unwrap()
            .moved
            .get(&order)
            .copied()
            .unwrap_or_default()
    }

    /// The mandates that it was told have ended, as often as it was.
    pub(crate) fn ended_mandates(&self) -> Vec<Uuid> {
        self.books.lock().unwrap().ended.clone()
    }

    pub(crate) fn heard(&self) -> Vec<Order> {
        self.books.lock().unwrap().heard.clone()
    }

    fn exchange<T>(
        &self,
        serve: impl FnOnce(&mut Books, Fault) -> Result<T, BankError>,
    ) -> Result<T, BankError> {
        let mut books = self.books.lock().unwrap();
        books.now += 1;
        let fault = books.faults.pop_front().unwrap_or(Fault::Clear);
        match fault {
            Fault::Unreachable => Err(BankError::Unreachable),
            Fault::LostBefore => Err(BankError::Silent),
            Fault::LostAfter => serve(&mut books, fault).and(Err(BankError::Silent)),
            Fault::Garbled => serve(&mut books, fault).and(Err(BankError::Malformed("test".to_owned()))),
            Fault::Clear | Fault::Pends | Fault::Refuses(_) => serve(&mut books, fault),
        }
    }

    /// An exchange that isn't about an order.
    fn simple<T: Send + 'static>(&self, answer: T) -> BankAnswer<'_, T> {
        let answered = self.exchange(|_, fault| match fault {
            Fault::Refuses(reason) => Err(BankError::Refused(Refusal::of(reason))),
            _ => Ok(answer),
        });
        Box::pin(std::future::ready(answered))
    }

    fn order(
        &self,
        serve: impl FnOnce(&mut Books, Fault) + Send,
        id: Uuid,
    ) -> BankAnswer<'_, Option<OrderState>> {
        let answered = self.exchange(|books, fault| {
            serve(books, fault);
            Ok(books.orders.get(&id).cloned())
        });
        Box::pin(std::future::ready(answered))
    }
}

fn trace(now: i64) -> String {
    format!("B{now}")
}

fn decide(books: &mut Books, id: Uuid, fault: Fault) {
    let state = match fault {
        Fault::Pends => OrderState::Pending,
        Fault::Refuses(reason) => OrderState::Refused {
            refusal: Refusal::of(reason),
        },
        _ => {
            *books.moved.entry(id).or_default() += 1;
            OrderState::Done {
                at: UnixMillis(super::START.0 + books.now),
                trace: trace(books.now),
            }
        }
    };
    books.orders.insert(id, state);
}

impl BankGateway for TestBank {
    fn root(&self) -> &ExpandedKey {
        &self.root
    }

    fn submit<'a>(&'a self, order: &'a Order) -> BankAnswer<'a, OrderState> {
        let answered = self.exchange(|books, fault| {
            books.heard.push(order.clone());
            if !books.orders.contains_key(&order.id) {
                decide(books, order.id, fault);
            }
            Ok(books.orders[&order.id].clone())
        });
        Box::pin(std::future::ready(answered))
    }

    fn query(&self, id: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        let serve = |books: &mut Books, fault| {
            if books.orders.get(&id) == Some(&OrderState::Pending) {
                decide(books, id, fault);
            }
        };
        self.order(serve, id)
    }

    fn call_off(&self, id: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        let serve = |books: &mut Books, _| {
            if matches!(books.orders.get(&id), None | Some(OrderState::Pending)) {
                decide(books, id, Fault::Refuses(RefusalReason::TimedOut));
            }
        };
        self.order(serve, id)
    }

    fn give_back(&self, id: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        let serve = |books: &mut Books, _| {
            if matches!(books.orders.get(&id), Some(OrderState::Done { .. })) {
                *books.moved.entry(id).or_default() -= 1;
                let (at, trace) = (UnixMillis(super::START.0 + books.now), trace(books.now));
                books.orders.insert(id, OrderState::Reversed { at, trace });
            }
        };
        self.order(serve, id)
    }

    fn key(&self) -> BankAnswer<'_, Vec<u8>> {
        self.simple(self.certificate())
    }

    fn open_customer<'a>(&'a self, _: &'a OpenCustomer) -> BankAnswer<'a, ()> {
        self.simple(())
    }

    fn close_customer<'a>(&'a self, _: Uuid, _: &'a CloseCustomer) -> BankAnswer<'a, ()> {
        self.simple(())
    }

    fn set_password<'a>(&'a self, _: Uuid, _: &'a SetPassword) -> BankAnswer<'a, ()> {
        self.simple(())
    }

    fn check_password<'a>(&'a self, _: Uuid, _: &'a CheckPassword) -> BankAnswer<'a, ()> {
        self.simple(())
    }

    fn begin_card<'a>(&'a self, _: Uuid, _: &'a NewCard) -> BankAnswer<'a, CardChallenge> {
        self.simple(CardChallenge {
            bank: LocalizedText {
                zh: "示范银行".to_owned(),
                en: "Demo Bank".to_owned(),
            },
            tail: "6789".to_owned(),
            phone_masked: "138****0000".to_owned(),
            expires_at: UnixMillis(super::START.0 + 300_000),
            tries_left: 3,
        })
    }

    fn confirm_card<'a>(&'a self, _: Uuid, _: Uuid, _: &'a CardCode) -> BankAnswer<'a, ()> {
        self.simple(())
    }

    fn give_mandate<'a>(&'a self, _: Uuid, _: Uuid, _: &'a NewMandate) -> BankAnswer<'a, ()> {
        self.simple(())
    }

    fn end_mandate(&self, _: Uuid, mandate: Uuid) -> BankAnswer<'_, ()> {
        let answered = self.exchange(|books, _| {
            books.ended.push(mandate);
            Ok(())
        });
        Box::pin(std::future::ready(answered))
    }

    fn unbind_card(&self, _: Uuid, _: Uuid) -> BankAnswer<'_, ()> {
        self.simple(())
    }
}
