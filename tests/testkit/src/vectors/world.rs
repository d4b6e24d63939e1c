//! The world that the vectors share: two schools, their keys and lists, and the people of one of them.

use super::{
    Asked, Case, CodeCase, Common, Held, Hex, KeyFacts, Kind, Place, SchoolFacts, Standing, Time, Vector,
    describe_code,
};
use crate::{
    CodeBuilder, ListBuilder, NOW, SignerKit, TestKey, at, at_ms, sign_full, sign_short, to_text, yuan,
};
use std::collections::BTreeMap;
use yika_format::code::Code;
use yika_format::credential::Scopes;
use yika_format::lists::{KeysetEntry, Revocation, Role, Row};
use yika_format::{AccountMask, Epoch, KeyId, MinEpoch, Profile, Pseudonym, PublicKey};

/// Two schools.
pub struct World {
    /// Where most of the vectors play.
    pub north: SignerKit,
    /// Another school, which knows `alice` by the same pseudonym and key.
    pub south: SignerKit,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// The world.
    pub fn new() -> Self {
        Self {
            north: SignerKit::new("north.example"),
            south: SignerKit::new("south.example"),
        }
    }

    /// The key of a person's phone.
    pub(super) fn device(&self, name: &str) -> TestKey {
        match name {
            "alice" => self.north.device.clone(),
            _ => TestKey::named(&format!("north.example device {name}")),
        }
    }

    /// The usual code of a person, whose name is the pseudonym: five letters.
    pub(super) fn person(&self, name: &str) -> CodeBuilder {
        let mut code = CodeBuilder::new(&self.north);
        code.device = self.device(name);
        code.credential.body.pseudonym = pseudonym(name);
        code.credential.body.device_key = code.device.public();
        code
    }

    /// The text of alice's usual short code after `patch`, signed after it.
    pub(super) fn short_patched(&self, patch: impl FnOnce(&mut [u8])) -> String {
        let mut bytes = CodeBuilder::new(&self.north).short().to_bytes();
        patch(&mut bytes);
        sign_short(&mut bytes, &self.north.school, &self.north.device);
        to_text("C1", &bytes)
    }

    /// The text of alice's usual full code after `patch`, signed by issuer and device after it.
    pub(super) fn full_patched(&self, patch: impl FnOnce(&mut [u8])) -> String {
        let mut bytes = CodeBuilder::new(&self.north).full().to_bytes();
        patch(&mut bytes);
        sign_full(
            &mut bytes,
            &self.north.school,
            &self.north.credential,
            &self.north.device,
        );
        to_text("C2", &bytes)
    }

    /// Key 2 gave credentials until yesterday, key 3 will from tomorrow on, key 11 signed tables until yesterday.
    fn north_keys(&self) -> Vec<KeysetEntry> {
        let mut keys = ListBuilder::new(&self.north).keys;
        let entry = |id, role, name: &str, from, to| KeysetEntry {
            id: KeyId(id),
            role,
            from: at(from),
            to: at(to),
            key: TestKey::named(&format!("north.example {name}")).public(),
        };
        const DAY: i64 = 86_400;
        keys.insert(
            1,
            entry(2, Role::Credential, "credential before", -300 * DAY, -DAY),
        );
        keys.insert(2, entry(3, Role::Credential, "credential next", DAY, 300 * DAY));
        keys.insert(4, entry(11, Role::Table, "table before", -300 * DAY, -DAY));
        keys
    }

    fn north_rows(&self) -> Vec<Row> {
        let row = |name: &str| Row {
            pseudonym: pseudonym(name),
            key: self.device(name).public(),
            ..ListBuilder::row(&self.north)
        };
        let mut rows = [
            "alice", "bruno", "carla", "david", "erika", "fritz", "gerda", "hanna", "heinz", "irene",
        ]
        .into_iter()
        .chain(["mario", "oscar"])
        .map(row)
        .collect::<Vec<_>>();
        let [
            _,
            bruno,
            carla,
            david,
            erika,
            fritz,
            gerda,
            hanna,
            heinz,
            irene,
            mario,
            _,
        ] = &mut rows[..]
        else {
            unreachable!("twelve people")
        };
        (bruno.epoch, bruno.min_epoch) = (epoch(5), min_epoch(5));
        carla.epoch = epoch(4);
        carla.attributes.per_use = yuan(10);
        carla.attributes.cumulative = yuan(20);
        carla.attributes.accounts = AccountMask(0b001);
        carla.attributes.scopes = carla.attributes.scopes.without(Scopes::LIBRARY_FEE);
        david.until_day -= 8;
        erika.flags.offline_payment = false;
        fritz.flags.profile = Profile::Sm2;
        gerda.attributes.scopes = Scopes::default();
        hanna.attributes.scopes = Scopes::GATE.union(Scopes::POS).union(Scopes::LIBRARY_FEE);
        heinz.min_epoch = MinEpoch::DEAD;
        irene.key = off_curve();
        mario.attributes.accounts = AccountMask(0xff);
        rows
    }

    /// North's lists: everyone's rows, and julia, lenny and oscar revoked.
    pub(super) fn north_lists(&self) -> ListBuilder {
        let revoked = [("julia", 255), ("lenny", 4), ("oscar", 4)];
        ListBuilder {
            keys: self.north_keys(),
            rows: self.north_rows(),
            revoked: revoked
                .map(|(name, lowest)| Revocation {
                    pseudonym: pseudonym(name),
                    min_epoch: min_epoch(lowest),
                })
                .to_vec(),
            ..ListBuilder::new(&self.north)
        }
    }

    /// South's lists: alice only, with the same pseudonym and key as in the north.
    pub(super) fn south_lists(&self) -> ListBuilder {
        let mut south = self.south.clone();
        south.device = self.north.device.clone();
        ListBuilder::new(&south)
    }

    /// What the files share.
    pub fn common(&self) -> Common {
        let (north, south) = (self.north_lists(), self.south_lists());
        let late = ListBuilder {
            good_until: at_ms(-1),
            ..north.clone()
        };
        let mut strict = north.clone();
        strict.policy.identity_without_revocations = false;
        let lists = [
            ("north-keyset", north.keyset()),
            ("north-table", north.table()),
            ("north-table-out-of-date", late.table()),
            ("north-table-strict", strict.table()),
            ("north-revocations", north.revocations()),
            ("north-revocations-out-of-date", late.revocations()),
            ("south-keyset", south.keyset()),
            ("south-table", south.table()),
            ("south-revocations", south.revocations()),
        ];
        Common {
            schools: [("north", &self.north), ("south", &self.south)]
                .map(|(name, kit)| (name.to_owned(), school_facts(&format!("{name}.example"), kit)))
                .into(),
            keys: self.keys(),
            lists: lists.map(|(name, bytes)| (name.to_owned(), Hex(bytes))).into(),
        }
    }

    fn keys(&self) -> BTreeMap<String, KeyFacts> {
        let mut keys = BTreeMap::new();
        for (school, kit) in [("north", &self.north), ("south", &self.south)] {
            for (role, key) in [
                ("root", &kit.root),
                ("credential", &kit.credential),
                ("table", &kit.table),
                ("time", &kit.time),
                ("terminal", &kit.terminal),
            ] {
                keys.insert(format!("{school} {role}"), key_facts(key));
            }
        }
        keys.insert("alice's phone".to_owned(), key_facts(&self.north.device));
        keys
    }

    /// A POS of the north that has everything, is sure of the time to a second, and is asked to take ¥12.50.
    pub(super) fn at_pos(&self) -> CodeCase {
        CodeCase {
            schools: vec![held("north")],
            terminal: Place {
                kind: Kind::Pos,
                sites: vec![1, 2],
                attended: true,
                installed: at(-30 * 86_400).0,
            },
            time: Time {
                now_ms: u64::from(NOW.0) * 1000,
                uncertainty_s: 1,
                anchored: true,
            },
            request: Asked {
                pay_fen: Some(1250),
                sale: Hex(vec![0x11; 16]),
            },
            standing: Standing {
                last: None,
                spent_fen: 0,
                accepted_for: None,
            },
            confirmation: None,
            input: String::new(),
        }
    }

    /// A gate of the north.
    pub(super) fn at_gate(&self) -> CodeCase {
        let mut case = self.at_pos();
        case.terminal.kind = Kind::Gate;
        case.terminal.attended = false;
        case.request.pay_fen = None;
        case
    }

    /// The library desk of the north, asked to lend.
    pub(super) fn at_library(&self) -> CodeCase {
        let mut case = self.at_pos();
        case.terminal.kind = Kind::Library;
        case.request.pay_fen = None;
        case
    }
}

/// Vectors of codes, collected.
pub(super) struct Codes<'a> {
    pub(super) world: &'a World,
    pub(super) vectors: Vec<Vector>,
}

impl<'a> Codes<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        Self {
            world,
            vectors: Vec::new(),
        }
    }

    /// A code at the POS after `change`.
    pub(super) fn pos(
        &mut self,
        expect: &str,
        name: &str,
        why: &str,
        input: String,
        change: impl FnOnce(&mut CodeCase),
    ) {
        let mut case = self.world.at_pos();
        change(&mut case);
        self.add(expect, name, why, input, case);
    }

    /// A code in this scene. What is approved is described.
    pub(super) fn add(&mut self, expect: &str, name: &str, why: &str, input: String, mut case: CodeCase) {
        case.input = input;
        let code = Code::from_text(case.input.as_bytes());
        let fields = code.ok().filter(|_| expect == "APPROVE").map(|code| {
            let south = case.schools.last().is_some_and(|held| held.school == "south");
            let kit = if south {
                &self.world.south
            } else {
                &self.world.north
            };
            let sought = case.confirmation.map(|sought| sought.into());
            describe_code(&code, &kit.school, sought.as_ref())
        });
        self.vectors.push(Vector {
            name: name.to_owned(),
            why: why.to_owned(),
            case: Case::Code(Box::new(case)),
            expect: expect.to_owned(),
            fields,
        });
    }
}

/// All lists of a school.
pub(super) fn held(school: &str) -> Held {
    Held {
        school: school.to_owned(),
        keyset: format!("{school}-keyset"),
        table: Some(format!("{school}-table")),
        revocations: Some(format!("{school}-revocations")),
    }
}

pub(super) fn pseudonym(name: &str) -> Pseudonym {
    Pseudonym(name.as_bytes().try_into().expect("names have five letters"))
}

pub(super) fn epoch(number: u8) -> Epoch {
    Epoch::new(number).expect("1 to 254")
}

pub(super) fn min_epoch(number: u8) -> MinEpoch {
    MinEpoch::new(number).expect("1 to 255")
}

/// A key whose x is that of no point.
pub(super) fn off_curve() -> PublicKey {
    (0..=255)
        .filter_map(|last| {
            let mut bytes = [2; 33];
            bytes[32] = last;
            PublicKey::from_compressed(bytes).ok()
        })
        .find(|key| key.expand().is_err())
        .expect("half of all x are off the curve")
}

fn school_facts(domain: &str, kit: &SignerKit) -> SchoolFacts {
    SchoolFacts {
        domain: domain.to_owned(),
        hash: kit.school.0.into(),
        root: Hex(kit.root.public().as_bytes().to_vec()),
    }
}

fn key_facts(key: &TestKey) -> KeyFacts {
    KeyFacts {
        private: key.private().into(),
        public: Hex(key.public().as_bytes().to_vec()),
    }
}
