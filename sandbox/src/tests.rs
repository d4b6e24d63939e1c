//! The sandbox as its callers see it, without a socket in between where none is needed.

use super::*;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

fn config(data: &tempfile::TempDir, listen: &str) -> SandboxConfig {
    SandboxConfig {
        listen: listen.parse().unwrap(),
        data: data.path().to_owned(),
        school_domain: SCHOOL_DOMAIN.to_owned(),
        bank_fault: None,
        bank_timeout: Duration::from_secs(10),
        reply_wait: Duration::from_secs(4),
        database: None,
        public_origin: None,
    }
}

async fn open(data: &tempfile::TempDir) -> Sandbox {
    Sandbox::open(config(data, "127.0.0.1:0")).await.unwrap()
}

async fn call(sandbox: &Sandbox, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = sandbox.router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn get(sandbox: &Sandbox, path: &str) -> Value {
    let (status, body) = call(sandbox, Method::GET, path, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let refused = Sandbox::open(config(&data, "0.0.0.0:0")).await;
    assert!(matches!(
        refused,
        Err(SandboxError::Platform(yika_platform::Error::Config(_)))
    ));
}

#[tokio::test]
async fn a_student_a_slot_or_an_action_that_is_not_there_is_a_problem() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    let (status, problem) = call(
        &sandbox,
        Method::POST,
        "/sandbox/admin/students/1/suspend",
        Value::Null,
    )
    .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("not_found"))
    );
    let path = "/sandbox/admin/students/20260001/promote";
    let (status, problem) = call(&sandbox, Method::POST, path, Value::Null).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("not_found"))
    );
    let money = json!({"slot": 8, "amount": 100});
    let (status, _) = call(
        &sandbox,
        Method::POST,
        "/sandbox/admin/students/20260001/fund",
        money,
    )
    .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_seed_is_planted_once_and_everything_survives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    let money = json!({"slot": 1, "amount": 1_234});
    let (status, _) = call(
        &sandbox,
        Method::PUT,
        "/sandbox/admin/students/20260004/balance",
        money,
    )
    .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let ledger = get(&sandbox, "/sandbox/admin/ledger").await;
    let school = get(&sandbox, "/v1/school").await;
    sandbox.platform.close().await;
    drop(sandbox);

    let again = open(&data).await;
    assert_eq!(get(&again, "/sandbox/admin/ledger").await, ledger);
    assert_eq!(get(&again, "/v1/school").await["root_key"], school["root_key"]);
    let students = get(&again, "/sandbox/admin/students").await["students"].take();
    let numbers: Vec<&str> = students
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["number"].as_str().unwrap())
        .collect();
    assert_eq!(
        (numbers.first(), numbers.last(), numbers.len()),
        (Some(&"20260001"), Some(&"20260008"), 8)
    );
    assert_eq!(students[3]["accounts"][0]["balance"]["amount"], 1_234);
    assert_eq!(students[0]["accounts"][1]["name"]["zh"], "补助账户");
    assert_eq!(ledger["sum"], 0);
}

#[tokio::test]
async fn the_stalls_come_first_and_the_ledger_sums_to_nothing() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    let merchants = get(&sandbox, "/sandbox/admin/merchants").await["merchants"].take();
    let ids: Vec<_> = merchants
        .as_array()
        .unwrap()
        .iter()
        .map(|merchant| merchant["id"].as_u64())
        .collect();
    assert_eq!(ids, [Some(1), Some(2), Some(3)]);
    assert_eq!(merchants[1]["name"]["zh"], "一食堂二号窗口");
    let ledger = get(&sandbox, "/sandbox/admin/ledger").await;
    let totals = ledger["totals"].as_array().unwrap();
    let total = |kind: &str| {
        totals.iter().find(|total| total["kind"] == kind).unwrap()["sum"]
            .as_i64()
            .unwrap()
    };
    assert_eq!((total("card") + total("funding"), &ledger["sum"]), (0, &json!(0)));
    assert!(total("card") > 0);
}

#[tokio::test]
async fn a_suspension_is_seen_and_taken_back() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    for (action, frozen) in [
        ("suspend", true),
        ("undo", false),
        ("suspend", true),
        ("revoke", false),
    ] {
        let path = format!("/sandbox/admin/students/20260002/{action}");
        assert_eq!(
            call(&sandbox, Method::POST, &path, Value::Null).await.0,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            get(&sandbox, "/sandbox/admin/students").await["students"][1]["frozen"],
            frozen,
            "{action}"
        );
    }
}

#[tokio::test]
async fn disputes_and_refunds_of_what_is_not_there_are_problems() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    assert_eq!(
        get(&sandbox, "/sandbox/admin/disputes").await["disputes"],
        json!([])
    );
    for (method, path, body, code) in [
        (
            Method::POST,
            format!("disputes/{nobody}/review"),
            json!({}),
            "not_found",
        ),
        (
            Method::POST,
            format!("disputes/{nobody}/refund"),
            json!({}),
            "not_found",
        ),
        (
            Method::POST,
            format!("disputes/{nobody}/refuse"),
            json!({"reply": ""}),
            "invalid_request",
        ),
        (
            Method::PUT,
            format!("payments/{nobody}/refunds/{nobody}"),
            json!({"amount": 5}),
            "not_found",
        ),
    ] {
        let path = format!("/sandbox/admin/{path}");
        let (_, problem) = call(&sandbox, method, &path, body).await;
        assert_eq!(problem["code"], code, "{path}");
    }
}

#[tokio::test]
async fn the_clock_is_the_platform_s_clock_too() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    let before = get(&sandbox, "/v1/time").await["now"].as_i64().unwrap();
    let (_, shifted) = call(
        &sandbox,
        Method::PUT,
        "/sandbox/admin/clock",
        json!({"offset_ms": 86_400_000}),
    )
    .await;
    assert_eq!(shifted["offset_ms"], 86_400_000);
    assert!(get(&sandbox, "/v1/time").await["now"].as_i64().unwrap() >= before + 86_400_000);
}

#[tokio::test]
async fn the_host_keeps_a_session_until_sign_out_and_publishes_its_key() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    let discovery = get(&sandbox, "/sandbox/host/.well-known/openid-configuration").await;
    assert_eq!(
        discovery["issuer"],
        format!("http://{}/sandbox/host", sandbox.address())
    );
    assert_eq!(
        get(&sandbox, "/sandbox/host/jwks.json").await["keys"][0]["crv"],
        "P-256"
    );
    let student = json!({"student": "20260001"});
    let token = async || {
        call(&sandbox, Method::POST, "/sandbox/host/token", student.clone())
            .await
            .1["sid"]
            .clone()
    };
    let first = token().await;
    assert_eq!(token().await, first);
}

#[tokio::test]
async fn signing_out_at_the_host_reaches_the_platform_which_fetches_the_key_over_http() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = open(&data).await;
    let router = sandbox.router.clone();
    tokio::spawn(sandbox.serve(std::future::pending()));
    let request = Request::post("/sandbox/host/logout")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"student":"20260001"}"#))
        .unwrap();
    assert_eq!(
        router.oneshot(request).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
}
