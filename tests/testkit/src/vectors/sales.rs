//! Records of sales.

use super::code_accepted::SOUGHT;
use super::world::World;
use super::{Case, Hex, SaleCase, Vector, describe_sale};
use crate::{CodeBuilder, SaleBuilder, SignerKit, fen};
use yika_format::code::Code;
use yika_format::sale::{SaleKind, SignedSale};

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut sales = Sales {
        kit: &world.north,
        vectors: Vec::new(),
    };
    accepted(world, &mut sales);
    refused_by_decoder(world, &mut sales);
    refused_by_signature(world, &mut sales);
    sales.vectors
}

struct Sales<'a> {
    kit: &'a SignerKit,
    vectors: Vec<Vector>,
}

impl Sales<'_> {
    fn add(&mut self, expect: &str, name: &str, why: &str, bytes: Vec<u8>) {
        let decoded = SignedSale::decode(&bytes).ok();
        let is_void = decoded.is_some_and(|sale| sale.record.code().is_none());
        let case = SaleCase {
            school: "north".to_owned(),
            terminal_key: Hex(self.kit.terminal.public().as_bytes().to_vec()),
            device_key: (!is_void).then(|| Hex(self.kit.device.public().as_bytes().to_vec())),
            input: Hex(bytes),
        };
        self.vectors.push(Vector {
            name: name.to_owned(),
            why: why.to_owned(),
            case: Case::Sale(case),
            expect: expect.to_owned(),
            fields: decoded
                .filter(|_| expect == "ACCEPT")
                .map(|sale| describe_sale(&sale)),
        });
    }
}

fn confirmed(kit: &SignerKit) -> SaleBuilder {
    let mut sale = SaleBuilder::new(kit);
    sale.record.kind = SaleKind::Purchase(Code::Short(CodeBuilder::confirmed(kit, SOUGHT.into()).short()));
    sale.record.nonce = SOUGHT.nonce;
    sale.record.amount = fen(SOUGHT.amount_fen);
    sale
}

fn accepted(world: &World, sales: &mut Sales<'_>) {
    let kit = &world.north;
    let first = SaleBuilder::new(kit);
    let mut fee = SaleBuilder::new(kit).after(&first.record);
    fee.record.kind = SaleKind::LibraryFee(Code::Full(CodeBuilder::new(kit).counter(101).full()));
    let mut void = SaleBuilder::new(kit).after(&fee.record);
    void.record.kind = SaleKind::Void { sequence: 1 };
    sales.add(
        "ACCEPT",
        "the first record of a terminal is accepted",
        "A purchase by a short code; the hash before it is zeros.",
        first.build().to_bytes(),
    );
    sales.add(
        "ACCEPT",
        "a fee by a full code is accepted",
        "The second record of the chain, which holds the hash of the first.",
        fee.build().to_bytes(),
    );
    sales.add(
        "ACCEPT",
        "a void is accepted",
        "The third record of the chain takes the first back, whole.",
        void.build().to_bytes(),
    );
    sales.add(
        "ACCEPT",
        "a confirmed purchase is accepted",
        "Terminal, nonce and amount of the record are what the device signed.",
        confirmed(kit).build().to_bytes(),
    );
}

fn refused_by_decoder(world: &World, sales: &mut Sales<'_>) {
    const MALFORMED: &str = "MALFORMED";
    let kit = &world.north;
    let with = |change: fn(&mut SaleBuilder)| {
        let mut sale = SaleBuilder::new(kit);
        sale.record.sequence = 5;
        change(&mut sale);
        sale.build().to_bytes()
    };
    sales.add(
        MALFORMED,
        "a record of number 0 is refused",
        "Records are numbered from 1.",
        with(|sale| sale.record.sequence = 0),
    );
    sales.add(
        MALFORMED,
        "a first record that follows another is refused",
        "Nothing was before record 1, so the hash before it is zeros.",
        with(|sale| (sale.record.sequence, sale.record.previous) = (1, [7; 32])),
    );
    sales.add(
        MALFORMED,
        "a record of nothing is refused",
        "Amounts are above zero.",
        with(|sale| sale.record.amount = fen(0)),
    );
    sales.add(
        MALFORMED,
        "a void of itself is refused",
        "Only earlier records can be taken back.",
        with(|sale| sale.record.kind = SaleKind::Void { sequence: 5 }),
    );
    sales.add(
        MALFORMED,
        "a void of a later record is refused",
        "Only earlier records can be taken back.",
        with(|sale| sale.record.kind = SaleKind::Void { sequence: 6 }),
    );
    sales.add(
        MALFORMED,
        "a void of record 0 is refused",
        "Records are numbered from 1.",
        with(|sale| sale.record.kind = SaleKind::Void { sequence: 0 }),
    );
    sales.add(
        MALFORMED,
        "a nonce beside an unconfirmed code is refused",
        "Only confirmed payments have one.",
        with(|sale| sale.record.nonce = 9),
    );
    let mut missing = confirmed(kit);
    missing.record.nonce = 0;
    sales.add(
        MALFORMED,
        "a confirmed code without its nonce is refused",
        "The signature could not be checked.",
        missing.build().to_bytes(),
    );
    let mut identity = SaleBuilder::new(kit);
    identity.record.kind = SaleKind::Purchase(Code::Short(CodeBuilder::identity(kit).short()));
    sales.add(
        MALFORMED,
        "a purchase by an identity is refused",
        "Identity never pays.",
        identity.build().to_bytes(),
    );
    let mut void_with_nonce = SaleBuilder::new(kit);
    (void_with_nonce.record.sequence, void_with_nonce.record.nonce) = (2, 9);
    void_with_nonce.record.kind = SaleKind::Void { sequence: 1 };
    sales.add(
        MALFORMED,
        "a void with a nonce is refused",
        "Voids have none.",
        void_with_nonce.build().to_bytes(),
    );

    // In the uploaded bytes the kind is at 64, the code's length at 115 and the code from 117 on.
    let good = SaleBuilder::new(kit).build().to_bytes();
    let patched = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        sign_again(kit, bytes)
    };
    sales.add(
        MALFORMED,
        "a record of kind 0 is refused",
        "Kinds are 1 to 3.",
        patched(64, 0),
    );
    sales.add(
        MALFORMED,
        "a record of kind 4 is refused",
        "Kinds are 1 to 3.",
        patched(64, 4),
    );
    sales.add(
        MALFORMED,
        "a void that holds a code is refused",
        "It holds the number of a record.",
        patched(64, 2),
    );
    sales.add(
        MALFORMED,
        "a record whose code is cut is refused",
        "Codes have 80 or 190 bytes.",
        {
            let mut bytes = good[..good.len() - 65].to_vec();
            bytes[116] = 79;
            bytes.extend([0; 64]);
            sign_again(kit, bytes)
        },
    );
    sales.add(
        MALFORMED,
        "a record whose length lies is refused",
        "The code's length and the record's belong together.",
        patched(116, 81),
    );
    sales.add(
        MALFORMED,
        "a record whose code is not canonical is refused",
        "Site 255.",
        patched(117 + 14, 255),
    );
    sales.add(
        MALFORMED,
        "a record with a byte behind is refused",
        "Nothing follows the signature.",
        [&good[..], &[0]].concat(),
    );
    sales.add(
        MALFORMED,
        "a record without its last byte is refused",
        "An upload may be cut.",
        good[..good.len() - 1].to_vec(),
    );
    sales.add(
        MALFORMED,
        "an empty record is refused",
        "There is nothing to read.",
        Vec::new(),
    );
    let mut zero = good.clone();
    let start = zero.len() - 64;
    zero[start..].fill(0);
    sales.add(
        MALFORMED,
        "an unsigned record is refused",
        "r and s are from 1 to n − 1.",
        zero,
    );
}

fn refused_by_signature(world: &World, sales: &mut Sales<'_>) {
    let kit = &world.north;
    let good = SaleBuilder::new(kit).build();
    let mut raised = good;
    raised.record.amount = fen(9999);
    sales.add(
        "SIGNER_SIG",
        "a record whose amount was raised is refused",
        "The amount is under the terminal's signature.",
        raised.to_bytes(),
    );
    let mut other = SaleBuilder::new(kit);
    other.terminal = kit.table.clone();
    sales.add(
        "SIGNER_SIG",
        "a record signed by another key is refused",
        "Each terminal has its own key.",
        other.build().to_bytes(),
    );
    let mut bytes = good.to_bytes();
    let start = bytes.len() - 64;
    let preimage = [&crate::message::padded("YIKA1.mark")[..], &bytes[..start]].concat();
    bytes[start..].copy_from_slice(kit.terminal.sign(&preimage).as_bytes());
    sales.add(
        "SIGNER_SIG",
        "a record signed under another tag is refused",
        "Each kind of signature has its own tag.",
        bytes,
    );
    let mut elsewhere = SaleBuilder::new(kit);
    elsewhere.record.school = world.south.school;
    sales.add(
        "WRONG_SCHOOL",
        "a record of another school is refused",
        "It is uploaded to the north and says south.",
        elsewhere.build().to_bytes(),
    );
    let mut forged = CodeBuilder::new(kit);
    forged.device = kit.terminal.clone();
    let mut sale = SaleBuilder::new(kit);
    sale.record.kind = SaleKind::Purchase(Code::Short(forged.short()));
    sales.add(
        "DEVICE_SIG",
        "a record of a code that the device did not sign is refused",
        "A terminal can't make codes.",
        sale.build().to_bytes(),
    );
    sales.add(
        "DEVICE_SIG",
        "a record of a code of the profile to come is refused",
        "No key of profile 1 verifies yet.",
        {
            let mut bytes = good.to_bytes();
            bytes[117] = 0x15;
            sign_again(kit, bytes)
        },
    );
    let mut inflated = confirmed(kit);
    inflated.record.amount = fen(SOUGHT.amount_fen + 1);
    sales.add(
        "DEVICE_SIG",
        "a record of another amount than was confirmed is refused",
        "The device signed 80 yuan, the terminal one fen more.",
        inflated.build().to_bytes(),
    );
}

fn sign_again(kit: &SignerKit, mut bytes: Vec<u8>) -> Vec<u8> {
    let start = bytes.len() - 64;
    let preimage = [&crate::message::padded("YIKA1.sale")[..], &bytes[..start]].concat();
    bytes[start..].copy_from_slice(kit.terminal.sign(&preimage).as_bytes());
    bytes
}
