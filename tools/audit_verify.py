#!/usr/bin/env python3
"""Checks an audit log, or a transcript of one, by docs/spec/audit.md alone: a second reader, standard library only.

    audit_verify.py LOG [--expect-head N:HEX]... [--checkpoint-key HEX]...
    audit_verify.py --transcript FILE --checkpoint-key HEX

Prints one JSON document {"status", "entries", "head", "faults"} and ends with 0 when everything holds, else with 6.
A file of another kind is not looked into: nothing is printed but a sentence on stderr, and it ends with 2.
"""
import argparse
import hashlib
import json
import re
import sys

# The members of an entry, in the order in which they are written, and what each may be.
HEX = {size: re.compile("[0-9a-f]{%d}" % (2 * size)) for size in (16, 32, 64)}
WORD = re.compile(r'[!#-\[\]-~]{1,512}')
REMARK = re.compile(r'[ !#-\[\]-~]{1,200}')
KEY = re.compile("0x[0-9a-f]{96}")
MEMBERS = {
    "n": int, "time": int, "event": WORD, "outcome": WORD, "by": WORD, "request": WORD, "from": WORD, "route": WORD, "status": int,
    "code": WORD, "state": WORD, "epoch": int, "revision": int, "record": HEX[32], "subject": WORD, "members": [WORD], "threshold": int,
    "keys": [KEY], "count": int, "failed": int, "digest": HEX[32], "remark": REMARK, "log": HEX[16], "key": HEX[32],
    "signature": HEX[64], "head": HEX[32],
}
ALWAYS = ("n", "time", "event", "outcome", "by", "head")
OUTCOMES = ("asked", "done", "refused", "broken_off", "noted")
AUTHOR = re.compile(r"system|setup-token|anyone|(policy|operator|local):.+")
LARGEST = 2 ** 64 - 1


# ---- Ed25519 (RFC 8032 section 5.1), verification only: public values, so no care for constant time.
P = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    h, g, k, i = f - e, d + c, d - c, f + e
    return h * k % P, g * i % P, k * g % P, h * i % P


def times(scalar, point):
    out = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            out = add(out, point)
        point = add(point, point)
        scalar >>= 1
    return out


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2 ** 255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_holds(public_key, message, signature):
    a, r = decompress(public_key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- entries
class NotAnEntry(Exception):
    pass


def fits(value, kind):
    if isinstance(kind, list):
        return isinstance(value, list) and 0 < len(value) <= 256 and all(fits(one, kind[0]) for one in value)
    if kind is int:
        return type(value) is int and 0 <= value <= LARGEST
    return isinstance(value, str) and kind.fullmatch(value) is not None


def decode(line):
    """The members of a line that is an entry in its one written form."""
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise NotAnEntry(str(error)) from None
    if not isinstance(entry, dict) or any(name not in entry for name in ALWAYS):
        raise NotAnEntry("members are missing")
    if list(entry) != [name for name in MEMBERS if name in entry] or any(not fits(value, MEMBERS[name]) for name, value in entry.items()):
        raise NotAnEntry("a member that is not known, not in its place, or not of its kind")
    if json.dumps(entry, separators=(",", ":")) != line:
        raise NotAnEntry("not in the one form in which entries are written")
    if entry["outcome"] not in OUTCOMES or not AUTHOR.fullmatch(entry["by"]):
        raise NotAnEntry("an outcome or an author that is not known")
    if len({entry["n"] == 1, entry["event"] == "log_started", "log" in entry}) != 1:
        raise NotAnEntry("the first entry alone starts a log")
    if len({entry["event"] == "checkpoint", "key" in entry, "signature" in entry}) != 1:
        raise NotAnEntry("checkpoints alone are signed")
    return entry


def entry_hash(line):
    return hashlib.sha256(b"cc/audit/v1/entry\n" + line[: line.rindex(',"head":"')].encode()).digest()


def next_head(before, entry):
    return hashlib.sha256(b"cc/audit/v1/head\n" + before + entry).digest()


def checkpoint_holds(entry, log, number, head):
    message = f"cc/audit/v1/checkpoint\n{log}\n{number}\n{head.hex()}\n{entry['time']}\n"
    return ed25519_holds(bytes.fromhex(entry["key"]), message.encode(), bytes.fromhex(entry["signature"]))


def parse_head(text):
    number, _, value = text.partition(":")
    return int(number), bytes.fromhex(value)


def verify_log(data, heads=(), keys=()):
    """data: the bytes of the file. Returns (number, head, faults); a fault is (kind, number, sentence)."""
    faults, gaps = [], []
    number, head, known, log = 0, bytes(32), True, None
    signed, unsigned, signed_since_opened = False, None, False
    lines = data.split(b"\n")
    torn = lines.pop()
    for raw in lines:
        line = raw.decode("latin-1")
        try:
            entry = decode(line)
        except NotAnEntry as why:
            number, known = number + 1, False
            faults.append(("unreadable", number, str(why)))
            continue
        here = entry["n"]
        if here <= number:
            faults.append(("reordered", here, f"stands behind entry {number}"))
            continue
        if here > number + 1:
            gaps.append((number + 1, here - 1))
            known = False
        if known and next_head(head, entry_hash(line)) != bytes.fromhex(entry["head"]):
            faults.append(("altered", here, "does not follow from what stands before it"))
        log = entry.get("log", log)
        if known and "key" in entry:
            if log is None or not checkpoint_holds(entry, log, number, head):
                faults.append(("forged", here, "the signature does not hold"))
            elif keys and entry["key"] not in keys:
                faults.append(("forged", here, "signed by another key"))
            elif number > 0:
                signed = True
        number, head, known = here, bytes.fromhex(entry["head"]), True
        for wanted, value in heads:
            if wanted == here and value != head:
                faults.append(("rewritten", here, "not the head that is remembered"))
        # With a key named: a chamber that is open signs every 64 entries and when it closes; 128 are tolerated.
        if "key" in entry:
            signed_since_opened, unsigned = True, None if unsigned is None else 0
        elif entry["event"] == "opened":
            signed_since_opened, unsigned = False, 0
        elif entry["event"] in ("closed", "started"):
            if keys and entry["event"] == "closed" and unsigned is not None and not signed_since_opened:
                faults.append(("not_signed", here, "no checkpoint since the chamber opened"))
            unsigned = None
        elif unsigned is not None:
            unsigned += 1
            if keys and unsigned == 128:
                faults.append(("not_signed", here, "128 entries without a checkpoint"))
    if torn:
        faults.append(("torn", number + 1, f"{len(torn)} bytes of a line without an end"))
    if keys and not signed:
        faults.append(("not_signed", number, "no checkpoint of the key named"))
    faults += [("missing", first, f"up to {last}") for first, last in gaps]
    faults += [("cut", number + 1, f"entry {wanted} is known to exist") for wanted, _ in heads if wanted > number]
    return number, head, faults


def verify_transcript(text, keys):
    """Returns (last number, head there, faults)."""
    try:
        document = json.loads(text)
        number, head = parse_head(document["before"])
        if number == 0 and any(head):
            raise ValueError("a wrong start")
        for line in document["entries"]:
            entry = decode(line)
            number, head = number + 1, next_head(head, entry_hash(line))
            if entry["n"] != number or bytes.fromhex(entry["head"]) != head or entry.get("log", document["log"]) != document["log"]:
                raise ValueError(f"entry {number} does not follow")
        last = number, head
        for value in document["hashes"]:
            number, head = number + 1, next_head(head, bytes.fromhex(value))
        checkpoint = decode(document["checkpoint"])
        if not document["entries"] or checkpoint["n"] != number + 1 or checkpoint.get("key") not in keys:
            raise ValueError("another checkpoint, or another key")
        if not checkpoint_holds(checkpoint, document["log"], number, head):
            raise ValueError("the signature does not hold")
        return *last, []
    except (ValueError, KeyError, TypeError, NotAnEntry) as why:
        return 0, bytes(32), [("transcript", 0, str(why))]


def is_log(data):
    """Whether it is one at all: some line is an entry, or nothing is there."""
    for raw in data.split(b"\n")[:-1]:
        try:
            decode(raw.decode("latin-1"))
            return True
        except NotAnEntry:
            pass
    return not data


def is_transcript(data):
    try:
        document = json.loads(data)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("format") == "containment-chamber/audit-transcript/v1"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("log")
    arguments.add_argument("--transcript", action="store_true")
    arguments.add_argument("--expect-head", action="append", default=[])
    arguments.add_argument("--checkpoint-key", action="append", default=[])
    given = arguments.parse_args()
    with open(given.log, "rb") as source:
        data = source.read()
    if not (is_transcript(data) if given.transcript else is_log(data)):
        print(f"{given.log} is no {'transcript' if given.transcript else 'audit log'}", file=sys.stderr)
        return 2
    if given.transcript:
        number, head, faults = verify_transcript(data.decode(), given.checkpoint_key)
    else:
        number, head, faults = verify_log(data, [parse_head(text) for text in given.expect_head], given.checkpoint_key)
    print(json.dumps({
        "status": "faulty" if faults else "ok",
        "entries": number,
        "head": f"{number}:{head.hex()}",
        "faults": [{"kind": kind, "number": at, "detail": detail} for kind, at, detail in faults],
    }))
    return 6 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
