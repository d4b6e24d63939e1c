"""What schemathesis needs to get past the platform's 401, and 404: a student's phone and a POS, each with a key of its own,
and names of things that exist.

Every request carries a fresh proof of possession (RFC 9449) of the caller's key: the phone's with its access token, the
terminal's without one, since the platform knows a terminal by its key.
"""

import base64
import hashlib
import itertools
import json
import os
import time
import uuid
from urllib.parse import urlsplit

import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

PLATFORM = os.environ["YIKA_PLATFORM"]
STUDENT = "20260001"
PLACE = {"provider": "power", "code": "b3-302"}
SIGN_IN = "/v1/sessions/token"
SIGN_OUT = "/v1/sessions/current"
TERMINALS = "/v1/terminals"
OAUTH = "urn:ietf:params:oauth:"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode(claims: dict) -> str:
    return base64url(json.dumps(claims).encode())


class Prover(requests.auth.AuthBase):
    """Proves one key with each request. The nonce for the next proof, anybody's, comes with every answer."""

    nonce = requests.get(f"{PLATFORM}/v1/time").headers["DPoP-Nonce"]

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["DPoP"] = self.proof(request, token=None)
        request.register_hook("response", self.answered)
        return request

    def proof(self, request: requests.PreparedRequest, token: str | None) -> str:
        point = self.key.public_key().public_numbers()
        jwk = {"kty": "EC", "crv": "P-256", "x": base64url(point.x.to_bytes(32)), "y": base64url(point.y.to_bytes(32))}
        claims = {
            "jti": str(uuid.uuid4()),
            "htm": request.method,
            "htu": PLATFORM + urlsplit(request.url).path,
            "iat": int(time.time()),
            "nonce": Prover.nonce,
        }
        if token is not None:
            claims["ath"] = base64url(hashlib.sha256(token.encode()).digest())
        signed = f"{encode({'typ': 'dpop+jwt', 'alg': 'ES256', 'jwk': jwk})}.{encode(claims)}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"

    def answered(self, response: requests.Response, **_) -> None:
        Prover.nonce = response.headers["DPoP-Nonce"]


class Terminal(Prover):
    """A POS, enrolled when it is made."""

    def __init__(self) -> None:
        super().__init__()
        requests.post(PLATFORM + TERMINALS, json={"kind": "pos"}, auth=self).raise_for_status()


class Phone(Prover):
    """A student's phone, signed in when it has no session: at first, and after it was signed out."""

    def __init__(self) -> None:
        super().__init__()
        self.token = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request = super().__call__(request)
        if urlsplit(request.url).path != SIGN_IN:
            self.token = self.token or self.sign_in()
            request.headers["Authorization"] = f"DPoP {self.token}"
            request.headers["DPoP"] = self.proof(request, self.token)
        return request

    def answered(self, response: requests.Response, **_) -> None:
        super().answered(response)
        signed_out = response.request.method == "DELETE" and urlsplit(response.url).path == SIGN_OUT
        if signed_out and response.ok:
            self.token = None

    def sign_in(self) -> str:
        issued = requests.post(f"{PLATFORM}/sandbox/host/token", json={"student": STUDENT})
        issued.raise_for_status()
        form = {
            "grant_type": f"{OAUTH}grant-type:token-exchange",
            "subject_token": issued.json()["id_token"],
            "subject_token_type": f"{OAUTH}token-type:id_token",
            "device_name": "schemathesis",
        }
        tokens = requests.post(PLATFORM + SIGN_IN, data=form, auth=self)
        tokens.raise_for_status()
        return tokens.json()["access_token"]


def answer(method: str, path: str, caller: Prover, **rest) -> dict:
    """What the platform answers to a request that succeeds."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    response = requests.request(method, PLATFORM + path, headers=headers, auth=caller, **rest)
    response.raise_for_status()
    return response.json()


phone = Phone()
schemathesis.auth.set_from_requests(Terminal()).apply_to(path_regex=f"^{TERMINALS}")
schemathesis.auth.set_from_requests(phone).skip_for(path_regex=f"^{TERMINALS}")

account = answer("GET", "/v1/accounts", phone)["accounts"][0]["id"]
turns = itertools.cycle([True, False])


@schemathesis.hook
def before_call(_context, case, _kwargs) -> None:
    """Every other request of the documented form is about something that exists. In a sequence, the sequence says what."""
    meta = case.meta
    if meta is None or meta.phase.name == "stateful" or not meta.generation.mode.is_positive or not next(turns):
        return
    match case.operation.path:
        case "/v1/accounts/{id}/low-balance" | "/v1/accounts/{id}/auto-top-up":
            case.path_parameters = {"id": account}
        case "/v1/utilities/providers/{provider}/places":
            case.path_parameters = {"provider": PLACE["provider"]}
        case "/v1/utilities/places" if case.method == "POST":
            case.body = dict(PLACE)
        case "/v1/utilities/places/{id}" | "/v1/utilities/places/{id}/balance":
            # Bound again each time: some of these requests end it.
            case.path_parameters = {"id": answer("POST", "/v1/utilities/places", phone, json=PLACE)["id"]}
