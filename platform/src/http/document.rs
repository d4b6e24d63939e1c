//! What holds for the description of every endpoint, said once: how callers show who they are, how failures and plain bytes
//! travel, and which failures there are anywhere.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use yika_api::{DPOP, ProblemCode};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";
const BYTES: &str = "application/octet-stream";
const PROBLEM: &str = "#/components/schemas/Problem";
/// This endpoint always fails in OAuth's words (RFC 6749, section 5.2), and describes how by itself.
const TOKEN: &str = "/v1/sessions/token";

/// Terminals have a key and no token.
const TERMINALS: &str = "/v1/terminals";
/// Also for phones that are reported lost.
const SUSPENSIONS: &str = "/v1/cards/suspensions";
/// The access token of a phone's session.
const ACCESS: &str = "access_token";
/// The proof that the caller has the key.
const PROOF: &str = "proof";

/// Completes what the endpoints say of themselves.
pub(super) fn complete(document: &mut OpenApi) {
    add_security_schemes(document);
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            add_security(path, operation);
            if path != TOKEN {
                add_common_problems(path, operation);
            }
            for response in operation.responses.responses.values_mut().filter_map(whole) {
                name_problem_type(response);
                response.content.iter_mut().for_each(describe_bytes);
            }
            if let Some(body) = operation.request_body.as_mut().and_then(whole) {
                body.content.iter_mut().for_each(describe_bytes);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete]
        .into_iter()
        .flatten()
}

/// The thing itself, where it is written out.
fn whole<T>(value: &mut RefOr<T>) -> Option<&mut T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

/// OpenAPI 3.1 knows no scheme of two headers: each is one, and who needs both names both.
fn add_security_schemes(document: &mut OpenApi) {
    let schemes = [
        (
            ACCESS,
            "Authorization",
            "`DPoP` and the access token (RFC 9449, section 7.1), of `POST /v1/sessions/token`.",
        ),
        (
            PROOF,
            DPOP,
            "A proof of possession for this request (RFC 9449, section 4.2), with the server's nonce: by the key of the \
             session, or by that of the terminal.",
        ),
    ];
    let components = document.components.get_or_insert_default();
    for (name, header, text) in schemes {
        let value = ApiKeyValue::with_description(header, text);
        components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(value)));
    }
}

/// Who can be told that the session has ended has to show one.
fn add_security(path: &str, operation: &mut Operation) {
    if !needs_proof(operation) {
        return;
    }
    let none: [&str; 0] = [];
    let proof = SecurityRequirement::new(PROOF, none);
    let needed = if has_token(path, operation) {
        proof.add(ACCESS, none)
    } else {
        proof
    };
    operation.security = Some(vec![needed]);
}

fn needs_proof(operation: &Operation) -> bool {
    operation.responses.responses.contains_key("401")
}

fn has_token(path: &str, operation: &Operation) -> bool {
    needs_proof(operation) && path != TOKEN && !path.starts_with(TERMINALS)
}

/// What any request can meet; and what any body can, before its endpoint sees it.
fn add_common_problems(path: &str, operation: &mut Operation) {
    let mut codes = vec![ProblemCode::Internal, ProblemCode::ServerBusy];
    if has_token(path, operation) && !path.starts_with(SUSPENSIONS) {
        codes.push(ProblemCode::DeviceLost);
    }
    if let Some(body) = operation.request_body.as_mut().and_then(whole) {
        codes.push(ProblemCode::TooLarge);
        // Bytes are taken whatever they are called.
        if !body.content.contains_key(BYTES) {
            codes.push(ProblemCode::UnsupportedMediaType);
        }
    }
    for code in codes {
        let responses = &mut operation.responses.responses;
        responses.entry(code.status().to_string()).or_insert_with(|| {
            ResponseBuilder::new()
                .description(code.title())
                .content(JSON, Content::new(Some(Ref::new(PROBLEM))))
                .into()
        });
    }
}

/// A problem travels under a media type of its own (RFC 9457, section 3).
fn name_problem_type(response: &mut Response) {
    if response.content.get(JSON).is_some_and(is_problem)
        && let Some(content) = response.content.shift_remove(JSON)
    {
        response.content.insert(PROBLEM_JSON.to_owned(), content);
    }
}

fn is_problem(content: &RefOr<Content>) -> bool {
    let RefOr::T(content) = content else {
        return false;
    };
    matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location == PROBLEM)
}

/// Plain bytes have no schema; that of a `Vec<u8>` would be an array of numbers.
fn describe_bytes((kind, content): (&String, &mut RefOr<Content>)) {
    if kind == BYTES
        && let Some(content) = whole(content)
    {
        content.schema = None;
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestPlatform;
    use axum::http::Method;
    use serde_json::{Value, json};

    async fn document() -> Value {
        let campus = TestPlatform::open().await;
        let reply = campus.send(Method::GET, "/openapi.json", &[], Vec::new()).await;
        reply.json()
    }

    #[tokio::test]
    async fn problems_have_the_media_type_that_they_travel_under() {
        let document = document().await;
        let responses = &document["paths"]["/v1/operations"]["post"]["responses"];
        let problem = json!({ "application/problem+json": { "schema": { "$ref": super::PROBLEM } } });
        for status in ["400", "401", "413", "415", "500", "503"] {
            assert_eq!(responses[status]["content"], problem, "{status}");
        }
        assert!(responses["200"]["content"].get("application/json").is_some());
    }

    #[tokio::test]
    async fn failures_of_a_body_belong_to_endpoints_that_take_one() {
        let document = document().await;
        let responses = |path: &str, method: &str| document["paths"][path][method]["responses"].clone();
        let accounts = responses("/v1/accounts", "get");
        assert!(accounts.get("503").is_some() && accounts.get("413").is_none());
        let time = responses("/v1/terminals/time", "post");
        assert!(time.get("413").is_some() && time.get("415").is_none());
        let token = responses("/v1/sessions/token", "post");
        assert!(token.get("415").is_none());
        assert!(token["503"]["content"].get("application/json").is_some());
    }

    #[tokio::test]
    async fn whoever_needs_a_key_or_a_session_finds_it_said() {
        let document = document().await;
        let schemes = &document["components"]["securitySchemes"];
        assert_eq!(
            (&schemes["proof"]["in"], &schemes["proof"]["name"]),
            (&json!("header"), &json!("DPoP"))
        );
        assert_eq!(schemes["access_token"]["name"], "Authorization");
        let security = |method: &str, path: &str| document["paths"][path][method]["security"].clone();
        let both = json!([{ "access_token": [], "proof": [] }]);
        assert_eq!(security("get", "/v1/accounts"), both);
        assert_eq!(security("post", "/v1/operations"), both);
        assert_eq!(security("post", "/v1/terminals/sales"), json!([{ "proof": [] }]));
        assert_eq!(security("get", "/v1/school"), Value::Null);
    }

    #[tokio::test]
    async fn bytes_are_no_array_of_numbers() {
        let document = document().await;
        let time = &document["paths"]["/v1/terminals/time"]["post"];
        let bytes = json!({ "application/octet-stream": {} });
        assert_eq!(time["requestBody"]["content"], bytes);
        assert_eq!(time["responses"]["200"]["content"], bytes);
    }
}
