//! What to do about a session, as functions of what is known.

use serde::Deserialize;
use yika_api::session::TokenErrorCode;
use yika_api::{Base64Url, UnixMillis};
use yika_link::Origin;

use super::model::{Holder, HostIdToken, SessionRecord, Tokens};
use crate::error::CoreError;

/// An access token that ends sooner is renewed before it is used: a request takes time too.
const MARGIN_MS: i64 = 30_000;

/// Whether the access token should be renewed before it is used.
pub(super) fn is_stale(tokens: &Tokens, now: UnixMillis) -> bool {
    tokens.access_until.0.saturating_sub(now.0) < MARGIN_MS
}

/// What a refusal of the token endpoint means for the session there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is over; sign in again.
    Ended,
    /// It is over, and so are this phone's codes.
    PhoneLost,
    /// Nothing has changed.
    Unchanged(CoreError),
}

pub(super) fn refused(code: TokenErrorCode) -> Refused {
    match code {
        TokenErrorCode::InvalidGrant => Refused::Ended,
        TokenErrorCode::AccessDenied => Refused::PhoneLost,
        TokenErrorCode::TemporarilyUnavailable | TokenErrorCode::ServerError => {
            Refused::Unchanged(CoreError::ServerBusy { retry_at: None })
        }
        TokenErrorCode::InvalidDpopProof => Refused::Unchanged(CoreError::ClockImpossible),
        TokenErrorCode::InvalidRequest
        | TokenErrorCode::UnsupportedGrantType
        | TokenErrorCode::UseDpopNonce
        | TokenErrorCode::Unknown => Refused::Unchanged(CoreError::AppOutdated),
    }
}

/// What a refusal to exchange the host's token means.
pub(super) fn exchange_refused(code: TokenErrorCode) -> CoreError {
    match refused(code) {
        Refused::Ended => CoreError::SessionExpired,
        Refused::PhoneLost => CoreError::Forbidden,
        Refused::Unchanged(error) => error,
    }
}

/// Whose token it is, without checking the token: that is the platform's part.
pub(super) fn holder_of(token: &HostIdToken) -> Option<Holder> {
    let payload = token.expose().split('.').nth(1)?;
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
        sub: String,
    }
    let Claims { iss, sub } = serde_json::from_slice(&Base64Url::decode(payload)?.0).ok()?;
    Some(Holder { iss, sub })
}

/// Whether a sign-in goes on with what is on the phone: the same person at the same platform.
pub(super) fn continues(bound: Option<&SessionRecord>, origin: &Origin, holder: Option<&Holder>) -> bool {
    bound.is_some_and(|bound| bound.origin == *origin && holder.is_some() && bound.holder.as_ref() == holder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> HostIdToken {
        HostIdToken::from(format!(
            "e30.{}.c2ln",
            Base64Url::from(payload.as_bytes()).encode()
        ))
    }

    #[test]
    fn a_token_that_cannot_be_read_is_nobodys() {
        for text in ["", "a", "a.b", "a.!!.c", "e30.e30.c2ln"] {
            assert_eq!(holder_of(&HostIdToken::from(text.to_owned())), None, "{text}");
        }
    }

    #[test]
    fn the_holder_is_issuer_and_subject() {
        let holder = holder_of(&token(
            r#"{"iss":"https://host.example","sub":"20260001","exp":1}"#,
        ))
        .unwrap();
        assert_eq!(
            (holder.iss.as_str(), holder.sub.as_str()),
            ("https://host.example", "20260001")
        );
    }

    #[test]
    fn only_a_refused_grant_ends_a_session_and_only_a_denial_stops_codes() {
        assert_eq!(refused(TokenErrorCode::InvalidGrant), Refused::Ended);
        assert_eq!(refused(TokenErrorCode::AccessDenied), Refused::PhoneLost);
        for code in [
            TokenErrorCode::InvalidRequest,
            TokenErrorCode::UnsupportedGrantType,
            TokenErrorCode::InvalidDpopProof,
            TokenErrorCode::UseDpopNonce,
            TokenErrorCode::TemporarilyUnavailable,
            TokenErrorCode::ServerError,
            TokenErrorCode::Unknown,
        ] {
            assert!(matches!(refused(code), Refused::Unchanged(_)), "{code:?}");
        }
    }

    #[test]
    fn a_token_about_to_end_is_renewed_first() {
        let text = || HostIdToken::from(String::new());
        let tokens = Tokens {
            access: text(),
            access_until: UnixMillis(100_000),
            refresh: text(),
        };
        assert!(!is_stale(&tokens, UnixMillis(70_000)));
        assert!(is_stale(&tokens, UnixMillis(70_001)));
        assert!(is_stale(&tokens, UnixMillis(i64::MAX)));
    }
}
