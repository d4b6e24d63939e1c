//! Failures over HTTP: problem details (RFC 9457) with a closed set of codes.
//!
//! A client switches on [`ProblemCode`], never on texts. A code that this version does not know reads as
//! [`ProblemCode::Unknown`] and is treated by its HTTP status.

use crate::operation::Refusal;
use crate::{Fen, UnixMillis};
use serde::{Deserialize, Serialize};

/// A failure, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem: `https://yika.app/problems/` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, for a person who reads a log; the same for each problem of a kind.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What is particular about this time, and what to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The stable code.
    pub code: ProblemCode,
    /// Whether the same request, sent again later, can succeed.
    pub retryable: bool,
    /// A reference under which the server's log has more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<String>,
    /// The amount that the problem is about, such as a limit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amount: Option<Fen>,
    /// When it is worth trying again, or since when something holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<UnixMillis>,
    /// What the bank said, where it refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<Refusal>,
}

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $retryable:literal, $title:literal;)*) => {
        /// What went wrong. The text form is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ProblemCode {
            $($(#[$doc])* $variant,)*
            /// A code of a newer server.
            #[serde(other)]
            Unknown,
        }

        impl ProblemCode {
            /// Every code a server of this version can answer.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* Self::Unknown => "unknown" }
            }

            /// The HTTP status that carries this code.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* Self::Unknown => 500 }
            }

            /// Whether the same request can succeed later.
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)* Self::Unknown => false }
            }

            /// The fixed title.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* Self::Unknown => "unknown problem" }
            }
        }
    };
}

problem_codes! {
    /// The request's form is wrong: a field is missing, too long or not of its type.
    InvalidRequest = "invalid_request", 400, false, "the request is not of the documented form";
    /// The access token is missing, expired, revoked or bound to another key: refresh it or sign in.
    SessionExpired = "session_expired", 401, false, "the session is not valid";
    /// The proof of possession needs the nonce in the `DPoP-Nonce` header (RFC 9449, section 8): repeat with it.
    UseDpopNonce = "use_dpop_nonce", 401, true, "the proof needs the server's nonce";
    /// The proof of possession is wrong: another method, URL, key, a time too far off, or used before.
    InvalidDpopProof = "invalid_dpop_proof", 401, false, "the proof of possession is not valid";
    /// This caller may not do this.
    Forbidden = "forbidden", 403, false, "not allowed";
    /// Nothing of that name is visible to this caller.
    NotFound = "not_found", 404, false, "not found";
    /// The method does not exist at this address.
    MethodNotAllowed = "method_not_allowed", 405, false, "method not allowed";
    /// The same idempotency key came with a different body.
    IdempotencyConflict = "idempotency_conflict", 409, false, "this operation was already sent with other content";
    /// The first request with this idempotency key is still being worked on.
    OperationInProgress = "operation_in_progress", 409, true, "this operation is still in progress";
    /// The card is suspended or reported lost; nothing is issued for it.
    CardFrozen = "card_frozen", 403, false, "the card is frozen";
    /// This phone was reported lost.
    DeviceLost = "device_lost", 403, false, "this phone is reported lost";
    /// The challenge was never given out, was used, or is too old: ask for another.
    ChallengeExpired = "challenge_expired", 409, true, "the challenge is not valid any more";
    /// The signature that should prove possession of the code key does not verify.
    InvalidKeyProof = "invalid_key_proof", 422, false, "the key proof does not verify";
    /// There is no credential to renew with this key: enrol the key first.
    NoCredential = "no_credential", 404, false, "no credential for this device";
    /// The enrolment code is unknown, used or expired.
    InvalidEnrolmentCode = "invalid_enrolment_code", 403, false, "the enrolment code is not valid";
    /// The terminal is frozen: the card office must look at it.
    TerminalFrozen = "terminal_frozen", 403, false, "the terminal is frozen";
    /// No chain of deltas leads from that version to the newest: download the whole list.
    DeltaUnavailable = "delta_unavailable", 410, false, "no delta from that version";
    /// The school offers no wallet.
    WalletNotOffered = "wallet_not_offered", 404, false, "the school offers no wallet";
    /// The bank didn't answer: whether it did something is not known. Send the same request again.
    BankUnavailable = "bank_unavailable", 503, true, "the bank does not answer";
    /// The bank refused; `refusal` says why.
    BankRefused = "bank_refused", 422, false, "the bank refused";
    /// The amount is zero, below the least or above the most; `amount` is that limit.
    AmountOutOfRange = "amount_out_of_range", 422, false, "the amount is out of range";
    /// The day's limit is passed; `amount` is what is left of it.
    DayLimitReached = "day_limit_reached", 422, false, "the limit of the day is reached";
    /// The parts, the amount and the fee don't make up, or the fee is not today's; `amount` is the fee.
    FundingMismatch = "funding_mismatch", 422, false, "the parts do not make up the amount";
    /// There is not enough in the wallet or on the account; `amount` is what is free.
    InsufficientFunds = "insufficient_funds", 422, false, "not enough money there";
    /// The wallet is not open.
    WalletNotOpen = "wallet_not_open", 409, false, "the wallet is not open";
    /// There is an open wallet already.
    WalletAlreadyOpen = "wallet_already_open", 409, false, "the wallet is open already";
    /// Money or operations under way stand against closing the wallet.
    WalletInUse = "wallet_in_use", 409, false, "the wallet is still in use";
    /// Other terms are in force: show them, and ask again.
    TermsChanged = "terms_changed", 409, false, "other terms are in force";
    /// The bank card is not bound.
    CardNotBound = "card_not_bound", 409, false, "the bank card is not bound";
    /// The account can't get money.
    AccountNotOpen = "account_not_open", 409, false, "the account is not open";
    /// It takes the payment password or an approval; `amount` is up to where it would not.
    StepUpRequired = "step_up_required", 403, false, "the holder must show to be there";
    /// The approval doesn't verify under a key that this phone may approve with: use the payment password.
    ApprovalRefused = "approval_refused", 403, false, "the approval is not valid";
    /// The payment can't be disputed, or can't be given back: it is none at a merchant, was not charged, or is back already.
    NotDisputable = "not_disputable", 409, false, "the payment cannot be disputed";
    /// There is a dispute of this payment that is not decided yet.
    DisputeUnderWay = "dispute_under_way", 409, false, "the payment is under dispute already";
    /// The dispute was decided or taken back before.
    DisputeEnded = "dispute_ended", 409, false, "the dispute has ended";
    /// The sale can't be refunded: it was voided, was the school's to pay, or is back already.
    NotRefundable = "not_refundable", 409, false, "the sale cannot be refunded";
    /// The sale can't be voided: it is not the last one of its terminal, too long ago, or back already. Refund it.
    NotVoidable = "not_voidable", 409, false, "the sale cannot be voided";
    /// The holder has not agreed, not to the text in force, or not any more: show it, and ask.
    ConsentRequired = "consent_required", 409, false, "the holder's consent is missing";
    /// The school offers no utilities.
    UtilityNotOffered = "utility_not_offered", 404, false, "the school offers no utilities";
    /// The utility didn't answer; nothing was changed.
    UtilityUnavailable = "utility_unavailable", 503, true, "the utility does not answer";
    /// The body is larger than this resource takes.
    TooLarge = "too_large", 413, false, "the body is too large";
    /// The body's media type is not the documented one.
    UnsupportedMediaType = "unsupported_media_type", 415, false, "unsupported media type";
    /// Too many requests: wait.
    RateLimited = "rate_limited", 429, true, "too many requests";
    /// The server could not do it now; nothing was changed.
    ServerBusy = "server_busy", 503, true, "the service is busy";
    /// The server failed; the reference leads to its log.
    Internal = "internal", 500, true, "internal error";
}

impl Problem {
    /// A problem of this code, with its fixed title, status and retryability.
    pub fn new(code: ProblemCode) -> Self {
        Self {
            kind: format!("https://yika.app/problems/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: None,
            code,
            retryable: code.is_retryable(),
            reference: None,
            amount: None,
            at: None,
            refusal: None,
        }
    }

    /// The same problem with what is particular about this time.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same problem with a reference into the server's log.
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_and_writes_as_its_stable_text() {
        for &code in ProblemCode::ALL {
            assert_eq!(
                serde_json::to_string(&code).unwrap(),
                format!("{:?}", code.as_str())
            );
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn a_code_of_a_newer_server_reads_as_unknown() {
        let json = r#"{"type":"t","title":"t","status":418,"code":"teapot","retryable":false}"#;
        assert_eq!(
            serde_json::from_str::<Problem>(json).unwrap().code,
            ProblemCode::Unknown
        );
    }
}
