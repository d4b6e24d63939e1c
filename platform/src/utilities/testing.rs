//! Places as a phone binds them.

use crate::testing::{POWER, ROOM, TestPhone};
use axum::http::Method;
use uuid::Uuid;
use yika_api::utility::{BindPlace, BoundPlace};

pub(crate) fn room() -> BindPlace {
    BindPlace {
        provider: POWER.to_owned(),
        code: ROOM.to_owned(),
    }
}

/// Binds the room of the test's utility.
pub(crate) async fn bind_room(phone: &TestPhone<'_>) -> BoundPlace {
    phone
        .named((Method::POST, "/v1/utilities/places"), Uuid::new_v4(), &room())
        .await
        .ok()
}
