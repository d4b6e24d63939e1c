//! Reads the test vectors and runs them: from the JSON files alone to an outcome.

// What is wrong with a file stops the test that reads it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use yika_format::code::Code;
use yika_format::confirmation::Confirmation;
use yika_format::credential::Credential;
use yika_format::lists::{
    Delta, Directory, Faces, Header, Keyset, ListError, Revocations, Root, SettledMark, SignedTime, Table,
};
use yika_format::proof::key_proof_preimage;
use yika_format::sale::SignedSale;
use yika_format::verifier::{
    Decision, NoKeyCache, Purpose, Request, SaleId, SchoolLists, Standing, TerminalKind, TerminalProfile,
    TerminalTime, authenticate, authorise,
};
use yika_format::{
    Amount, Counter, Epoch, ExpandedKey, PublicKey, RecipientKey, SchoolHash, Sequence, Signature,
    UnixMillis, UnixSeconds,
};
use yika_testkit::vectors::{
    Case, CodeCase, Common, Hex, Kind, ListCase, ListMessage, ProofCase, SaleCase, Vector, describe_code,
    describe_confirmation, describe_credential, describe_directory, describe_faces, describe_keyset,
    describe_revocations, describe_sale, describe_table,
};

/// What came of a vector: the word that it expects, and what was read.
pub(crate) struct Outcome {
    pub(crate) word: &'static str,
    pub(crate) fields: Option<Value>,
}

/// A refusal, or bytes that were accepted and read.
type Read = Result<Option<Value>, &'static str>;

/// The folder of the vectors.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every vector with the name of its file.
pub(crate) fn vectors() -> Vec<(String, Vector)> {
    let mut vectors: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| !path.ends_with("common.json"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                read(&path),
            )
        })
        .collect();
    vectors.sort_by(|(a, _), (b, _)| a.cmp(b));
    vectors
}

/// The keys and lists that the vectors share, opened.
pub(crate) struct Shared {
    common: Common,
    keysets: BTreeMap<String, Keyset>,
    tables: BTreeMap<String, Table>,
    revocations: BTreeMap<String, Revocations>,
}

impl Shared {
    pub(crate) fn read() -> Self {
        let common: Common = read(&folder().join("common.json"));
        let mut shared = Self {
            common,
            keysets: BTreeMap::new(),
            tables: BTreeMap::new(),
            revocations: BTreeMap::new(),
        };
        for (name, Hex(bytes)) in &shared.common.lists {
            if name.ends_with("keyset") {
                let root = shared.root(school_of(name));
                shared
                    .keysets
                    .insert(name.clone(), Keyset::open(bytes, &root).unwrap());
            }
        }
        for (name, Hex(bytes)) in &shared.common.lists {
            let keyset = &shared.keysets[&format!("{}-keyset", school_of(name))];
            if name.contains("table") {
                shared
                    .tables
                    .insert(name.clone(), Table::open(bytes, keyset).unwrap());
            } else if name.contains("revocations") {
                let list = Revocations::open(bytes, keyset).unwrap();
                shared.revocations.insert(name.clone(), list);
            }
        }
        shared
    }

    fn school(&self, name: &str) -> SchoolHash {
        let facts = &self.common.schools[name];
        let hash = SchoolHash::of_domain(&facts.domain);
        assert_eq!(facts.hash.0, hash.0);
        hash
    }

    fn root(&self, school: &str) -> Root {
        Root {
            school: self.school(school),
            key: key(&self.common.schools[school].root),
        }
    }

    /// Runs a vector.
    pub(crate) fn run(&self, case: &Case) -> Outcome {
        let read = match case {
            Case::Code(case) => return self.run_code(case),
            Case::Credential(case) => {
                let school = self.school(&case.school);
                run_credential(&case.input.0, &school, &key(&case.issuer_key))
            }
            Case::List(case) => self
                .run_list(case, &case.input.bytes())
                .map(Some)
                .map_err(ListError::code),
            Case::Sale(case) => self.run_sale(case, &case.input.0),
            Case::Confirmation(case) => match Confirmation::from_text(case.input.as_bytes()) {
                Ok(asked) => Ok(Some(describe_confirmation(&asked))),
                Err(_) => Err("MALFORMED"),
            },
            Case::Proof(case) => self.run_proof(case),
        };
        match read {
            Ok(fields) => Outcome {
                word: "ACCEPT",
                fields,
            },
            Err(word) => Outcome { word, fields: None },
        }
    }

    fn run_code(&self, case: &CodeCase) -> Outcome {
        match self.decide(case, Code::from_text(case.input.as_bytes())) {
            Ok((Decision::Approve, fields)) => Outcome {
                word: "APPROVE",
                fields: Some(fields),
            },
            Ok((Decision::AnswerAsBefore, _)) => Outcome {
                word: "ANSWER_AS_BEFORE",
                fields: None,
            },
            Err(word) => Outcome { word, fields: None },
        }
    }

    /// What the terminal of this case decides about a code.
    pub(crate) fn decide<E>(
        &self,
        case: &CodeCase,
        code: Result<Code, E>,
    ) -> Result<(Decision, Value), &'static str> {
        let code = code.map_err(|_| "MALFORMED")?;
        let schools: Vec<_> = case
            .schools
            .iter()
            .map(|held| SchoolLists {
                keyset: &self.keysets[&held.keyset],
                table: held.table.as_ref().map(|name| &self.tables[name]),
                revocations: held.revocations.as_ref().map(|name| &self.revocations[name]),
            })
            .collect();
        let time = TerminalTime {
            now: UnixMillis(case.time.now_ms),
            uncertainty_s: case.time.uncertainty_s,
            is_anchored: case.time.anchored,
        };
        let asked = case.confirmation.map(Confirmation::from);
        let genuine = authenticate(&code, &schools, &time, &NoKeyCache, asked.as_ref())
            .map_err(|reason| reason.code())?;
        let request = Request {
            purpose: match case.request.pay_fen {
                Some(fen) => Purpose::Payment { amount: Amount(fen) },
                None => Purpose::Identity,
            },
            sale: sale_id(&case.request.sale),
        };
        let terminal = TerminalProfile {
            kind: match case.terminal.kind {
                Kind::Pos => TerminalKind::Pos,
                Kind::Gate => TerminalKind::Gate,
                Kind::Library => TerminalKind::Library,
            },
            sites: case.terminal.sites.clone(),
            is_attended: case.terminal.attended,
            installed: UnixSeconds(case.terminal.installed),
        };
        let standing = Standing {
            last: case.standing.last.map(sequence),
            spent: Amount(case.standing.spent_fen),
            accepted_for: case.standing.accepted_for.as_ref().map(sale_id),
        };
        authorise(&genuine, &request, &terminal, &time, &standing)
            .map(|decision| {
                (
                    decision,
                    describe_code(&code, &genuine.school, genuine.confirmed.as_ref()),
                )
            })
            .map_err(|refusal| refusal.reason.code())
    }

    /// What a reader of this case makes of a message.
    pub(crate) fn run_list(&self, case: &ListCase, bytes: &[u8]) -> Result<Value, ListError> {
        let keyset = || &self.keysets[case.keyset.as_ref().unwrap()];
        let check = |header: &Header| {
            case.have_version
                .map_or(Ok(()), |have| header.check_newer_than(have))
        };
        match case.message {
            ListMessage::Keyset => {
                let opened = Keyset::open(bytes, &self.root(&case.school))?;
                check(opened.header())?;
                Ok(describe_keyset(&opened))
            }
            ListMessage::Table => {
                let opened = Table::open(bytes, keyset())?;
                check(opened.header())?;
                Ok(describe_table(&opened))
            }
            ListMessage::Delta => {
                let delta = Delta::open(bytes, keyset())?;
                let table = &self.tables[case.table.as_ref().unwrap()];
                Ok(describe_table(&table.apply(&delta)?))
            }
            ListMessage::Revocations => {
                let opened = Revocations::open(bytes, keyset())?;
                check(opened.header())?;
                Ok(describe_revocations(&opened))
            }
            ListMessage::Time => {
                let nonce = case.nonce.as_ref().unwrap().0[..].try_into().unwrap();
                let opened = SignedTime::open(bytes, keyset(), nonce)?;
                Ok(json!({ "now_ms": opened.now.0 }))
            }
            ListMessage::Directory => {
                let key = case.private_key.as_ref().unwrap().0[..].try_into().unwrap();
                let key = RecipientKey::from_bytes(key).unwrap();
                let opened = Directory::open(bytes, keyset(), case.terminal.unwrap(), &key)?;
                check(opened.header())?;
                Ok(describe_directory(&opened))
            }
            ListMessage::Faces => {
                let opened = Faces::open(bytes, keyset())?;
                check(opened.header())?;
                Ok(describe_faces(&opened))
            }
            ListMessage::Mark => {
                let opened = SettledMark::open(bytes, keyset())?;
                Ok(json!({ "terminal": opened.terminal, "sequence": opened.sequence }))
            }
        }
    }

    /// What the platform makes of an uploaded record.
    pub(crate) fn run_sale(&self, case: &SaleCase, bytes: &[u8]) -> Read {
        let sale = SignedSale::decode(bytes).map_err(|_| "MALFORMED")?;
        let school = self.school(&case.school);
        if sale.record.school != school {
            return Err("WRONG_SCHOOL");
        }
        sale.verify(&key(&case.terminal_key)).map_err(|_| "SIGNER_SIG")?;
        if let (Some(code), Some(device)) = (sale.record.code(), &case.device_key) {
            let confirmation = sale.record.confirmation();
            code.verify_device(&school, &key(device), confirmation.as_ref())
                .map_err(|_| "DEVICE_SIG")?;
        }
        Ok(Some(describe_sale(&sale)))
    }

    fn run_proof(&self, case: &ProofCase) -> Read {
        let signature = Signature::from_raw_or_der(&case.input.0).map_err(|_| "MALFORMED")?;
        let preimage = key_proof_preimage(
            &self.school(&case.school),
            case.nonce.0[..].try_into().unwrap(),
            case.device.0[..].try_into().unwrap(),
            &public(&case.key),
        );
        key(&case.key)
            .verify(&preimage, &signature)
            .map_err(|_| "DEVICE_SIG")?;
        Ok(None)
    }
}

fn run_credential(bytes: &[u8], school: &SchoolHash, issuer: &ExpandedKey) -> Read {
    let credential = Credential::decode(bytes).map_err(|_| "MALFORMED")?;
    credential.verify(school, issuer).map_err(|_| "ISSUER_SIG")?;
    Ok(Some(describe_credential(&credential, school)))
}

fn school_of(list: &str) -> &str {
    list.split('-').next().unwrap()
}

fn public(hex: &Hex) -> PublicKey {
    PublicKey::from_compressed(hex.0[..].try_into().unwrap()).unwrap()
}

fn key(hex: &Hex) -> ExpandedKey {
    public(hex).expand().unwrap()
}

fn sale_id(hex: &Hex) -> SaleId {
    SaleId(hex.0[..].try_into().unwrap())
}

fn sequence(number: u32) -> Sequence {
    let [_, epoch, high, low] = number.to_be_bytes();
    let counter = u16::from_be_bytes([high, low]);
    Sequence::new(Epoch::new(epoch).unwrap(), Counter::new(counter).unwrap())
}
