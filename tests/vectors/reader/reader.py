"""A second reader of Yika codes, written from docs/code-format.md alone; [n] is its section n.

Pure functions. What is not accepted raises Refused with the one reason; any other exception is a bug.
"""
import hmac
import re
from hashlib import sha256
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

number = int.from_bytes  # big-endian, as everything here

class Refused(Exception):
    """Not accepted; its text is the reason."""

def need(condition, reason="MALFORMED"):
    if not condition:
        raise Refused(reason)

def tag(name):
    return b"YIKA1." + name.encode().ljust(10, b"\0")

def school_hash(domain):
    return sha256(b"yika-school:" + domain.lower().encode("ascii")).digest()[:16]

def point(key):
    """The key as a point of P-256; None where it is not on the curve [1]."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError:
        return None

def verifies(key, rs, message):
    """Whether r‖s verifies; under a key that is not on the curve nothing does [1, 8.2]."""
    public, der = point(key), encode_dss_signature(number(rs[:32]), number(rs[32:]))
    try:
        return public is not None and public.verify(der, message, ec.ECDSA(SHA256())) is None
    except InvalidSignature:
        return False

# Layouts are fields "name size allowed": bytes that pass the test named, else a number, in one of the spans.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TESTS = {
    "bytes": lambda data: True,
    "key": lambda data: data[0] in (2, 3),
    "key_on_curve": lambda data: data[0] in (2, 3) and point(data) is not None,
    "rs": lambda data: len(data) == 64 and 0 < number(data[:32]) < ORDER and 0 < number(data[32:]) < ORDER}
PAYMENTS = "/".join(f"{16 * slot + 2}-{16 * slot + 3}" for slot in range(1, 9))
HOLDER = "pseudonym 5 bytes, epoch 1 1-254"
ATTRIBUTES = "per_use_fen 2, cumulative_fen 2, accounts 1, scopes 1 0-63, class 1 1-4/17-20/33-36"
CREDENTIAL = (f"header 1 24-25, issuer 2, {HOLDER}, not_before_hours 2, life_hours 1 1-255, "
              f"code_life_s 1 10-120, {ATTRIBUTES}, device_key 33 key, issuer_signature 64 rs")
DYNAMIC = f"time 4, counter 2 1-65535, use 1 1-1/{PAYMENTS}, site 1 0-254, clock 1 0-252, signature 64 rs"
CODES = {80: f"header 1 20-21, {HOLDER}, {DYNAMIC}", 190: f"{CREDENTIAL}, {DYNAMIC}"}
CONFIRMATION = f"terminal 8, nonce 8 1-{2**64}, amount_fen 8 1-{2**64}"
ENVELOPE = ("magic 2 22859-22859, type 1 1-7, algorithm 1 0-0, school 16 bytes, signer 2, version 8, "
            "issued_ms 8, good_until_ms 8, length 4")
KEY = "id 2 1-65535, role 1 1-3, algorithm 1 0-0, from 4, to 4, key 33 key_on_curve"
POLICY = ("code_life_s 1 10-120, max_skew_s 1 0-60, unanchored_limit_fen 2, "
          "identity_without_revocations 1 0-1, count 4")
ROW = f"{HOLDER}, min_epoch 1 1-255, until 2, {ATTRIBUTES}, flags 1 0-1/4-5, device_key 33 key"
BOX = f"terminal 8, form 1 4-4, point 64 bytes, size 4 16-{2**32}"
RECORD = (f"school 16 bytes, terminal 8, sequence 8 1-{2**64}, previous 32 bytes, sale_kind 1 1-3, "
          f"amount_fen 8 1-{2**64}, merchant 8, time_ms 8, uncertainty_s 2, table_version 8, "
          "revocations_version 8, nonce 8, length 2")

def read(layout, data):
    """The fields of exactly these bytes, by name; amounts of two bytes are in units of 10 fen."""
    layout = re.findall(r"(\w+) (\d+) ?([^,]*)", layout)
    need(len(data) == sum(int(size) for _, size, _ in layout))
    fields, at = {"bytes": data}, 0
    for name, size, allowed in layout:
        part = data[at:at + int(size)]
        at += int(size)
        if allowed in TESTS:
            need(TESTS[allowed](part))
            fields[name] = part
        else:
            spans = re.findall(r"(\d+)-(\d+)", allowed)
            need(not spans or any(int(low) <= number(part) <= int(high) for low, high in spans))
            fields[name] = number(part) * (10 if size == "2" and name.endswith("_fen") else 1)
    need("cumulative_fen" not in fields or fields["per_use_fen"] <= fields["cumulative_fen"])
    return fields

def read_entries(layout, size, data):
    """Entries back to back, by their first field, which rises strictly."""
    entries = [read(layout, data[at:at + size]) for at in range(0, len(data), size)]
    names = [entry[layout.split()[0]] for entry in entries]
    need(all(a < b for a, b in zip(names, names[1:])))
    return dict(zip(names, entries))

def decode_text(text, lengths):
    """The bytes of a scanned text [3]; `lengths` are those behind the prefixes that are asked for."""
    text = re.sub(r"\A\][Qq][0-6]", "", text).rstrip("\r\n\t")
    need(text.isascii() and len(text) - 2 == lengths.get(text[:2].upper()))
    digits = ["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".find(letter) for letter in text[2:].upper()]
    groups = [a + 45 * b + 2025 * c for a, b, c in zip(digits[::3], digits[1::3], digits[2::3])]
    need(min(digits) >= 0 and max(groups) < 65536)
    return b"".join(group.to_bytes(2) for group in groups)

def read_confirmation(text):
    return read(CONFIRMATION, decode_text(text, {"C3": 36}))

def read_code(data):
    """A code of either form [2]; only the full one has an `issuer`."""
    need(len(data) in CODES)
    code = read(CODES[len(data)], data)
    profile, (slot, kind) = code["header"] & 3, divmod(code["use"], 16)
    signed = bytes([0x10 | profile]) + code["pseudonym"] + bytes([code["epoch"]]) + data[-73:-64]
    return code | {"profile": profile, "slot": slot, "type": kind, "signed": signed}

def code_preimage(code, school, confirmation):
    """What the device signed; a code of type 3 covers what it confirms [4.2]."""
    preimage = tag("code") + school + code["signed"]
    if code["type"] == 3:
        confirmed = b"".join(confirmation[name].to_bytes(8) for name in ("terminal", "nonce", "amount_fen"))
        preimage += sha256(tag("ctx") + school + confirmed).digest()
    return preimage

def credential_preimage(data, school):
    return tag("cred") + school + data[:53]

def open_credential(data, school, key):
    credential = read(CREDENTIAL, data)
    need(verifies(key, credential["issuer_signature"], credential_preimage(data, school)), "ISSUER_SIG")
    return credential

def check_possession(signature, school, nonce, device, key):
    """A proof of possession, its signature raw or in DER that encodes to the same bytes again [4.3]."""
    if len(signature) != 64:
        need(8 <= len(signature) <= 72)
        r, s = number(signature[4:4 + signature[3]]), number(signature[6 + signature[3]:])
        need(encode_dss_signature(r, s) == signature and max(r, s) < ORDER)
        signature = r.to_bytes(32) + s.to_bytes(32)
    need(TESTS["rs"](signature))
    need(verifies(key, signature, tag("pop") + school + nonce + device + key), "DEVICE_SIG")

MESSAGES = {"keyset": (1, "keyset", 0), "table": (2, "table", 2), "delta": (3, "delta", 2),
            "revocations": (4, "revoke", 2), "time": (5, "time", 3), "directory": (6, "dir", 2),
            "mark": (7, "mark", 2)}  # type, tag, role of the signer

def pinned(school, root):
    """The root as a keyset of its own, which opens keysets."""
    return {"school": school, "keys": {0: {"role": 0, "from": 0, "to": 2**64, "key": root}}}

def listed_key(keyset, name, role, second):
    """The entry of that key, if it has this role and this second is in its time."""
    key = keyset["keys"].get(name)
    return key if key and key["role"] == role and key["from"] <= second < key["to"] else None

def open_message(wanted, data, keyset, have_version=None, **asked):
    """A signed message, in the order of [5.1]; `asked` is what else its kind needs, see `read_body`."""
    message = read(ENVELOPE, data[:50])
    signed, signature = data[:50 + message["length"]], data[50 + message["length"]:][:64]
    need(message["issued_ms"] <= message["good_until_ms"] and TESTS["rs"](signature))
    kind, name, role = MESSAGES[wanted]
    need(message["type"] == kind, "WRONG_MESSAGE")
    need(message["school"] == keyset["school"], "WRONG_SCHOOL")
    key = listed_key(keyset, message["signer"], role, message["issued_ms"] // 1000)
    need(key, "SIGNER_UNKNOWN")
    need(verifies(key["key"], signature, tag(name) + signed), "SIGNER_SIG")
    body = read_body(wanted, message, signed[50:], data[len(signed) + 64:], **asked)
    need(have_version is None or message["version"] > have_version, "NOT_NEWER")
    return body | message

def read_body(wanted, message, body, rows, nonce=None, table=None, terminal=None, private_key=None):
    """What a message says; of a delta, the table that it makes [5.2-5.8]."""
    need(wanted == "table" or not rows)
    if wanted == "keyset":
        keys = read_entries(KEY, 45, body)
        longest = {1: 63244800, 2: 2**32, 3: 2**32}
        need(all(0 < key["to"] - key["from"] <= longest[key["role"]] for key in keys.values()))
        return {"keys": keys}
    if wanted == "table":
        policy = read(POLICY, body[:9])
        hashes = b"".join(sha256(rows[at:at + 204800]).digest() for at in range(0, len(rows), 204800))
        need(len(rows) == 50 * policy["count"] and len(body) == 9 + len(hashes))
        need(body[9:] == hashes, "CHUNK")
        return policy | {"rows": read_entries(ROW, 50, rows)}
    if wanted == "delta":
        delta = read("base 8, upserts 4, deletes 4", body[:16])
        split = 16 + 50 * delta["upserts"]
        need(len(body) == split + 5 * delta["deletes"] and delta["base"] + 1 == message["version"])
        upserts = read_entries(ROW, 50, body[16:split])
        deletes = read_entries("pseudonym 5 bytes", 5, body[split:])
        need(not upserts.keys() & deletes.keys())
        need(delta["base"] == table["version"], "WRONG_BASE")
        merged = sorted((table["rows"] | upserts).items())
        return table | {"rows": {pseudonym: row for pseudonym, row in merged if pseudonym not in deletes}}
    if wanted == "revocations":
        return {"entries": read_entries("pseudonym 5 bytes, min_epoch 1 1-255", 6, body)}
    if wanted == "time":
        time = read("nonce 16 bytes, now_ms 8", body)
        need(time["nonce"] == nonce, "WRONG_NONCE")
        return time
    if wanted == "mark":
        return read("terminal 8, sequence 8", body)
    box = read(BOX, body[:77])
    need(len(body) == 77 + box["size"])
    need(box["terminal"] == terminal, "WRONG_TERMINAL")
    info = tag("dir") + message["school"] + body[:8]
    holders = read_holders(hpke_open(private_key, body[8:73], info, message["bytes"], body[77:]))
    return {"terminal": terminal, "entries": holders}

def hpke_open(private_key, encapsulated, info, aad, sealed):
    """RFC 9180, base mode, P-256, HKDF-SHA256, AES-256-GCM. No output is above 32 bytes: one HMAC each."""
    def hkdf(secret, suite, label, data, size=None):
        labeled = b"HPKE-v1" + suite + label + data
        return hmac.digest(secret, size.to_bytes(2) + labeled + b"\1" if size else labeled, "sha256")[:size]

    public, own = point(encapsulated), ec.derive_private_key(number(private_key), ec.SECP256R1())
    need(public is not None, "SEALED")
    numbers = own.public_key().public_numbers()
    recipient = b"\4" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    kem, suite = b"KEM\0\x10", b"HPKE\0\x10\0\1\0\2"
    shared = hkdf(b"", kem, b"eae_prk", own.exchange(ec.ECDH(), public))
    shared = hkdf(shared, kem, b"shared_secret", encapsulated + recipient, 32)
    context = b"\0" + hkdf(b"", suite, b"psk_id_hash", b"") + hkdf(b"", suite, b"info_hash", info)
    secret = hkdf(shared, suite, b"secret", b"")
    key, nonce = hkdf(secret, suite, b"key", context, 32), hkdf(secret, suite, b"base_nonce", context, 12)
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Refused("SEALED") from None

def read_holders(data):
    """What was sealed in a directory [5.8]: pseudonym, length and number of each holder."""
    holders, at, last = {}, 0, b""
    while at < len(data):
        holder = read("pseudonym 5 bytes, length 1 1-32", data[at:at + 6])
        text = data[at + 6:at + 6 + holder["length"]]
        need(len(text) == holder["length"] and re.fullmatch(rb"[!-~]+", text) and holder["pseudonym"] > last)
        last, at = holder["pseudonym"], at + 6 + len(text)
        holders[last] = holder | {"number": text.decode("ascii")}
    return holders

def open_sale(data, school, terminal_key, device_key):
    """An uploaded record [6]; `device_key` is the one enrolled for the code's pseudonym, or None."""
    record = read(RECORD, data[:117]) | {"voids": 0}
    signed, signature = data[:117 + record["length"]], data[117 + record["length"]:]
    need(TESTS["rs"](signature) and (record["sequence"] > 1 or record["previous"] == bytes(32)))
    if record["sale_kind"] == 2:
        record["voids"] = number(signed[117:])
        need(record["length"] == 8 and 0 < record["voids"] < record["sequence"] and record["nonce"] == 0)
    else:
        code = read_code(signed[117:])
        need(code["type"] != 1 and (code["type"] == 3) == (record["nonce"] != 0))
    need(record["school"] == school, "WRONG_SCHOOL")
    need(verifies(terminal_key, signature, tag("sale") + signed), "SIGNER_SIG")
    if record["sale_kind"] != 2:
        need(code["profile"] == 0 and device_key, "DEVICE_SIG")
        need(verifies(device_key, code["signature"], code_preimage(code, school, record)), "DEVICE_SIG")
    return record | {"hash": sha256(tag("sale") + signed).digest()}

# The terminal [8]. A school here has its hash, `school`, its `keyset`, and `table` and `revocations` or None.
REASONS = ("ISSUER_UNKNOWN ISSUER_SIG UNKNOWN NOT_YET EXPIRED KEY_CONFLICT ATTR_CONFLICT PROFILE REVOKED "
           "NOT_ASKED DEVICE_SIG").split()  # of authentication, in the order of [8.5]
NO_TABLE = {"rows": {}, "good_until_ms": -1, "max_skew_s": 60, "unanchored_limit_fen": 0,
            "identity_without_revocations": 0}
NO_REVOKED = {"entries": {}, "good_until_ms": -1}
SCOPES = {("pos", True): 2, ("gate", False): 0, ("library", False): 1, ("library", True): 3}  # True: payment
DAY_0 = 1767225600  # 2026-01-01

def decode(text):
    """A code as a terminal takes it [8.1]."""
    code = read_code(decode_text(text, {"C1": 120, "C2": 285}))
    need("issuer" not in code or code["profile"] != 0 or TESTS["key_on_curve"](code["device_key"]))
    return code

def authenticate(code, schools, now_ms, confirmation):
    """The school whose code it is, and what the code may [8.2]."""
    reasons = ["ISSUER_UNKNOWN" if "issuer" in code else "UNKNOWN"]
    for school in schools:
        try:
            return school, authenticate_at(code, school, now_ms, confirmation)
        except Refused as refused:
            reasons.append(str(refused))
    raise Refused(max(reasons, key=REASONS.index))

def authenticate_at(code, school, now_ms, confirmation):
    """What the code may at this school: limits, accounts, scopes and code life, under its device key."""
    now, table, revocations = now_ms // 1000, school["table"] or NO_TABLE, school["revocations"] or NO_REVOKED
    row, revoked = table["rows"].get(code["pseudonym"]), revocations["entries"].get(code["pseudonym"])
    if "issuer" in code:
        granted = dict(code)
        key = listed_key(school["keyset"], code["issuer"], 1, now)
        need(key, "ISSUER_UNKNOWN")
        open_credential(code["bytes"][:117], school["school"], key["key"])
        start = key["from"] + 3600 * code["not_before_hours"]
        need(start <= now, "NOT_YET")
        need(now < start + 3600 * code["life_hours"], "EXPIRED")
        if row:
            same = code["bytes"][13:20] == row["bytes"][9:16]
            need(row["device_key"] == code["device_key"], "KEY_CONFLICT")
            need(row["epoch"] != code["epoch"] or same, "ATTR_CONFLICT")
            need(row["flags"] & 3 == code["profile"], "PROFILE")
            if code["epoch"] < row["epoch"]:
                granted |= {name: min(code[name], row[name]) for name in ("per_use_fen", "cumulative_fen")}
                granted |= {name: code[name] & row[name] for name in ("accounts", "scopes")}
    else:
        need(now_ms <= table["good_until_ms"] and row and code["epoch"] <= row["epoch"], "UNKNOWN")
        need(now < DAY_0 + 86400 * (row["until"] + 1), "EXPIRED")
        need(row["flags"] & 3 == code["profile"], "PROFILE")
        granted = row | {"code_life_s": table["code_life_s"]}
    if row and not row["flags"] & 4:
        granted["scopes"] &= 0b000011
    need(code["profile"] == 0, "PROFILE")
    need(all(code["epoch"] >= entry["min_epoch"] for entry in (row, revoked) if entry), "REVOKED")
    need(code["type"] != 3 or confirmation, "NOT_ASKED")
    preimage = code_preimage(code, school["school"], confirmation)
    need(verifies(granted["device_key"], code["signature"], preimage), "DEVICE_SIG")
    return granted

def authorise(code, school, granted, terminal, time, request, standing, confirmation):
    """Whether a genuine code is good for what is asked [8.3]; the arguments are those of the vectors."""
    policy, revocations = school["table"] or NO_TABLE, school["revocations"] or NO_REVOKED
    amount, now, clock = request["pay_fen"], time["now_ms"] // 1000, code["clock"]
    paying, confirming = amount is not None, code["type"] == 3
    if time["now_ms"] > revocations["good_until_ms"]:
        need(not paying and policy["identity_without_revocations"], "LISTS_STALE")
    need(time["anchored"] or not paying, "NO_TIME")
    if standing["accepted_for"] is not None and standing["accepted_for"] == request["sale"]:
        return "ANSWER_AS_BEFORE"
    skew = policy["max_skew_s"]
    if clock <= 250 and time["anchored"]:
        skew = min(2 * clock + time["uncertainty_s"], skew)
    need(code["time"] >= now - granted["code_life_s"] - skew, "STALE")
    need(code["time"] <= now + skew, "FUTURE")
    need(code["time"] >= terminal["installed"], "BEFORE_INSTALL")
    need(standing["last"] is None or code["epoch"] * 65536 + code["counter"] > standing["last"], "REPLAY")
    scope = SCOPES.get((terminal["kind"], paying))
    need(scope is not None and paying == (code["type"] != 1), "WRONG_KIND")
    scopes = 1 << scope | (paying and not terminal["attended"]) << 4 | confirming << 5
    need(granted["scopes"] & scopes == scopes, "SCOPE")
    need(code["site"] in [0, *terminal["sites"]], "SITE")
    if paying:
        need(granted["accounts"] >> code["slot"] - 1 & 1, "ACCOUNT")
        most = confirmation["amount_fen"] if confirming else granted["per_use_fen"]
        need(0 < amount <= most and (amount == most or not confirming), "LIMIT")
        need(clock <= 250 or amount <= policy["unanchored_limit_fen"], "LIMIT")
        need(standing["spent_fen"] + amount <= granted["cumulative_fen"], "LIMIT")
    return "APPROVE"
