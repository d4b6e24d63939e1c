"""Runs the test vectors against reader.py: python3 check.py FOLDER.

Each vector's outcome and every one of its `fields` must be as its file says. Refused is the only exception
that is an outcome. Prints what differs, then how many passed; exits with 1 if any failed or none was found.
"""
import hashlib
import json
import pathlib
import sys
from types import SimpleNamespace as Fields

import reader


RENAMED = {"since": "from", "holder_class": "class", "without_revocations": "identity_without_revocations"}
BYTES = {"nonce", "private_key", "issuer_key", "terminal_key", "device_key", "device", "key"}


def described(value):
    """What the reader found, under the names of the vectors."""
    if isinstance(value, dict):
        return [described(entry) for entry in value.values()]
    if not isinstance(value, Fields):
        return value.hex() if isinstance(value, bytes) else value
    found = {RENAMED.get(name, name): described(member) for name, member in vars(value).items()}
    found |= found.get("attributes", {}) | found.get("policy", {})
    if "profile" in found:
        found["profile"] = ("p256", "sm2")[value.profile]
    if "voids" in found:
        found["sale_kind"] = (None, "purchase", "void", "library_fee")[value.kind]
    if "rows" in found:
        rows = b"".join(row.raw for row in value.rows.values())
        found |= {"rows": len(value.rows), "rows_sha256": hashlib.sha256(rows).hexdigest()}
    return found


def matches(expected, found):
    """Whether all that is expected was found; a member that the reader doesn't produce does not match."""
    if isinstance(expected, dict):
        return all(name in found and matches(value, found[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(matches, expected, found))
    return expected == found


def run(vector, schools, lists):
    """The outcome and what was read."""
    given = Fields(**{name: bytes.fromhex(value) if value and name in BYTES else value
                      for name, value in vector.items()})
    if given.kind == "code":
        shown = Fields(**given.confirmation) if given.confirmation else None
        held = [Fields(**{name: lists[entry[name]] for name in ("keyset", "table", "revocations")})
                for entry in given.schools]
        return reader.decide(given.input, held, Fields(shown=shown, **given.terminal, **given.time),
                             Fields(**given.request), Fields(**given.standing))
    if given.kind == "confirmation":
        return "ACCEPT", reader.read_confirmation(given.input)
    school = schools[given.school]
    if given.kind == "list":
        data, rows = bytes.fromhex(given.input["hex"]), given.input.get("rows", {"count": 0})
        for number in range(rows["count"]):
            data += number.to_bytes(5, "big") + bytes.fromhex(rows["template"])[5:]
        given.table = lists[given.table]
        return "ACCEPT", reader.open_message(given.message, data, lists[given.keyset] or school, given)
    data, school = bytes.fromhex(given.input), school.school
    if given.kind == "credential":
        return "ACCEPT", reader.verify_credential(reader.read_credential(data), school, given.issuer_key)
    if given.kind == "sale":
        return "ACCEPT", reader.read_sale(data, school, given.terminal_key, given.device_key)
    assert given.kind == "proof", given.kind
    return "ACCEPT", reader.verify_proof(data, school, given.nonce, given.device, given.key)


def main(folder):
    common = json.loads((folder / "common.json").read_text())
    schools, lists, failed = {}, {None: None}, 0
    for name, school in common["schools"].items():
        schools[name] = reader.pinned(reader.school_hash(school["domain"]), bytes.fromhex(school["root"]))
        assert schools[name].school.hex() == school["hash"]
    for name in sorted(common["lists"], key=lambda name: not name.endswith("keyset")):
        school, kind = name.split("-")[:2]
        authority = schools[school] if kind == "keyset" else lists[f"{school}-keyset"]
        data = bytes.fromhex(common["lists"][name])
        lists[name] = reader.open_message(kind, data, authority, Fields(have_version=None))
    paths = sorted(set(folder.glob("*.json")) - {folder / "common.json"})
    for path in paths:
        vector = json.loads(path.read_text())
        expected = [vector["expect"], vector.get("fields", {})]
        try:
            outcome, result = run(vector, schools, lists)
            found = [outcome, described(result)]
        except reader.Refused as refused:
            found = [str(refused), {}]
        if not matches(expected, found):
            failed += 1
            print(f"{path.name}: expected {expected}, got {found}")
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
