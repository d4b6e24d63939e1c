//! A till, a library desk and a gate's face engine written in C, compiled against the committed header and run, with a platform on loopback
//! that has the test kit's lists. Only what C calls for is played: proofs are not looked at here.

#![cfg(target_os = "linux")]
// Helpers of tests stop where a test would.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use yika_api::school::{School, ServerTime};
use yika_api::terminal::{
    EnrolTerminal, EnrolledTerminal, Merchant, MerchantId, SaleOutcome, SaleResult, SaleUpload,
    SaleUploadReply, TerminalId, TerminalKind, TerminalStatus,
};
use yika_api::{Base64Url, LocalizedText, UnixMillis as ApiMillis};
use yika_format::code::Use;
use yika_format::lists::{DirectoryEntry, HolderNumber, Row};
use yika_format::sale::SignedSale;
use yika_format::{Pseudonym, PublicKey, UnixMillis, UnixSeconds};
use yika_terminal::{Enrol, TerminalOptions, enrol};
use yika_testkit::{CodeBuilder, ListBuilder, SignerKit, face_entry};

const DOMAIN: &str = "campus.example";
const DAY_S: u32 = 86_400;
/// The portraits that the platform delivers, by the bytes of their references.
const PORTRAITS: [(u8, &[u8]); 2] = [(0x11, b"\xff\xd8one"), (0xee, b"\xff\xd8another")];

/// The machine's time: the C program's terminal reads the real clocks.
fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    UnixMillis(since.as_millis().try_into().unwrap())
}

fn now_s() -> UnixSeconds {
    UnixSeconds(now().seconds().try_into().unwrap())
}

/// The kit's lists, good now.
fn lists(kit: &SignerKit) -> ListBuilder {
    let mut lists = ListBuilder::new(kit);
    lists.issued = now();
    lists.good_until = UnixMillis(now().0 + u64::from(DAY_S) * 1000);
    for key in &mut lists.keys {
        (key.from, key.to) = (
            UnixSeconds(now_s().0 - DAY_S),
            UnixSeconds(now_s().0 + 30 * DAY_S),
        );
    }
    for row in &mut lists.rows {
        row.until_day = Row::day_of(UnixSeconds(now_s().0 + 7 * DAY_S).into()).unwrap();
    }
    lists
}

fn name(text: &str) -> LocalizedText {
    LocalizedText {
        zh: text.to_owned(),
        en: text.to_owned(),
    }
}

struct Campus {
    lists: ListBuilder,
    directory_key: Option<PublicKey>,
    next_sequence: u64,
}

impl Campus {
    fn new(kit: &SignerKit) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            lists: lists(kit),
            directory_key: None,
            next_sequence: 1,
        }))
    }

    fn enrolled(&self, kind: TerminalKind) -> EnrolledTerminal {
        EnrolledTerminal {
            id: TerminalId(7),
            kind,
            label: "Till 7".to_owned(),
            merchant: Some(Merchant {
                id: MerchantId(42),
                name: name("Canteen"),
            }),
            sites: vec![],
            school: School {
                domain: DOMAIN.to_owned(),
                name: name("Example University"),
                root_key: Base64Url::from(*self.lists.kit.root.public().as_bytes()),
                time_zone: "Asia/Shanghai".to_owned(),
                host_issuer: "https://host.campus.example".to_owned(),
                host_audience: "yika".to_owned(),
            },
        }
    }

    fn answer(&mut self, method: &Method, path: &str, body: &Bytes) -> Response {
        match (method.as_str(), path) {
            ("GET", "/v1/time") => axum::Json(ServerTime {
                now: ApiMillis(now().0.try_into().unwrap()),
            })
            .into_response(),
            ("POST", "/v1/terminals") => {
                let request: EnrolTerminal = serde_json::from_slice(body).unwrap();
                self.directory_key = request
                    .directory_key
                    .map(|key| PublicKey::from_compressed(key.to_array().unwrap()).unwrap());
                axum::Json(self.enrolled(request.kind)).into_response()
            }
            ("GET", "/v1/school/keyset") => self.lists.keyset().into_response(),
            ("GET", "/v1/terminals/table") => self.lists.table().into_response(),
            ("GET", "/v1/terminals/revocations") => self.lists.revocations().into_response(),
            ("GET", "/v1/terminals/directory") => self.directory().into_response(),
            ("GET", "/v1/terminals/faces") => {
                let entries = PORTRAITS.map(|(reference, jpeg)| face_entry(reference, jpeg));
                self.lists.faces(&entries).into_response()
            }
            ("POST", "/v1/terminals/faces/applied") => StatusCode::NO_CONTENT.into_response(),
            ("GET", path) if path.starts_with("/v1/terminals/faces/") => {
                let portrait = PORTRAITS.iter().find(|(reference, jpeg)| {
                    let name = face_entry(*reference, jpeg).reference.to_string();
                    path.ends_with(&name)
                });
                portrait.unwrap().1.into_response()
            }
            ("POST", "/v1/terminals/time") => {
                let nonce = body.as_ref().try_into().unwrap();
                self.lists.time(&nonce, now()).into_response()
            }
            ("GET", "/v1/terminals/current") => axum::Json(TerminalStatus {
                id: TerminalId(7),
                next_sequence: self.next_sequence,
                frozen: false,
            })
            .into_response(),
            ("POST", "/v1/terminals/sales") => self.take_in(body),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn directory(&self) -> Vec<u8> {
        let alice = DirectoryEntry {
            pseudonym: Pseudonym(*b"alice"),
            number: HolderNumber::new("20260001").unwrap(),
        };
        let key = self.directory_key.unwrap().expand().unwrap();
        self.lists.directory(7, &key, &[alice])
    }

    fn take_in(&mut self, body: &Bytes) -> Response {
        let upload: SaleUpload = serde_json::from_slice(body).unwrap();
        let mut outcomes = Vec::new();
        for record in upload.records {
            let sequence = SignedSale::decode(&record.0).unwrap().record.sequence;
            assert_eq!(sequence, self.next_sequence);
            self.next_sequence += 1;
            outcomes.push(SaleOutcome {
                sequence,
                result: SaleResult::Posted,
                repeated: false,
            });
        }
        let settled_mark = self.lists.mark(7, self.next_sequence - 1).into();
        axum::Json(SaleUploadReply {
            outcomes,
            next_sequence: self.next_sequence,
            settled_mark,
        })
        .into_response()
    }
}

async fn answer(State(campus): State<Arc<Mutex<Campus>>>, method: Method, uri: Uri, body: Bytes) -> Response {
    campus.lock().unwrap().answer(&method, uri.path(), &body)
}

/// Starts the platform and enrols a terminal of this kind in `home`.
async fn enrol_terminal(home: &Path, kind: TerminalKind, campus: Arc<Mutex<Campus>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let platform = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(campus);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let request = Enrol {
        platform: platform.parse().unwrap(),
        request: EnrolTerminal {
            kind,
            merchant: Some(MerchantId(42)),
            label: None,
            enrolment_code: None,
            directory_key: None,
        },
        root_key: None,
        authorities: Vec::new(),
    };
    let options = TerminalOptions {
        patience: Duration::ZERO,
        ..TerminalOptions::default()
    };
    enrol(home, &options, &request).await.unwrap();
}

/// Compiles this source and links it to the library that cargo built beside this test.
fn compile(source: &str, program: &Path) {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let test = std::env::current_exe().unwrap();
    let libraries = test.parent().unwrap();
    let status = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror"])
        .arg("-I")
        .arg(crate_dir.join("include"))
        .arg(crate_dir.join("tests").join(source))
        .arg("-L")
        .arg(libraries)
        .arg("-lyika_terminal_capi")
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .arg("-o")
        .arg(program)
        .status()
        .unwrap();
    assert!(status.success(), "the C program does not compile");
}

/// The compiled program, to be run with the library that it was linked to: Cargo tells its tests of a folder that may
/// hold an older one, and what stands in this variable goes before the path that the program itself names.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_remove("LD_LIBRARY_PATH");
    command
}

#[test]
fn a_till_in_c_takes_refuses_voids_and_uploads() {
    let folder = tempfile::tempdir().unwrap();
    let (home, program) = (folder.path().join("till"), folder.path().join("smoke"));
    compile("smoke.c", &program);
    let kit = SignerKit::new(DOMAIN);
    let campus = Campus::new(&kit);
    // Kept until the end: the platform answers on its threads while the program runs.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(enrol_terminal(&home, TerminalKind::Pos, Arc::clone(&campus)));
    let code = |counter| {
        let mut code = CodeBuilder::new(&kit).counter(counter);
        code.dynamic.time = now_s();
        code.short().to_text()
    };
    let output = command(&program)
        .arg(&home)
        .args([code(100), code(101)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"done\n");
    // Two payments and the void of the second have arrived.
    assert_eq!(campus.lock().unwrap().next_sequence, 4);
}

#[test]
fn a_library_desk_in_c_learns_whose_identity_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (home, program) = (folder.path().join("desk"), folder.path().join("library"));
    compile("library.c", &program);
    let kit = SignerKit::new(DOMAIN);
    let campus = Campus::new(&kit);
    let stranger = Row {
        pseudonym: Pseudonym(*b"other"),
        ..campus.lock().unwrap().lists.rows[0]
    };
    campus.lock().unwrap().lists.rows.push(stranger);
    // Kept until the end: the platform answers on its threads while the program runs.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(enrol_terminal(&home, TerminalKind::Library, campus));
    let code = |usage, pseudonym, counter| {
        let mut code = CodeBuilder::new(&kit).counter(counter);
        code.credential.body.pseudonym = pseudonym;
        code.dynamic.time = now_s();
        code.dynamic.usage = usage;
        code.short().to_text()
    };
    let alice = Pseudonym(*b"alice");
    let output = command(&program)
        .arg(&home)
        .args([
            code(Use::Identity, alice, 100),
            code(Use::Identity, alice, 101),
            code(Use::Identity, stranger.pseudonym, 100),
            code(Use::Payment(yika_testkit::slot(1)), alice, 102),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"done\n");
}

#[test]
fn a_gate_in_c_is_given_the_portraits_that_it_may_use() {
    let folder = tempfile::tempdir().unwrap();
    let (home, program) = (folder.path().join("gate"), folder.path().join("engine"));
    compile("gate.c", &program);
    let campus = Campus::new(&SignerKit::new(DOMAIN));
    // Kept until the end: the platform answers on its threads while the program runs.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(enrol_terminal(&home, TerminalKind::Gate, campus));
    let output = command(&program).arg(&home).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"done\n");
}
