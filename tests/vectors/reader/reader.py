"""A second reader of Yika codes, written from docs/code-format.md alone, whose sections the comments cite.

It decodes and verifies codes, credentials, signed messages, records of sales, confirmations and proofs.
Whatever is not good raises Refused with the one reason; any other exception is a bug.
"""
import hashlib
import hmac
import math
import re
from copy import copy
from types import SimpleNamespace as Fields

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
PAYMENTS = "payment", "confirmed_payment"
USES = {1: "identity"} | {slot << 4 | 2 + way: PAYMENTS[way] for slot in range(1, 9) for way in (0, 1)}
GATE, LIBRARY, POS, FEE, UNATTENDED, CONFIRMED = [1 << bit for bit in range(6)]

# Layouts: "name size" of a number, with its range if it has one; x behind a size: bytes; key: compressed key
SIGNATURE = f"r 32 1..{ORDER - 1}, s 32 1..{ORDER - 1}"
ATTRIBUTES = "per_use 2, cumulative 2, accounts 1, scopes 1 0..63, holder 1"
CREDENTIAL = ("header 1 0x18..0x19, issuer 2, pseudonym 5x, epoch 1 1..254, not_before_hours 2,"
              "life_hours 1 1.., code_life_s 1 10..120, attributes 7x, device_key key," + SIGNATURE)
SHORT = "header 1 0x14..0x15, pseudonym 5x, epoch 1 1..254"
DYNAMIC = "time 4, counter 2 1.., use 1, site 1 0..254, clock 1 0..252," + SIGNATURE
CONFIRMATION = "terminal 8, nonce 8 1.., amount_fen 8 1.."
ENVELOPE = ("magic 2 0x594b..0x594b, type 1 1..8, algorithm 1 0..0, school 16x, signer 2, version 8,"
            "issued_ms 8, good_until_ms 8, length 4")
KEY = "id 2 1.., role 1 1..3, algorithm 1 0..0, since 4, to 4, key key"
POLICY = "code_life_s 1 10..120, max_skew_s 1 0..60, unanchored 2, without_revocations 1 0..1, count 4"
ROW = "pseudonym 5x, epoch 1 1..254, min_epoch 1 1.., until 2, attributes 7x, flags 1 0..7, device_key key"
SALE = ("school 16x, terminal 8, sequence 8 1.., previous 32x, kind 1 1..3, amount_fen 8 1.., merchant 8,"
        "time_ms 8, uncertainty_s 2, table_version 8, revocations_version 8, nonce 8, length 2")


class Refused(Exception):
    """Not good; its text is one of the reasons of the specification."""


def check(condition, reason="MALFORMED"):
    if not condition:
        raise Refused(reason)

def unpack(layout, data, into=None):
    """Cut data by a layout, into which it must fit to the byte."""
    fields = into or Fields()
    for entry in layout.split(","):
        name, kind, *limits = entry.split()
        size = 33 if kind == "key" else int(kind.rstrip("x"))
        value, data = data[:size], data[size:]
        check(len(value) == size and (kind != "key" or value[0] in (2, 3)))
        if kind.isdigit():
            value = int.from_bytes(value, "big")
            low, high = limits[0].split("..") if limits else ("0", "")
            check(int(low, 0) <= value and (not high or value <= int(high, 0)))
        setattr(fields, name, value)
    check(not data)
    return fields

def pieces(data, size):
    """Pieces of that size; what is left over is a piece too, and too short for its layout."""
    return [data[at:at + size] for at in range(0, len(data), size)]

def rising(entries):
    """The entries by their first field, which must rise strictly."""
    keys = [next(iter(vars(entry).values())) for entry in entries]
    check(all(lower < higher for lower, higher in zip(keys, keys[1:])))
    return dict(zip(keys, entries))

def sha256(data):
    return hashlib.sha256(data).digest()

def tag(text):
    return text.encode().ljust(16, b"\0")

def school_hash(domain):
    return sha256(b"yika-school:" + domain.lower().encode())[:16]

def point(key, reason="MALFORMED"):
    """The public key, which must be on the curve."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError:
        raise Refused(reason) from None

def verify(key, signature, message, reason):
    """The signature is the r and s of what was unpacked."""
    pair = utils.encode_dss_signature(signature.r, signature.s)
    try:
        point(key, reason).verify(pair, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused(reason) from None


# 2 to 4: codes, text, what is signed

def read_attributes(data):
    fields = unpack(ATTRIBUTES, data)
    fields.key_storage, fields.holder_class = divmod(fields.holder, 16)
    check(fields.key_storage <= 2 and 1 <= fields.holder_class <= 4 and fields.per_use <= fields.cumulative)
    fields.per_use_fen, fields.cumulative_fen = 10 * fields.per_use, 10 * fields.cumulative
    return fields

def read_credential(data):
    credential = unpack(CREDENTIAL, data)
    credential.attributes = read_attributes(credential.attributes)
    credential.profile, credential.signed = credential.header & 3, data[:53]
    return credential

def read_code(data):
    """2: a code of either form; all before its last 73 bytes is the credential or what is short for it."""
    code = unpack(DYNAMIC, data[-73:])
    code.form = "full" if len(data) == 190 else "short"
    code.credential = read_credential(data[:-73]) if code.form == "full" else None
    head = code.credential or unpack(SHORT, data[:-73])
    code.profile, code.pseudonym, code.epoch = head.header & 3, head.pseudonym, head.epoch
    check(code.use in USES)
    code.dynamic, code.slot, code.use = data[-73:-64], code.use >> 4, USES[code.use]
    return code

def read_text(text, lengths):
    """3: text to bytes; lengths says how many characters follow each prefix."""
    text = re.sub(r"\A\][Qq][0-6]", "", text).rstrip("\r\n\t")
    check(len(text) - 2 == lengths.get(text[:2].replace("c", "C")))
    digits = [ALPHABET.find(letter.upper() if letter.isascii() else letter) for letter in text[2:]]
    values = [low + 45 * middle + 2025 * high for low, middle, high in pieces(digits, 3)]
    check(min(digits) >= 0 and max(values) <= 65535)
    return b"".join(value.to_bytes(2, "big") for value in values)

def read_confirmation(text):
    return unpack(CONFIRMATION, read_text(text, {"C3": 36}))

def code_preimage(code, school, shown):
    """4.2; shown has terminal, nonce and amount_fen of the confirmation, for a code of type 3."""
    head = bytes([0x10 | code.profile]) + code.pseudonym + bytes([code.epoch])
    message = tag("YIKA1.code") + school + head + code.dynamic
    if code.use == "confirmed_payment":
        numbers = b"".join(n.to_bytes(8, "big") for n in (shown.terminal, shown.nonce, shown.amount_fen))
        message += sha256(tag("YIKA1.ctx") + school + numbers)
    return message

def verify_credential(credential, school, issuer_key):
    credential.preimage = tag("YIKA1.cred") + school + credential.signed
    verify(issuer_key, credential, credential.preimage, "ISSUER_SIG")
    return credential

def verify_proof(data, school, nonce, device, key):
    """4.3: a raw signature, or DER, which is strict if encoding its numbers gives the same bytes again."""
    if len(data) != 64:
        try:
            pair = utils.decode_dss_signature(data)
        except ValueError:
            raise Refused("MALFORMED") from None
        check(max(pair) < ORDER and utils.encode_dss_signature(*pair) == data)
        data = b"".join(number.to_bytes(32, "big") for number in pair)
    verify(key, unpack(SIGNATURE, data), tag("YIKA1.pop") + school + nonce + device + key, "DEVICE_SIG")


# 5: signed messages; the reader of a body adds what it says to the message

def read_keyset(message, _):
    message.keys = rising([unpack(KEY, piece) for piece in pieces(message.body, 45)])
    for key in message.keys.values():
        longest = 63_244_800 if key.role == 1 else math.inf
        check(0 < key.to - key.since <= longest and point(key.key))

def read_rows(data):
    rows = [unpack(ROW, piece) for piece in pieces(data, 50)]
    for row, row.raw in zip(rows, pieces(data, 50)):
        row.attributes = read_attributes(row.attributes)
        row.profile, row.pays_offline = row.flags & 3, row.flags & 4
        check(row.profile <= 1)
    return rising(rows)

def read_table(message, _):
    policy = message.policy = unpack(POLICY, message.body[:9])
    policy.unanchored_limit_fen = 10 * policy.unanchored
    chunks, listed = pieces(message.behind, 50 * 4096), pieces(message.body[9:], 32)
    check(len(message.behind) == 50 * policy.count and len(message.body) == 9 + 32 * len(chunks))
    check([sha256(chunk) for chunk in chunks] == listed, "CHUNK")
    message.rows = read_rows(message.behind)

def read_delta(message, asked):
    head = unpack("base 8, upserts 4, deletes 4", message.body[:16])
    split = 16 + 50 * head.upserts
    check(len(message.body) == split + 5 * head.deletes and head.base + 1 == message.version)
    upserts = read_rows(message.body[16:split])
    deletes = rising([unpack("pseudonym 5x", piece) for piece in pieces(message.body[split:], 5)])
    check(not upserts.keys() & deletes.keys())
    check(head.base == asked.table.version, "WRONG_BASE")
    message.policy, rows = asked.table.policy, asked.table.rows | upserts
    message.rows = {name: rows[name] for name in sorted(rows) if name not in deletes}

def read_revocations(message, _):
    layout = "pseudonym 5x, min_epoch 1 1.."
    message.entries = rising([unpack(layout, piece) for piece in pieces(message.body, 6)])

def read_time(message, asked):
    unpack("nonce 16x, now_ms 8", message.body, message)
    check(message.nonce == asked.nonce, "WRONG_NONCE")

def read_mark(message, _):
    unpack("terminal 8, sequence 8", message.body, message)

def read_faces(message, _):
    layout = "reference 16x, digest 32x"
    message.entries = rising([unpack(layout, piece) for piece in pieces(message.body, 48)])

def read_directory(message, asked):
    head = unpack("terminal 8, mark 1 4..4, point 64x, length 4 16..", message.body[:77])
    check(len(message.body) == 77 + head.length)
    check(head.terminal == asked.terminal, "WRONG_TERMINAL")
    info = tag("YIKA1.dir") + message.school + message.body[:8]
    rest = hpke_open(asked.private_key, message.body[8:73], info, message.envelope, message.body[77:])
    entries = []
    while rest:
        end = 6 + unpack("pseudonym 5x, length 1 1..32", rest[:6]).length
        entries.append(unpack(f"pseudonym 5x, length 1, number {end - 6}x", rest[:end]))
        check(all(0x21 <= byte <= 0x7e for byte in entries[-1].number))
        entries[-1].number, rest = entries[-1].number.decode("ascii"), rest[end:]
    message.terminal, message.entries = head.terminal, rising(entries)

def hpke_open(private_key, encapsulated, info, aad, sealed):
    """5.8: RFC 9180, base mode, one message, suite 0010, 0001, 0002; of HKDF one block is enough."""
    def extract(suite, salt, label, material):
        return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")

    def expand(suite, secret, label, material, length):
        material = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + material
        return hmac.digest(secret, material + b"\1", "sha256")[:length]

    kem, suite = b"KEM\0\x10", b"HPKE\0\x10\0\1\0\2"
    private = ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    agreed = extract(kem, b"", b"eae_prk", private.exchange(ec.ECDH(), point(encapsulated, "SEALED")))
    shared = expand(kem, agreed, b"shared_secret", encapsulated + public, 32)
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    secret = extract(suite, shared, b"secret", b"")
    key, nonce = expand(suite, secret, b"key", context, 32), expand(suite, secret, b"base_nonce", context, 12)
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Refused("SEALED") from None

# By kind: type, tag, role of the signer, whether the version must be newer, reader of the body
MESSAGES = {
    "keyset": (1, "YIKA1.keyset", 0, True, read_keyset), "table": (2, "YIKA1.table", 2, True, read_table),
    "delta": (3, "YIKA1.delta", 2, False, read_delta), "time": (5, "YIKA1.time", 3, False, read_time),
    "revocations": (4, "YIKA1.revoke", 2, True, read_revocations),
    "directory": (6, "YIKA1.dir", 2, True, read_directory), "mark": (7, "YIKA1.mark", 2, False, read_mark),
    "faces": (8, "YIKA1.faces", 2, True, read_faces)}

def pinned(school, root):
    """The authority over keysets: key 0 alone, in a role 0, for all time."""
    return Fields(school=school, keys={0: Fields(role=0, since=0, to=math.inf, key=root)})

def open_message(kind, data, authority, asked):
    """5.1; the authority is pinned(...) for a keyset and the opened keyset for all others."""
    number, name, role, newer, read_body = MESSAGES[kind]
    message = unpack(ENVELOPE, data[:50])
    end = 50 + message.length
    unpack(f"body {message.length}x," + SIGNATURE, data[50:end + 64], message)
    check(message.issued_ms <= message.good_until_ms)
    check(message.type == number, "WRONG_MESSAGE")
    check(message.school == authority.school, "WRONG_SCHOOL")
    signer = authority.keys.get(message.signer)
    in_time = signer and signer.since <= message.issued_ms // 1000 < signer.to
    check(in_time and signer.role == role, "SIGNER_UNKNOWN")
    verify(signer.key, message, tag(name) + data[:end], "SIGNER_SIG")
    message.envelope, message.behind = data[:50], data[end + 64:]
    check(kind == "table" or not message.behind)
    read_body(message, asked)
    check(not newer or asked.have_version is None or message.version > asked.have_version, "NOT_NEWER")
    return message


# 6: records of sales

def read_sale(data, school, terminal_key, device_key):
    """An uploaded record; device_key is the one enrolled for the code's pseudonym, or None."""
    sale = unpack(SALE, data[:117])
    unpack(f"content {sale.length}x," + SIGNATURE, data[117:], sale)
    void, sale.voids = sale.kind == 2, 0
    if void:
        sale.voids = unpack("number 8 1..", sale.content).number
        check(sale.voids < sale.sequence and sale.nonce == 0)
    else:
        code = read_code(sale.content)
        check(code.use in PAYMENTS and (code.use == "confirmed_payment") == (sale.nonce != 0))
    check(sale.sequence > 1 or not any(sale.previous))
    check(sale.school == school, "WRONG_SCHOOL")
    message = tag("YIKA1.sale") + data[:-64]
    verify(terminal_key, sale, message, "SIGNER_SIG")
    if not void:
        check(device_key and code.profile == 0, "DEVICE_SIG")
        verify(device_key, code, code_preimage(code, school, sale), "DEVICE_SIG")
    sale.hash = sha256(message)
    return sale


# 8: the terminal's algorithm. A school has keyset, table and revocations; the terminal has kind, sites,
# attended, installed, now_ms, uncertainty_s, anchored, and the confirmation that it has shown.

REASONS = ("ISSUER_UNKNOWN ISSUER_SIG UNKNOWN NOT_YET EXPIRED KEY_CONFLICT ATTR_CONFLICT PROFILE REVOKED"
           " NOT_ASKED DEVICE_SIG").split()
NO_TABLE = Fields(rows={}, good_until_ms=-1,
                  policy=Fields(max_skew_s=60, unanchored_limit_fen=0, without_revocations=0))
RULES = {("pos", True): (PAYMENTS, POS), ("library", True): (PAYMENTS, FEE),
         ("gate", False): (["identity"], GATE), ("library", False): (["identity"], LIBRARY)}

def authenticate(code, school, terminal):
    """8.2 in one school: the attributes and the code life that count."""
    table, now, credential = school.table or NO_TABLE, terminal.now_ms // 1000, code.credential
    row = table.rows.get(code.pseudonym)
    if credential:
        issuer = school.keyset.keys.get(credential.issuer)
        check(issuer and issuer.role == 1 and issuer.since <= now < issuer.to, "ISSUER_UNKNOWN")
        verify_credential(credential, school.keyset.school, issuer.key)
        start = issuer.since + 3600 * credential.not_before_hours
        check(start <= now, "NOT_YET")
        check(now < start + 3600 * credential.life_hours, "EXPIRED")
        key, life, allowed = credential.device_key, credential.code_life_s, copy(credential.attributes)
        check(not row or row.device_key == key, "KEY_CONFLICT")
        check(not row or row.epoch != code.epoch or row.attributes == allowed, "ATTR_CONFLICT")
        if row and code.epoch < row.epoch:
            allowed.per_use_fen = min(allowed.per_use_fen, row.attributes.per_use_fen)
            allowed.cumulative_fen = min(allowed.cumulative_fen, row.attributes.cumulative_fen)
            allowed.accounts &= row.attributes.accounts
            allowed.scopes &= row.attributes.scopes
    else:
        check(terminal.now_ms <= table.good_until_ms and row and code.epoch <= row.epoch, "UNKNOWN")
        check(now < 1767225600 + 86400 * (row.until + 1), "EXPIRED")  # days from 2026-01-01
        key, life, allowed = row.device_key, table.policy.code_life_s, copy(row.attributes)
    check(code.profile == 0 and (not row or row.profile == 0), "PROFILE")
    if row and not row.pays_offline:
        allowed.scopes &= GATE | LIBRARY
    revoked = school.revocations and school.revocations.entries.get(code.pseudonym)
    check(all(code.epoch >= entry.min_epoch for entry in (row, revoked) if entry), "REVOKED")
    check(code.use != "confirmed_payment" or terminal.shown, "NOT_ASKED")
    code.preimage = code_preimage(code, school.keyset.school, terminal.shown)
    verify(key, code, code.preimage, "DEVICE_SIG")
    return allowed, life

def authorise(code, school, allowed, life, terminal, request, standing):
    """8.3: APPROVE or ANSWER_AS_BEFORE, for a code that is genuine."""
    policy, amount, now = (school.table or NO_TABLE).policy, request.pay_fen, terminal.now_ms // 1000
    pays, confirmed = amount is not None, code.use == "confirmed_payment"
    in_date = school.revocations and terminal.now_ms <= school.revocations.good_until_ms
    check(in_date or not pays and policy.without_revocations, "LISTS_STALE")
    check(terminal.anchored or not pays, "NO_TIME")
    if standing.accepted_for is not None and standing.accepted_for == request.sale:
        return "ANSWER_AS_BEFORE"
    slack = policy.max_skew_s
    if code.clock <= 250 and terminal.anchored:
        slack = min(slack, 2 * code.clock + math.ceil(terminal.uncertainty_s))
    check(code.time >= now - life - slack, "STALE")
    check(code.time <= now + slack, "FUTURE")
    check(code.time >= terminal.installed, "BEFORE_INSTALL")
    check(standing.last is None or code.epoch << 16 | code.counter > standing.last, "REPLAY")
    uses, scope = RULES.get((terminal.kind, pays), ([], 0))
    check(code.use in uses, "WRONG_KIND")
    scope |= (UNATTENDED if pays and not terminal.attended else 0) | (CONFIRMED if confirmed else 0)
    check(allowed.scopes & scope == scope, "SCOPE")
    check(code.site == 0 or code.site in terminal.sites, "SITE")
    if pays:
        check(allowed.accounts >> code.slot - 1 & 1, "ACCOUNT")
        check(amount == terminal.shown.amount_fen if confirmed else amount <= allowed.per_use_fen, "LIMIT")
        check(code.clock <= 250 or amount <= policy.unanchored_limit_fen, "LIMIT")
        check(0 < amount <= allowed.cumulative_fen - standing.spent_fen, "LIMIT")
    return "APPROVE"

def decide(text, schools, terminal, request, standing):
    """8: the outcome and the code; the first school in which nothing fails settles it."""
    code = read_code(read_text(text, {"C1": 120, "C2": 285}))
    check(not code.credential or code.profile or point(code.credential.device_key))
    latest = "ISSUER_UNKNOWN" if code.credential else "UNKNOWN"
    for school in schools:
        try:
            allowed, life = authenticate(code, school, terminal)
        except Refused as refused:
            latest = max(latest, str(refused), key=REASONS.index)
        else:
            return authorise(code, school, allowed, life, terminal, request, standing), code
    raise Refused(latest)
