//! Clients of the platform that are not timed themselves: each request is made with its proof beforehand, then handed to
//! the platform's router without a network between.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, Method, Request, header};
use serde::Serialize;
use serde_json::Value;
use tower::ServiceExt as _;
use uuid::Uuid;
use yika_api::dpop::{Jwk, ProofClaims, attach_signature, signing_input};
use yika_api::session::{ID_TOKEN_TYPE, TokenRequest, TokenResponse};
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, SaleUpload, TerminalKind};
use yika_api::{Base64Url, DPOP, DPOP_NONCE, IDEMPOTENCY_KEY};
use yika_format::code::Code;
use yika_format::sale::{SaleKind, SaleRecord, SignedSale};
use yika_format::{Amount, ExpandedKey, SchoolHash, UnixMillis};

use crate::Result;
use crate::bytes::{Signed, SigningKey};
use crate::campus::Campus;

/// Sends a request and reads the whole answer, which must be a success.
pub(crate) async fn send(router: Router, request: Request<Body>) -> Result<Bytes> {
    let response = router.oneshot(request).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into())
    }
}

/// A key that proves its requests, with the access token bound to it if it has one.
pub(crate) struct Client<'a> {
    campus: &'a Campus,
    key: SigningKey,
    access_token: Option<String>,
}

impl<'a> Client<'a> {
    fn new(campus: &'a Campus) -> Result<Self> {
        Ok(Self {
            campus,
            key: SigningKey::new()?,
            access_token: None,
        })
    }

    /// A phone's session for this student.
    pub(crate) fn bound(campus: &'a Campus, student: &str) -> Result<Self> {
        let mut client = Self::new(campus)?;
        let form = serde_urlencoded::to_string(&TokenRequest::Exchange {
            subject_token: campus.id_token(student)?,
            subject_token_type: ID_TOKEN_TYPE.to_owned(),
            device_name: "bench".to_owned(),
        })?;
        let kind = "application/x-www-form-urlencoded";
        let request = client.request(
            &Method::POST,
            "/v1/sessions/token",
            Some((kind, form.into_bytes())),
        )?;
        let answer = campus.runtime.block_on(send(campus.router.clone(), request))?;
        client.access_token = Some(serde_json::from_slice::<TokenResponse>(&answer)?.access_token);
        Ok(client)
    }

    /// A request to get `path`, with a proof that was never used.
    pub(crate) fn get(&self, path: &str) -> Result<Request<Body>> {
        self.request(&Method::GET, path, None)
    }

    /// A request that names its operation.
    pub(crate) fn post_named(
        &self,
        path: &str,
        operation: Uuid,
        body: &impl Serialize,
    ) -> Result<Request<Body>> {
        let mut request = self.post_json(path, serde_json::to_vec(body)?)?;
        let name = HeaderValue::from_str(&operation.to_string())?;
        request.headers_mut().insert(IDEMPOTENCY_KEY, name);
        Ok(request)
    }

    /// Bytes that this client signed.
    pub(crate) fn signed(&self, message: &[u8]) -> Result<Signed> {
        Ok(Signed {
            key: ExpandedKey::from_uncompressed(self.key.public_point())?,
            message: message.to_vec(),
            signature: self.key.sign(message)?,
        })
    }

    fn post_json(&self, path: &str, body: Vec<u8>) -> Result<Request<Body>> {
        self.request(&Method::POST, path, Some(("application/json", body)))
    }

    fn request(&self, method: &Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Result<Request<Body>> {
        let jwk = Jwk::from_uncompressed(self.key.public_point()).ok_or("no key")?;
        let bare_path = path.split('?').next().unwrap_or(path);
        let claims = ProofClaims {
            jti: Uuid::new_v4().to_string(),
            htm: method.to_string(),
            htu: format!("{}{bare_path}", self.campus.origin),
            iat: self.campus.platform.now().0 / 1000,
            nonce: Some(self.nonce()?),
            ath: self.access_token.as_deref().map(hash_of_token),
        };
        let input = signing_input(&jwk, &claims)?;
        let proof = attach_signature(&input, self.key.sign(input.as_bytes())?.as_bytes());
        let mut request = Request::builder().method(method).uri(path).header(DPOP, proof);
        if let Some(token) = &self.access_token {
            request = request.header(header::AUTHORIZATION, format!("DPoP {token}"));
        }
        Ok(match body {
            None => request.body(Body::empty())?,
            Some((kind, body)) => request.header(header::CONTENT_TYPE, kind).body(body.into())?,
        })
    }

    fn nonce(&self) -> Result<String> {
        let request = Request::get("/v1/time").body(Body::empty())?;
        let answer = self.campus.router.clone().oneshot(request);
        let response = self.campus.runtime.block_on(answer)?;
        let nonce = response.headers().get(DPOP_NONCE).ok_or("no nonce")?;
        Ok(nonce.to_str()?.to_owned())
    }
}

fn hash_of_token(token: &str) -> String {
    Base64Url::from(yika_testkit::sha256(token.as_bytes())).encode()
}

/// A terminal that sold codes while it was offline.
pub(crate) struct Till<'a> {
    client: Client<'a>,
    enrolled: EnrolledTerminal,
    school: SchoolHash,
    sequence: u64,
    previous: [u8; 32],
}

impl<'a> Till<'a> {
    /// Enrols a POS.
    pub(crate) fn enrol(campus: &'a Campus) -> Result<Self> {
        let client = Client::new(campus)?;
        let request = EnrolTerminal {
            kind: TerminalKind::Pos,
            merchant: None,
            label: None,
            enrolment_code: None,
            directory_key: None,
        };
        let request = client.post_json("/v1/terminals", serde_json::to_vec(&request)?)?;
        let answer = campus.runtime.block_on(send(campus.router.clone(), request))?;
        let enrolled: EnrolledTerminal = serde_json::from_slice(&answer)?;
        let school = SchoolHash::of_domain(&enrolled.school.domain);
        Ok(Self {
            client,
            enrolled,
            school,
            sequence: 0,
            previous: [0; 32],
        })
    }

    /// The terminal's public key as an uncompressed point.
    pub(crate) fn public_point(&self) -> &[u8] {
        self.client.key.public_point()
    }

    /// The record of a sale of one fen by this code at that time, at the end of the journal.
    pub(crate) fn sell(&mut self, code: Code, time: UnixMillis) -> Result<SignedSale> {
        self.sequence += 1;
        let record = SaleRecord {
            school: self.school,
            terminal: self.enrolled.id.0,
            sequence: self.sequence,
            previous: self.previous,
            kind: SaleKind::Purchase(code),
            amount: Amount(1),
            merchant: self
                .enrolled
                .merchant
                .as_ref()
                .map_or(0, |merchant| merchant.id.0),
            time,
            uncertainty_s: 1,
            table_version: 1,
            revocations_version: 0,
            nonce: 0,
        };
        self.previous = record.hash();
        let signature = self.client.key.sign(&record.preimage())?;
        Ok(record.with_signature(signature))
    }

    /// The upload of these records.
    pub(crate) fn upload(&self, sales: &[SignedSale]) -> Result<Request<Body>> {
        let records = sales.iter().map(|sale| sale.to_bytes().into()).collect();
        let body = serde_json::to_vec(&SaleUpload { records })?;
        self.client.post_json("/v1/terminals/sales", body)
    }
}

/// Whether every outcome in an upload's answer is a plain payment.
pub(crate) fn check_all_posted(answer: &[u8], count: usize) -> Result<()> {
    let answer: Value = serde_json::from_slice(answer)?;
    let outcomes = answer["outcomes"].as_array().ok_or("no outcomes")?;
    let odd = outcomes.iter().find(|outcome| outcome["result"] != "posted");
    match odd {
        None if outcomes.len() == count => Ok(()),
        _ => Err(format!("not all {count} records were posted: {odd:?}").into()),
    }
}
