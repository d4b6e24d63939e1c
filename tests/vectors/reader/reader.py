"""A reader and verifier of Yika codes, version 1, as docs/code-format.md describes them; it shares no code with any other.

Section numbers refer to that page. It needs the package `cryptography` for P-256 and nothing else.
"""

import hashlib
import struct
from types import SimpleNamespace as Record

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
REASONS = (
    "MALFORMED ISSUER_UNKNOWN ISSUER_SIG UNKNOWN NOT_YET EXPIRED KEY_CONFLICT ATTR_CONFLICT PROFILE REVOKED NOT_ASKED"
    " DEVICE_SIG LISTS_STALE NO_TIME STALE FUTURE BEFORE_INSTALL REPLAY WRONG_KIND SCOPE SITE ACCOUNT LIMIT STORAGE"
).split()
GATE, LIBRARY, POS, FEE, UNATTENDED, CONFIRMED = (1 << bit for bit in range(6))
DAY_ZERO_MS, DAY_MS = 1_767_225_600_000, 86_400_000


class Refused(Exception):
    """An outcome that isn't good; its one argument is the reason."""


def check(holds, reason="MALFORMED"):
    if not holds:
        raise Refused(reason)


# Section 1

def tag(text):
    return text.encode().ljust(16, b"\0")


def school_hash(domain):
    return hashlib.sha256(b"yika-school:" + domain.lower().encode()).digest()[:16]


def on_curve(key):
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError:
        return None


def verifies(key, message, signature):
    point = on_curve(key)
    if point is None:
        return False
    halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        point.verify(encode_dss_signature(*halves), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


class Cursor:
    """Takes fields off the front of untrusted bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        check(self.at + count <= len(self.data))
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count, low=0, high=None):
        value = int.from_bytes(self.take(count), "big")
        check(low <= value and (high is None or value <= high))
        return value

    def key(self):
        key = self.take(33)
        check(key[0] in (2, 3))
        return key

    def signature(self):
        return checked_signature(self.take(64))

    def end(self):
        check(self.at == len(self.data))


def checked_signature(signature):
    check(all(0 < int.from_bytes(half, "big") < ORDER for half in (signature[:32], signature[32:])))
    return signature


# Section 2

def read_attributes(cursor):
    raw = cursor.data[cursor.at:cursor.at + 7]
    per_use, cumulative = cursor.number(2), cursor.number(2)
    check(per_use <= cumulative)
    accounts, scopes, kind = cursor.number(1), cursor.number(1, high=0x3F), cursor.number(1)
    check(1 <= kind & 15 <= 4 and kind >> 4 <= 2)
    return Record(raw=raw, per_use=per_use * 10, cumulative=cumulative * 10, accounts=accounts, scopes=scopes,
                  holder=kind & 15, storage=kind >> 4)


def read_header(cursor, form):
    header = cursor.number(1)
    check(header in (0x10 | form << 2, 0x11 | form << 2))
    return header & 3


def read_credential(cursor):
    start = cursor.at
    profile = read_header(cursor, 2)
    credential = Record(
        profile=profile, issuer=cursor.number(2), pseudonym=cursor.take(5), epoch=cursor.number(1, 1, 254),
        not_before=cursor.number(2), life=cursor.number(1, 1), code_life=cursor.number(1, 10, 120),
        attributes=read_attributes(cursor), key=cursor.key())
    credential.body = cursor.data[start:cursor.at]
    credential.signature = cursor.signature()
    return credential


def read_dynamic(cursor):
    raw = cursor.data[cursor.at:cursor.at + 9]
    time, counter, use = cursor.number(4), cursor.number(2, 1), cursor.number(1)
    kind, slot = use & 15, use >> 4
    check((kind == 1 and slot == 0) or (kind in (2, 3) and 1 <= slot <= 8))
    return Record(raw=raw, time=time, counter=counter, kind=kind, slot=slot, site=cursor.number(1, high=254),
                  clock=cursor.number(1, high=252))


def read_code(data, form=None):
    form = form or {80: 1, 190: 2}.get(len(data))
    check(form is not None)
    cursor, credential = Cursor(data), None
    if form == 1:
        profile, pseudonym, epoch = read_header(cursor, 1), cursor.take(5), cursor.number(1, 1, 254)
    else:
        credential = read_credential(cursor)
        profile, pseudonym, epoch = credential.profile, credential.pseudonym, credential.epoch
    code = Record(form=form, profile=profile, pseudonym=pseudonym, epoch=epoch, credential=credential,
                  dynamic=read_dynamic(cursor), signature=cursor.signature())
    cursor.end()
    code.sequence = epoch << 16 | code.dynamic.counter
    return code


# Section 3

def read_text(text, prefixes):
    """The prefix and the bytes of what a scanner typed; `prefixes` gives the characters behind each."""
    if len(text) >= 3 and text[0] == "]" and text[1] in "Qq" and text[2] in "0123456":
        text = text[3:]
    text = text.rstrip("\r\n\t")
    prefix, body = text[:2].replace("c", "C"), text[2:]
    check(prefix in prefixes and len(body) == prefixes[prefix])
    folded = [chr(ord(c) - 32) if "a" <= c <= "z" else c for c in body]
    check(all(c in ALPHABET for c in folded))
    values = [ALPHABET.index(c) for c in folded]
    data = b""
    for c, d, e in zip(values[::3], values[1::3], values[2::3]):
        number = c + 45 * d + 2025 * e
        check(number <= 65535)
        data += struct.pack(">H", number)
    return prefix, data


def code_of_text(text):
    prefix, data = read_text(text, {"C1": 120, "C2": 285})
    code = read_code(data, int(prefix[1]))
    check(not code.credential or code.profile != 0 or on_curve(code.credential.key))
    return code


def confirmation_of_text(text):
    cursor = Cursor(read_text(text, {"C3": 36})[1])
    return Record(terminal=cursor.number(8), nonce=cursor.number(8, 1), amount=cursor.number(8, 1))


# Section 4

def credential_preimage(school, credential):
    return tag("YIKA1.cred") + school + credential.body


def code_preimage(school, code, confirmation):
    message = tag("YIKA1.code") + school + bytes([0x10 | code.profile]) + code.pseudonym + bytes([code.epoch])
    message += code.dynamic.raw
    if code.dynamic.kind == 3:
        asked = struct.pack(">QQQ", confirmation.terminal, confirmation.nonce, confirmation.amount)
        message += hashlib.sha256(tag("YIKA1.ctx") + school + asked).digest()
    return message


def signature_of_key_store(data):
    """Raw r‖s, from that or from strict DER."""
    if len(data) == 64:
        return checked_signature(data)
    cursor, raw = Cursor(data), b""
    check(cursor.take(1) == b"\x30" and cursor.number(1) == len(data) - 2)
    for _ in range(2):
        check(cursor.take(1) == b"\x02")
        digits = cursor.take(cursor.number(1, 1))
        if digits[0] == 0 and len(digits) > 1:
            check(digits[1] & 0x80)
            digits = digits[1:]
        else:
            check(not digits[0] & 0x80)
        check(len(digits) <= 32)
        raw += digits.rjust(32, b"\0")
    cursor.end()
    return checked_signature(raw)


def check_proof(school, nonce, device, key, data):
    signature = signature_of_key_store(data)
    check(verifies(key, tag("YIKA1.pop") + school + nonce + device + key, signature), "DEVICE_SIG")


# Section 5

MESSAGES = {"keyset": (1, "YIKA1.keyset", None), "table": (2, "YIKA1.table", 2), "delta": (3, "YIKA1.delta", 2),
            "revocations": (4, "YIKA1.revoke", 2), "time": (5, "YIKA1.time", 3), "mark": (7, "YIKA1.mark", 2)}


def open_message(data, message, school, root=None, keyset=None):
    cursor = Cursor(data)
    check(cursor.take(2) == b"YK")
    kind = cursor.number(1)
    check(kind in (1, 2, 3, 4, 5, 7) and cursor.number(1) == 0)
    opened = Record(school=cursor.take(16), signer=cursor.number(2), version=cursor.number(8),
                    issued=cursor.number(8), good_until=cursor.number(8))
    check(opened.issued <= opened.good_until)
    opened.body = cursor.take(cursor.number(4))
    signed, signature = data[:cursor.at], cursor.signature()
    opened.rest = data[cursor.at:]
    expected, name, role = MESSAGES[message]
    check(kind == expected, "WRONG_MESSAGE")
    check(opened.school == school, "WRONG_SCHOOL")
    if message == "keyset":
        check(opened.signer == 0, "SIGNER_UNKNOWN")
        key = root
    else:
        entry = key_at(keyset, opened.signer, role, opened.issued)
        check(entry, "SIGNER_UNKNOWN")
        key = entry.key
    check(verifies(key, tag(name) + signed, signature), "SIGNER_SIG")
    check(message == "table" or not opened.rest)
    return opened


def key_at(keyset, number, role, at_ms):
    entry = keyset.keys.get(number)
    return entry if entry and entry.role == role and entry.start <= at_ms // 1000 < entry.end else None


def open_keyset(data, school, root):
    keyset = open_message(data, "keyset", school, root=root)
    check(len(keyset.body) % 45 == 0)
    cursor, last, keyset.keys = Cursor(keyset.body), 0, {}
    while cursor.at < len(keyset.body):
        number, role = cursor.number(2, last + 1), cursor.number(1, 1, 3)
        check(cursor.number(1) == 0)
        start = cursor.number(4)
        end = cursor.number(4, start + 1, start + 63_244_800 if role == 1 else None)
        key = cursor.key()
        check(on_curve(key))
        keyset.keys[number] = Record(role=role, start=start, end=end, key=key)
        last = number
    return keyset


def read_row(data):
    cursor = Cursor(data)
    row = Record(raw=data, pseudonym=cursor.take(5), epoch=cursor.number(1, 1, 254), min_epoch=cursor.number(1, 1),
                 until=cursor.number(2), attributes=read_attributes(cursor))
    flags = cursor.number(1, high=7)
    check(flags & 3 <= 1)
    row.profile, row.pays_offline, row.key = flags & 3, bool(flags & 4), cursor.key()
    return row


def read_rows(data):
    rows = [read_row(data[at:at + 50]) for at in range(0, len(data), 50)]
    check(all(a.pseudonym < b.pseudonym for a, b in zip(rows, rows[1:])))
    return {row.pseudonym: row for row in rows}


def open_table(data, keyset):
    table = open_message(data, "table", keyset.school, keyset=keyset)
    cursor = Cursor(table.body)
    table.policy = Record(code_life=cursor.number(1, 10, 120), max_skew=cursor.number(1, high=60),
                          unanchored=cursor.number(2) * 10, identity_alone=bool(cursor.number(1, high=1)))
    count = cursor.number(4)
    hashed = table.body[cursor.at:]
    check(len(table.rest) == 50 * count and len(hashed) == 32 * -(-count // 4096))
    for index in range(len(hashed) // 32):
        chunk = table.rest[index * 204_800:(index + 1) * 204_800]
        check(hashlib.sha256(chunk).digest() == hashed[index * 32:index * 32 + 32], "CHUNK")
    table.rows = read_rows(table.rest)
    return table


def open_delta(data, keyset):
    delta = open_message(data, "delta", keyset.school, keyset=keyset)
    cursor = Cursor(delta.body)
    delta.base, upserts, deletes = cursor.number(8), cursor.number(4), cursor.number(4)
    check(delta.base + 1 == delta.version and len(delta.body) == 16 + 50 * upserts + 5 * deletes)
    delta.upserts = read_rows(cursor.take(50 * upserts))
    delta.deletes = [cursor.take(5) for _ in range(deletes)]
    check(all(a < b for a, b in zip(delta.deletes, delta.deletes[1:])))
    check(not any(gone in delta.upserts for gone in delta.deletes))
    return delta


def apply_delta(table, delta):
    check(delta.base == table.version, "WRONG_BASE")
    rows = {name: row for name, row in (table.rows | delta.upserts).items() if name not in delta.deletes}
    return Record(version=delta.version, good_until=delta.good_until, policy=table.policy, rows=rows)


def open_revocations(data, keyset):
    revocations = open_message(data, "revocations", keyset.school, keyset=keyset)
    cursor, last, revocations.lowest = Cursor(revocations.body), b"", {}
    while cursor.at < len(revocations.body):
        pseudonym, lowest = cursor.take(5), cursor.number(1, 1)
        check(last < pseudonym)
        revocations.lowest[pseudonym], last = lowest, pseudonym
    return revocations


def open_time(data, keyset, nonce):
    cursor = Cursor(open_message(data, "time", keyset.school, keyset=keyset).body)
    answers, now_ms = cursor.take(16), cursor.number(8)
    cursor.end()
    check(answers == nonce, "WRONG_NONCE")
    return now_ms


def open_mark(data, keyset):
    cursor = Cursor(open_message(data, "mark", keyset.school, keyset=keyset).body)
    mark = Record(terminal=cursor.number(8), sequence=cursor.number(8))
    cursor.end()
    return mark


# Section 6

def read_sale(data):
    cursor = Cursor(data)
    sale = Record(school=cursor.take(16), terminal=cursor.number(8), sequence=cursor.number(8, 1),
                  previous=cursor.take(32), kind=cursor.number(1, 1, 3), amount=cursor.number(8, 1),
                  merchant=cursor.number(8), time_ms=cursor.number(8), uncertainty=cursor.number(2),
                  table=cursor.number(8), revocations=cursor.number(8), nonce=cursor.number(8), code=None, voids=0)
    content = cursor.take(cursor.number(2))
    sale.preimage, sale.signature = tag("YIKA1.sale") + data[:cursor.at], cursor.signature()
    cursor.end()
    if sale.kind == 2:
        check(len(content) == 8)
        sale.voids = Cursor(content).number(8, 1, sale.sequence - 1)
    else:
        sale.code = read_code(content)
        check(sale.code.dynamic.kind in (2, 3))
    check((sale.nonce != 0) == (sale.code is not None and sale.code.dynamic.kind == 3))
    return sale


def check_sale(data, school, terminal_key, device_key):
    sale = read_sale(data)
    check(sale.school == school, "WRONG_SCHOOL")
    check(verifies(terminal_key, sale.preimage, sale.signature), "SIGNER_SIG")
    if sale.code:
        asked = Record(terminal=sale.terminal, nonce=sale.nonce, amount=sale.amount)
        check(verifies(device_key, code_preimage(school, sale.code, asked), sale.code.signature), "DEVICE_SIG")
    return sale


# Section 8

NO_TABLE = Record(max_skew=60, unanchored=0, identity_alone=False)


def without_payments(attributes):
    return Record(**{**vars(attributes), "scopes": attributes.scopes & ~(POS | FEE | UNATTENDED | CONFIRMED)})


def lesser(old, new):
    return Record(per_use=min(old.per_use, new.per_use), cumulative=min(old.cumulative, new.cumulative),
                  accounts=old.accounts & new.accounts, scopes=old.scopes & new.scopes)


def weigh_full(code, held, time):
    credential = code.credential
    issuer = key_at(held.keyset, credential.issuer, 1, time.now_ms)
    check(issuer, "ISSUER_UNKNOWN")
    message = credential_preimage(held.keyset.school, credential)
    check(verifies(issuer.key, message, credential.signature), "ISSUER_SIG")
    start, now = issuer.start + 3600 * credential.not_before, time.now_ms // 1000
    check(start <= now, "NOT_YET")
    check(now < start + 3600 * credential.life, "EXPIRED")
    attributes, lowest = credential.attributes, 1
    row = held.table and held.table.rows.get(code.pseudonym)
    if row:
        check(row.key == credential.key, "KEY_CONFLICT")
        check(code.epoch != row.epoch or attributes.raw == row.attributes.raw, "ATTR_CONFLICT")
        check(row.profile == code.profile, "PROFILE")
        if code.epoch < row.epoch:
            attributes = lesser(attributes, row.attributes)
        lowest = row.min_epoch
        if not row.pays_offline:
            attributes = without_payments(attributes)
    return credential.key, attributes, credential.code_life, lowest


def weigh_short(code, held, time):
    check(held.table and time.now_ms <= held.table.good_until, "UNKNOWN")
    row = held.table.rows.get(code.pseudonym)
    check(row and code.epoch <= row.epoch, "UNKNOWN")
    check(time.now_ms < DAY_ZERO_MS + (row.until + 1) * DAY_MS, "EXPIRED")
    check(row.profile == code.profile, "PROFILE")
    attributes = row.attributes if row.pays_offline else without_payments(row.attributes)
    return row.key, attributes, held.table.policy.code_life, row.min_epoch


def authenticate_in(code, held, time, confirmation):
    weigh = weigh_full if code.form == 2 else weigh_short
    key, attributes, code_life, lowest = weigh(code, held, time)
    check(code.profile == 0, "PROFILE")
    revoked = held.revocations.lowest.get(code.pseudonym, 1) if held.revocations else 1
    check(code.epoch >= max(lowest, revoked), "REVOKED")
    check(code.dynamic.kind != 3 or confirmation, "NOT_ASKED")
    message = code_preimage(held.keyset.school, code, confirmation)
    check(verifies(key, message, code.signature), "DEVICE_SIG")
    return Record(attributes=attributes, code_life=code_life, school=held.keyset.school,
                  policy=held.table.policy if held.table else NO_TABLE,
                  revocations_in_date=bool(held.revocations and time.now_ms <= held.revocations.good_until))


def authenticate(code, schools, time, confirmation):
    furthest = "ISSUER_UNKNOWN" if code.form == 2 else "UNKNOWN"
    for held in schools:
        try:
            return authenticate_in(code, held, time, confirmation)
        except Refused as refused:
            furthest = max(furthest, refused.args[0], key=REASONS.index)
    raise Refused(furthest)


def authorise(code, genuine, terminal, time, request, standing, confirmation):
    dynamic, policy, pays = code.dynamic, genuine.policy, request.pay is not None
    check(genuine.revocations_in_date or (not pays and policy.identity_alone), "LISTS_STALE")
    check(not pays or time.anchored, "NO_TIME")
    if standing.accepted_for == request.sale:
        return "ANSWER_AS_BEFORE"
    skew, now = policy.max_skew, time.now_ms // 1000
    if dynamic.clock <= 250 and time.anchored:
        skew = min(2 * dynamic.clock + time.uncertainty, skew)
    check(dynamic.time >= now - genuine.code_life - skew, "STALE")
    check(dynamic.time <= now + skew, "FUTURE")
    check(dynamic.time >= terminal.installed, "BEFORE_INSTALL")
    check(standing.last is None or code.sequence > standing.last, "REPLAY")
    scope = {("pos", True): POS, ("gate", False): GATE, ("library", False): LIBRARY,
             ("library", True): FEE}.get((terminal.kind, pays))
    check(scope and pays == (dynamic.kind != 1), "WRONG_KIND")
    if pays and not terminal.attended:
        scope |= UNATTENDED
    if dynamic.kind == 3:
        scope |= CONFIRMED
    attributes = genuine.attributes
    check(attributes.scopes & scope == scope, "SCOPE")
    check(dynamic.site == 0 or dynamic.site in terminal.sites, "SITE")
    if pays:
        check(attributes.accounts >> (dynamic.slot - 1) & 1, "ACCOUNT")
        check(request.pay > 0, "LIMIT")
        check(request.pay == confirmation.amount if dynamic.kind == 3 else request.pay <= attributes.per_use, "LIMIT")
        check(dynamic.clock <= 250 or request.pay <= policy.unanchored, "LIMIT")
        check(standing.spent + request.pay <= attributes.cumulative, "LIMIT")
    return "APPROVE"
