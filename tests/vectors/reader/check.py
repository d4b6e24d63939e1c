"""Runs the test vectors of a folder through the second reader: python3 check.py FOLDER

A vector passes if the outcome and every field that it names are as expected. Only the reader's own `Refused`
is an outcome; any other exception is a bug and ends the run with its traceback.
"""
import json
import sys
from hashlib import sha256
from pathlib import Path

import reader

PROFILES = ("p256", "sm2")
USES = {1: "identity", 2: "payment", 3: "confirmed_payment"}
SALES = {1: "purchase", 2: "void", 3: "library_fee"}


def code(vector, common):
    schools = [
        {
            "school": common.school(place["school"]),
            "keyset": common.lists[place["keyset"]],
            "table": common.lists[place["table"]] if place["table"] else None,
            "revocations": common.lists[place["revocations"]] if place["revocations"] else None,
        }
        for place in vector["schools"]
    ]
    confirmation = vector["confirmation"]
    shown = reader.decode(vector["input"])
    school, granted = reader.authenticate(shown, schools, vector["time"]["now_ms"], confirmation)
    asked = (vector["terminal"], vector["time"], vector["request"], vector["standing"], confirmation)
    outcome = reader.authorise(shown, school, granted, *asked)
    fields = named(shown) | {"use": USES[shown["type"]], "form": "short"}
    fields["preimage"] = reader.code_preimage(shown, school["school"], confirmation)
    if "issuer" in shown:
        credential = reader.read(reader.CREDENTIAL, shown["bytes"][:117])
        preimage = reader.credential_preimage(credential["bytes"], school["school"])
        fields |= {"form": "full", "credential": named(credential) | {"preimage": preimage}}
    return outcome, fields


def credential(vector, common):
    school = common.school(vector["school"])
    data = bytes.fromhex(vector["input"])
    opened = reader.open_credential(data, school, bytes.fromhex(vector["issuer_key"]))
    return "ACCEPT", named(opened) | {"preimage": reader.credential_preimage(data, school)}


def message(vector, common):
    asked = {name: vector[name] for name in ("have_version", "terminal") if vector.get(name) is not None}
    asked |= {name: bytes.fromhex(vector[name]) for name in ("nonce", "private_key") if vector.get(name)}
    if vector["table"]:
        asked["table"] = common.lists[vector["table"]]
    keyset = common.lists[vector["keyset"]] if vector["keyset"] else common.root(vector["school"])
    opened = reader.open_message(vector["message"], data_of(vector["input"]), keyset, **asked)
    fields = dict(opened)
    for name in ("keys", "entries"):
        if name in opened:
            fields[name] = list(opened[name].values())
    if "rows" in opened:
        fields["rows"] = len(opened["rows"])
        fields["rows_sha256"] = sha256(b"".join(row["bytes"] for row in opened["rows"].values())).digest()
        fields["identity_without_revocations"] = opened["identity_without_revocations"] == 1
    return "ACCEPT", fields


def sale(vector, common):
    keys = [vector[name] and bytes.fromhex(vector[name]) for name in ("terminal_key", "device_key")]
    record = reader.open_sale(bytes.fromhex(vector["input"]), common.school(vector["school"]), *keys)
    return "ACCEPT", record | {"sale_kind": SALES[record["sale_kind"]]}


def confirmation(vector, common):
    return "ACCEPT", reader.read_confirmation(vector["input"])


def proof(vector, common):
    given = [bytes.fromhex(vector[name]) for name in ("nonce", "device", "key")]
    reader.check_possession(bytes.fromhex(vector["input"]), common.school(vector["school"]), *given)
    return "ACCEPT", {}


KINDS = {"code": code, "credential": credential, "list": message, "sale": sale, "confirmation": confirmation,
         "proof": proof}


def named(fields):
    """The fields of a code or credential as the vectors name them."""
    fields = fields | {"profile": PROFILES[fields["header"] & 3]}
    if "class" in fields:
        fields["key_storage"], fields["class"] = divmod(fields["class"], 16)
    return fields


def data_of(given):
    """The bytes of a message, with the rows that the vector only describes."""
    data = bytes.fromhex(given["hex"])
    if "rows" in given:
        end = bytes.fromhex(given["rows"]["template"])[5:]
        data += b"".join(row.to_bytes(5, "big") + end for row in range(given["rows"]["count"]))
    return data


class Common:
    """What the vectors share. The lists must all open: a refusal here is no outcome of a vector."""

    def __init__(self, shared):
        self.schools = shared["schools"]
        self.lists = {}
        for name in sorted(shared["lists"], key=lambda name: (not name.endswith("-keyset"), name)):
            school, kind = name.split("-")[:2]
            keyset = self.root(school) if kind == "keyset" else self.lists[school + "-keyset"]
            self.lists[name] = reader.open_message(kind, bytes.fromhex(shared["lists"][name]), keyset)

    def school(self, name):
        return bytes.fromhex(self.schools[name]["hash"])

    def root(self, name):
        return reader.pinned(self.school(name), bytes.fromhex(self.schools[name]["root"]))


def difference(expected, got, path="fields"):
    """The first place where a field is not as expected, or None; bytes are compared as hexadecimal."""
    if isinstance(got, bytes):
        got = got.hex()
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in expected:
            if name not in got:
                return f"{path}.{name} missing"
            if found := difference(expected[name], got[name], f"{path}.{name}"):
                return found
        return None
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        places = (difference(a, b, f"{path}[{at}]") for at, (a, b) in enumerate(zip(expected, got)))
        return next(filter(None, places), None)
    same = type(expected) is type(got) and expected == got
    return None if same else f"{path}: expected {expected!r}, got {got!r}"


def run(vector, common):
    """What is wrong with a vector, or None."""
    try:
        outcome, fields = KINDS[vector["kind"]](vector, common)
    except reader.Refused as refused:
        outcome, fields = str(refused), {}
    if outcome != vector["expect"]:
        return f"expected {vector['expect']}, got {outcome}"
    return difference(vector.get("fields", {}), fields)


def main(folder):
    shared = json.loads((folder / "common.json").read_text(encoding="utf-8"))
    passed = failed = 0
    for name, school in shared["schools"].items():
        got = reader.school_hash(school["domain"]).hex()
        if got != school["hash"]:
            failed += 1
            print(f"the hash of {name}: expected {school['hash']}, got {got}")
    common = Common(shared)
    for path in sorted(folder.glob("*.json")):
        if path.name == "common.json":
            continue
        vector = json.loads(path.read_text(encoding="utf-8"))
        problem = run(vector, common)
        if problem:
            failed += 1
            print(f"{path.stem}: {problem}")
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
