//! A platform for one terminal, on loopback: the test kit's lists, a journal of what was uploaded, and switches for what can
//! go wrong. It insists on proofs of possession with its nonce, as the real one does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use yika_api::dpop::UnverifiedProof;
use yika_api::school::{School, ServerTime};
use yika_api::terminal::{
    DeltaChain, EnrolTerminal, EnrolledTerminal, FacesApplied, Merchant, MerchantId, SaleOutcome, SaleResult,
    SaleUpload, SaleUploadReply, TerminalId, TerminalKind, TerminalStatus,
};
use yika_api::{Base64Url, DPOP, DPOP_NONCE, LocalizedText, Problem, ProblemCode, UnixMillis};
use yika_format::lists::{DirectoryEntry, FaceEntry};
use yika_format::sale::SignedSale;
use yika_format::{ExpandedKey, FaceReference, PublicKey, Signature};
use yika_testkit::{ListBuilder, NOW, SignerKit};

/// The school of all tests.
pub(crate) const DOMAIN: &str = "campus.example";
/// The terminal's number.
pub(crate) const TERMINAL: u64 = 7;

const NONCE: &str = "nonce-of-now";

/// What the platform has and does.
pub(crate) struct Campus {
    /// What it answers to an enrolment, with the kind that was asked for.
    pub(crate) enrolled: EnrolledTerminal,
    /// Its lists.
    pub(crate) lists: ListBuilder,
    /// The deltas that it still has; `None` where no chain leads to the newest table.
    pub(crate) deltas: Option<Vec<Vec<u8>>>,
    /// Whose pseudonym is whose, in the directory of a library desk.
    pub(crate) holders: Vec<DirectoryEntry>,
    /// Which portraits its list of faces has; `None` where it has no such list.
    pub(crate) faces: Option<Vec<FaceEntry>>,
    /// What it sends for each portrait.
    pub(crate) portraits: BTreeMap<FaceReference, Vec<u8>>,
    /// The portrait in the middle of which connections break.
    pub(crate) cut: Option<FaceReference>,
    /// Where the terminal keeps its portraits: looked at when it says what it has applied.
    pub(crate) faces_folder: PathBuf,
    /// The versions of the list of faces that were said to be applied, and which files the terminal had then.
    pub(crate) applied: Vec<(u64, Vec<String>)>,
    /// The records that it has, by number.
    pub(crate) records: BTreeMap<u64, Vec<u8>>,
    /// How far it has settled, if not everything at once.
    pub(crate) settled: Option<u64>,
    /// How many more uploads it takes in without the answer arriving.
    pub(crate) lost_replies: u32,
    /// The requests that it saw, without those that lacked its nonce.
    pub(crate) seen: Vec<String>,
    /// The key of the terminal that it serves.
    pub(crate) own_key: Option<ExpandedKey>,
    /// To what the directory is sealed.
    pub(crate) directory_key: Option<PublicKey>,
    origin: String,
}

/// The platform while it runs.
pub(crate) struct FakePlatform(Arc<Mutex<Campus>>);

impl FakePlatform {
    /// Starts it on the current tokio runtime, where it stays until that ends.
    pub(crate) async fn start(lists: ListBuilder, enrolled: EnrolledTerminal) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let campus = Arc::new(Mutex::new(Campus {
            enrolled,
            lists,
            deltas: None,
            holders: Vec::new(),
            faces: None,
            portraits: BTreeMap::new(),
            cut: None,
            faces_folder: PathBuf::new(),
            applied: Vec::new(),
            records: BTreeMap::new(),
            settled: None,
            lost_replies: 0,
            seen: Vec::new(),
            own_key: None,
            directory_key: None,
            origin: format!("http://{}", listener.local_addr().unwrap()),
        }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&campus));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self(campus)
    }

    pub(crate) fn origin(&self) -> String {
        self.campus().origin.clone()
    }

    pub(crate) fn campus(&self) -> MutexGuard<'_, Campus> {
        self.0.lock().unwrap()
    }
}

async fn answer(
    State(campus): State<Arc<Mutex<Campus>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = campus.lock().unwrap().answer(&method, &uri, &headers, &body);
    response.headers_mut().insert(DPOP_NONCE, NONCE.parse().unwrap());
    response
}

fn problem(code: ProblemCode) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap();
    (status, axum::Json(Problem::new(code))).into_response()
}

impl Campus {
    fn answer(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
        if (method, uri.path()) == (&Method::GET, "/v1/time") {
            let now = UnixMillis(i64::from(NOW.0) * 1000);
            return axum::Json(ServerTime { now }).into_response();
        }
        let key = match self.prove(method, uri, headers) {
            Ok(key) => key,
            Err(code) => return problem(code),
        };
        self.seen.push(format!("{method} {uri}"));
        match (method.as_str(), uri.path()) {
            ("POST", "/v1/terminals") => self.enrol(key, body),
            _ if self.own_key != Some(key) => problem(ProblemCode::Forbidden),
            ("GET", "/v1/school/keyset") => self.lists.keyset().into_response(),
            ("GET", "/v1/terminals/table") => self.lists.table().into_response(),
            ("GET", "/v1/terminals/revocations") => self.lists.revocations().into_response(),
            ("GET", "/v1/terminals/directory") => match self.directory_key {
                None => problem(ProblemCode::Forbidden),
                Some(key) => {
                    let (terminal, key) = (self.enrolled.id.0, key.expand().unwrap());
                    self.lists
                        .directory(terminal, &key, &self.holders)
                        .into_response()
                }
            },
            ("GET", "/v1/terminals/faces") => match &self.faces {
                None => problem(ProblemCode::NotFound),
                Some(entries) => self.lists.faces(entries).into_response(),
            },
            ("POST", "/v1/terminals/faces/applied") => self.hear_applied(body),
            ("GET", path) if path.starts_with("/v1/terminals/faces/") => {
                self.portrait(path["/v1/terminals/faces/".len()..].parse().unwrap())
            }
            ("GET", "/v1/terminals/deltas") => match &self.deltas {
                None => problem(ProblemCode::DeltaUnavailable),
                Some(deltas) => {
                    let deltas = deltas.iter().cloned().map(Base64Url).collect();
                    axum::Json(DeltaChain { deltas }).into_response()
                }
            },
            ("POST", "/v1/terminals/time") => {
                let nonce = body.as_ref().try_into().unwrap();
                self.lists.time(&nonce, NOW.into()).into_response()
            }
            ("GET", "/v1/terminals/current") => axum::Json(TerminalStatus {
                id: self.enrolled.id,
                next_sequence: self.next(),
                frozen: false,
            })
            .into_response(),
            ("POST", "/v1/terminals/sales") => self.take_in(body),
            _ => problem(ProblemCode::NotFound),
        }
    }

    /// The key that made the request's proof.
    fn prove(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<ExpandedKey, ProblemCode> {
        let proof = headers
            .get(DPOP)
            .and_then(|value| UnverifiedProof::parse(value.to_str().ok()?));
        let proof = proof.ok_or(ProblemCode::InvalidDpopProof)?;
        let key = ExpandedKey::from_uncompressed(&proof.header.jwk.to_uncompressed().unwrap()).unwrap();
        let signature = Signature::from_raw(proof.signature).unwrap();
        let is_for_this = proof.claims.htm == method.as_str()
            && proof.claims.htu == format!("{}{}", self.origin, uri.path())
            && (proof.claims.iat - i64::from(NOW.0)).abs() < 300;
        if key.verify(proof.signing_input.as_bytes(), &signature).is_err() || !is_for_this {
            return Err(ProblemCode::InvalidDpopProof);
        }
        match proof.claims.nonce.as_deref() {
            Some(NONCE) => Ok(key),
            _ => Err(ProblemCode::UseDpopNonce),
        }
    }

    fn enrol(&mut self, key: ExpandedKey, body: &Bytes) -> Response {
        let request: EnrolTerminal = serde_json::from_slice(body).unwrap();
        self.own_key = Some(key);
        self.enrolled.kind = request.kind;
        self.directory_key = request
            .directory_key
            .map(|key| PublicKey::from_compressed(key.to_array().unwrap()).unwrap());
        axum::Json(self.enrolled.clone()).into_response()
    }

    fn portrait(&self, reference: FaceReference) -> Response {
        let Some(jpeg) = self.portraits.get(&reference) else {
            return problem(ProblemCode::NotFound);
        };
        if self.cut == Some(reference) {
            let length = jpeg.len().to_string();
            return ([(CONTENT_LENGTH, length)], jpeg[..jpeg.len() / 2].to_vec()).into_response();
        }
        jpeg.clone().into_response()
    }

    fn hear_applied(&mut self, body: &Bytes) -> Response {
        let applied: FacesApplied = serde_json::from_slice(body).unwrap();
        self.applied
            .push((applied.version, file_names(&self.faces_folder)));
        StatusCode::NO_CONTENT.into_response()
    }

    fn next(&self) -> u64 {
        self.records.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    fn take_in(&mut self, body: &Bytes) -> Response {
        let upload: SaleUpload = serde_json::from_slice(body).unwrap();
        let mut outcomes = Vec::new();
        for record in upload.records {
            let sequence = SignedSale::decode(&record.0).unwrap().record.sequence;
            assert!(sequence <= self.next(), "records come in order");
            let repeated = match self.records.insert(sequence, record.0.clone()) {
                Some(before) => {
                    assert_eq!(before, record.0, "a record never changes");
                    true
                }
                None => false,
            };
            outcomes.push(SaleOutcome {
                sequence,
                result: SaleResult::Posted,
                repeated,
            });
        }
        if self.lost_replies > 0 {
            self.lost_replies -= 1;
            return problem(ProblemCode::ServerBusy);
        }
        let settled = self.settled.unwrap_or(self.next() - 1);
        axum::Json(SaleUploadReply {
            outcomes,
            next_sequence: self.next(),
            settled_mark: self.lists.mark(self.enrolled.id.0, settled).into(),
        })
        .into_response()
    }
}

/// What lies in this folder, in order; nothing where it is not there.
pub(crate) fn file_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What the platform answers to the enrolment of terminal 7.
pub(crate) fn enrolled(kit: &SignerKit, kind: TerminalKind) -> EnrolledTerminal {
    let name = |zh: &str, en: &str| LocalizedText {
        zh: zh.to_owned(),
        en: en.to_owned(),
    };
    EnrolledTerminal {
        id: TerminalId(TERMINAL),
        kind,
        label: "Till 7".to_owned(),
        merchant: (kind != TerminalKind::Gate).then(|| Merchant {
            id: MerchantId(42),
            name: name("一食堂", "Canteen 1"),
        }),
        sites: vec![3],
        school: School {
            domain: DOMAIN.to_owned(),
            name: name("示例大学", "Example University"),
            root_key: Base64Url::from(*kit.root.public().as_bytes()),
            time_zone: "Asia/Shanghai".to_owned(),
            host_issuer: "https://host.campus.example".to_owned(),
            host_audience: "yika".to_owned(),
        },
    }
}
