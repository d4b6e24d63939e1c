//! Places through the router.

use super::testing::{bind_room, room};
use crate::testing::{Fault, POWER, TestPlatform};
use axum::http::Method;
use uuid::Uuid;
use yika_api::utility::{
    BindPlace, BoundPlace, BoundPlaceList, PlaceBalance, PlaceList, ProviderList, UtilityKind,
};
use yika_api::{Fen, ProblemCode};

const PLACES: &str = "/v1/utilities/places";

#[tokio::test]
async fn a_room_is_found_from_the_provider_down() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let providers: ProviderList = phone.get("/v1/utilities/providers").await.ok();
    assert_eq!(providers.providers[0].code, POWER);
    let below = format!("/v1/utilities/providers/{POWER}/places");
    let buildings: PlaceList = phone.get(&below).await.ok();
    assert!(!buildings.places[0].is_payable);
    let path = format!("{below}?below={}", buildings.places[0].code);
    let rooms: PlaceList = phone.get(&path).await.ok();
    assert!(rooms.places[0].is_payable);
    for path in [
        format!("{below}?below=b9"),
        "/v1/utilities/providers/gas/places".to_owned(),
    ] {
        assert_eq!(
            phone.get(&path).await.problem().code,
            ProblemCode::NotFound,
            "{path}"
        );
    }
    for path in [
        format!("{below}?below=..%2F"),
        "/v1/utilities/providers/a%2Fb/places".to_owned(),
    ] {
        assert_eq!(
            phone.get(&path).await.problem().code,
            ProblemCode::InvalidRequest,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_place_is_remembered_once_until_it_is_forgotten() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let key = Uuid::new_v4();
    let bound: BoundPlace = phone.named((Method::POST, PLACES), key, &room()).await.ok();
    assert_eq!(bound.kind, UtilityKind::Electricity);
    let again: BoundPlace = phone.named((Method::POST, PLACES), key, &room()).await.ok();
    assert_eq!(again, bound);
    assert_eq!(
        bind_room(&phone).await,
        bound,
        "another request for the same place"
    );
    let list = async || phone.get(PLACES).await.ok::<BoundPlaceList>().places;
    assert_eq!(list().await, std::slice::from_ref(&bound));
    let (path, key) = (format!("{PLACES}/{}", bound.id), Uuid::new_v4());
    for _ in 0..2 {
        let left: BoundPlaceList = phone.named((Method::DELETE, &path), key, &()).await.ok();
        assert_eq!(left.places, []);
    }
    let gone = phone.named((Method::DELETE, &path), Uuid::new_v4(), &()).await;
    assert_eq!(gone.problem().code, ProblemCode::NotFound);
    assert_eq!(
        bind_room(&phone).await.id,
        bound.id,
        "bound again, it is the same"
    );
}

#[tokio::test]
async fn what_cannot_be_paid_for_cannot_be_bound() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let place = |provider: &str, code: &str| BindPlace {
        provider: provider.to_owned(),
        code: code.to_owned(),
    };
    for (request, code) in [
        (place(POWER, "b3"), ProblemCode::NotFound),
        (place(POWER, "b3-999"), ProblemCode::NotFound),
        (place("gas", "b3-402"), ProblemCode::NotFound),
        (place(POWER, "../b3-402"), ProblemCode::InvalidRequest),
        (place("", ""), ProblemCode::InvalidRequest),
    ] {
        let reply = phone
            .named((Method::POST, PLACES), Uuid::new_v4(), &request)
            .await;
        assert_eq!(reply.problem().code, code, "{request:?}");
    }
    campus.utility.weather(&[Fault::LostBefore]);
    let reply = phone.named((Method::POST, PLACES), Uuid::new_v4(), &room()).await;
    assert_eq!(reply.problem().code, ProblemCode::UtilityUnavailable);
    assert_eq!(phone.get(PLACES).await.ok::<BoundPlaceList>().places, []);
}

#[tokio::test]
async fn a_place_of_somebody_else_is_not_there() {
    let campus = TestPlatform::open().await;
    let (mine, theirs) = (campus.bind("20260001").await, campus.bind("20260002").await);
    let path = format!("{PLACES}/{}", bind_room(&mine).await.id);
    let reply = theirs.get(&format!("{path}/balance")).await;
    assert_eq!(reply.problem().code, ProblemCode::NotFound);
    let reply = theirs.named((Method::DELETE, &path), Uuid::new_v4(), &()).await;
    assert_eq!(reply.problem().code, ProblemCode::NotFound);
    assert_ne!(
        bind_room(&theirs).await.id,
        bind_room(&mine).await.id,
        "the room of both"
    );
}

#[tokio::test]
async fn a_balance_that_nobody_ever_told_is_unknown_and_an_old_one_says_so() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let path = format!("{PLACES}/{}/balance", bind_room(&phone).await.id);
    let balance = async || phone.get(&path).await.ok::<PlaceBalance>();
    campus.utility.weather(&[Fault::LostBefore]);
    let unknown = balance().await;
    assert_eq!((unknown.balance, unknown.is_stale), (None, true));
    let told = balance().await;
    assert_eq!(told.balance.unwrap().amount, Fen::new(-250), "a place can owe");
    assert!(!told.is_stale);
    for fault in [Fault::Unreachable, Fault::LostAfter, Fault::Garbled] {
        campus.utility.weather(&[fault]);
        let old = balance().await;
        assert_eq!((old.balance, old.is_stale), (told.balance, true), "{fault:?}");
    }
}

#[tokio::test]
async fn who_has_no_session_sees_nothing_of_it() {
    let campus = TestPlatform::open().await;
    for path in [
        PLACES,
        "/v1/utilities/providers",
        "/v1/utilities/providers/power/places",
    ] {
        let reply = campus.send(Method::GET, path, &[], Vec::new()).await;
        assert_eq!(reply.status.as_u16(), 401, "{path}");
    }
}
