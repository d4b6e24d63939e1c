"""Runs the test vectors through the reader: `check.py FOLDER` prints what failed and a count, and exits 0 or 1."""

import hashlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace as Record

import reader

PROFILES, FORMS = ("p256", "sm2"), (None, "short", "full")
USES, SALES = (None, "identity", "payment", "confirmed_payment"), (None, "purchase", "void", "library_fee")


class Shared:
    """The schools and lists of common.json, opened when they are asked for."""

    def __init__(self, common):
        self.common, self.opened = common, {}

    def school(self, name):
        facts = self.common["schools"][name]
        assert reader.school_hash(facts["domain"]).hex() == facts["hash"]
        return bytes.fromhex(facts["hash"]), bytes.fromhex(facts["root"])

    def list(self, name):
        if name and name not in self.opened:
            school, data = name.split("-")[0], bytes.fromhex(self.common["lists"][name])
            if name.endswith("-keyset"):
                self.opened[name] = reader.open_keyset(data, *self.school(school))
            else:
                opener = reader.open_table if "-table" in name else reader.open_revocations
                self.opened[name] = opener(data, self.list(school + "-keyset"))
        return self.opened.get(name)


def confirmation_of(case):
    return case and Record(terminal=case["terminal"], nonce=case["nonce"], amount=case["amount_fen"])


def run_code(vector, shared):
    code = reader.code_of_text(vector["input"])
    schools = [Record(keyset=shared.list(held["keyset"]), table=shared.list(held["table"]),
                      revocations=shared.list(held["revocations"])) for held in vector["schools"]]
    time = Record(now_ms=vector["time"]["now_ms"], uncertainty=vector["time"]["uncertainty_s"],
                  anchored=vector["time"]["anchored"])
    standing, asked = vector["standing"], confirmation_of(vector["confirmation"])
    genuine = reader.authenticate(code, schools, time, asked)
    outcome = reader.authorise(
        code, genuine, Record(**vector["terminal"]), time,
        Record(pay=vector["request"]["pay_fen"], sale=vector["request"]["sale"]),
        Record(last=standing["last"], spent=standing["spent_fen"], accepted_for=standing["accepted_for"]), asked)
    return outcome, describe_code(code, genuine.school, asked)


def describe_code(code, school, asked):
    dynamic = code.dynamic
    fields = {"form": FORMS[code.form], "profile": PROFILES[code.profile], "pseudonym": code.pseudonym.hex(),
              "epoch": code.epoch, "time": dynamic.time, "counter": dynamic.counter, "use": USES[dynamic.kind],
              "slot": dynamic.slot, "site": dynamic.site, "clock": dynamic.clock,
              "preimage": reader.code_preimage(school, code, asked).hex()}
    if code.credential:
        fields["credential"] = describe_credential(code.credential, school)
    return fields


def describe_credential(credential, school):
    attributes = credential.attributes
    return {"profile": PROFILES[credential.profile], "issuer": credential.issuer,
            "pseudonym": credential.pseudonym.hex(), "epoch": credential.epoch,
            "not_before_hours": credential.not_before, "life_hours": credential.life,
            "code_life_s": credential.code_life, "per_use_fen": attributes.per_use,
            "cumulative_fen": attributes.cumulative, "accounts": attributes.accounts, "scopes": attributes.scopes,
            "class": attributes.holder, "key_storage": attributes.storage, "device_key": credential.key.hex(),
            "preimage": reader.credential_preimage(school, credential).hex()}


def run_credential(vector, shared):
    school, _ = shared.school(vector["school"])
    cursor = reader.Cursor(bytes.fromhex(vector["input"]))
    credential = reader.read_credential(cursor)
    cursor.end()
    message = reader.credential_preimage(school, credential)
    key = bytes.fromhex(vector["issuer_key"])
    reader.check(reader.verifies(key, message, credential.signature), "ISSUER_SIG")
    return "ACCEPT", describe_credential(credential, school)


def run_list(vector, shared):
    data, (school, root) = bytes.fromhex(vector["input"]["hex"]), shared.school(vector["school"])
    if "rows" in vector["input"]:
        rows = vector["input"]["rows"]
        template = bytes.fromhex(rows["template"])
        data += b"".join(number.to_bytes(5, "big") + template[5:] for number in range(rows["count"]))
    message, keyset = vector["message"], shared.list(vector["keyset"])
    if message == "time":
        return "ACCEPT", {"now_ms": reader.open_time(data, keyset, bytes.fromhex(vector["nonce"]))}
    if message == "mark":
        return "ACCEPT", vars(reader.open_mark(data, keyset))
    if message == "delta":
        opened = reader.apply_delta(shared.list(vector["table"]), reader.open_delta(data, keyset))
    elif message == "keyset":
        opened = reader.open_keyset(data, school, root)
    else:
        opened = (reader.open_table if message == "table" else reader.open_revocations)(data, keyset)
    have = vector["have_version"]
    reader.check(have is None or opened.version > have, "NOT_NEWER")
    return "ACCEPT", {"version": opened.version, **describe_body(message, opened)}


def describe_body(message, opened):
    if message == "keyset":
        return {"keys": [{"id": number, "role": key.role, "from": key.start, "to": key.end, "key": key.key.hex()}
                         for number, key in opened.keys.items()]}
    if message == "revocations":
        return {"entries": [{"pseudonym": pseudonym.hex(), "min_epoch": lowest}
                            for pseudonym, lowest in opened.lowest.items()]}
    rows, policy = b"".join(opened.rows[name].raw for name in sorted(opened.rows)), opened.policy
    return {"code_life_s": policy.code_life, "max_skew_s": policy.max_skew, "unanchored_limit_fen": policy.unanchored,
            "identity_without_revocations": policy.identity_alone, "rows": len(opened.rows),
            "rows_sha256": hashlib.sha256(rows).hexdigest()}


def run_sale(vector, shared):
    device = vector["device_key"]
    sale = reader.check_sale(bytes.fromhex(vector["input"]), shared.school(vector["school"])[0],
                             bytes.fromhex(vector["terminal_key"]), device and bytes.fromhex(device))
    return "ACCEPT", {
        "terminal": sale.terminal, "sequence": sale.sequence, "previous": sale.previous.hex(),
        "sale_kind": SALES[sale.kind], "voids": sale.voids, "amount_fen": sale.amount, "merchant": sale.merchant,
        "time_ms": sale.time_ms, "uncertainty_s": sale.uncertainty, "table_version": sale.table,
        "revocations_version": sale.revocations, "nonce": sale.nonce,
        "hash": hashlib.sha256(sale.preimage).hexdigest()}


def run_confirmation(vector, _shared):
    asked = reader.confirmation_of_text(vector["input"])
    return "ACCEPT", {"terminal": asked.terminal, "nonce": asked.nonce, "amount_fen": asked.amount}


def run_proof(vector, shared):
    parts = (bytes.fromhex(vector[name]) for name in ("nonce", "device", "key", "input"))
    reader.check_proof(shared.school(vector["school"])[0], *parts)
    return "ACCEPT", None


RUN = {"code": run_code, "credential": run_credential, "list": run_list, "sale": run_sale,
       "confirmation": run_confirmation, "proof": run_proof}


def main(folder):
    shared = Shared(json.loads((folder / "common.json").read_text("utf-8")))
    passed = failed = 0
    for path in sorted(folder.glob("*.json")):
        if path.name == "common.json":
            continue
        vector = json.loads(path.read_text("utf-8"))
        try:
            outcome, fields = RUN[vector["kind"]](vector, shared)
        except reader.Refused as refused:
            outcome, fields = refused.args[0], None
        if outcome == vector["expect"] and vector.get("fields") in (None, fields):
            passed += 1
        else:
            failed += 1
            print(f"{path.stem}: {outcome} instead of {vector['expect']}, {fields}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check.py FOLDER")
    sys.exit(main(Path(sys.argv[1])))
